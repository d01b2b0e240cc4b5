//! Cutting parts of messages, and tool definitions.

use serde_json::{Map, Value};

use super::count::{about_bytes, json_bytes};
use super::room::{WORTH, level, worth_keeping};
use super::{BlobPolicy, ContentLimits, blob, json, text};
use crate::message::{
    BlobPart, CompactionPart, FilePart, GenericPart, Modality, Part, ReasoningPart, ServerToolCallPart,
    ServerToolCallResponsePart, TextPart, ToolCallPart, ToolCallResponsePart, ToolDefinition, UriPart,
};

/// The `type` of the part that stands in place of what was left out.
const TRUNCATED: &str = "truncated";

/// The room that such a part needs at most.
pub(super) const MARK_ROOM: usize = 110;

/// Whether nothing of the part would be cut.
pub(super) fn within(part: &Part, limits: &ContentLimits) -> bool {
    if limits.blobs != BlobPolicy::Inline && matches!(part, Part::Blob(_)) {
        return false;
    }
    // Nothing to count where there is no limit, nor any JSON that may be deep.
    if limits.part_bytes.is_none()
        && let Part::Text(TextPart { extra, .. }) | Part::Reasoning(ReasoningPart { extra, .. }) = part
        && extra.is_empty()
    {
        return true;
    }
    json_bytes(part, limits.part(), limits.depth() + 1).is_some()
}

/// A part that says what was left out.
pub(super) fn mark(what: &str, count: usize, bytes: usize) -> Part {
    let mut properties = Map::new();
    properties.insert(format!("omitted_{what}"), count.into());
    properties.insert("omitted_bytes".to_owned(), bytes.into());
    Part::Generic(GenericPart { kind: TRUNCATED.to_owned(), properties })
}

/// The size of the part once it is within its own limit, counted no further than beyond `limit`.
pub(super) fn size(part: &Part, limit: usize, limits: &ContentLimits) -> usize {
    let limit = limit.min(limits.part());
    match part {
        Part::Blob(_) if limits.blobs != BlobPolicy::Inline => blob::ROOM.min(limit),
        _ => match json_bytes(part, limit, limits.depth() + 1) {
            Some(size) => size,
            None if matches!(part, Part::Blob(_)) => blob::ROOM.min(limit),
            None => limit.min(limits.part()),
        },
    }
}

/// The parts as a list in no more than `room` bytes of JSON.
pub(super) fn fit_all(parts: &[Part], room: usize, limits: &ContentLimits) -> Vec<Part> {
    let inner = room.saturating_sub(2);
    let mut sizes: Vec<usize> =
        parts.iter().take(inner / 8 + 1).map(|part| size(part, inner, limits) + 1).collect();
    let mut kept = sizes.len();
    let mut share = level(sizes.iter().copied(), inner);
    // A blob is not cut to its share: what its reference does not need is for the others.
    for (size, _) in
        sizes.iter_mut().zip(parts).filter(|(size, part)| **size > share && matches!(part, Part::Blob(_)))
    {
        *size = (*size).min(blob::ROOM + 1);
    }
    share = share.max(level(sizes.iter().copied(), inner));
    if kept < parts.len() || share < 2 * WORTH {
        let room = inner.saturating_sub(MARK_ROOM);
        // A part has more around it than JSON has.
        kept = worth_keeping(sizes.iter().map(|size| (*size).min(2 * WORTH)), room);
        share = level(sizes.iter().take(kept).copied(), room);
    }
    let mut out: Vec<Part> = parts
        .iter()
        .take(kept)
        .zip(&sizes)
        .map(|(part, size)| fit(part, share.min(*size).saturating_sub(1), limits))
        .collect();
    if let Some(left_out) = parts.get(kept..).filter(|left_out| !left_out.is_empty()) {
        out.push(mark("parts", left_out.len(), about_bytes(left_out)));
    }
    out
}

/// The part in no more than `room` bytes of JSON, and within its own limit.
pub(super) fn fit(part: &Part, room: usize, limits: &ContentLimits) -> Part {
    let room = room.min(limits.part());
    let depth = limits.depth();
    let by_reference = limits.blobs != BlobPolicy::Inline;
    let fits = |part: &Part| json_bytes(part, room, depth + 1).is_some();
    if fits(part) && !(by_reference && matches!(part, Part::Blob(_))) {
        return part.clone();
    }
    let cut = cut(part, room, depth, limits.blobs);
    if fits(&cut) {
        return cut;
    }
    let mark =
        Part::generic(TRUNCATED, Map::from_iter([("omitted_bytes".to_owned(), about_bytes(part).into())]));
    if fits(&mark) { mark } else { Part::generic(TRUNCATED, Map::new()) }
}

