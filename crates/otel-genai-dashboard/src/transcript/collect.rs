//! Which calls there are, and which records tell of each.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use otel_genai_store::{
    Attributes, Facts, LogId, LogRecord, Nanos, Op, SpanKey, Telling, TraceId, wrappers_among,
};

use super::carrier::{self, Event, LegacyPosition};
use super::spans::Spans;
use super::{Evidence, Matched};

/// Of a conversation's calls without a span so many are looked at, to find the one that was running at a time.
const NEAR: usize = 64;
/// So many bodies wait for their call.
const WAITING: usize = 64;

/// The evidence in order.
pub(super) struct Collected<'a> {
    pub(super) spans: Spans<'a>,
    /// The calls, in the order in which they began; then what stands around calls, from the inside out.
    pub(super) nodes: Vec<Node<'a>>,
    /// For each span the agent or workflow around it.
    pub(super) agent_of: Vec<Option<usize>>,
}

/// A call, or something around calls that may tell what was said in them.
pub(super) struct Node<'a> {
    pub(super) kind: Kind,
    pub(super) span: Option<usize>,
    pub(super) key: Option<SpanKey>,
    pub(super) trace: Option<TraceId>,
    pub(super) at: Nanos,
    pub(super) end: Option<Nanos>,
    pub(super) facts: Facts,
    pub(super) service: Arc<str>,
    /// The records that tell of it: its own, then those of spans around it that tell of the same call.
    pub(super) records: Vec<Record<'a>>,
    /// The steps of a coding agent's session.
    pub(super) session: Vec<(&'a LogRecord, Event, Side)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A call to a model.
    Call,
    /// An agent, a workflow, an entry: shown as a call only for what no call tells.
    Around,
}

/// A span with its log records, and for which slots it tells of a call.
pub(super) struct Record<'a> {
    pub(super) span: Option<usize>,
    pub(super) logs: Vec<(&'a LogRecord, Matched)>,
    pub(super) input: bool,
    pub(super) output: bool,
}

/// What of a step belongs to a call: what the model said, or what was said to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Said,
    Heard,
}

pub(super) fn collect<'a>(evidence: &Evidence<'a>) -> Collected<'a> {
    let spans = Spans::new(evidence.spans);
    let is_call = |at| spans.op(at).is_some_and(|op: Op| op.is_inference() || op == Op::FetchResponse);
    let ends_search =
        |at| matches!(spans.op(at), Some(Op::InvokeAgent | Op::InvokeWorkflow | Op::ExecuteTool));
    let is_agent = |at| matches!(spans.op(at), Some(Op::InvokeAgent | Op::InvokeWorkflow));
    let agent_of = spans.nearest(is_agent, |_| false);
    let outer_call = spans.nearest(is_call, ends_search);

    let inner = wrappers(&spans, &outer_call);
    let mut logs = Logs::assign(&spans, evidence.logs);
    let mut nodes: Vec<Node<'a>> = Vec::new();
    for (at, _) in spans.iter().filter(|(at, _)| is_call(*at) && !inner.contains_key(at)) {
        nodes.extend(Node::of_span(&spans, at, Kind::Call, logs.of_span.remove(&at).unwrap_or_default()));
    }
    let place: HashMap<usize, usize> =
        nodes.iter().enumerate().filter_map(|(place, node)| Some((node.span?, place))).collect();
    // What a wrapper tells is told of the calls in it: of the first what was asked, of the last what was answered.
    for (wrapper, calls) in &inner {
        let logs = logs.of_span.remove(wrapper).unwrap_or_default();
        let (Some(first), Some(last)) = (calls.first(), calls.last()) else { continue };
        let mut add = |call: &usize, input: bool, output: bool| {
            if let Some(node) = place.get(call).and_then(|place| nodes.get_mut(*place)) {
                node.records.push(Record { span: Some(*wrapper), logs: logs.clone(), input, output });
            }
        };
        if first == last {
            add(first, true, true);
            let node = place.get(first).and_then(|place| nodes.get_mut(*place));
            if let (Some(node), Some(span)) = (node, spans.get(*wrapper)) {
                node.learn(&span.facts);
            }
        } else {
            add(first, true, false);
            add(last, false, true);
        }
    }
    nodes.extend(of_logs(logs.free));
    add_sessions(logs.sessions, &place, &mut nodes);
    nodes.sort_by_key(Node::order);
    for at in spans.inside_out().filter(|at| is_around(spans.op(*at))) {
        let logs = logs.of_span.remove(&at).unwrap_or_default();
        if logs.is_empty() && !spans.get(at).is_some_and(carrier::may_tell) {
            continue;
        }
        nodes.extend(Node::of_span(&spans, at, Kind::Around, logs));
    }
    Collected { spans, nodes, agent_of }
}

