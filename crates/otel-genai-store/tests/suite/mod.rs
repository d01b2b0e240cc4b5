//! What every store must do, whatever it keeps records in: `suite!(open)` makes a test of each case.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use opentelemetry_proto::tonic::trace::v1 as otlp;
use otel_genai_store::{
    Batch, Change, ContentState, Cost, CostSource, Cursor, Day, Dialect, Facts, Filter, LogQuery, LogRecord,
    Nanos, Op, Origin, Range, Resource, Scope, Series, Span, SpanId, SpanState, SqliteOptions, Store,
    StoreError, StoreStatus, TraceId, TraceQuery, Usage, Which,
};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::support;

macro_rules! suite {
    // Of a store that is opened in the runtime, where it can be had.
    (async $open:path: $($case:ident)*) => {
        $(#[test]
        fn $case() {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                let Some(store) = $open().await else { return };
                suite::$case(&store).await;
                store.close().await;
            });
        })*
    };
    ($open:path: $($case:ident)*) => {
        $(#[test]
        fn $case() {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
            runtime.block_on(async {
                let (store, _place) = $open();
                suite::$case(&store).await;
                store.close().await;
            });
        })*
    };
}
pub(crate) use suite;

const SECOND: u64 = 1_000_000_000;

/// Noon of a day that is neither today's nor old.
pub(crate) fn noon() -> u64 {
    Day(Day::of(Nanos::now()).0 - 3).start().0 + 43_200 * SECOND
}

pub(crate) fn trace_id(number: u64) -> TraceId {
    TraceId::new(&[[7; 8], (number + 1).to_be_bytes()].concat()).unwrap()
}

pub(crate) fn span_id(number: u64) -> SpanId {
    SpanId::new(&(number + 1).to_be_bytes()).unwrap()
}

pub(crate) fn origin(service: &str) -> Arc<Origin> {
    let attributes = vec![support::string("service.name", service)];
    let resource = opentelemetry_proto::tonic::resource::v1::Resource { attributes, ..Default::default() };
    let scope = opentelemetry_proto::tonic::common::v1::InstrumentationScope {
        name: "my.library".to_owned(),
        ..Default::default()
    };
    Arc::new(Origin {
        resource: Resource::from_otlp(Some(resource), String::new()),
        scope: Scope::from_otlp(Some(scope), "https://schema".to_owned()),
    })
}

/// A span of a second that ended well.
pub(crate) fn span(trace: u64, id: u64, parent: Option<u64>, start: u64) -> Span {
    let told = otlp::Span {
        trace_id: trace_id(trace).bytes().to_vec(),
        span_id: span_id(id).bytes().to_vec(),
        parent_span_id: parent.map(|parent| span_id(parent).bytes().to_vec()).unwrap_or_default(),
        name: format!("chat model-{id}"),
        kind: 3,
        start_time_unix_nano: start,
        end_time_unix_nano: start + SECOND,
        attributes: vec![support::string("gen_ai.request.model", "model")],
        ..otlp::Span::default()
    };
    Span::from_otlp(told, &origin("shop"), Nanos::now()).unwrap()
}

pub(crate) fn log(trace: Option<u64>, event: &str, at: u64) -> LogRecord {
    let told = opentelemetry_proto::tonic::logs::v1::LogRecord {
        time_unix_nano: at,
        event_name: event.to_owned(),
        severity_number: 9,
        trace_id: trace.map(|trace| trace_id(trace).bytes().to_vec()).unwrap_or_default(),
        body: support::string("", "hello").value,
        ..Default::default()
    };
    LogRecord::from_otlp(told, &origin("shop"), Nanos::now()).unwrap()
}

pub(crate) fn batch(spans: Vec<Span>, logs: Vec<LogRecord>) -> Batch {
    let bytes = 1_000 * (spans.len() + logs.len());
    Batch { spans, logs, bytes, received: Nanos::now(), ..Batch::default() }
}

fn newest(limit: u32) -> TraceQuery {
    TraceQuery { limit, ..TraceQuery::default() }
}

async fn of_trace(store: &impl Store, trace: TraceId) -> Vec<LogRecord> {
    let query = LogQuery { trace: Some(trace), limit: 50_000, ..LogQuery::default() };
    store.logs(&query).await.unwrap().items
}

