//! Realtime: a session over a WebSocket, in which each answer of the model is a call.
//!
//! The events are those of the interface as it is and of the one before it, which differ in a few words.

mod event;
mod inputs;
mod settings;
mod turn;

use std::collections::VecDeque;
use std::time::Instant;

use otel_genai::{Failure, Inference, OperationName, ProviderName, Server};

use super::chat::ChatCompletions;
use crate::call::Call;
use crate::detect::Route;
use crate::error::Refusal;
use crate::gather::owned;
use crate::json;
use crate::options::Options;
use crate::protocol::{Answer, Asked, Dialect};
use crate::scan::Want;
use crate::session::{Dialogue, Side, Told};
use event::{Error, Event};
use inputs::{Input, Inputs};
use settings::{Given, Settings};
use turn::Turn;

/// OpenAI's Realtime.
#[derive(Debug)]
pub(crate) struct Realtime;

impl Dialect for Realtime {
    fn provider(&self) -> ProviderName {
        ProviderName::OpenAi
    }

    fn request_want(&self) -> &'static Want {
        &Want::Fields(&[])
    }

    fn has_content(&self) -> bool {
        false
    }

    /// What opens a session is no call.
    fn request(&self, _document: &[u8], _route: &Route) -> Result<Option<Call>, serde_json::Error> {
        Ok(None)
    }

    fn answer(&self, asked: &Asked<'_>) -> Box<dyn Answer> {
        // Nobody asks: there is no call.
        ChatCompletions.answer(asked)
    }

    fn session(&self, route: &Route, options: Options) -> Option<Box<dyn Dialogue>> {
        let model = route.parameter("model").or_else(|| route.parameter("deployment"));
        Some(Box::new(Session {
            provider: route.provider.clone(),
            server: route.server.clone(),
            model: model.map(str::to_owned),
            options,
            settings: Settings::default(),
            inputs: Inputs::new(options),
            asked: VecDeque::new(),
            turns: Vec::new(),
            last_error: None,
            calls: 0,
        }))
    }
}

/// So many answers may be asked for, or be under way, at once; what goes beyond is not told.
const MAX_TURNS: usize = 8;

#[derive(Debug)]
struct Session {
    provider: ProviderName,
    server: Server,
    /// What the address asked for.
    model: Option<String>,
    options: Options,
    settings: Settings,
    inputs: Inputs,
    /// Answers that the client asked for and that have not begun.
    asked: VecDeque<Wanted>,
    /// Answers under way.
    turns: Vec<Turn>,
    last_error: Option<Failure>,
    /// How many there were so far.
    calls: u64,
}

/// An answer that the client asked for.
#[derive(Debug)]
struct Wanted {
    at: Instant,
    event_id: Option<String>,
    settings: Settings,
    inputs: Vec<Input>,
    /// Whether it is about the conversation, and not about something beside it.
    in_conversation: bool,
}

impl Dialogue for Session {
    fn want(&self, _side: Side) -> &'static Want {
        &event::WANT
    }

    fn message(
        &mut self,
        side: Side,
        document: &[u8],
        at: Instant,
        tell: &mut dyn FnMut(Told),
    ) -> Result<(), serde_json::Error> {
        let mended = json::mended(document);
        let event: Event<'_> = json::read(&mended)?;
        match side {
            Side::Client => self.client(&event, at),
            Side::Server => self.server(&event, at, tell),
        }
        Ok(())
    }

    fn end(&mut self, at: Instant, failure: Option<Failure>, tell: &mut dyn FnMut(Told)) {
        // What the provider said last is better than that the connection was closed.
        let why =
            |last: &Option<Failure>| failure.as_ref().map(|failure| last.as_ref().unwrap_or(failure).clone());
        let failure = match &failure {
            Some(cancelled) if cancelled.error_type == Failure::CANCELLED => failure,
            _ => why(&self.last_error),
        };
        for turn in std::mem::take(&mut self.turns) {
            turn.cut_off(failure.clone(), tell);
        }
        for wanted in std::mem::take(&mut self.asked) {
            let turn = self.begin(Some(wanted), Settings::default(), None, at, tell);
            turn.cut_off(failure.clone(), tell);
        }
    }
}