fn is_around(op: Option<Op>) -> bool {
    matches!(
        op,
        Some(Op::InvokeAgent | Op::CreateAgent | Op::InvokeWorkflow | Op::Plan | Op::Entry | Op::ReactStep)
    )
}

/// Spans of calls that only wrap others, which tell the same: with the innermost calls in them.
fn wrappers(spans: &Spans<'_>, outer: &[Option<usize>]) -> BTreeMap<usize, Vec<usize>> {
    let mut below: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, _) in spans.iter().filter(|(at, _)| spans.op(*at).is_some_and(Op::is_inference)) {
        if let Some(outer) = outer.get(at).copied().flatten() {
            below.entry(outer).or_default().push(at);
        }
    }
    let told_again = told_again(spans);
    below.retain(|wrapper, calls| {
        spans.get(*wrapper).is_some_and(|span| told_again.contains(&span.key))
            || matches!(calls.as_slice(), [call] if is_told_by(spans, *call, *wrapper))
    });
    // A wrapper of wrappers wraps what they wrap. Of those that began together, their numbers do not say which is inside.
    for wrapper in spans.inside_out() {
        let Some(calls) = below.get(&wrapper).cloned() else { continue };
        let innermost =
            calls.into_iter().flat_map(|call| below.get(&call).cloned().unwrap_or_else(|| vec![call]));
        let innermost: Vec<_> = innermost.collect();
        below.insert(wrapper, innermost);
    }
    below
}

/// Those that count in no sum, because calls in them tell the same.
fn told_again(spans: &Spans<'_>) -> HashSet<SpanKey> {
    // Ids are of one trace.
    let mut traces: BTreeMap<TraceId, Vec<Telling<'_>>> = BTreeMap::new();
    for (_, span) in spans.iter() {
        let telling = Telling { key: span.key, parent: span.parent, state: span.state, facts: &span.facts };
        traces.entry(span.key.trace).or_default().push(telling);
    }
    traces.into_values().flat_map(wrappers_among).collect()
}

/// A call without tokens is the one around it, whose tokens count, unless they speak of different models or answers. What
/// failed inside a call that has its tokens is another one: a check, say.
fn is_told_by(spans: &Spans<'_>, call: usize, wrapper: usize) -> bool {
    let (Some(inner), Some(outer)) = (spans.get(call), spans.get(wrapper)) else { return false };
    let failed = inner.facts.error.is_some() || inner.status.is_error();
    let has_tokens = inner.facts.usage.input.or(inner.facts.usage.output).is_some();
    let differ = |one: &Option<Arc<str>>, other: &Option<Arc<str>>| {
        one.as_ref().zip(other.as_ref()).map(|(one, other)| one != other)
    };
    let models = [
        differ(&inner.facts.request_model, &outer.facts.request_model),
        differ(&inner.facts.response_model, &outer.facts.response_model),
    ];
    let other_model = models.contains(&Some(true)) && !models.contains(&Some(false));
    let other_answer = differ(&inner.facts.response_id, &outer.facts.response_id) == Some(true);
    !failed && !has_tokens && !other_model && !other_answer
}