/// Whatever comes is given back without a difference, whatever comes around it.
pub(crate) async fn everything_comes_back_exactly(store: &impl Store) {
    let mut runner = TestRunner::deterministic();
    let (mut spans, mut logs) = (BTreeMap::new(), BTreeMap::new());
    let origins: Vec<Arc<Origin>> = (0..5)
        .map(|_| {
            let (resource, scope) = (support::resource(), support::scope());
            let resource = resource.new_tree(&mut runner).unwrap().current();
            let scope = scope.new_tree(&mut runner).unwrap().current();
            Arc::new(Origin {
                resource: Resource::from_otlp(Some(resource), "url".to_owned()),
                scope: Scope::from_otlp(Some(scope), String::new()),
            })
        })
        .collect();
    let mut all = Batch::default();
    for number in 0..120u64 {
        let origin = &origins[usize::try_from(number).unwrap() % origins.len()];
        let mut told = support::span().new_tree(&mut runner).unwrap().current();
        told.span_id = span_id(number).bytes().to_vec();
        if let Ok(span) = Span::from_otlp(told.clone(), origin, Nanos::now()) {
            let exact = (span.key.variant, told, Arc::clone(origin));
            assert!(spans.insert((span.key.trace, span.key.span), exact).is_none());
            all.spans.push(span);
        }
        let mut told = support::log().new_tree(&mut runner).unwrap().current();
        told.trace_id = trace_id(number % 7).bytes().to_vec();
        let log = LogRecord::from_otlp(told.clone(), origin, Nanos::now()).unwrap();
        logs.entry(trace_id(number % 7)).or_insert_with(Vec::new).push((told, Arc::clone(origin)));
        all.logs.push(log);
    }
    assert!(spans.len() > 40);
    let stored = store.ingest(all.clone()).await.unwrap();
    assert_eq!((stored.spans, stored.logs, stored.known), (spans.len() as u64, 120, 0));

    for ((trace, id), (_, told, origin)) in &spans {
        let found = store.spans(*trace, Which::Only(vec![*id])).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].to_otlp(), *told);
        assert_eq!(found[0].origin.resource.to_otlp(), origin.resource.to_otlp());
        assert_eq!(found[0].origin.scope.to_otlp(), origin.scope.to_otlp());
        assert_eq!(found[0].origin.resource.schema_url, origin.resource.schema_url);
    }
    for (trace, told) in logs {
        let found = of_trace(store, trace).await;
        assert_eq!(found.len(), told.len());
        for log in found {
            let exact = log.to_otlp();
            let origin = log.origin.resource.to_otlp();
            assert!(told.iter().any(|(told, from)| *told == exact && from.resource.to_otlp() == origin));
            assert!(log.id.row > 0);
        }
    }

    let again = store.ingest(all).await.unwrap();
    assert_eq!((again.spans, again.logs, again.known), (0, 0, spans.len() as u64 + 120));
}

/// The columns tell the facts that the span had, also to those who read no span.
pub(crate) async fn facts_come_back(store: &impl Store) {
    let text = |text: &str| Some(Arc::from(text));
    let full = Facts {
        op: Some(Op::Chat),
        dialect: Some(Dialect::OpenInference),
        provider: text("openai"),
        request_model: text("gpt-5"),
        response_model: text("gpt-5-2026"),
        response_id: text("resp_1"),
        agent: text("Support"),
        agent_id: text("a1"),
        workflow: text("flow"),
        tool: text("search"),
        tool_call: text("call_1"),
        mcp_method: text("tools/call"),
        mcp_session: text("s1"),
        data_source: text("docs"),
        conversation: text("conv_1"),
        user: text("ann"),
        error: text("timeout"),
        finish: text("stop,tool_calls"),
        usage: Usage {
            input: Some(1),
            output: Some(2),
            cache_read: Some(3),
            cache_write: Some(0),
            reasoning: Some(5),
            audio_input: Some(6),
            audio_output: Some(7),
        },
        first_chunk: Some(Duration::from_millis(120)),
        stream: Some(true),
        count: Some(3),
        cost: Some(Cost { nanos: 12, saved: 3, source: CostSource::Reported }),
        content: ContentState::ByReference,
        inferred: true,
    };
    let other = Facts {
        stream: Some(false),
        cost: Some(Cost { nanos: 1, saved: 0, source: CostSource::Table }),
        ..Facts::default()
    };
    let all = [full, other, Facts::default()];
    let mut spans: Vec<Span> = (0u64..3).map(|id| span(1, id, None, noon() + id)).collect();
    spans.iter_mut().zip(&all).for_each(|(span, facts)| span.facts = facts.clone());
    // Of this one they are read, and there are none.
    spans[2].attributes.0.clear();
    store.ingest(batch(spans, vec![])).await.unwrap();

    let rows = store.rows(trace_id(1), 10, None).await.unwrap().items;
    let whole = store.spans(trace_id(1), Which::All).await.unwrap();
    for ((row, span), facts) in rows.iter().zip(&whole).zip(&all) {
        assert_eq!(row.facts, *facts);
        assert_eq!(span.facts, *facts);
        assert_eq!((row.service.as_ref(), row.scope.as_ref(), row.kind), ("shop", "my.library", 3));
    }
    assert_eq!(store.spans(trace_id(1), Which::First { spans: 10, genai: true }).await.unwrap().len(), 1);
    let first = store.spans(trace_id(1), Which::First { spans: 2, genai: false }).await.unwrap();
    assert_eq!(first.iter().map(|span| span.start.0 - noon()).collect::<Vec<_>>(), [0, 1]);
}

