//! The messages of one side, in the order in which they are held against those of the other.

use std::collections::{BTreeSet, HashMap};

use super::Compared;
use crate::view::transcript::{Call, Message, Part, Transcript};

/// A message with its hash.
pub(super) type Spoken<'c> = (&'c str, &'c Message);

/// The messages, a conversation after the other: of its first call all that it was asked, of the others what is new.
pub(super) fn told(side: &Compared) -> Vec<Spoken<'_>> {
    let transcript = &side.transcript;
    let spans: BTreeSet<&str> = side.rows().iter().map(|row| row.span.as_str()).collect();
    let counts =
        |call: &&Call| side.span.is_none() || call.span.as_deref().is_some_and(|span| spans.contains(span));
    let mut calls: Vec<&Call> = transcript.calls.iter().filter(counts).collect();
    calls.sort_by_key(|call| (call.chain, call.ordinal));
    let mut hashes: Vec<&str> = Vec::new();
    let mut before: Option<(u32, Vec<&str>)> = None;
    for call in calls {
        let system: Vec<&str> = call.system.iter().map(|seen| seen.message.as_str()).collect();
        let first = before.as_ref().is_none_or(|(chain, _)| *chain != call.chain);
        if first || before.as_ref().is_some_and(|(_, before)| *before != system) {
            hashes.extend(&system);
        }
        if first {
            hashes.extend(history(transcript, call));
        } else {
            hashes.extend(call.input.iter().map(|seen| seen.message.as_str()));
        }
        hashes.extend(call.output.iter().map(|seen| seen.message.as_str()));
        before = Some((call.chain, system));
    }
    hashes.into_iter().filter_map(|hash| Some((hash, transcript.messages.get(hash)?))).collect()
}

/// The whole input of a call: what it has from the calls before, and what is new.
fn history<'t>(transcript: &'t Transcript, call: &'t Call) -> Vec<&'t str> {
    let by_ordinal: HashMap<u32, &Call> = transcript.calls.iter().map(|call| (call.ordinal, call)).collect();
    let mut line = vec![call];
    let mut first = call;
    while let Some(before) = first.previous.and_then(|before| by_ordinal.get(&before)) {
        // Only earlier calls, or a circle would never end.
        if before.ordinal >= first.ordinal {
            break;
        }
        line.push(before);
        first = before;
    }
    let mut whole: Vec<&str> = Vec::new();
    for one in line.into_iter().rev() {
        whole.truncate(one.carried as usize);
        whole.extend(one.input.iter().map(|seen| seen.message.as_str()));
        if one.ordinal != call.ordinal {
            whole.extend(one.output.iter().map(|seen| seen.message.as_str()));
        }
    }
    whole
}

/// What a message says and who says it. Ids are others in each run.
pub(super) fn identity(message: &Message) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    let mut add = |text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    add(&message.role);
    add(message.name.as_deref().unwrap_or_default());
    for part in &message.parts {
        match part {
            Part::Text(told) => ["text", &told.content].map(&mut add),
            Part::Reasoning(told) => ["reasoning", &told.content].map(&mut add),
            Part::Compaction(told) => ["compaction", &told.content].map(&mut add),
            Part::ToolCall { .. } => ["tool_call", &text_of(part)].map(&mut add),
            Part::ToolCallResponse { .. } | Part::ServerToolCallResponse { .. } => {
                ["response", &text_of(part)].map(&mut add)
            }
            Part::ServerToolCall { .. } => ["server_tool_call", &text_of(part)].map(&mut add),
            Part::Media { src, .. } => {
                ["media", &format!("{} {}", text_of(part), src.as_deref().unwrap_or_default())].map(&mut add)
            }
            Part::Generic { kind, .. } => [kind.as_str(), &text_of(part)].map(&mut add),
        };
    }
    hasher.finalize()
}

/// Who speaks, and of which tools.
pub(super) fn speaker(message: &Message) -> (String, Vec<String>) {
    let tool = |part: &Part| match part {
        Part::ToolCall { name, .. } | Part::ServerToolCall { name, .. } => Some(name.clone()),
        _ => None,
    };
    (message.role.clone(), message.parts.iter().filter_map(tool).collect())
}

/// A message as one text, as the page has it.
pub(super) fn text(message: &Message) -> String {
    message.parts.iter().map(text_of).collect::<Vec<_>>().join("\n\n")
}

fn text_of(part: &Part) -> String {
    match part {
        Part::Text(told) | Part::Reasoning(told) | Part::Compaction(told) => told.content.clone(),
        Part::ToolCall { name, arguments, raw, .. } => {
            let told = raw.clone().or_else(|| Some(arguments.as_ref()?.to_string()));
            format!("{name}({})", told.unwrap_or_else(|| "{}".to_owned()))
        }
        Part::ServerToolCall { name, call, .. } => format!("{name}({call})"),
        Part::ToolCallResponse { response, .. } | Part::ServerToolCallResponse { response, .. } => {
            response.as_str().map_or_else(|| response.to_string(), str::to_owned)
        }
        Part::Media { modality, mime, uri, file_id, .. } => {
            let place = uri.as_deref().or(file_id.as_deref()).unwrap_or_default();
            format!("[{modality} {} {place}]", mime.as_deref().unwrap_or_default())
        }
        Part::Generic { value, .. } => value.to_string(),
    }
}
