//! Cutting a conversation: which messages stay, and how large.

use super::count::{about_bytes, json_bytes};
use super::part::{self, MARK_ROOM};
use super::{ContentLimits, text};
use crate::message::{Message, Role};

/// The room of a message that stands for those left out: a part, a role, a reason.
const STAND_IN_ROOM: usize = MARK_ROOM + 2 * NAME_ROOM + 61;

/// The most that a role, a name or a reason takes in a message that is cut.
const NAME_ROOM: usize = 32;

/// A message is not cut to less, but left out.
const WORTH: usize = 256;

/// The messages as a list within the limits.
pub(super) fn fit(messages: &[Message], limits: &ContentLimits) -> Vec<Message> {
    let inner = limits.attribute().saturating_sub(2);
    let size = |message: &Message| size(message, inner, limits).saturating_add(1);
    // A message that fits is still held to the size it was counted with: a blob in it may be counted by reference.
    let whole = |message: &Message| fit_message(message, size(message) - 1, limits);
    // From the newest on, no further than where the room ends: older ones are left out whatever they are.
    let mut used = 0_usize;
    let fits = messages.iter().rev().all(|message| {
        used = used.saturating_add(size(message));
        used <= inner
    });
    let Some((last, others)) = messages.split_last().filter(|_| !fits) else {
        return messages.iter().map(whole).collect();
    };

    // Where the room is hardly enough for one message, instructions are as any other, or all are left out.
    if !others.is_empty() && inner < STAND_IN_ROOM + WORTH {
        return stand_in(messages).into_iter().collect();
    }
    let instruction =
        others.first().filter(|first| inner >= STAND_IN_ROOM + 3 * WORTH && is_instruction(first));
    let between = others.get(usize::from(instruction.is_some())..).unwrap_or_default();
    let mut plan = Plan::new(instruction, between, last, inner, size);
    if plan.kept + plan.cut < between.len() {
        plan = Plan::new(instruction, between, last, inner.saturating_sub(STAND_IN_ROOM), size);
    }
    let (left_out, kept) = between.split_at(between.len() - plan.kept - plan.cut);

    let mut out = Vec::with_capacity(kept.len() + 3);
    out.extend(instruction.map(|message| fit_message(message, plan.instruction.saturating_sub(1), limits)));
    out.extend(stand_in(left_out));
    out.extend(
        kept.iter().take(plan.cut).map(|message| fit_message(message, plan.left.saturating_sub(1), limits)),
    );
    out.extend(kept.iter().skip(plan.cut).map(whole));
    out.push(fit_message(last, plan.last.saturating_sub(1), limits));
    out
}

/// The room for each of the messages.
struct Plan {
    instruction: usize,
    last: usize,
    /// How many of the newest between those two stay whole.
    kept: usize,
    /// Whether (one) or not (none) the message before these is kept too, cut to what is left.
    cut: usize,
    left: usize,
}

impl Plan {
    /// Instructions may take a quarter of the room, and the newest message half of what remains, before all others;
    /// what then remains is for the newest message, then for one that is cut.
    fn new(
        instruction: Option<&Message>,
        between: &[Message],
        last: &Message,
        room: usize,
        size: impl Fn(&Message) -> usize,
    ) -> Plan {
        let at_first = |wanted: usize, share: usize, room: usize| wanted.min(share.max(WORTH)).min(room);
        let mut left = room;
        let instruction = instruction.map_or(0, |message| at_first(size(message), left / 4, left));
        left -= instruction;
        let wanted = size(last);
        let last = at_first(wanted, left / 2, left);
        left -= last;
        let mut kept = 0;
        for message in between.iter().rev() {
            let size = size(message);
            if size > left {
                break;
            }
            left -= size;
            kept += 1;
        }
        let more = left.min(wanted - last);
        left -= more;
        let cut = usize::from(left >= 2 * WORTH && kept < between.len());
        Plan { instruction, last: last + more, kept, cut, left }
    }
}

fn is_instruction(message: &Message) -> bool {
    message.role == Role::System || message.role.as_str() == "developer"
}

/// The size of the message once it is within its own limit and its parts within theirs, counted no further than beyond
/// `limit`.
fn size(message: &Message, limit: usize, limits: &ContentLimits) -> usize {
    let beyond = limit.saturating_add(1);
    let mut size = match frame(message, limit, limits) {
        Some(frame) => frame,
        None => return beyond.min(limits.message()),
    };
    for part in &message.parts {
        size = size.saturating_add(part::size(part, limit, limits) + 1);
        if size > limit {
            break;
        }
    }
    size.min(beyond).min(limits.message())
}

/// The size of the message without its parts; `None` where that is beyond `limit`.
fn frame(message: &Message, limit: usize, limits: &ContentLimits) -> Option<usize> {
    let frame = Message {
        role: message.role.clone(),
        parts: Vec::new(),
        name: message.name.clone(),
        finish_reason: message.finish_reason.clone(),
        extra: serde_json::Map::new(),
    };
    let depth = limits.depth() + 1;
    let extra = if message.extra.is_empty() { 0 } else { json_bytes(&message.extra, limit, depth)? };
    json_bytes(&frame, limit.checked_sub(extra)?, 2).map(|frame| frame + extra)
}

/// The message in no more than `room` bytes of JSON, and within its own limit.
fn fit_message(message: &Message, room: usize, limits: &ContentLimits) -> Message {
    let room = room.min(limits.message());
    let fits = |message: &Message| json_bytes(message, room, limits.depth() + 3).is_some();
    if message.parts.iter().all(|part| part::within(part, limits)) && fits(message) {
        return message.clone();
    }
    // Half for the frame, where it is that large: its extra properties go first.
    let mut cut = Message {
        role: message.role.clone(),
        parts: Vec::new(),
        name: message.name.clone(),
        finish_reason: message.finish_reason.clone(),
        extra: serde_json::Map::new(),
    };
    if frame(message, room / 2, limits).is_some() {
        cut.extra = message.extra.clone();
    } else if json_bytes(&cut, room / 2, 2).is_none() {
        cut.role = short(message.role.as_str()).as_str().into();
        cut.name = message.name.as_deref().map(short);
        cut.finish_reason =
            message.finish_reason.as_ref().map(|reason| short(reason.as_str()).as_str().into());
    }
    let frame = json_bytes(&cut, usize::MAX, limits.depth() + 3).unwrap_or(room);
    // The list's own brackets are counted in the frame already.
    cut.parts = part::fit_all(&message.parts, room.saturating_sub(frame) + 2, limits);
    if !fits(&cut) {
        cut.name = None;
        cut.parts = vec![part::mark("parts", message.parts.len(), about_bytes(&message.parts))];
    }
    cut
}

fn short(text: &str) -> String {
    if text::json_size(text, NAME_ROOM).is_some() { text.to_owned() } else { text::cut(text, NAME_ROOM) }
}

/// The message that stands in place of those left out. It has the role of the first of them, and its reason to stop, so
/// that it is valid where they were.
fn stand_in(left_out: &[Message]) -> Option<Message> {
    let first = left_out.first()?;
    let mut message = Message::new(
        short(first.role.as_str()).as_str(),
        [part::mark("messages", left_out.len(), about_bytes(left_out))],
    );
    message.finish_reason = first.finish_reason.as_ref().map(|reason| short(reason.as_str()).as_str().into());
    Some(message)
}