/// A field that can be cut to a size of JSON.
trait Shrink: Sized {
    fn size(&self, limit: usize, depth: usize) -> usize;
    fn shrink(&self, room: usize, depth: usize) -> Self;
}

impl Shrink for String {
    fn size(&self, limit: usize, _: usize) -> usize {
        text::json_size(self, limit).unwrap_or(limit.saturating_add(1))
    }

    fn shrink(&self, room: usize, _: usize) -> Self {
        if text::json_size(self, room).is_some() { self.clone() } else { text::cut(self, room) }
    }
}

impl Shrink for Modality {
    fn size(&self, limit: usize, _: usize) -> usize {
        text::json_size(self.as_str(), limit).unwrap_or(limit.saturating_add(1))
    }

    fn shrink(&self, room: usize, _: usize) -> Self {
        match text::json_size(self.as_str(), room) {
            Some(_) => self.clone(),
            None => text::cut(self.as_str(), room).as_str().into(),
        }
    }
}

impl Shrink for Value {
    fn size(&self, limit: usize, depth: usize) -> usize {
        json_bytes(self, limit, depth).unwrap_or(limit.saturating_add(1))
    }

    fn shrink(&self, room: usize, depth: usize) -> Self {
        json::shrink(self, room, depth)
    }
}

/// The properties beyond the named ones: they stand beside those, so they are no deeper than those.
impl Shrink for Map<String, Value> {
    fn size(&self, limit: usize, depth: usize) -> usize {
        json_bytes(self, limit, depth + 1).unwrap_or(limit.saturating_add(1))
    }

    fn shrink(&self, room: usize, depth: usize) -> Self {
        if json_bytes(self, room, depth + 1).is_some() {
            return self.clone();
        }
        json::shrink_entries(self, room, depth + 1)
    }
}

impl<T: Shrink> Shrink for Option<T> {
    fn size(&self, limit: usize, depth: usize) -> usize {
        self.as_ref().map_or(0, |value| value.size(limit, depth))
    }

    fn shrink(&self, room: usize, depth: usize) -> Self {
        self.as_ref().map(|value| value.shrink(room, depth))
    }
}

/// The struct with its fields cut to one level. `$type` is the length of its `type` in JSON.
macro_rules! shrunk {
    ($room:ident, $depth:ident, $type:expr, $from:expr => $name:ident { $($field:ident),* }) => {{
        let from = $from;
        // Braces, `"type":` with its value, and for every other field its name, quotes, colon and comma.
        let around = 2 + 8 + $type $(+ stringify!($field).len() + 4)*;
        let room = $room.saturating_sub(around);
        let sizes = [$(from.$field.size(room, $depth)),*];
        let share = level(sizes, room);
        $name { $($field: from.$field.shrink(share.min(room), $depth)),* }
    }};
}

fn cut(part: &Part, room: usize, depth: usize, blobs: BlobPolicy) -> Part {
    /// The longest `type`, `server_tool_call_response`, with quotes.
    const TYPE: usize = 27;
    match part {
        Part::Text(part) => Part::Text(shrunk!(room, depth, TYPE, part => TextPart { content, extra })),
        Part::Reasoning(part) => {
            Part::Reasoning(shrunk!(room, depth, TYPE, part => ReasoningPart { content, extra }))
        }
        Part::Compaction(part) => {
            Part::Compaction(shrunk!(room, depth, TYPE, part => CompactionPart { id, content, extra }))
        }
        Part::ToolCall(part) => {
            Part::ToolCall(shrunk!(room, depth, TYPE, part => ToolCallPart { id, name, arguments, extra }))
        }
        Part::ToolCallResponse(part) => Part::ToolCallResponse(
            shrunk!(room, depth, TYPE, part => ToolCallResponsePart { id, response, extra }),
        ),
        Part::ServerToolCall(part) => Part::ServerToolCall(
            shrunk!(room, depth, TYPE, part => ServerToolCallPart { id, name, server_tool_call, extra }),
        ),
        Part::ServerToolCallResponse(part) => Part::ServerToolCallResponse(shrunk!(
            room, depth, TYPE, part => ServerToolCallResponsePart { id, server_tool_call_response, extra }
        )),
        Part::Blob(part) => blob_reference(part, room, blobs),
        Part::File(part) => {
            Part::File(shrunk!(room, depth, TYPE, part => FilePart { modality, file_id, mime_type, extra }))
        }
        Part::Uri(part) => {
            Part::Uri(shrunk!(room, depth, TYPE, part => UriPart { modality, uri, mime_type, extra }))
        }
        Part::Generic(part) => {
            let kind = part.kind.shrink(WORTH, depth);
            let room = room.saturating_sub(10 + kind.size(room, depth));
            Part::Generic(GenericPart { properties: part.properties.shrink(room, depth), kind })
        }
    }
}

