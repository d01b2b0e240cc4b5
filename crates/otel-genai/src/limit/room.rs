//! Sharing room among items.

/// The least room in which an item is worth keeping: a short text, or a text with a mark.
pub(super) const WORTH: usize = 64;

/// The level at which items of these sizes, each cut down to it where it is larger, fit into `room` together.
/// `usize::MAX` where they fit as they are.
pub(super) fn level(sizes: impl IntoIterator<Item = usize>, room: usize) -> usize {
    let mut sizes: Vec<usize> = sizes.into_iter().collect();
    sizes.sort_unstable();
    let mut left = room;
    let mut count = sizes.len();
    for size in sizes {
        // What the items from here on, this the smallest, may each have.
        let share = left / count.max(1);
        if size > share {
            return share;
        }
        left -= size;
        count -= 1;
    }
    usize::MAX
}

/// How many items, from the first on, are kept in this room, each in no less than it takes to be worth it.
pub(super) fn worth_keeping(least: impl IntoIterator<Item = usize>, room: usize) -> usize {
    let mut used = 0_usize;
    least
        .into_iter()
        .take_while(|least| {
            used = used.saturating_add(*least);
            used <= room
        })
        .count()
}
