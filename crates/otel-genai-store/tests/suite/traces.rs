//! Traces in lists, in one line and by their rows.

use std::time::{Duration, Instant};

use otel_genai_store::{
    ContentState, Cost, CostSource, Cursor, Day, Facts, Filter, Nanos, Op, Range, Span, SpanState,
    StatsQuery, Store, StoreError, TraceId, TraceQuery, TraceSort, TraceState, TraceSummary, Usage, Which,
};

use super::{SECOND, batch, log, newest, noon, of_trace, span, span_id, trace_id};

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
    assert_eq!(seen.state, TraceState::Running, "its root may come");
    // With the root's end it is done, unless a span is known that runs.
    let [root, mut other] = [calls().remove(0), calls().remove(2)];
    (other.state, other.end) = (SpanState::Running, Nanos(0));
    store.ingest(batch(vec![other, root], vec![])).await.unwrap();
    assert_eq!(line().await.state, TraceState::Running, "one runs");
    store.ingest(batch(vec![calls().remove(2)], vec![])).await.unwrap();
    assert_eq!(line().await.state, TraceState::Done);
    let spans = store.spans(trace_id(5), Which::All).await.unwrap();
    let first = spans.iter().find(|span| span.key == ended.key).unwrap();
    assert_eq!((spans.len(), first.state, first.end), (3, SpanState::Ended, ended.end));
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

/// A trace may go on after days of silence, which are longer than midnight: it is one, and a call that is told on both days
/// counts once.
pub(crate) async fn a_trace_that_was_silent_for_days_is_one(store: &impl Store) {
    const DAY: u64 = 86_400 * SECOND;
    let chat = |id: u64, parent: u64, start: u64| {
        let mut chat = span(1, id, Some(parent), start);
        let usage = Usage { input: Some(50), output: Some(7), ..Usage::default() };
        chat.facts = Facts { op: Some(Op::Chat), usage, count: Some(1), ..Facts::default() };
        chat
    };
    // Someone had to be asked, who came back on Monday; the days between have traces of others.
    let friday = vec![span(1, 0, None, noon()), chat(1, 0, noon() + 1)];
    let between = (1..=2).map(|day| span(10 + day, 0, None, noon() + day * DAY)).collect();
    let monday = vec![chat(2, 1, noon() + 3 * DAY)];
    let tuesday = vec![span(1, 3, Some(0), noon() + 4 * DAY)];
    for spans in [friday, between, monday, tuesday] {
        store.ingest(batch(spans, vec![])).await.unwrap();
    }
    let list = async |limit: u32, sort: TraceSort, range: Option<Range>| {
        let filter = Filter { range, ..Filter::default() };
        let mut query = TraceQuery { filter, limit, sort, ..TraceQuery::default() };
        let mut all: Vec<TraceSummary> = Vec::new();
        loop {
            let page = store.traces(&query).await.unwrap();
            all.extend(page.items.into_iter().filter(|trace| trace.id == trace_id(1)));
            query.cursor = page.next;
            if query.cursor.is_none() {
                return all;
            }
        }
    };
    let patience = Instant::now() + Duration::from_secs(60);
    let trace = loop {
        let own = list(1, TraceSort::Start, None).await;
        let calls = store.stats(&StatsQuery::default()).await.unwrap();
        match own.as_slice() {
            [one] if one.spans == 4 && one.llm_calls == 1 && calls[0].calls == 1 => {
                assert_eq!(calls[0].usage.input, Some(50));
                break one.clone();
            }
            _ if Instant::now() > patience => panic!("{own:#?} {calls:#?}"),
            _ => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    };
    assert_eq!((trace.start.0, trace.end.0), (noon(), noon() + 4 * DAY + SECOND));
    assert_eq!((trace.usage.input, trace.usage.output), (Some(50), Some(7)));
    assert_eq!(trace.root.unwrap().span, span_id(0));
    assert_eq!(store.status().await.unwrap().traces, 3);
    // It began on Friday, wherever one looks.
    for (day, times) in [(0, 1), (3, 0), (4, 0)] {
        let at = noon() + day * DAY;
        let range = Range { from: Nanos(at - 1), to: Nanos(at + DAY / 24) };
        for sort in [TraceSort::Start, TraceSort::Tokens] {
            assert_eq!(list(10, sort, Some(range)).await.len(), times, "day {day}, {sort:?}");
        }
    }
    assert_eq!(store.summaries(&[trace_id(1), trace_id(11)]).await.unwrap().len(), 2);
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

/// Traces of many days, of which few fit, come in order, page by page.
pub(crate) async fn what_fits_is_listed_over_many_days(store: &impl Store) {
    const DAY: u64 = 86_400 * SECOND;
    let spans = (0..60).map(|number| {
        // Some days have nothing, and some traces go on after midnight.
        let at = noon() - (number % 20) * (number % 3 + 1) * DAY / 2 + number * SECOND;
        let mut span = span(number, 1, None, at);
        span.facts.agent = Some(if number % 3 == 0 { "porter".into() } else { "guard".into() });
        span
    });
    let mut spans: Vec<Span> = spans.collect();
    for number in [3, 9, 30] {
        let mut later = spans[number].clone();
        later.key.span = span_id(2);
        (later.start, later.end) = (Nanos(later.start.0 + DAY), Nanos(later.end.0 + DAY));
        later.facts.agent = None;
        spans.push(later);
    }
    let mut right: Vec<(Nanos, TraceId)> =
        (0..60).step_by(3).map(|number| (spans[number].start, spans[number].key.trace)).collect();
    right.sort_unstable();
    store.ingest(batch(spans, vec![])).await.unwrap();
    for (ascending, limit) in [(true, 100), (true, 3), (false, 100), (false, 3)] {
        let filter = Filter { agent: vec!["porter".into()], ..Filter::default() };
        let mut query = TraceQuery { filter, ascending, limit, ..TraceQuery::default() };
        let mut found = Vec::new();
        loop {
            let page = store.traces(&query).await.unwrap();
            found.extend(page.items.iter().map(|trace| (trace.start, trace.id)));
            query.cursor = page.next;
            if query.cursor.is_none() {
                break;
            }
        }
        if !ascending {
            found.reverse();
        }
        assert_eq!(found, right, "{ascending} {limit}");
    }
}
