//! Cutting a text, by its size in JSON or its own.

/// How many bytes a byte takes inside a JSON string.
pub(super) fn escaped(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | 0x08 | 0x09 | 0x0A | 0x0C | 0x0D => 2,
        0x00..=0x1F => 6,
        _ => 1,
    }
}

/// The size of a text as a JSON string, quotes included; `None` where it is larger than `limit`.
pub(super) fn json_size(text: &str, limit: usize) -> Option<usize> {
    // No byte takes less than one: a text that is too long need not be read.
    if text.len().saturating_add(2) > limit {
        return None;
    }
    let size = 2 + text.bytes().map(escaped).sum::<usize>();
    (size <= limit).then_some(size)
}

/// The text cut so that it takes no more than `room` bytes as a JSON string, with a mark of what was cut. Without room
/// for the mark: `…`, or nothing. The text is expected to be larger than the room.
pub(super) fn cut(text: &str, room: usize) -> String {
    let (mark, budget) = mark(text, room.saturating_sub(2));
    let mut used = 0;
    let kept = text.bytes().take_while(|byte| {
        used += escaped(*byte);
        used <= budget
    });
    join(text, kept.count(), mark)
}

/// The text cut so that it takes no more than `room` bytes, with a mark of what was cut.
pub(super) fn cut_plain(text: &str, room: usize) -> String {
    let (mark, budget) = mark(text, room);
    join(text, budget.min(text.len()), mark)
}

#[derive(Clone, Copy)]
enum Mark {
    Full,
    Short,
    None,
}

/// The mark there is room for, and the room that is left for text.
fn mark(text: &str, room: usize) -> (Mark, usize) {
    let longest = full_mark(text.len(), text.len()).len();
    match room {
        room if room >= longest => (Mark::Full, room - longest),
        3.. => (Mark::Short, room - 3),
        _ => (Mark::None, room),
    }
}

fn full_mark(left_out: usize, of: usize) -> String {
    format!("…[cut: {left_out} of {of} bytes left out]")
}

fn join(text: &str, kept: usize, mark: Mark) -> String {
    let kept = up_to(text, kept);
    match mark {
        Mark::Full => format!("{kept}{}", full_mark(text.len() - kept.len(), text.len())),
        Mark::Short => format!("{kept}…"),
        Mark::None => kept.to_owned(),
    }
}

/// The beginning of the text, of this many bytes or as many as make whole characters.
pub(crate) fn up_to(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
