//! Conversations, services, and what was found.

use otel_genai_store::{ConversationSummary, Hit as Found, ServiceInfo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::transcript::Transcript;
use super::{Cost, Dialect, Few, List, TraceRow, Usage, millis, words::dimension};

/// A conversation in one line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConversationRow {
    /// Its id, as told.
    pub id: String,
    /// The service that told it first.
    pub service: String,
    /// When its first span began.
    pub start_ms: f64,
    /// When its last span ended.
    pub end_ms: f64,
    /// How many traces.
    pub traces: u64,
    /// Calls of models, be it for text, embeddings or ranks.
    pub llm_calls: u64,
    /// Spans with an error.
    pub errors: u64,
    /// Tokens.
    pub usage: Usage,
    /// What it cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// Calls with tokens and without a price.
    pub unpriced: u64,
    /// Models that answered.
    pub models: Few,
    /// Agents that ran.
    pub agents: Few,
    /// The first line a user said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// The last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
}

impl From<&ConversationSummary> for ConversationRow {
    fn from(summary: &ConversationSummary) -> Self {
        Self {
            id: summary.id.as_ref().to_owned(),
            service: summary.service.as_ref().to_owned(),
            start_ms: millis(summary.start),
            end_ms: millis(summary.end),
            traces: summary.traces,
            llm_calls: summary.llm_calls,
            errors: summary.errors,
            usage: Usage::from(&summary.usage),
            cost: summary.cost.as_ref().map(Cost::from),
            unpriced: summary.unpriced,
            models: Few::from(&summary.models),
            agents: Few::from(&summary.agents),
            first: summary.first.clone(),
            last: summary.last.clone(),
        }
    }
}

/// A page of conversations, the one that ended last first.
pub type ConversationList = List<ConversationRow>;

/// A conversation with its traces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Conversation {
    /// In one line.
    pub summary: ConversationRow,
    /// Its traces, the oldest first.
    pub traces: Vec<TraceRow>,
    /// What was said in them, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transcript: Option<Transcript>,
}

/// What is known of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceRow {
    /// Its name.
    pub name: String,
    /// How many resources have it.
    pub instances: u32,
    /// Its language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Name and version of its SDK.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sdk: Option<String>,
    /// Its instrumentation libraries.
    pub scopes: Vec<ScopeSpans>,
    /// In whose words it tells.
    pub dialects: Vec<DialectSpans>,
    /// How many.
    pub spans: u64,
    /// How many.
    pub logs: u64,
    /// How many.
    pub points: u64,
    /// Calls of models.
    pub calls: u64,
    /// Of them with content.
    pub with_content: u64,
    /// When it was heard first.
    pub first_ms: f64,
    /// When it was heard last.
    pub last_ms: f64,
    /// Schemas of its records.
    pub schema_urls: Vec<String>,
}

/// An instrumentation library.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScopeSpans {
    /// Its name.
    pub name: String,
    /// Its version; may be empty.
    pub version: String,
    /// How many.
    pub spans: u64,
}

/// Spans that were told in some words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DialectSpans {
    /// Whose words.
    pub dialect: Dialect,
    /// How many.
    pub spans: u64,
}

/// The services that were heard.
pub type Services = List<ServiceRow>;

impl From<&ServiceInfo> for ServiceRow {
    fn from(info: &ServiceInfo) -> Self {
        let text = |text: &std::sync::Arc<str>| text.as_ref().to_owned();
        let dialect = |(dialect, spans): &(otel_genai_store::Dialect, u64)| {
            Some(DialectSpans { dialect: Dialect::of(*dialect)?, spans: *spans })
        };
        let scopes = info.scopes.iter().map(|(name, version, spans)| ScopeSpans {
            name: text(name),
            version: text(version),
            spans: *spans,
        });
        Self {
            name: text(&info.name),
            instances: info.instances,
            language: info.language.as_ref().map(text),
            sdk: info.sdk.as_ref().map(text),
            scopes: scopes.collect(),
            dialects: info.dialects.iter().filter_map(dialect).collect(),
            spans: info.spans,
            logs: info.logs,
            points: info.points,
            calls: info.calls,
            with_content: info.with_content,
            first_ms: millis(info.first),
            last_ms: millis(info.last),
            schema_urls: info.schema_urls.iter().map(text).collect(),
        }
    }
}

/// Text around words that were found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Snippet {
    /// The text.
    pub text: String,
    /// Where the words begin and end, in UTF-16 units.
    pub marks: Vec<(u32, u32)>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Hit {
    /// Words that were said.
    Content {
        /// In this trace,
        trace: String,
        /// in this span first,
        span: String,
        /// at this time,
        at_ms: f64,
        /// about here.
        snippet: Snippet,
    },
    /// Words of a log record.
    Log {
        /// Which record,
        log: String,
        /// its trace,
        #[serde(skip_serializing_if = "Option::is_none")]
        trace: Option<String>,
        /// its span,
        #[serde(skip_serializing_if = "Option::is_none")]
        span: Option<String>,
        /// its time,
        at_ms: f64,
        /// the words.
        snippet: Snippet,
    },
    /// A trace by its id or name.
    Trace {
        /// The trace.
        trace: Box<TraceRow>,
    },
    /// A model, agent, tool or service by its name.
    Name {
        /// What it names.
        of: String,
        /// The name.
        text: String,
        /// In how many traces it is.
        traces: u64,
    },
}

impl Hit {
    /// `None` for a kind that is newer than this.
    pub(crate) fn of(hit: &Found) -> Option<Self> {
        let snippet = |snippet: &otel_genai_store::Snippet| Snippet {
            text: snippet.text.clone(),
            marks: snippet.marks.clone(),
        };
        Some(match hit {
            Found::Content { trace, span, snippet: around, at, .. } => Self::Content {
                trace: trace.to_string(),
                span: span.to_string(),
                at_ms: millis(*at),
                snippet: snippet(around),
            },
            Found::Log { id, trace, span, snippet: around, at } => Self::Log {
                log: id.to_string(),
                trace: trace.map(|trace| trace.to_string()),
                span: span.map(|span| span.to_string()),
                at_ms: millis(*at),
                snippet: snippet(around),
            },
            Found::Trace { summary } => Self::Trace { trace: Box::new(TraceRow::from(summary.as_ref())) },
            Found::Name { dimension: of, text, traces } => {
                Self::Name { of: dimension(*of).to_owned(), text: text.as_ref().to_owned(), traces: *traces }
            }
            _ => return None,
        })
    }
}

/// A page of what was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SearchAnswer {
    /// What was found.
    pub hits: Vec<Hit>,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Whether everything that is stored was searched; else the index is behind.
    pub complete: bool,
}

/// A value, and how often it occurs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Facet {
    /// The value.
    pub value: String,
    /// How often.
    pub count: u64,
}
