//! What ties one call to the next: the tools that an answer asked for, and the answers that a request brings.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::time::Instant;

use otel_genai::{Inference, Message, Part, Role, ToolCallPart, ToolCallResponsePart};
use serde_json::Value;

use super::tool::Called;
use super::{RunId, Scope};

/// So much of a conversation's first text tells it from others.
const OPENING: usize = 1024;
/// An answer that asks for more tools than this is no agent's.
const MAX_ASKED: usize = 128;
/// So many of a run are remembered, the latest ones.
const MAX_REMEMBERED: usize = 512;
/// No provider's id is longer than this.
const MAX_ID: usize = 512;

/// The tools that were asked for and whose answers may come.
#[derive(Default)]
pub(super) struct Links {
    asked: Vec<Option<Asked>>,
    free: Vec<usize>,
    /// By the call's id, and by what is asked: not every provider gives ids.
    by_key: HashMap<(Scope, Key), Vec<usize>>,
    of_run: HashMap<RunId, Vec<Place>>,
}

/// A tool that was asked for.
struct Asked {
    run: RunId,
    /// How the conversation began.
    opening: u64,
    /// The answer's id.
    response_id: Option<String>,
    /// `None`: it has been told.
    called: Option<Called>,
}

/// A key, and what it leads to.
type Place = ((Scope, Key), usize);

/// How an answer finds what it answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Id(String),
    /// Name and arguments, of a conversation that begins so.
    Said(String, u64, u64),
}

/// How well a candidate fits: the same conversation before another, a later run before an earlier one, and what has not
/// been told before what has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    same: bool,
    run: RunId,
    untold: bool,
}

/// What a tool answered, as a request brings it.
pub(super) struct Answered<'a> {
    pub(super) response: &'a ToolCallResponsePart,
    /// The model's words that asked for it, where the request repeats them.
    call: Option<&'a ToolCallPart>,
}

/// The answers that a request brings: those since the model last said something without asking for tools. Some of them
/// may have been brought before.
pub(super) fn answered(op: &Inference) -> Vec<Answered<'_>> {
    let messages = &op.request.input_messages;
    let is_call = |part: &Part| matches!(part, Part::ToolCall(_));
    let is_said = |message: &Message| message.role == Role::Assistant && !message.parts.iter().any(is_call);
    let from = messages.iter().rposition(is_said).map_or(0, |last| last + 1);
    let parts = || messages.get(from..).unwrap_or_default().iter().flat_map(|message| &message.parts);
    let mut calls: Vec<Option<&ToolCallPart>> = parts()
        .filter_map(|part| match part {
            Part::ToolCall(call) => Some(Some(call)),
            _ => None,
        })
        .collect();
    let responses = parts().filter_map(|part| match part {
        Part::ToolCallResponse(response) => Some(response),
        _ => None,
    });
    let answered = responses.map(|response| Answered { response, call: pick(&mut calls, response) });
    let mut answered: Vec<_> = answered.collect();
    answered.split_off(answered.len().saturating_sub(MAX_ASKED))
}

/// Takes the call that this answers: by its id, else by its name, else the next one.
fn pick<'a>(
    calls: &mut [Option<&'a ToolCallPart>],
    response: &ToolCallResponsePart,
) -> Option<&'a ToolCallPart> {
    let name = response.extra.get("name").and_then(Value::as_str);
    let fits = |call: &ToolCallPart| match (&response.id, name) {
        (Some(id), _) if !id.is_empty() => call.id.as_deref() == Some(id),
        (_, Some(name)) => call.name == name,
        _ => true,
    };
    calls.iter_mut().find(|call| call.is_some_and(fits))?.take()
}