impl<'a> Node<'a> {
    fn of_span(
        spans: &Spans<'a>,
        at: usize,
        kind: Kind,
        logs: Vec<(&'a LogRecord, Matched)>,
    ) -> Option<Self> {
        let span = spans.get(at)?;
        Some(Self {
            kind,
            span: Some(at),
            key: Some(span.key),
            trace: Some(span.key.trace),
            at: span.start.or(span.received),
            end: Some(span.end).filter(|end| end.0 > 0),
            facts: span.facts.clone(),
            service: Arc::clone(&span.origin.resource.service),
            records: vec![Record { span: Some(at), logs, input: true, output: true }],
            session: Vec::new(),
        })
    }

    /// Takes over what the call itself does not tell.
    fn learn(&mut self, wrapper: &Facts) {
        let facts = &mut self.facts;
        if facts.usage.input.or(facts.usage.output).is_none() {
            facts.usage = wrapper.usage;
            facts.cost = facts.cost.or(wrapper.cost);
            facts.finish = facts.finish.take().or_else(|| wrapper.finish.clone());
        }
    }

    /// A call that only logs tell of.
    fn of_log(log: &'a LogRecord) -> Self {
        Self {
            kind: Kind::Call,
            span: None,
            key: None,
            trace: log.trace,
            at: log.moment(),
            end: Some(log.moment()),
            facts: facts(log),
            service: Arc::clone(&log.origin.resource.service),
            records: Vec::new(),
            session: Vec::new(),
        }
    }

    fn order(&self) -> (Nanos, Option<SpanKey>, Option<LogId>) {
        let log = self.records.iter().flat_map(|record| &record.logs).map(|(log, _)| log.id).next();
        (self.at, self.key, log.or_else(|| self.session.first().map(|(log, ..)| log.id)))
    }
}

/// The facts of a log record, also where it is one that stands for no call by itself.
fn facts(log: &LogRecord) -> Facts {
    let told = |keys: &[&str]| keys.iter().find_map(|key| text(&log.attributes, key));
    let mut facts = log.facts.clone();
    facts.op = facts.op.or(Some(match log.attributes.text("gen_ai.operation.name").as_deref() {
        Some("text_completion") => Op::TextCompletion,
        Some("generate_content") => Op::GenerateContent,
        Some("invoke_agent") => Op::InvokeAgent,
        Some("create_agent") => Op::CreateAgent,
        _ => Op::Chat,
    }));
    facts.provider = facts.provider.or_else(|| told(&["gen_ai.provider.name", "gen_ai.system"]));
    facts.request_model = facts.request_model.or_else(|| told(&["gen_ai.request.model", "model"]));
    facts.response_model = facts.response_model.or_else(|| told(&["gen_ai.response.model"]));
    facts.response_id = facts.response_id.or_else(|| told(&["gen_ai.response.id"]));
    facts.agent = facts.agent.or_else(|| told(&["gen_ai.agent.name"]));
    facts.error = facts.error.or_else(|| told(&["error.type"]));
    facts.conversation =
        facts.conversation.or_else(|| told(&["gen_ai.conversation.id", "session.id", "conversation.id"]));
    let tokens = |key: &str| log.attributes.int(key).and_then(|tokens| u64::try_from(tokens).ok());
    facts.usage.input = facts.usage.input.or_else(|| tokens("gen_ai.usage.input_tokens"));
    facts.usage.output = facts.usage.output.or_else(|| tokens("gen_ai.usage.output_tokens"));
    facts
}

fn text(attributes: &Attributes, key: &str) -> Option<Arc<str>> {
    attributes.text(key).filter(|text| !text.is_empty()).map(Arc::from)
}

/// The log records with content, by what they belong to.
#[derive(Default)]
struct Logs<'a> {
    of_span: HashMap<usize, Vec<(&'a LogRecord, Matched)>>,
    /// Those of no span here.
    free: Vec<&'a LogRecord>,
    /// Those of coding agents.
    sessions: Sessions<'a>,
}

/// The events of sessions, by service and session; with the span of a call that they are part of.
type Sessions<'a> = BTreeMap<(Arc<str>, Arc<str>), Vec<(&'a LogRecord, Event, Option<usize>)>>;