fn calls() -> Vec<Span> {
    let usage = |input, output| Usage { input: Some(input), output: Some(output), ..Usage::default() };
    let facts = |op, usage| Facts { op: Some(op), usage, ..Facts::default() };
    let mut agent = span(5, 0, None, noon());
    agent.end = Nanos(noon() + 9 * SECOND);
    agent.facts = facts(Op::InvokeAgent, usage(30, 12));
    let mut first = span(5, 1, Some(0), noon() + 1);
    first.facts = facts(Op::Chat, usage(10, 5));
    first.facts.first_chunk = Some(Duration::from_millis(70));
    first.facts.cost = Some(Cost { nanos: 500, saved: 20, source: CostSource::Table });
    let mut tool = span(5, 2, Some(0), noon() + SECOND);
    tool.facts = facts(Op::ExecuteTool, Usage::default());
    tool.status.code = 2;
    let mut second = span(5, 3, Some(0), noon() + 2 * SECOND);
    second.facts = facts(Op::Chat, usage(20, 7));
    second.facts.first_chunk = Some(Duration::from_millis(10));
    second.facts.content = ContentState::Here;
    vec![agent, first, tool, second]
}

/// A trace's line says the same in whatever order its spans came.
pub(crate) async fn a_trace_in_one_line(store: &impl Store) {
    let mut spans = calls();
    spans.reverse();
    let last = spans.split_off(2);
    store.ingest(batch(spans, vec![log(Some(5), "gen_ai.choice", noon() + SECOND)])).await.unwrap();
    store.ingest(batch(last, vec![])).await.unwrap();

    let page = store.traces(&newest(10)).await.unwrap();
    assert_eq!((page.items.len(), page.next.is_none()), (1, true));
    let trace = &page.items[0];
    assert_eq!(trace.id, trace_id(5));
    assert_eq!((trace.start, trace.end), (Nanos(noon()), Nanos(noon() + 9 * SECOND)));
    assert_eq!((trace.spans, trace.errors, trace.logs), (4, 1, 1));
    assert_eq!((trace.llm_calls, trace.llm_errors, trace.tool_calls, trace.tool_errors), (2, 0, 1, 1));
    // The agent's tokens are those of its calls.
    assert_eq!((trace.usage.input, trace.usage.output, trace.usage.reasoning), (Some(30), Some(12), None));
    assert_eq!(trace.cost, Some(Cost { nanos: 500, saved: 20, source: CostSource::Table }));
    assert_eq!(trace.unpriced, 1);
    assert_eq!(trace.first_chunk, Some(Duration::from_millis(70)));
    assert_eq!(trace.content, ContentState::Here);
    let root = trace.root.as_ref().unwrap();
    assert_eq!(
        (root.name.as_ref(), root.service.as_ref(), root.op),
        ("chat model-0", "shop", Some(Op::InvokeAgent))
    );

    let found = store.summaries(&[trace_id(9), trace_id(5)]).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].spans, 4);
    let rows = store.rows(trace_id(5), 50, None).await.unwrap();
    let starts: Vec<Nanos> = rows.items.iter().map(|row| row.start).collect();
    assert!(starts.is_sorted() && rows.total == Some(4));
    assert_eq!(rows.items[2].parent, Some(span_id(0)));
    assert!(rows.items[2].error && !rows.items[1].error);
}