impl Links {
    /// Which calls of which runs these answer, side by side with them. All of one request belong to the first one's run.
    pub(super) fn find(
        &self,
        scope: Scope,
        op: &Inference,
        answered: &[Answered<'_>],
    ) -> Vec<Option<(RunId, usize)>> {
        let opening = opening(op);
        let mut found: Vec<Option<(RunId, usize)>> = Vec::with_capacity(answered.len());
        for answered in answered {
            let keys = [
                answered.response.id.as_deref().and_then(id_key),
                answered.call.map(|call| said_key(call, opening)),
            ];
            let taken = |at: &usize| found.iter().flatten().any(|(_, other)| other == at);
            let at = keys.into_iter().flatten().find_map(|key| {
                let places = self.by_key.get(&(scope, key))?;
                let run = |at: &usize| self.get(*at).map(|asked| asked.run);
                let is_unique = places.iter().all(|at| run(at) == places.first().and_then(run));
                // Ids are unique where providers make them. Where they are not the conversation must tell.
                let candidates = places.iter().copied().filter(|at| !taken(at));
                let fitting = candidates.filter_map(|at| Some((self.fit(at, op, opening)?, at)));
                let fitting = fitting.filter(|(fit, _)| fit.same || is_unique);
                fitting.max_by_key(|(fit, at)| (*fit, Reverse(*at))).map(|(_, at)| at)
            });
            found.push(at.and_then(|at| Some((self.get(at)?.run, at))));
        }
        found
    }

    /// How well a candidate fits besides its key.
    fn fit(&self, at: usize, op: &Inference, opening: u64) -> Option<Fit> {
        let asked = self.get(at)?;
        let previous =
            op.request.previous_response_id.is_some() && op.request.previous_response_id == asked.response_id;
        Some(Fit {
            same: previous || asked.opening == opening,
            run: asked.run,
            untold: asked.called.is_some(),
        })
    }

    fn get(&self, at: usize) -> Option<&Asked> {
        self.asked.get(at)?.as_ref()
    }

    /// What was asked for, if it has not been told yet. It is from now on.
    pub(super) fn take_untold(&mut self, at: usize) -> Option<Called> {
        self.asked.get_mut(at)?.as_mut()?.called.take()
    }

    /// Remembers what this answer asks for. Returns whether it asks for any tool.
    pub(super) fn ask(
        &mut self,
        run: RunId,
        scope: Scope,
        op: &Inference,
        at: Instant,
        content: bool,
    ) -> bool {
        let opening = opening(op);
        let parts = op.response.output_messages.iter().flat_map(|message: &Message| &message.parts);
        let calls = parts.filter_map(|part| match part {
            Part::ToolCall(call) => Some(call),
            _ => None,
        });
        let mut any = false;
        for call in calls.take(MAX_ASKED) {
            any = true;
            let called = Called {
                name: call.name.clone(),
                id: call.id.clone().filter(|id| !id.is_empty()),
                arguments: call.arguments.clone().filter(|_| content),
                at,
            };
            let asked = Asked { run, opening, response_id: op.response.id.clone(), called: Some(called) };
            if self.of_run.get(&run).is_some_and(|places| places.len() >= 2 * MAX_REMEMBERED) {
                self.forget_some(run, MAX_REMEMBERED);
            }
            let slot = self.free.pop().unwrap_or(self.asked.len());
            match self.asked.get_mut(slot) {
                Some(free) => *free = Some(asked),
                None => self.asked.push(Some(asked)),
            }
            let keys = [call.id.as_deref().and_then(id_key), Some(said_key(call, opening))];
            for key in keys.into_iter().flatten().map(|key| (scope, key)) {
                self.by_key.entry(key.clone()).or_default().push(slot);
                self.of_run.entry(run).or_default().push((key, slot));
            }
        }
        any
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.asked.len().max(self.by_key.values().map(Vec::len).sum())
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.by_key.is_empty() && self.of_run.is_empty() && self.asked.iter().all(Option::is_none)
    }

    pub(super) fn forget(&mut self, run: RunId) {
        self.forget_some(run, usize::MAX);
        self.of_run.remove(&run);
    }

    /// The earliest of what a run asked for.
    fn forget_some(&mut self, run: RunId, count: usize) {
        let Some(places) = self.of_run.get_mut(&run) else { return };
        let earliest: Vec<Place> = places.drain(..count.min(places.len())).collect();
        for (key, slot) in earliest {
            if let Some(places) = self.by_key.get_mut(&key) {
                places.retain(|place| *place != slot);
                if places.is_empty() {
                    self.by_key.remove(&key);
                }
            }
            // The first of its keys frees it.
            if self.asked.get_mut(slot).is_some_and(|asked| asked.take().is_some()) {
                self.free.push(slot);
            }
        }
    }
}

fn id_key(id: &str) -> Option<Key> {
    (!id.is_empty() && id.len() <= MAX_ID).then(|| Key::Id(id.to_owned()))
}

fn said_key(call: &ToolCallPart, opening: u64) -> Key {
    let mut hasher = std::hash::DefaultHasher::new();
    // An absent object and an empty one are written either way.
    match &call.arguments {
        Some(arguments) if arguments.as_object().is_none_or(|fields| !fields.is_empty()) => {
            digest(arguments, &mut hasher);
        }
        _ => {}
    }
    Key::Said(call.name.clone(), hasher.finish(), opening)
}

/// The same for the same value, whatever the order of its keys.
fn digest(value: &Value, hasher: &mut impl Hasher) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            fields.len().hash(hasher);
            for (name, value) in fields {
                name.hash(hasher);
                digest(value, hasher);
            }
        }
        Value::Array(items) => {
            items.len().hash(hasher);
            items.iter().for_each(|item| digest(item, hasher));
        }
        // What one side writes as 1 the other may write as 1.0.
        Value::Number(number) => number.as_f64().unwrap_or_default().to_bits().hash(hasher),
        Value::String(text) => text.hash(hasher),
        Value::Bool(is) => is.hash(hasher),
        Value::Null => 0_u8.hash(hasher),
    }
}

/// A digest of how the conversation begins, apart from its instructions.
fn opening(op: &Inference) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    let said = |message: &&Message| !matches!(message.role, Role::System);
    if let Some(first) = op.request.input_messages.iter().find(said) {
        for part in &first.parts {
            if let Part::Text(text) = part {
                let bytes = text.content.as_bytes();
                bytes.get(..OPENING).unwrap_or(bytes).hash(&mut hasher);
            }
        }
    }
    hasher.finish()
}
