//! A convention is a published vocabulary: it decides how an operation is named, and which attribute, event and
//! metric each of its fields becomes. Nothing outside this folder chooses an attribute.
//!
//! One file a convention, and in it one table an operation (see [`describe`]).

mod describe;
mod loongsuite;
mod sheet;
pub mod table;
mod v1_30;
mod v2026_08;
mod v2026_10;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use otel_genai_semconv::metric::Metric;
use otel_genai_semconv::value::FinishReason;
use serde_json::Value;

pub(crate) use describe::{
    Amount, At, Convention, Description, Event, Measures, Name, Point, Row, Source, Unless,
};
pub(crate) use sheet::{Content, Metrics, Telling};

use crate::context::Surroundings;
use crate::message::Message;
use crate::operation::{Fact, Facts, Field, Kind};

/// The conventions that this library speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConventionName {
    /// `2026-08`: semantic-conventions-genai as the official conformance suite pins it.
    #[default]
    V2026_08,
    /// `2026-10`: the same two months later, with token counters, renamed metrics and skills.
    V2026_10,
    /// `loongsuite`: what LoongSuite's handler emits.
    LoongSuite,
    /// `v1.30`: what OpenTelemetry's first OpenAI instrumentation emitted.
    V1_30,
}

impl ConventionName {
    /// All of them.
    pub const ALL: [ConventionName; 4] = [
        ConventionName::V2026_08,
        ConventionName::V2026_10,
        ConventionName::LoongSuite,
        ConventionName::V1_30,
    ];

    /// The name as it is written in `OTEL_GENAI_CONVENTION`.
    pub fn as_str(self) -> &'static str {
        match self {
            ConventionName::V2026_08 => "2026-08",
            ConventionName::V2026_10 => "2026-10",
            ConventionName::LoongSuite => "loongsuite",
            ConventionName::V1_30 => "v1.30",
        }
    }

    /// All names, for messages to people.
    pub fn allowed() -> String {
        ConventionName::ALL.map(ConventionName::as_str).join(", ")
    }

    pub(crate) fn convention(self) -> &'static Convention {
        match self {
            ConventionName::V2026_08 => &v2026_08::CONVENTION,
            ConventionName::V2026_10 => &v2026_10::CONVENTION,
            ConventionName::LoongSuite => &loongsuite::CONVENTION,
            ConventionName::V1_30 => &v1_30::CONVENTION,
        }
    }
}

impl fmt::Display for ConventionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is none of [`ConventionName::allowed`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a convention; allowed are {allowed}", allowed = ConventionName::allowed())]
pub struct UnknownConvention(pub String);

impl FromStr for ConventionName {
    type Err = UnknownConvention;

    /// Any case; surrounding blanks are ignored.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = text.trim();
        ConventionName::ALL
            .into_iter()
            .find(|name| name.as_str().eq_ignore_ascii_case(wanted))
            .ok_or_else(|| UnknownConvention(text.to_owned()))
    }
}

/// The vocabularies in which telemetry is told: one, or two while a system moves from one to the other.
///
/// Spans carry the attributes of both, and where both use one name the first decides; metrics and events are those of
/// both. Written as names with a comma between: `2026-08,v1.30`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Conventions {
    first: ConventionName,
    second: Option<ConventionName>,
}

impl Conventions {
    /// This one, and beside it another.
    #[must_use]
    pub fn and(self, second: ConventionName) -> Self {
        Conventions { second: Some(second).filter(|second| *second != self.first), ..self }
    }

    /// The one that decides where both use a name.
    pub fn first(self) -> ConventionName {
        self.first
    }

    /// The other one.
    pub fn second(self) -> Option<ConventionName> {
        self.second
    }

    /// How this kind of operation is told: by each convention that knows it, else as LoongSuite tells it, else not.
    pub(crate) fn describe(self, kind: Kind) -> [Option<Telling>; 2] {
        let telling = |name: ConventionName| sheet::sheet(name, kind);
        match (telling(self.first), self.second.and_then(telling)) {
            (None, None) => [telling(ConventionName::LoongSuite), None],
            (None, second) => [second, None],
            both => [both.0, both.1],
        }
    }