impl<'a> Logs<'a> {
    fn assign(spans: &Spans<'a>, logs: &'a [LogRecord]) -> Self {
        let speaks = |at| {
            spans.op(at).is_some_and(|op: Op| op.is_inference() || op == Op::FetchResponse)
                || is_around(spans.op(at))
        };
        let above = spans.nearest(speaks, |_| false);
        let speaker = |at: usize| if speaks(at) { Some(at) } else { above.get(at).copied().flatten() };
        let calls = Calls::new(spans);
        let mut sorted: Vec<&LogRecord> = logs.iter().collect();
        sorted.sort_by_key(|log| (log.moment(), log.observed, log.id));
        let mut found = Self::default();
        for log in sorted {
            let of_span = log.trace.zip(log.span).and_then(|(trace, span)| speaker(spans.find(trace, span)?));
            if let Some(event) = carrier::event(log) {
                let session = (Arc::clone(&log.origin.resource.service), Arc::clone(&event.session));
                // A span of the session is none of the call; both name the provider's id.
                let by_response =
                    log.facts.response_id.as_ref().and_then(|id| calls.by_response.get(id)).copied();
                let of_span = by_response.or(of_span);
                found.sessions.entry(session).or_default().push((log, event, of_span));
                continue;
            }
            if !carrier::tells_content(log) {
                continue;
            }
            let matched = of_span.map(|at| (at, Matched::Span)).or_else(|| calls.matching(log));
            match matched {
                Some((at, matched)) => found.of_span.entry(at).or_default().push((log, matched)),
                None => found.free.push(log),
            }
        }
        found
    }
}

/// When a call began and ended, and its span.
type Running = (Nanos, Nanos, usize);

/// Calls by what a log record without their span may say of them.
struct Calls {
    by_response: HashMap<Arc<str>, usize>,
    /// By conversation and service, in the order in which they began.
    by_conversation: HashMap<(Arc<str>, Arc<str>), Vec<Running>>,
}

impl Calls {
    fn new(spans: &Spans<'_>) -> Self {
        let mut calls = Self { by_response: HashMap::new(), by_conversation: HashMap::new() };
        for (at, span) in spans.iter().filter(|(at, _)| spans.op(*at).is_some_and(Op::is_inference)) {
            if let Some(id) = &span.facts.response_id {
                // The innermost of several: it began last.
                calls.by_response.insert(Arc::clone(id), at);
            }
            if let Some(conversation) = &span.facts.conversation {
                let key = (Arc::clone(conversation), Arc::clone(&span.origin.resource.service));
                let end = if span.end.0 == 0 { Nanos(u64::MAX) } else { span.end };
                calls.by_conversation.entry(key).or_default().push((span.start, end, at));
            }
        }
        calls
    }

    fn matching(&self, log: &LogRecord) -> Option<(usize, Matched)> {
        let facts = facts(log);
        if let Some(at) = facts.response_id.as_ref().and_then(|id| self.by_response.get(id)) {
            return Some((*at, Matched::ResponseId));
        }
        let key = (facts.conversation?, Arc::clone(&log.origin.resource.service));
        let calls = self.by_conversation.get(&key)?;
        let moment = log.moment();
        let begun = calls.partition_point(|(start, ..)| *start <= moment);
        let mut running =
            calls.get(begun.saturating_sub(NEAR)..begun)?.iter().filter(|(_, end, _)| *end >= moment);
        match (running.next(), running.next()) {
            (Some((.., at)), None) => Some((*at, Matched::ConversationTime)),
            _ => None,
        }
    }
}

