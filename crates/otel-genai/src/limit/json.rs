//! Cutting JSON, which stays JSON: an object stays an object, a list a list, a text a text.

use serde_json::{Map, Value};

use super::count::json_bytes;
use super::room::{WORTH, level, worth_keeping};
use super::text;

/// The key under which an object says that properties were left out.
const MARK: &str = "…";

/// The room that the mark of a list or an object needs at most.
const MARK_ROOM: usize = 100;

/// The value in no more than `room` bytes of JSON, and no deeper than `depth` levels. As it was, where it fits.
pub(super) fn shrink(value: &Value, room: usize, depth: usize) -> Value {
    if json_bytes(value, room, depth).is_some() {
        return value.clone();
    }
    match value {
        Value::String(text) => Value::String(text::cut(text, room)),
        // Here alone a list or an object becomes a text.
        Value::Array(_) | Value::Object(_) if depth == 0 => Value::String(too_deep(room)),
        Value::Array(items) => Value::Array(shrink_items(items, room, depth)),
        Value::Object(entries) => Value::Object(shrink_entries(entries, room, depth)),
        // A number of a thousand digits, under serde_json's feature of that.
        _ => Value::Null,
    }
}

/// The list in no more than `room` bytes of JSON.
pub(super) fn shrink_items(items: &[Value], room: usize, depth: usize) -> Vec<Value> {
    let depth = depth.saturating_sub(1);
    let inner = room.saturating_sub(2);
    // Each item takes two bytes at least, so of a very long list only the beginning is looked at.
    let sizes: Vec<usize> =
        items.iter().take(inner / 2 + 1).map(|item| size(item, inner, depth) + 1).collect();
    let worth = sizes.iter().zip(items).map(|(size, item)| (*size).min(worth(item)));
    let (kept, share) = share(&sizes, worth, items.len(), inner);
    let mut out: Vec<Value> = items
        .iter()
        .take(kept)
        .zip(&sizes)
        .map(|(item, size)| shrink(item, share.min(*size) - 1, depth))
        .collect();
    if kept < items.len() && inner >= MARK_ROOM {
        out.push(Value::String(left_out(items.len() - kept, items.len(), "items")));
    }
    out
}

/// The object in no more than `room` bytes of JSON.
pub(super) fn shrink_entries(entries: &Map<String, Value>, room: usize, depth: usize) -> Map<String, Value> {
    let depth = depth.saturating_sub(1);
    let inner = room.saturating_sub(2);
    // An entry takes five bytes at least.
    let mut considered: Vec<(&String, &Value, usize, usize)> = entries
        .iter()
        .take(inner / 4 + 1)
        .map(|(key, value)| {
            let key_size = text::json_size(key, inner).unwrap_or(inner) + 2; // and a colon, a comma
            (key, value, key_size, size(value, inner, depth))
        })
        .collect();
    // What says of which type an object is stays longest, and what is large goes first.
    considered.sort_by_key(|(key, _, _, size)| (key.as_str() != "type", *size));
    let everything = entries.len() == considered.len();
    let keys: usize = considered.iter().map(|(_, _, key, _)| key).sum();
    let values = inner.saturating_sub(keys);
    let all = everything && keys <= inner;
    let whole = level(considered.iter().map(|(_, _, _, size)| *size), values);
    let (kept, share) = if all && whole >= WORTH {
        (considered.len(), whole)
    } else {
        let room = inner.saturating_sub(MARK_ROOM);
        let kept = worth_keeping_entries(&considered, room);
        let keys: usize = considered.iter().take(kept).map(|(_, _, key, _)| key).sum();
        let sizes = considered.iter().take(kept).map(|(_, _, _, size)| *size);
        (kept, level(sizes, room.saturating_sub(keys)))
    };
    let mut out: Map<String, Value> = considered
        .iter()
        .take(kept)
        .map(|(key, value, _, size)| ((*key).clone(), shrink(value, share.min(*size), depth)))
        .collect();
    if kept < entries.len() && inner >= MARK_ROOM {
        let mark = left_out(entries.len() - kept, entries.len(), "properties");
        out.insert(MARK.to_owned(), Value::String(mark));
    }
    out
}

fn worth_keeping_entries(entries: &[(&String, &Value, usize, usize)], room: usize) -> usize {
    let mut used = 0_usize;
    entries
        .iter()
        .take_while(|(_, _, key, size)| {
            used = used.saturating_add(key.saturating_add((*size).min(WORTH)));
            used <= room
        })
        .count()
}

/// The least room in which a value is worth keeping: an object with less says too little.
fn worth(value: &Value) -> usize {
    if value.is_object() || value.is_array() { 3 * WORTH } else { WORTH }
}

/// How many of `of` items to keep, of which these are the sizes of the first, and the room for each.
fn share(sizes: &[usize], worth: impl Iterator<Item = usize>, of: usize, room: usize) -> (usize, usize) {
    let whole = level(sizes.iter().copied(), room);
    if sizes.len() == of && whole >= 3 * WORTH {
        return (of, whole);
    }
    let room = room.saturating_sub(MARK_ROOM);
    let kept = worth_keeping(worth, room);
    (kept, level(sizes.iter().take(kept).copied(), room))
}

/// The size of the value, counted no further than beyond the limit.
fn size(value: &Value, limit: usize, depth: usize) -> usize {
    json_bytes(value, limit, depth).unwrap_or(limit.saturating_add(1))
}

fn left_out(count: usize, of: usize, what: &str) -> String {
    format!("…[cut: {count} of {of} {what} left out]")
}

fn too_deep(room: usize) -> String {
    let mark = "…[cut: nested too deep]";
    if mark.len() + 2 <= room { mark.to_owned() } else { text::cut(mark, room) }
}
