//! A span in the drawing of its trace.

use otel_genai_store::{Nanos, SpanRow, SpanState as Stored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::number::{after, duration};
use super::{ContentState, Cost, CostSource, Op, SpanState, Usage, is_false};
use crate::tree::{self, Ghost, Node, What};

/// A span in the drawing of its trace. Rows come in drawing order: parents before children, siblings by start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Its id.
    pub span: String,
    /// Above 0, if another span came with the same id and other contents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<u8>,
    /// The span around it, as told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// How many rows it is indented.
    pub depth: u32,
    /// How many rows below it follow: all, not only the next ones.
    pub children: u32,
    /// The span is not here: only its children tell of it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub ghost: bool,
    /// Its parent was named and never came.
    #[serde(default, skip_serializing_if = "is_false")]
    pub orphan: bool,
    /// Its parents form a circle, which is cut before it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cycle: bool,
    /// Its name; empty for a ghost.
    pub name: String,
    /// The service that made it.
    pub service: String,
    /// The name of its instrumentation scope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// OpenTelemetry's kind.
    pub kind: SpanKind,
    /// When it began, after the trace's start; negative if before.
    pub at: f64,
    /// How long it took, or has taken so far.
    pub duration_ms: f64,
    /// Whether it has ended.
    pub state: SpanState,
    /// Whether it failed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub error: bool,
    /// What failed: `error.type`, or the type of the exception.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_type: Option<String>,
    /// What was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op: Option<Op>,
    /// Who ran the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The model that answered, else the one that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The model that was asked for, where another one answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_model: Option<String>,
    /// The agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The id by which a model asked for the tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_call: Option<String>,
    /// Why the model stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish: Option<String>,
    /// The conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation: Option<String>,
    /// Tokens, as the span tells them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Its tokens are told again by a span below it, and count there.
    #[serde(default, skip_serializing_if = "is_false")]
    pub wrapper: bool,
    /// What it cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// From the request to the first chunk of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttft_ms: Option<f64>,
    /// How many documents, records or inputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// otel-genai inferred the span from calls around it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub inferred: bool,
    /// The how manieth try it is after others that failed; from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<u32>,
    /// Whether what was said is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentState>,
    /// Plumbing of a call, shown when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold: Option<Fold>,
    /// Its number in the transcript.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<u32>,
    /// What an agent or a workflow did itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own: Option<OwnSum>,
    /// What it did with all below it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<TotalSum>,
}

/// OpenTelemetry's kind of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SpanKind {
    /// Within a process.
    Internal,
    /// Serves a request.
    Server,
    /// Makes a request.
    Client,
    /// Sends a message.
    Producer,
    /// Handles a message.
    Consumer,
    /// Not told, or of no known number.
    Unspecified,
}

/// Why a row is folded away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fold {
    /// It is the HTTP, the database or the remote call by which a call was made.
    Http,
}

/// What an agent or a workflow did with all below it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TotalSum {
    /// Tokens.
    pub usage: Usage,
    /// What it cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// Calls of models, be it for text, embeddings or ranks.
    pub llm_calls: u64,
    /// Runs of tools.
    pub tool_calls: u64,
}

/// What an agent or a workflow did itself, without those below it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OwnSum {
    /// What it did.
    #[serde(flatten)]
    pub sum: TotalSum,
    /// How long it ran without any of them.
    pub ms: f64,
}

/// The rows of a trace in drawing order; `start` is the trace's.
#[must_use]
pub fn rows(spans: &[SpanRow], start: Nanos, options: &tree::Options) -> Vec<Row> {
    let nodes = tree::rows(spans, options);
    let row = |node: &Node| {
        let mut row = match &node.what {
            What::Span(index) => Row::of(spans.get(*index)?, start, options.until),
            What::Ghost(ghost) => Row::ghost(ghost, start, options.until),
        };
        row.place(node);
        Some(row)
    };
    nodes.iter().filter_map(row).collect()
}