/// A span that runs is seen, counts in no sum, and gives way to its end, which word of its beginning does not undo.
pub(crate) async fn running_spans_give_way_to_their_end(store: &impl Store) {
    let ended = calls().remove(1);
    let mut running = ended.clone();
    (running.state, running.end) = (SpanState::Running, Nanos(0));
    let line = async || store.summaries(&[trace_id(5)]).await.unwrap().remove(0);

    assert_eq!(store.ingest(batch(vec![running.clone()], vec![])).await.unwrap().spans, 1);
    let seen = line().await;
    assert_eq!((seen.spans, seen.llm_calls, seen.usage.input), (1, 0, None));
    assert_eq!(store.rows(trace_id(5), 9, None).await.unwrap().items[0].state, SpanState::Running);
    // Told again, in the same batch as its end.
    let stored = store.ingest(batch(vec![running.clone(), ended.clone(), running], vec![])).await.unwrap();
    assert_eq!((stored.spans, stored.known), (1, 2));
    let seen = line().await;
    assert_eq!((seen.spans, seen.llm_calls, seen.usage.input), (1, 1, Some(10)));
    let spans = store.spans(trace_id(5), Which::All).await.unwrap();
    assert_eq!((spans.len(), spans[0].state, spans[0].end), (1, SpanState::Ended, ended.end));
}

/// Other contents under the same ids are kept beside, as far as that can be told from a flood.
pub(crate) async fn eight_spans_may_share_their_ids(store: &impl Store) {
    let told: Vec<Span> = (0..10)
        .map(|number| {
            let mut span = span(3, 1, None, noon() + number);
            span.name = format!("call {number}").into();
            span
        })
        .collect();
    let stored = store.ingest(batch(told.clone(), vec![])).await.unwrap();
    assert_eq!((stored.spans, stored.refused), (8, 2));
    let again = store.ingest(batch(told, vec![])).await.unwrap();
    assert_eq!((again.spans, again.known, again.refused), (0, 8, 2));
    let spans = store.spans(trace_id(3), Which::All).await.unwrap();
    let variants: Vec<(u8, &str)> = spans.iter().map(|span| (span.key.variant, span.name.as_ref())).collect();
    assert_eq!(variants.len(), 8);
    assert_eq!(variants[7], (7, "call 7"));
}