/// Calls that only log records tell of, none of which belongs to a span here.
fn of_logs(free: Vec<&LogRecord>) -> Vec<Node<'_>> {
    /// A service, its conversation, and the trace.
    type Of = (Arc<str>, Option<Arc<str>>, Option<TraceId>);
    #[derive(PartialEq, Eq, PartialOrd, Ord)]
    enum Group {
        /// Spans that were not sampled have ids.
        Span(Option<TraceId>, otel_genai_store::SpanId),
        Response(Arc<str>),
        /// Messages up to their answers.
        Run(Of, u32),
        Alone(usize),
    }
    let mut groups: BTreeMap<Group, Vec<&LogRecord>> = BTreeMap::new();
    // Of each run its number, and whether its answer has begun.
    let mut runs: HashMap<Of, (u32, bool)> = HashMap::new();
    for (at, log) in free.into_iter().enumerate() {
        let told = facts(log);
        let group =
            match (log.span, told.response_id, log.event.as_deref().and_then(carrier::legacy_position)) {
                (Some(span), ..) => Group::Span(log.trace, span),
                (None, Some(id), _) => Group::Response(id),
                (None, None, Some(position)) => {
                    let of = (Arc::clone(&log.origin.resource.service), told.conversation, log.trace);
                    let run = runs.entry(of.clone()).or_default();
                    let is_choice = matches!(position, LegacyPosition::Choice);
                    if run.1 && !is_choice {
                        *run = (run.0 + 1, false);
                    }
                    run.1 |= is_choice;
                    Group::Run(of, run.0)
                }
                (None, None, None) => Group::Alone(at),
            };
        groups.entry(group).or_default().push(log);
    }
    groups.into_values().filter_map(of_group).collect()
}

fn of_group(logs: Vec<&LogRecord>) -> Option<Node<'_>> {
    let mut node = Node::of_log(logs.first().copied()?);
    node.end = logs.last().map(|log| log.moment());
    // The record of details says more than the messages.
    if let Some(details) = logs.iter().max_by_key(|log| log.attributes.0.len()) {
        node.facts = facts(details);
    }
    let logs = logs.into_iter().map(|log| (log, Matched::None)).collect();
    node.records.push(Record { span: None, logs, input: true, output: true });
    Some(node)
}

/// The calls of coding agents' sessions: each answer is one, with what was said to the model before it.
fn add_sessions<'a>(sessions: Sessions<'a>, place: &HashMap<usize, usize>, nodes: &mut Vec<Node<'a>>) {
    use carrier::Step;
    for mut events in sessions.into_values() {
        events.sort_by_key(|(log, event, _)| (log.moment(), event.sequence, log.observed, log.id));
        let mut heard: Vec<(&LogRecord, Event, Side)> = Vec::new();
        let mut bodies = Bodies::default();
        let mut answers: HashMap<Arc<str>, usize> = HashMap::new();
        let mut current: Option<usize> = None;
        for (log, event, of_span) in events {
            let call = of_span.and_then(|span| place.get(&span).copied());
            match event.step {
                Step::Answer | Step::Failure => {
                    let at = call.unwrap_or_else(|| {
                        nodes.push(answer(log));
                        nodes.len() - 1
                    });
                    if let Some(node) = nodes.get_mut(at) {
                        let request = bodies.take(Step::RequestBody, log, call, node.at);
                        node.session.extend(request.map(|(log, event)| (log, event, Side::Heard)));
                        if event.step == Step::Answer {
                            let response = bodies.take(Step::ResponseBody, log, call, log.moment());
                            node.session.extend(response.map(|(log, event)| (log, event, Side::Said)));
                            answers.extend(log.facts.response_id.clone().map(|id| (id, at)));
                        }
                        node.session.append(&mut heard);
                        node.session.push((log, event, Side::Said));
                    }
                    current = Some(at);
                }
                Step::Prompt => heard.push((log, event, Side::Heard)),
                Step::RequestBody => bodies.wait(log, event, call),
                // Before the event of the call, or after it.
                Step::ResponseBody => {
                    let answered = log.facts.response_id.as_ref().and_then(|id| answers.get(id));
                    match answered.and_then(|at| nodes.get_mut(*at)) {
                        Some(node) => node.session.push((log, event, Side::Said)),
                        None => bodies.wait(log, event, call),
                    }
                }
                Step::Saying => match call.or(current).and_then(|at| nodes.get_mut(at)) {
                    Some(node) => node.session.push((log, event, Side::Said)),
                    None => heard.push((log, event, Side::Said)),
                },
                Step::ToolResult | Step::Refusal => {
                    let again = Event {
                        step: event.step,
                        session: Arc::clone(&event.session),
                        sequence: event.sequence,
                    };
                    if let Some(node) = current.and_then(|at| nodes.get_mut(at)) {
                        node.session.push((log, again, Side::Said));
                    } else {
                        heard.push((log, again, Side::Said));
                    }
                    heard.push((log, event, Side::Heard));
                }
            }
        }
        // The last was never answered, or its answer is still on its way.
        if let Some((log, ..)) = heard.first() {
            let mut node = Node::of_log(log);
            node.session = heard;
            nodes.push(node);
        }
    }
}