impl Row {
    /// A span alone, as the root of its tree. One that has not ended is drawn until `until`.
    #[must_use]
    pub fn of(span: &SpanRow, start: Nanos, until: Nanos) -> Self {
        let facts = &span.facts;
        let text = |text: &Option<std::sync::Arc<str>>| text.as_deref().map(str::to_owned);
        let model = text(&facts.response_model).or_else(|| text(&facts.request_model));
        let inference = facts.op.is_some_and(otel_genai_store::Op::is_inference);
        Self {
            span: span.key.span.to_string(),
            variant: Some(span.key.variant).filter(|variant| *variant > 0),
            parent: span.parent.map(|parent| parent.to_string()),
            scope: Some(span.scope.as_ref().to_owned()).filter(|scope| !scope.is_empty()),
            kind: SpanKind::of(span.kind),
            error: span.error || facts.error.is_some(),
            error_type: text(&facts.error),
            op: facts.op.and_then(Op::of),
            provider: text(&facts.provider),
            request_model: text(&facts.request_model).filter(|asked| Some(asked) != model.as_ref()),
            model,
            agent: text(&facts.agent).or_else(|| text(&facts.workflow)),
            tool: text(&facts.tool),
            tool_call: text(&facts.tool_call),
            finish: text(&facts.finish),
            conversation: text(&facts.conversation),
            usage: Usage::told(&facts.usage),
            cost: facts.cost.as_ref().map(Cost::from),
            ttft_ms: facts.first_chunk.map(duration),
            count: facts.count,
            inferred: facts.inferred,
            content: ContentState::of(facts.content)
                .filter(|content| inference || *content != ContentState::Unknown),
            ..Self::bar(
                (&span.name, &span.service),
                (span.start, tree::end(span, until)),
                start,
                span.state == Stored::Running,
            )
        }
    }

    fn ghost(ghost: &Ghost, start: Nanos, until: Nanos) -> Self {
        let running = ghost.end.0 == 0;
        let end = if running { until } else { ghost.end };
        let bar = Self::bar(("", &ghost.service), (ghost.start, end.max(ghost.start)), start, running);
        Self { span: ghost.span.to_string(), ghost: true, ..bar }
    }

    /// A name, a service and a bar, and nothing else.
    fn bar((name, service): (&str, &str), (from, to): (Nanos, Nanos), start: Nanos, running: bool) -> Self {
        Self {
            span: String::new(),
            variant: None,
            parent: None,
            depth: 0,
            children: 0,
            ghost: false,
            orphan: false,
            cycle: false,
            name: name.to_owned(),
            service: service.to_owned(),
            scope: None,
            kind: SpanKind::Unspecified,
            at: after(from, start),
            duration_ms: after(to, from),
            state: if running { SpanState::Running } else { SpanState::Ended },
            error: false,
            error_type: None,
            op: None,
            provider: None,
            model: None,
            request_model: None,
            agent: None,
            tool: None,
            tool_call: None,
            finish: None,
            conversation: None,
            usage: None,
            wrapper: false,
            cost: None,
            ttft_ms: None,
            count: None,
            inferred: false,
            retry: None,
            content: None,
            fold: None,
            call: None,
            own: None,
            total: None,
        }
    }

    /// Takes from the tree where it stands.
    fn place(&mut self, node: &Node) {
        self.depth = node.depth;
        self.children = node.below;
        self.orphan = node.orphan;
        self.cycle = node.cycle;
        self.wrapper = node.wrapper;
        self.retry = Some(node.retry).filter(|retry| *retry > 0);
        self.fold = node.fold.then_some(Fold::Http);
        if let Some(sums) = &node.sums {
            let ms = after(Nanos(sums.own_nanos), Nanos(0));
            self.own = Some(OwnSum { sum: TotalSum::from(&sums.own), ms });
            self.total = Some(TotalSum::from(&sums.total));
        }
    }
}

impl From<&tree::Sum> for TotalSum {
    fn from(sum: &tree::Sum) -> Self {
        let source = match sum.sources {
            (true, true) => CostSource::Mixed,
            (true, false) => CostSource::Reported,
            (false, _) => CostSource::Table,
        };
        Self {
            usage: Usage::from(&sum.usage),
            cost: sum.cost.map(|(nanos, saved)| Cost::of(nanos, saved, source)),
            llm_calls: sum.llm_calls,
            tool_calls: sum.tool_calls,
        }
    }
}

impl SpanKind {
    /// By OTLP's number.
    #[must_use]
    pub fn of(number: i32) -> Self {
        match number {
            1 => Self::Internal,
            2 => Self::Server,
            3 => Self::Client,
            4 => Self::Producer,
            5 => Self::Consumer,
            _ => Self::Unspecified,
        }
    }
}