/// A reference; without its digest where there is no room for that.
fn blob_reference(part: &BlobPart, room: usize, policy: BlobPolicy) -> Part {
    let reference = |policy| Part::Generic(blob::reference(part, policy));
    match policy {
        BlobPolicy::Omit => reference(BlobPolicy::Omit),
        _ if room < blob::ROOM => reference(BlobPolicy::Omit),
        _ => reference(BlobPolicy::Reference),
    }
}

/// The definitions as a list in no more than `room` bytes of JSON.
pub(super) fn fit_tools(
    tools: &[ToolDefinition],
    room: usize,
    limits: &ContentLimits,
) -> Vec<ToolDefinition> {
    let depth = limits.depth();
    let inner = room.saturating_sub(2);
    let size = |tool: &ToolDefinition| json_bytes(tool, inner, depth + 1).unwrap_or(inner + 1) + 1;
    let sizes: Vec<usize> = tools.iter().take(inner / 8 + 1).map(size).collect();
    let mut kept = sizes.len();
    let mut share = level(sizes.iter().copied(), inner);
    if kept < tools.len() || share < 2 * WORTH {
        let room = inner.saturating_sub(MARK_ROOM);
        kept = worth_keeping(sizes.iter().map(|size| (*size).min(2 * WORTH)), room);
        share = level(sizes.iter().take(kept).copied(), room);
    }
    let mut out: Vec<ToolDefinition> = tools
        .iter()
        .take(kept)
        .zip(&sizes)
        .map(|(tool, size)| fit_tool(tool, share.min(*size).saturating_sub(1), depth))
        .collect();
    if kept < tools.len() {
        out.push(ToolDefinition::new(
            TRUNCATED,
            format!("…[cut: {} of {} tools left out]", tools.len() - kept, tools.len()),
        ));
    }
    out
}

/// Cuts the description, and replaces the schema where it does not fit; the name stays if it can.
fn fit_tool(tool: &ToolDefinition, room: usize, depth: usize) -> ToolDefinition {
    let fits = |tool: &ToolDefinition| json_bytes(tool, room, depth + 1).is_some();
    if fits(tool) {
        return tool.clone();
    }
    let mut cut = ToolDefinition::new(tool.kind.shrink(WORTH, depth), tool.name.shrink(room / 2, depth));
    let around = json_bytes(&cut, usize::MAX, depth + 1).unwrap_or(room) + "description".len() + 4;
    let left = room.saturating_sub(around);
    let schema = tool.parameters.as_ref().map(|schema| {
        let left = left.saturating_sub("parameters".len() + 4);
        // The description explains more than half a schema would; each has half of the room if it needs it.
        let wanted = tool.description.size(left, depth).min(left / 2);
        match json_bytes(schema, left - wanted, depth) {
            Some(_) => schema.clone(),
            None => Value::from_iter([(
                "description",
                format!("…[cut: {} bytes of schema left out]", about_bytes(schema)),
            )]),
        }
    });
    let used = schema.as_ref().map_or(0, |schema| schema.size(left, depth) + "parameters".len() + 4);
    cut.description = tool
        .description
        .as_ref()
        .map(|description| description.shrink(left.saturating_sub(used), depth))
        .filter(|description| !description.is_empty());
    cut.parameters = schema;
    if !fits(&cut) {
        cut.parameters = None;
    }
    if !fits(&cut) {
        cut.description = None;
    }
    if !fits(&cut) {
        cut.name = String::new();
    }
    cut
}