/// Bodies of calls whose answers are still to come. Calls run side by side: a small model makes a title beside the first
/// answer, subagents work beside each other.
#[derive(Default)]
struct Bodies<'a>(VecDeque<(&'a LogRecord, Event, Option<usize>)>);

impl<'a> Bodies<'a> {
    /// The call is known where a span of it is.
    fn wait(&mut self, log: &'a LogRecord, event: Event, call: Option<usize>) {
        // Calls that were cancelled have no answer, and neither have those that were tried again.
        if self.0.len() >= WAITING {
            self.0.pop_front();
        }
        self.0.push_back((log, event, call));
    }

    /// The body of this kind that belongs to an answer: of those that may, the one told nearest to a moment.
    fn take(
        &mut self,
        step: carrier::Step,
        answer: &LogRecord,
        call: Option<usize>,
        moment: Nanos,
    ) -> Option<(&'a LogRecord, Event)> {
        fn differ<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
            one.zip(other).is_some_and(|(one, other)| one != other)
        }
        let source = |log: &LogRecord| text(&log.attributes, "query_source");
        let asked_by = source(answer);
        let may = |log: &LogRecord, its_call: Option<usize>| {
            // One may be told with its date or its variant, and the other without.
            let models = log.facts.request_model.as_deref().zip(answer.facts.request_model.as_deref());
            !differ(its_call, call)
                && !differ(log.facts.response_id.as_deref(), answer.facts.response_id.as_deref())
                && !differ(source(log), asked_by.clone())
                && models.is_none_or(|(one, other)| one.starts_with(other) || other.starts_with(one))
        };
        let waiting = self.0.iter().enumerate();
        let fitting = waiting.filter(|(_, (log, event, its))| event.step == step && may(log, *its));
        let (at, _) = fitting.min_by_key(|(at, (log, _, its))| {
            let id = log.facts.response_id.as_ref();
            let is_told =
                its.is_some() && *its == call || id.is_some() && id == answer.facts.response_id.as_ref();
            (!is_told, log.moment().0.abs_diff(moment.0), Reverse(*at))
        })?;
        self.0.remove(at).map(|(log, event, _)| (log, event))
    }
}

fn answer(log: &LogRecord) -> Node<'_> {
    let mut node = Node::of_log(log);
    let millis = log.attributes.float("duration_ms").filter(|millis| *millis >= 0.0 && *millis < 1e12);
    if let Some(millis) = millis {
        let took = std::time::Duration::from_secs_f64(millis / 1e3);
        node.at = Nanos(log.moment().0.saturating_sub(u64::try_from(took.as_nanos()).unwrap_or(0)));
    }
    node
}