/// A trace that goes on over midnight is one trace.
pub(crate) async fn a_trace_goes_on_over_midnight(store: &impl Store) {
    let midnight = Day(Day::of(Nanos(noon())).0 + 1).start().0;
    let spans: Vec<Span> =
        (0..6).map(|id| span(4, id, (id > 0).then_some(0), midnight - 3 * SECOND + id * SECOND)).collect();
    let logs = vec![log(Some(4), "gen_ai.choice", midnight - 1), log(Some(4), "gen_ai.choice", midnight + 1)];
    let both = batch(spans, logs);
    let stored = store.ingest(both.clone()).await.unwrap();
    assert_eq!((stored.spans, stored.logs), (6, 2));
    assert_eq!(store.ingest(both).await.unwrap().known, 8);

    for ascending in [false, true] {
        let page = store.traces(&TraceQuery { ascending, ..newest(10) }).await.unwrap();
        assert_eq!(page.items.len(), 1);
        let trace = &page.items[0];
        assert_eq!((trace.spans, trace.logs), (6, 2));
        assert_eq!((trace.start.0, trace.end.0), (midnight - 3 * SECOND, midnight + 3 * SECOND));
        assert_eq!(trace.root.as_ref().unwrap().span, span_id(0));
    }
    let mut rows = Vec::new();
    let mut cursor = None;
    loop {
        let page = store.rows(trace_id(4), 2, cursor).await.unwrap();
        assert_eq!(page.total, Some(6));
        rows.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(
        rows.iter().map(|row| row.key.span).collect::<Vec<_>>(),
        (0..6).map(span_id).collect::<Vec<_>>()
    );
    assert_eq!(store.spans(trace_id(4), Which::All).await.unwrap().len(), 6);
    assert_eq!(of_trace(store, trace_id(4)).await.len(), 2);
}

/// Pages hold everything once, and what is new at the front does not shift them.
pub(crate) async fn pages_hold_everything_once(store: &impl Store) {
    let day = 86_400 * SECOND;
    // Three days; several traces begin at the same moment.
    let traces = |range: std::ops::Range<u64>| {
        let start = |number: u64| noon() - (number % 3) * day + (number / 6) * SECOND;
        range.map(|number| span(number, 0, None, start(number))).collect::<Vec<_>>()
    };
    store.ingest(batch(traces(0..45), vec![])).await.unwrap();
    for ascending in [false, true] {
        let mut query = TraceQuery { ascending, ..newest(7) };
        let mut found = Vec::new();
        loop {
            let page = store.traces(&query).await.unwrap();
            assert!(page.items.len() <= 7);
            found.extend(page.items);
            query.cursor = page.next;
            if query.cursor.is_none() {
                break;
            }
            if !ascending && found.len() == 7 {
                let mut newer = span(100, 0, None, noon() + day / 3);
                newer.name = "newer".into();
                store.ingest(batch(vec![newer], vec![])).await.unwrap();
            }
        }
        let mut starts: Vec<Nanos> = found.iter().map(|trace| trace.start).collect();
        if !ascending {
            starts.reverse();
        }
        assert!(starts.is_sorted());
        let mut ids: Vec<TraceId> = found.iter().map(|trace| trace.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!((ids.len(), found.len()), if ascending { (46, 46) } else { (45, 45) });
    }

    let page = store.traces(&newest(7)).await.unwrap();
    let other = TraceQuery { cursor: page.next, ascending: true, ..newest(7) };
    assert!(matches!(store.traces(&other).await, Err(StoreError::BadCursor)));
    let forged: Cursor = "AAAA".parse().unwrap();
    assert!(matches!(store.rows(trace_id(1), 5, Some(forged)).await, Err(StoreError::BadCursor)));
}

/// Filters narrow what is listed.
pub(crate) async fn filters_narrow_the_list(store: &impl Store) {
    let mut spans = vec![
        span(1, 0, None, noon()),
        span(2, 0, None, noon() + SECOND),
        span(3, 0, None, noon() + 2 * SECOND),
    ];
    spans[1].status.code = 2;
    spans[1].name = "100% \\odd_name".into();
    spans[2].facts.op = Some(Op::Chat);
    spans[2].end = Nanos(noon() + 60 * SECOND);
    store.ingest(batch(spans, vec![])).await.unwrap();
    let ids = async |filter: Filter| -> Vec<u8> {
        let page = store.traces(&TraceQuery { filter, ..newest(10) }).await.unwrap();
        page.items.iter().map(|trace| trace.id.bytes()[15] - 1).collect()
    };
    let all = Filter::default;
    assert_eq!(ids(all()).await, [3, 2, 1]);
    assert_eq!(ids(Filter { error: Some(true), ..all() }).await, [2]);
    assert_eq!(ids(Filter { error: Some(false), ..all() }).await, [3, 1]);
    assert_eq!(ids(Filter { genai: Some(true), ..all() }).await, [3]);
    assert_eq!(ids(Filter { genai: Some(false), ..all() }).await, [2, 1]);
    assert_eq!(ids(Filter { min_duration: Some(Duration::from_secs(2)), ..all() }).await, [3]);
    assert_eq!(ids(Filter { max_duration: Some(Duration::from_secs(1)), ..all() }).await, [2, 1]);
    assert_eq!(ids(Filter { name: Some("% \\ODD_".to_owned()), ..all() }).await, [2]);
    assert_eq!(ids(Filter { name: Some("chat_model".to_owned()), ..all() }).await, [] as [u8; 0]);
    let range = Range { from: Nanos(noon() + 1), to: Nanos(noon() + 2 * SECOND) };
    assert_eq!(ids(Filter { range: Some(range), ..all() }).await, [2]);
}

/// Log records are listed newest first, those of a trace as they happened.
pub(crate) async fn log_records_are_listed(store: &impl Store) {
    let mut logs: Vec<LogRecord> =
        (0..10).map(|at| log(None, "claude_code.user_prompt", noon() + at)).collect();
    logs.extend((0..10).map(|at| log(Some(8), "gen_ai.choice", noon() + 100 - at)));
    logs[3].severity = 17;
    logs[4].origin = origin("other");
    store.ingest(batch(vec![], logs)).await.unwrap();
    let find = async |query: LogQuery| store.logs(&LogQuery { limit: 100, ..query }).await.unwrap().items;
    let times = |logs: &[LogRecord]| logs.iter().map(|log| log.time.0 - noon()).collect::<Vec<_>>();

    let all = find(LogQuery::default()).await;
    assert_eq!(times(&all), (91..=100).rev().chain((0..10).rev()).collect::<Vec<_>>());
    let of_trace = LogQuery { trace: Some(trace_id(8)), ..LogQuery::default() };
    assert_eq!(times(&find(of_trace).await), (91..=100).collect::<Vec<_>>());
    let severe = LogQuery { min_severity: Some(13), ..LogQuery::default() };
    assert_eq!(times(&find(severe).await), [3]);
    let other = LogQuery { service: vec!["other".to_owned(), "none".to_owned()], ..LogQuery::default() };
    assert_eq!(times(&find(other).await), [4]);
    let event = LogQuery { event: vec!["gen_ai.choice".to_owned()], ..LogQuery::default() };
    assert_eq!(find(event).await.len(), 10);
    let none = LogQuery { event: vec!["nothing".to_owned()], ..LogQuery::default() };
    assert!(find(none).await.is_empty());

    let mut query = LogQuery { limit: 3, ..LogQuery::default() };
    let mut paged = Vec::new();
    loop {
        let page = store.logs(&query).await.unwrap();
        paged.extend(page.items);
        query.cursor = page.next;
        if query.cursor.is_none() {
            break;
        }
    }
    assert_eq!(times(&paged), times(&all));
}

/// A clock that is wrong loses nothing and makes no files without end.
pub(crate) async fn wrong_clocks_are_kept(store: &impl Store) {
    let starts = [0, 1, 4_000 * SECOND, 7_258_118_400 * SECOND, u64::MAX];
    let spans: Vec<Span> = (0u64..)
        .zip(starts)
        .map(|(id, start)| {
            let mut span = span(6, id, None, noon());
            (span.start, span.end) = (Nanos(start), Nanos(5));
            span
        })
        .collect();
    store.ingest(batch(spans, vec![log(Some(6), "x", 3)])).await.unwrap();
    let spans = store.spans(trace_id(6), Which::All).await.unwrap();
    let mut found: Vec<u64> = spans.iter().map(|span| span.to_otlp().start_time_unix_nano).collect();
    found.sort_unstable();
    assert_eq!(found, starts);
    assert_eq!(store.traces(&newest(10)).await.unwrap().items.len(), 1);
}

/// Whoever watches is told which traces are others now, and of log records and points that came.
pub(crate) async fn changes_are_told(store: &impl Store) {
    let mut watched = store.changes();
    store.ingest(batch(vec![span(1, 0, None, noon())], vec![log(None, "x", noon())])).await.unwrap();
    store.ingest(batch(vec![span(1, 1, Some(0), noon())], vec![log(Some(2), "x", noon())])).await.unwrap();
    let (mut logs, mut spans, mut traces) = (0, BTreeMap::new(), 0);
    while logs < 2 || spans.get(&trace_id(1)) != Some(&2) || !spans.contains_key(&trace_id(2)) {
        let next = tokio::time::timeout(Duration::from_secs(30), watched.next()).await;
        match next.expect("told in time").expect("the store is open") {
            Change::Logs { count } => logs += count,
            Change::Traces(list) => {
                traces += list.len();
                spans.extend(list.iter().map(|trace| (trace.id, trace.spans)));
            }
            change => panic!("{change:?}"),
        }
    }
    assert!(logs == 2 && traces <= 4);
    // Nothing has changed by being told again.
    store.ingest(batch(vec![span(1, 0, None, noon())], vec![])).await.unwrap();
    store.ingest(batch(vec![span(3, 0, None, noon())], vec![])).await.unwrap();
    match watched.next().await.unwrap() {
        Change::Traces(list) => {
            assert_eq!(list.iter().map(|trace| trace.id).collect::<Vec<_>>(), [trace_id(3)]);
        }
        change => panic!("{change:?}"),
    }
    store.close().await;
    assert!(watched.next().await.is_none());
    assert!(store.changes().next().await.is_none());
}

/// Whoever does not listen is told that it has missed something, and hears what comes after.
pub(crate) async fn who_does_not_listen_is_told(store: &impl Store) {
    let mut slow = store.changes();
    let mut quick = store.changes();
    let mut number = 0;
    let mut told = 0;
    while told < 40 {
        store.ingest(batch(vec![span(number, 0, None, noon())], vec![])).await.unwrap();
        number += 1;
        let next = tokio::time::timeout(Duration::from_secs(30), quick.next()).await;
        told += usize::from(next.unwrap().is_some());
    }
    assert!(matches!(slow.next().await, Some(Change::Lost)));
    assert!(matches!(slow.next().await, Some(Change::Traces(_))));
}

/// A store that is given what another has told is the same.
pub(crate) async fn a_dump_makes_the_same_store(store: &impl Store) {
    let mut runner = TestRunner::deterministic();
    let mut whole = Batch::default();
    for number in 0..60u64 {
        let start = noon() + number * 1_800 * SECOND;
        let mut span = span(number / 4, number, None, start);
        // Some MiB, so that it takes several pieces.
        span.trace_state = format!("{number}").repeat(50_000);
        whole.spans.push(span);
        whole.logs.push(log(Some(number / 4), "gen_ai.choice", start));
        let metric = support::metrics::metric().new_tree(&mut runner).unwrap().current();
        let mut points = Series::from_otlp(metric, &origin("shop"));
        for (_, points) in &mut points {
            // Each at its own time: of two with the same the first is kept.
            points.iter_mut().zip(0..).for_each(|(point, at)| {
                (point.time, point.start) = (Nanos(start + at), Nanos(0));
                point.exemplars.clear();
            });
        }
        whole.points.extend(points);
    }
    (whole.bytes, whole.received) = (1_000, Nanos::now());
    let stored = store.ingest(whole.clone()).await.unwrap();
    assert_eq!((stored.spans, stored.logs), (60, 60));

    let all = Range { from: Nanos(0), to: Nanos(u64::MAX) };
    let copy = SqliteOptions::temporary().open().unwrap();
    let (mut cursor, mut pieces) = (None, 0);
    loop {
        let (batch, next) = store.dump(all, cursor).await.unwrap();
        assert!(batch.bytes < 5 << 20);
        let copied = copy.ingest(batch).await.unwrap();
        assert_eq!(copied.known, 0);
        pieces += 1;
        cursor = next;
        if cursor.is_none() {
            break;
        }
    }
    assert!(pieces > 1, "{pieces}");
    let told = |status: StoreStatus| (status.spans, status.logs, status.points, status.traces);
    assert_eq!(told(copy.status().await.unwrap()), told(store.status().await.unwrap()));
    // What is told again is known, to the last bit.
    let again = copy.ingest(whole).await.unwrap();
    assert_eq!((again.spans, again.logs, again.points), (0, 0, 0));
    for number in 0..15 {
        let (one, other) =
            (store.spans(trace_id(number), Which::All), copy.spans(trace_id(number), Which::All));
        let exact = |spans: Vec<Span>| {
            spans.iter().map(|span| (span.to_otlp(), span.facts.clone())).collect::<Vec<_>>()
        };
        assert_eq!(exact(one.await.unwrap()), exact(other.await.unwrap()));
    }
    let some = Range { from: Nanos(noon()), to: Nanos(noon() + 3_600 * SECOND) };
    let (batch, next) = store.dump(some, None).await.unwrap();
    assert_eq!((batch.spans.len(), batch.logs.len(), next.is_none()), (2, 2, true));
    copy.close().await;
}

/// Many senders at a time: each is told the truth about its batch.
pub(crate) async fn many_send_at_a_time(store: &impl Store) {
    let send = async |sender: u64| {
        for number in 0..20 {
            let spans = (0..5).map(|id| span(sender, number * 5 + id, Some(999), noon() + number)).collect();
            assert_eq!(store.ingest(batch(spans, vec![])).await.unwrap().spans, 5);
            // What is acknowledged is seen.
            let page = store.rows(trace_id(sender), 1, None).await.unwrap();
            assert_eq!(page.total, Some((number + 1) * 5));
        }
    };
    futures_util::future::join_all((0..16).map(send)).await;
    let status = store.status().await.unwrap();
    assert_eq!((status.spans, status.traces), (1_600, 16));
    assert!(status.bytes > 0 && status.oldest == Some(Nanos(noon())));
}