    /// Whether events tell which messages there were even where their content is not recorded.
    pub(crate) fn tells_messages(self) -> bool {
        self.describe(Kind::Inference).into_iter().flatten().any(|telling| {
            telling.convention.always_events && matches!(telling.description.event, Event::Custom(_))
        })
    }

    /// Every metric that may be recorded, each name once.
    pub(crate) fn metrics(self) -> Vec<&'static Metric> {
        let mut metrics: Vec<&'static Metric> = Vec::new();
        let mut add = |metric: &'static Metric| {
            if metrics.iter().all(|known| known.name != metric.name) {
                metrics.push(metric);
            }
        };
        for description in Kind::ALL.into_iter().flat_map(|kind| self.describe(kind)).flatten() {
            let description = description.description;
            description
                .measures
                .iter()
                .flat_map(|measures| measures.points)
                .for_each(|point| add(point.metric));
            if let Some(chunks) = &description.chunks {
                add(chunks.first);
                add(chunks.following);
            }
        }
        metrics
    }
}

impl From<ConventionName> for Conventions {
    fn from(first: ConventionName) -> Self {
        Conventions { first, second: None }
    }
}

impl fmt::Display for Conventions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        self.second.map_or(Ok(()), |second| write!(f, ",{second}"))
    }
}

impl FromStr for Conventions {
    type Err = UnknownConvention;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        let first: ConventionName =
            names.next().unwrap_or_default().parse().map_err(|_| UnknownConvention(text.to_owned()))?;
        let mut conventions = Conventions::from(first);
        for name in names {
            if conventions.second.is_some() {
                return Err(UnknownConvention(text.to_owned()));
            }
            conventions = conventions.and(name.parse()?);
        }
        Ok(conventions)
    }
}

/// No provider gives more choices at once; a larger number in a request is a mistake.
const MOST_CHOICES: u64 = 128;

/// An operation as a convention looks at it.
#[derive(Clone, Copy)]
pub(crate) struct Told<'a> {
    pub(crate) op: &'a dyn Facts,
    pub(crate) surroundings: &'a Surroundings,
    /// The operation's name, where it is not its own.
    pub(crate) operation: Option<&'static str>,
    /// Whether the operation failed.
    pub(crate) failed: bool,
}