impl Session {
    fn client(&mut self, event: &Event<'_>, at: Instant) {
        match event.kind.as_deref().unwrap_or_default() {
            "session.update" => self.settings.take(event.session.to::<Given<'_>>(), self.options.content),
            "conversation.item.create" => self.inputs.add(event.item),
            "conversation.item.delete" => self.inputs.remove(event.item_id.as_deref()),
            "input_audio_buffer.append" => self.inputs.hear(event.audio.as_deref()),
            "input_audio_buffer.clear" => self.inputs.forget_sound(),
            "response.create" if self.asked.len() < MAX_TURNS => {
                let mut given = event.response.to::<Given<'_>>();
                let in_conversation = given.conversation.as_deref() != Some("none");
                let beside = std::mem::take(&mut given.input);
                let mut settings = Settings::default();
                settings.take(given, self.options.content);
                let inputs = match (beside.is_given, in_conversation) {
                    (true, _) => self.inputs.read(&beside.value),
                    (false, true) => self.inputs.take_written(),
                    (false, false) => Vec::new(),
                };
                let event_id = owned(event.event_id.clone());
                self.asked.push_back(Wanted { at, event_id, settings, inputs, in_conversation });
            }
            _ => {}
        }
    }

    fn server(&mut self, event: &Event<'_>, at: Instant, tell: &mut dyn FnMut(Told)) {
        match event.kind.as_deref().unwrap_or_default() {
            "session.created" | "session.updated" => {
                let given = event.session.to::<Given<'_>>();
                self.settings.answers(&given);
                self.settings.take(given, self.options.content);
            }
            "input_audio_buffer.committed" => self.inputs.commit(event.item_id.as_deref()),
            "input_audio_buffer.cleared" => self.inputs.forget_sound(),
            "conversation.item.input_audio_transcription.completed" => {
                let (Some(id), Some(said)) = (&event.item_id, &event.transcript) else { return };
                let turns = self.turns.iter_mut().rev().flat_map(Turn::inputs);
                self.inputs.transcribe(turns, id, said);
            }
            "response.created" => {
                let response = event.response.to::<Option<turn::Document<'_>>>();
                let mut settings = Settings::default();
                settings.take(event.response.to::<Given<'_>>(), self.options.content);
                let wanted = self.asked.pop_front();
                if self.turns.len() >= MAX_TURNS {
                    // Its end was lost.
                    self.turns.remove(0).cut_off(None, tell);
                }
                let turn = self.begin(wanted, settings, response.as_ref(), at, tell);
                self.turns.push(turn);
            }
            "response.done" => {
                let Some(response) = event.response.to::<Option<turn::Document<'_>>>() else { return };
                if let Some(at) = self.turn(response.id.as_deref()) {
                    self.turns.remove(at).done(response, tell);
                }
            }
            "error" => self.error(event, at, tell),
            kind if kind.starts_with("response.") => {
                let turn = self.turn(event.response_id.as_deref()).and_then(|at| self.turns.get_mut(at));
                if let Some(turn) = turn {
                    turn.event(kind, event, tell);
                }
            }
            _ => {}
        }
    }

    /// Which answer it is. Where that is not said, it is the one that began last.
    fn turn(&self, id: Option<&str>) -> Option<usize> {
        match id {
            Some(id) => self.turns.iter().position(|turn| turn.is(id)),
            None => self.turns.len().checked_sub(1),
        }
    }

    fn begin(
        &mut self,
        wanted: Option<Wanted>,
        told: Settings,
        response: Option<&turn::Document<'_>>,
        now: Instant,
        tell: &mut dyn FnMut(Told),
    ) -> Turn {
        let call = self.calls;
        self.calls += 1;
        let is_cut = self.inputs.is_cut();
        self.last_error = None;
        let mut settings = self.settings.clone();
        let (at, mut inputs, in_conversation) = match wanted {
            Some(wanted) => {
                settings.merge(wanted.settings);
                (wanted.at, wanted.inputs, wanted.in_conversation)
            }
            // The provider began it by itself, when it heard a pause.
            None => (now, self.inputs.take_written(), true),
        };
        if in_conversation {
            inputs.extend(self.inputs.take_spoken());
        }
        settings.merge(told);
        let mut operation = Inference::new(OperationName::Chat, self.provider.clone());
        operation.server = Some(self.server.clone());
        operation.request.model = self.model.clone();
        operation.request.stream = true;
        settings.fill(&mut operation);
        let turn = Turn::new(call, response, settings, turn::Heard { inputs, is_cut }, self.options);
        turn.identify(&mut operation);
        tell(Told::Began { call, at, operation: Box::new(operation) });
        turn
    }

    /// An error is that of the answer that the client asked for, if it may be; the session goes on after most of them.
    fn error(&mut self, event: &Event<'_>, at: Instant, tell: &mut dyn FnMut(Told)) {
        let about: Error<'_> = event.error.to();
        let failure = Refusal { error: event.error, ..Refusal::default() }.failure();
        let failure = failure.unwrap_or_else(|| Failure::new(Failure::OTHER));
        let of = about.event_id.as_deref().filter(|id| !id.is_empty());
        let is_of_another = about.param.is_some_and(|param| {
            ["session", "item", "audio", "previous_item_id"].iter().any(|other| param.starts_with(other))
        });
        let refused = match of {
            Some(id) => self.asked.iter().position(|wanted| wanted.event_id.as_deref() == Some(id)),
            None if is_of_another => None,
            None => self.asked.iter().position(|wanted| wanted.event_id.is_none()),
        };
        match refused.and_then(|at| self.asked.remove(at)) {
            Some(wanted) => {
                let turn = self.begin(Some(wanted), Settings::default(), None, at, tell);
                turn.cut_off(Some(failure), tell);
            }
            None => self.last_error = Some(failure),
        }
    }
}