impl<'a> Told<'a> {
    /// What is known of this field.
    pub(crate) fn fact(&self, field: Field) -> Option<Fact<'a>> {
        match (field, self.operation) {
            (Field::OperationName, Some(name)) => Some(Fact::Word(Cow::Borrowed(name))),
            (Field::FinishedOutputMessages, _) => match self.op.fact(Field::OutputMessages)? {
                Fact::Messages(messages) => Some(Fact::Messages(with_finish_reasons(messages, self.failed))),
                _ => None,
            },
            (Field::ExpectedFinishReasons, _) => self.expected_finish_reasons(),
            _ => self.op.fact(field).or_else(|| self.surroundings.fact(self.op, field)),
        }
    }

    /// The conventions' reasons are positional: a choice whose reason was expected and did not come has `error`. A call
    /// of which nothing came back has none, and of one that ended well none is made up. Where the answer gave no
    /// reasons, those of the messages hold.
    fn expected_finish_reasons(&self) -> Option<Fact<'a>> {
        let given = match self.op.fact(Field::FinishReasons) {
            Some(Fact::Texts(given)) => given,
            _ => Cow::Borrowed(&[] as &[String]),
        };
        let messages = match self.op.fact(Field::OutputMessages) {
            Some(Fact::Messages(messages)) => messages,
            _ => Cow::Borrowed(&[] as &[Message]),
        };
        if !self.failed && given.is_empty() && messages.iter().any(|message| message.finish_reason.is_none())
        {
            return None;
        }
        if !self.failed && !given.is_empty() && given.iter().all(|reason| !reason.is_empty()) {
            return Some(Fact::Texts(given));
        }
        let began = [Field::TimeToFirstChunk, Field::ResponseId].map(|field| self.op.fact(field).is_some());
        if given.is_empty() && messages.is_empty() && !(self.failed && began.contains(&true)) {
            return None;
        }
        let asked_for =
            self.count(Field::ChoiceCount).filter(|_| self.failed).unwrap_or(1).clamp(1, MOST_CHOICES);
        let asked_for = usize::try_from(asked_for).unwrap_or(1);
        let reasons = (0..asked_for.max(given.len()).max(messages.len())).map(|choice| {
            let given = given.get(choice).filter(|reason| !reason.is_empty()).cloned();
            let of_message = || messages.get(choice)?.finish_reason.as_ref().map(ToString::to_string);
            given.or_else(of_message).unwrap_or_else(|| FinishReason::Error.to_string())
        });
        Some(Fact::Texts(reasons.collect()))
    }

    /// What this row says, if anything.
    pub(crate) fn row(&self, row: &Row) -> Option<Fact<'a>> {
        let fact = match row.source {
            Source::Always(value) => return Some(Fact::Word(Cow::Borrowed(value))),
            Source::Field(field) => self.fact(field)?,
            Source::Json(field) => self.fact(field)?,
        };
        // The only condition that asks for another fact, so it is not the row's own to judge.
        let has_address = row.unless != Unless::NoAddress || self.word(Field::ServerAddress).is_some();
        (has_address && row.tells(&fact)).then_some(fact)
    }

    /// The span's name.
    pub(crate) fn span_name(&self, name: &Name) -> Cow<'static, str> {
        match name {
            Name::None => Cow::Borrowed(""),
            Name::Fixed(name) => Cow::Borrowed(name),
            Name::Custom(name) => name(self),
            Name::Keyed(base, keys) => {
                let base = self.word(*base).unwrap_or_default();
                match keys.iter().find_map(|key| self.word(*key)) {
                    Some(key) => [&*base, " ", &*key].concat().into(),
                    None => base.into_owned().into(),
                }
            }
        }
    }

    /// A text that is known and not empty.
    pub(crate) fn word(&self, field: Field) -> Option<Cow<'a, str>> {
        match self.fact(field)? {
            Fact::Text(text) => Some(Cow::Borrowed(text)).filter(|text| !text.is_empty()),
            Fact::Word(word) => Some(word).filter(|word| !word.is_empty()),
            _ => None,
        }
    }

    /// A count that is known.
    pub(crate) fn count(&self, field: Field) -> Option<u64> {
        match self.fact(field)? {
            Fact::Int(count) => u64::try_from(count).ok(),
            _ => None,
        }
    }
}

/// Structured content as JSON text. A text stays as it is, and null says nothing.
pub(crate) fn as_json(fact: Fact<'_>) -> Option<Fact<'_>> {
    let text = match &fact {
        Fact::Json(json) => match &**json {
            Value::Null => return None,
            Value::String(text) => text.clone(),
            json => json.to_string(),
        },
        Fact::List(list) => serde_json::to_string(list).ok()?,
        _ => return Some(fact),
    };
    Some(Fact::Word(Cow::Owned(text)))
}

/// The schema of output messages at `2026-08` requires a finish reason. A message without one was cut off if the call
/// failed, and is otherwise what a handler's user left out.
fn with_finish_reasons(messages: Cow<'_, [Message]>, failed: bool) -> Cow<'_, [Message]> {
    if messages.iter().all(|message| message.finish_reason.is_some()) {
        return messages;
    }
    let reason = if failed { FinishReason::Error } else { FinishReason::Stop };
    let mut messages = messages.into_owned();
    for message in &mut messages {
        message.finish_reason.get_or_insert_with(|| reason.clone());
    }
    Cow::Owned(messages)
}
