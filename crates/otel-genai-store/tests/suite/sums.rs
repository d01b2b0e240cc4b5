//! Whatever is added up while records come is what a look at all of them comes to: in any order, told twice, split, and
//! over midnight.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use otel_genai_store::{
    ContentState, ConversationQuery, Cost, CostSource, Dialect, Dimension, Facts, Filter, Histogram, Nanos,
    Op, Range, Span, SpanState, StatsQuery, StatsRow, Store, TraceId, TraceQuery, TraceSort, TraceSummary,
    Usage, wrappers,
};

use super::{batch, log, noon, origin, span};

const HOUR: u64 = 3_600_000_000_000;

/// Numbers that look like chance.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % most
    }

    fn name(&mut self, what: &str, most: u64) -> Option<std::sync::Arc<str>> {
        let number = self.below(most + 1);
        (number > 0).then(|| format!("{what} {number}").into())
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, usize::try_from(self.below(at as u64 + 1)).unwrap());
        }
    }
}

fn any_span(chance: &mut Chance, id: u64) -> Span {
    let trace = id % 40;
    // A trace takes a few hours of three days, some of them over midnight.
    let start = noon() + trace * HOUR + chance.below(5 * HOUR);
    let parent = (chance.below(3) > 0).then(|| chance.below(id / 40 + 1) * 40 + trace);
    let mut span = span(trace, id, parent, start);
    span.end = Nanos(start + chance.below(90_000_000_000));
    span.name = format!("call {}", chance.below(9)).into();
    span.origin = origin(&format!("service {}", chance.below(3)));
    span.status.code = if chance.below(9) == 0 { 2 } else { 0 };
    let ops = [None, Some(Op::Http), Some(Op::Chat), Some(Op::Chat), Some(Op::Chat), Some(Op::Embeddings)];
    let ops = [&ops[..], &[Some(Op::InvokeAgent), Some(Op::ExecuteTool)]].concat();
    let op = ops[usize::try_from(chance.below(ops.len() as u64)).unwrap()];
    let mut tokens = |least| (chance.below(4) > 0).then(|| least + chance.below(5));
    let usage = Usage {
        input: tokens(10),
        output: tokens(0),
        cache_read: tokens(1),
        reasoning: tokens(2),
        ..Usage::default()
    };
    let cost = (chance.below(2) > 0).then(|| Cost {
        nanos: i64::try_from(chance.below(1_000)).unwrap(),
        saved: 3,
        source: if chance.below(5) == 0 { CostSource::Reported } else { CostSource::Table },
    });
    span.facts = Facts {
        op,
        dialect: (chance.below(2) > 0).then_some(Dialect::OpenInference),
        provider: chance.name("provider", 2),
        request_model: chance.name("model", 3),
        response_model: chance.name("model", 3),
        agent: chance.name("agent", 7),
        tool: chance.name("tool", 2),
        conversation: chance.name("conversation", 6),
        error: (chance.below(12) == 0).then(|| "timeout".into()),
        finish: chance.name("finish", 2),
        usage,
        first_chunk: (chance.below(2) > 0).then(|| Duration::from_millis(1 + chance.below(300))),
        cost,
        content: if chance.below(3) == 0 { ContentState::Here } else { ContentState::Absent },
        // So that facts are never those of a span that nobody has read.
        count: Some(1),
        ..Facts::default()
    };
    span
}

/// Spans and the log records of their traces are sent in pieces, some twice, some before their end.
async fn send(store: &impl Store, chance: &mut Chance, spans: &[Span]) {
    let mut sent: Vec<Span> = spans.to_vec();
    for span in spans {
        if chance.below(5) == 0 {
            sent.push(span.clone());
        }
        if chance.below(7) == 0 {
            let mut running = span.clone();
            (running.state, running.end) = (SpanState::Running, Nanos(0));
            running.facts.usage = Usage::default();
            sent.push(running);
        }
    }
    chance.shuffle(&mut sent);
    let mut rest = sent.as_slice();
    while !rest.is_empty() {
        let (some, others) = rest.split_at(usize::try_from(chance.below(60) + 1).unwrap().min(rest.len()));
        store.ingest(batch(some.to_vec(), vec![])).await.unwrap();
        rest = others;
    }
}

/// Those whose calls count.
fn calls_once(spans: &[Span]) -> Vec<&Span> {
    let mut once = Vec::new();
    for group in by_trace(spans).into_values() {
        let rows: Vec<_> = group.iter().map(|span| span.row()).collect();
        let wrappers: BTreeSet<_> = wrappers(&rows).into_iter().collect();
        once.extend(group.into_iter().filter(|span| !wrappers.contains(&span.key)));
    }
    once
}

fn is_error(span: &Span) -> bool {
    span.status.code == 2 || span.facts.error.is_some()
}

fn is(span: &Span, what: fn(Op) -> bool) -> bool {
    span.facts.op.is_some_and(what)
}

/// A summary in words that can be compared.
#[derive(Debug, PartialEq)]
struct Line {
    bounds: (Nanos, Nanos),
    counts: [u64; 7],
    usage: Usage,
    cost: Option<(i64, i64, bool)>,
    unpriced: u64,
    first_chunk: Option<Duration>,
    names: Vec<(Vec<String>, u32)>,
    dialects: usize,
    content: ContentState,
    root: Option<String>,
    bars: Vec<(Op, Nanos, Nanos)>,
}

fn line(trace: &TraceSummary) -> Line {
    let few = |few: &otel_genai_store::Few| (few.list.iter().map(ToString::to_string).collect(), few.more);
    let mut bars: Vec<_> = trace.bars.iter().map(|bar| (bar.op, bar.start, bar.end)).collect();
    bars.sort();
    Line {
        bounds: (trace.start, trace.end),
        counts: [
            trace.spans,
            trace.errors,
            trace.llm_calls,
            trace.llm_errors,
            trace.tool_calls,
            trace.tool_errors,
            trace.logs,
        ],
        usage: trace.usage,
        cost: trace.cost.map(|cost| (cost.nanos, cost.saved, cost.source == CostSource::Reported)),
        unpriced: trace.unpriced,
        first_chunk: trace.first_chunk,
        names: [&trace.services, &trace.agents, &trace.models, &trace.tools, &trace.conversations]
            .map(few)
            .to_vec(),
        dialects: trace.dialects.len(),
        content: trace.content,
        root: trace.root.as_ref().map(|root| root.span.to_string()),
        bars,
    }
}

fn model(span: &Span) -> Option<std::sync::Arc<str>> {
    span.facts.response_model.clone().or(span.facts.request_model.clone())
}

fn few<'a>(spans: &[&'a Span], of: impl Fn(&'a Span) -> Option<std::sync::Arc<str>>) -> (Vec<String>, u32) {
    let mut first: BTreeMap<String, Nanos> = BTreeMap::new();
    for span in spans {
        if let Some(text) = of(span) {
            let at = first.entry(text.to_string()).or_insert(span.start);
            *at = span.start.min(*at);
        }
    }
    let mut names: Vec<(Nanos, String)> = first.into_iter().map(|(text, at)| (at, text)).collect();
    names.sort();
    let more = u32::try_from(names.len().saturating_sub(5)).unwrap();
    (names.into_iter().take(5).map(|(_, text)| text).collect(), more)
}

fn told(spans: &[&Span], once: &[&Span]) -> Line {
    let count = |of: &dyn Fn(&Span) -> bool| spans.iter().filter(|span| of(span)).count() as u64;
    let llm: Vec<_> = once.iter().filter(|span| is(span, Op::counts_tokens)).collect();
    let tool = |span: &Span| span.facts.op == Some(Op::ExecuteTool);
    let mut usage = Usage::default();
    let (mut cost, mut unpriced) = (None, 0);
    for span in once.iter().filter(|span| is(span, Op::counts_tokens)) {
        usage.add(&span.facts.usage);
        match span.facts.cost {
            Some(told) => {
                let (nanos, saved, reported) = cost.unwrap_or_default();
                cost = Some((
                    nanos + told.nanos,
                    saved + told.saved,
                    reported || told.source == CostSource::Reported,
                ));
            }
            None => unpriced += u64::from(span.facts.usage.input.or(span.facts.usage.output).is_some()),
        }
    }
    let first = spans.iter().filter(|span| is(span, Op::is_inference) && span.facts.first_chunk.is_some());
    let mut longest: Vec<_> = spans.iter().filter(|span| is(span, Op::is_genai)).collect();
    longest.sort_by_key(|span| (std::cmp::Reverse(span.end.0 - span.start.0), span.start, span.key.span));
    let mut bars: Vec<_> =
        longest.iter().take(24).map(|span| (span.facts.op.unwrap(), span.start, span.end)).collect();
    bars.sort();
    let roots = spans.iter().filter(|span| span.parent.is_none());
    Line {
        bounds: (
            spans.iter().map(|span| span.start).min().unwrap(),
            spans.iter().map(|span| span.end).max().unwrap(),
        ),
        counts: [
            spans.len() as u64,
            count(&is_error),
            llm.len() as u64,
            llm.iter().filter(|span| is_error(span)).count() as u64,
            count(&tool),
            count(&|span| tool(span) && is_error(span)),
            0,
        ],
        usage,
        cost,
        unpriced,
        first_chunk: first.min_by_key(|span| span.start).and_then(|span| span.facts.first_chunk),
        names: vec![
            few(spans, |span| Some(span.origin.resource.service.clone())),
            few(spans, |span| span.facts.agent.clone()),
            few(spans, model),
            few(spans, |span| span.facts.tool.clone()),
            few(spans, |span| span.facts.conversation.clone()),
        ],
        dialects: usize::from(spans.iter().any(|span| span.facts.dialect.is_some())),
        content: if spans.iter().any(|span| span.facts.content == ContentState::Here) {
            ContentState::Here
        } else {
            ContentState::Absent
        },
        root: roots.min_by_key(|span| span.start).map(|span| span.key.span.to_string()),
        bars,
    }
}

fn by_trace<'a>(spans: impl IntoIterator<Item = &'a Span>) -> BTreeMap<TraceId, Vec<&'a Span>> {
    let mut traces: BTreeMap<TraceId, Vec<&Span>> = BTreeMap::new();
    for span in spans {
        traces.entry(span.key.trace).or_default().push(span);
    }
    traces
}

/// All pages of a query.
async fn all(store: &impl Store, query: &TraceQuery) -> Vec<TraceSummary> {
    let mut query = query.clone();
    let mut found = Vec::new();
    loop {
        let page = store.traces(&query).await.unwrap();
        assert!(page.items.len() <= query.limit as usize);
        found.extend(page.items);
        query.cursor = page.next;
        if query.cursor.is_none() {
            return found;
        }
    }
}

fn value(trace: &TraceSummary, sort: TraceSort) -> i128 {
    i128::from(match sort {
        TraceSort::Duration => trace.end.0 - trace.start.0,
        TraceSort::FirstChunk => {
            trace.first_chunk.map_or(0, |first| u64::try_from(first.as_nanos()).unwrap() + 1)
        }
        TraceSort::Tokens => trace.usage.input.unwrap_or(0) + trace.usage.output.unwrap_or(0),
        TraceSort::Cost => trace.cost.map_or(0, |cost| u64::try_from(cost.nanos).unwrap() + 1),
        TraceSort::Errors => trace.errors,
        TraceSort::LlmCalls => trace.llm_calls,
        TraceSort::Spans => trace.spans,
        _ => trace.start.0,
    })
}

/// Sums of calls in words that can be compared.
type Row = (u64, u64, [u64; 4], (i64, i64), u64, Histogram, Histogram, Histogram, BTreeMap<String, u64>);

fn sums(row: &StatsRow) -> Row {
    let usage = &row.usage;
    let counts =
        [usage.input, usage.output, usage.cache_read, usage.reasoning].map(|count| count.unwrap_or(0));
    let finish = row.finish.iter().map(|(text, count)| (text.to_string(), *count)).collect();
    let cost = row.cost.map_or((0, 0), |cost| (cost.nanos, cost.saved));
    let (duration, first, rate) = (row.duration.clone(), row.first_chunk.clone(), row.output_rate.clone());
    (row.calls, row.errors, counts, cost, row.unpriced, duration, first, rate, finish)
}

fn summed(spans: &[&Span]) -> Row {
    let mut row = Row::default();
    for span in spans {
        row.0 += 1;
        row.1 += u64::from(is_error(span));
        let usage = &span.facts.usage;
        let duration = span.end.0 - span.start.0;
        row.5.add(duration);
        if let Some(first) = span.facts.first_chunk {
            row.6.add(u64::try_from(first.as_nanos()).unwrap());
        }
        if is(span, Op::is_inference) {
            if let Some(output) = usage.output.filter(|output| *output > 0 && duration > 0) {
                row.7.add(
                    u64::try_from(u128::from(output) * 1_000_000_000_000 / u128::from(duration)).unwrap(),
                );
            }
            if let Some(finish) = &span.facts.finish {
                *row.8.entry(finish.to_string()).or_default() += 1;
            }
        }
        if is(span, Op::counts_tokens) {
            let counts = [usage.input, usage.output, usage.cache_read, usage.reasoning];
            row.2.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count.unwrap_or(0));
            match span.facts.cost {
                Some(cost) => row.3 = (row.3.0 + cost.nanos, row.3.1 + cost.saved),
                None => row.4 += u64::from(usage.input.or(usage.output).is_some()),
            }
        }
    }
    row
}

fn word(span: &Span, by: Dimension) -> Option<String> {
    let facts = &span.facts;
    let text = match by {
        Dimension::Op => facts.op.map(|op| op.as_str().into()),
        Dimension::Service => Some(span.origin.resource.service.clone()),
        Dimension::Provider => facts.provider.clone(),
        Dimension::Model => model(span),
        Dimension::Agent => facts.agent.clone(),
        Dimension::Tool => facts.tool.clone(),
        Dimension::Conversation => facts.conversation.clone(),
        _ => facts.dialect.map(|dialect| dialect.as_str().into()),
    };
    text.map(|text: std::sync::Arc<str>| text.to_string())
}

async fn compare_stats(store: &impl Store, once: &[&Span], query: &StatsQuery, fits: impl Fn(&Span) -> bool) {
    let range = query.filter.range.unwrap_or(Range { from: Nanos(0), to: Nanos(u64::MAX) });
    type Key = (Option<Nanos>, Vec<Option<String>>);
    let mut groups: BTreeMap<Key, Vec<&Span>> = BTreeMap::new();
    for span in once.iter().filter(|span| is(span, Op::is_genai) && fits(span)) {
        if (range.from..range.to).contains(&span.start) {
            let step = query.step.map(|step| u64::try_from(step.as_nanos()).unwrap());
            let at = step.map(|step| Nanos(span.start.0 - span.start.0 % step));
            groups.entry((at, query.by.iter().map(|by| word(span, *by)).collect())).or_default().push(span);
        }
    }
    let rows = store.stats(query).await.unwrap();
    assert_eq!(rows.len(), groups.len(), "{query:?}");
    for row in &rows {
        let words = row.key.iter().map(|(_, text)| text.as_ref().map(ToString::to_string)).collect();
        let group = &groups[&(row.at, words)];
        assert_eq!(sums(row), summed(group), "{query:?} {:?}", row.key);
    }
}

/// Calls that are told twice are taken out of the sums a while after.
async fn until_settled(store: &impl Store, once: &[&Span]) {
    let calls = once.iter().filter(|span| is(span, Op::is_genai)).count() as u64;
    let patience = Instant::now() + Duration::from_secs(60);
    loop {
        let rows = store.stats(&StatsQuery::default()).await.unwrap();
        let counted = rows.iter().map(|row| row.calls).sum::<u64>();
        if counted == calls {
            return;
        }
        assert!(Instant::now() < patience, "{counted} calls instead of {calls}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

pub(crate) async fn sums_are_what_a_look_at_all_records_comes_to(store: &impl Store) {
    one_round(store, 7).await;
}

/// The same, by another chance.
pub(crate) async fn sums_are_right_in_another_order(store: &impl Store) {
    one_round(store, 42).await;
}

async fn one_round(store: &impl Store, seed: u64) {
    let mut chance = Chance(seed);
    let spans: Vec<Span> = (0..400).map(|id| any_span(&mut chance, id)).collect();
    send(store, &mut chance, &spans).await;
    let once = calls_once(&spans);
    assert!(once.len() < spans.len(), "some calls are told twice");
    let (traces, traces_once) = (by_trace(&spans), by_trace(once.iter().copied()));

    let query = TraceQuery { limit: 15, ..TraceQuery::default() };
    let right: BTreeMap<TraceId, Line> = traces
        .iter()
        .map(|(id, spans)| (*id, told(spans, traces_once.get(id).map_or(&[], Vec::as_slice))))
        .collect();
    until_settled(store, &once).await;
    let list = all(store, &query).await;
    assert_eq!(list.len(), traces.len());
    list.iter().for_each(|trace| assert_eq!(line(trace), right[&trace.id]));
    let ids: Vec<TraceId> = list.iter().map(|trace| trace.id).collect();
    let again = store.summaries(&ids).await.unwrap();
    assert!(list.iter().zip(&again).all(|(one, other)| line(one) == line(other)));

    for sort in [
        TraceSort::Start,
        TraceSort::Duration,
        TraceSort::FirstChunk,
        TraceSort::Tokens,
        TraceSort::Cost,
        TraceSort::Errors,
        TraceSort::LlmCalls,
        TraceSort::Spans,
    ] {
        for ascending in [false, true] {
            let query = TraceQuery { sort, ascending, limit: 15, ..TraceQuery::default() };
            let found = all(store, &query).await;
            let unique: BTreeSet<TraceId> = found.iter().map(|trace| trace.id).collect();
            assert_eq!((found.len(), unique.len()), (traces.len(), traces.len()), "{sort:?} {ascending}");
            let mut values: Vec<i128> = found.iter().map(|trace| value(trace, sort)).collect();
            if ascending && matches!(sort, TraceSort::FirstChunk | TraceSort::Cost) {
                // What is not known comes last.
                let known = values.iter().position(|value| *value == 0).unwrap_or(values.len());
                assert!(values.split_off(known).iter().all(|value| *value == 0));
            }
            if !ascending {
                values.reverse();
            }
            assert!(values.is_sorted(), "{sort:?} {ascending} {values:?}");
        }
    }

    type Fits = fn(&Span) -> bool;
    let none = Filter::default;
    let texts = |text: &str| vec![text.to_owned(), "nothing".to_owned()];
    let filters: [(Filter, Fits); 8] = [
        (Filter { service: texts("service 1"), ..none() }, |span| {
            &*span.origin.resource.service == "service 1"
        }),
        (Filter { model: texts("model 2"), ..none() }, |span| model(span).as_deref() == Some("model 2")),
        (Filter { agent: texts("agent 3"), ..none() }, |span| span.facts.agent.as_deref() == Some("agent 3")),
        (Filter { tool: texts("tool 1"), ..none() }, |span| span.facts.tool.as_deref() == Some("tool 1")),
        (Filter { provider: texts("provider 2"), ..none() }, |span| {
            span.facts.provider.as_deref() == Some("provider 2")
        }),
        (Filter { op: vec![Op::Embeddings, Op::Rerank], ..none() }, |span| {
            span.facts.op == Some(Op::Embeddings)
        }),
        (Filter { dialect: vec![Dialect::OpenInference], ..none() }, |span| span.facts.dialect.is_some()),
        (Filter { conversation: Some("conversation 4".to_owned()), ..none() }, |span| {
            span.facts.conversation.as_deref() == Some("conversation 4")
        }),
    ];
    for (filter, fits) in &filters {
        let found =
            all(store, &TraceQuery { filter: filter.clone(), limit: 10, ..TraceQuery::default() }).await;
        let found: BTreeSet<TraceId> = found.iter().map(|trace| trace.id).collect();
        let right: BTreeSet<TraceId> = traces
            .iter()
            .filter(|(_, spans)| spans.iter().any(|span| fits(span)))
            .map(|(id, _)| *id)
            .collect();
        assert_eq!(found, right, "{filter:?}");
        assert!(!found.is_empty());
        let query = StatsQuery { filter: filter.clone(), by: vec![Dimension::Op], step: None };
        compare_stats(store, &once, &query, fits).await;
    }

    let every: Fits = |_| true;
    let by = |by: &[Dimension], step: Option<u64>| StatsQuery {
        by: by.to_vec(),
        step: step.map(Duration::from_nanos),
        ..StatsQuery::default()
    };
    compare_stats(store, &once, &by(&[], None), every).await;
    compare_stats(store, &once, &by(&[Dimension::Model, Dimension::Op], None), every).await;
    compare_stats(store, &once, &by(&[Dimension::Service], Some(HOUR)), every).await;
    compare_stats(store, &once, &by(&[Dimension::Agent], Some(7 * HOUR / 60)), every).await;
    compare_stats(store, &once, &by(&[Dimension::Conversation, Dimension::Dialect], None), every).await;
    // Ends that cut quarters of an hour, and one within a quarter.
    for (from, to) in [(3 * HOUR + 17, 30 * HOUR + 12_345_678_901), (HOUR * 4, HOUR * 4 + 60_000_000_000)] {
        let range = Some(Range { from: Nanos(noon() + from), to: Nanos(noon() + to) });
        let query = StatsQuery { filter: Filter { range, ..none() }, ..by(&[Dimension::Op], Some(HOUR / 2)) };
        compare_stats(store, &once, &query, every).await;
    }
    let query = StatsQuery { filter: Filter { error: Some(true), ..none() }, ..by(&[Dimension::Tool], None) };
    compare_stats(store, &once, &query, is_error).await;

    for dimension in
        [Dimension::Service, Dimension::Model, Dimension::Op, Dimension::Conversation, Dimension::Dialect]
    {
        let mut right: BTreeMap<String, BTreeSet<TraceId>> = BTreeMap::new();
        for span in &spans {
            if let Some(word) = word(span, dimension) {
                right.entry(word).or_default().insert(span.key.trace);
            }
        }
        let facets = store.facets(&none(), dimension, 100).await.unwrap();
        let right: BTreeMap<String, u64> =
            right.into_iter().map(|(word, ids)| (word, ids.len() as u64)).collect();
        let found: BTreeMap<String, u64> =
            facets.iter().map(|(word, count)| (word.to_string(), *count)).collect();
        assert_eq!(found, right);
        assert!(facets.is_sorted_by_key(|(_, count)| std::cmp::Reverse(*count)));
    }

    compare_conversations(store, &traces, &right).await;
    compare_services(store, &spans).await;
}

async fn compare_conversations(
    store: &impl Store,
    traces: &BTreeMap<TraceId, Vec<&Span>>,
    lines: &BTreeMap<TraceId, Line>,
) {
    let mut right: BTreeMap<String, Vec<TraceId>> = BTreeMap::new();
    for (id, spans) in traces {
        let words: BTreeSet<String> =
            spans.iter().filter_map(|span| word(span, Dimension::Conversation)).collect();
        words.into_iter().for_each(|word| right.entry(word).or_default().push(*id));
    }
    let mut query = ConversationQuery { limit: 4, ..ConversationQuery::default() };
    let mut found = Vec::new();
    loop {
        let page = store.conversations(&query).await.unwrap();
        found.extend(page.items);
        query.cursor = page.next;
        if query.cursor.is_none() {
            break;
        }
    }
    assert_eq!(found.len(), right.len());
    for conversation in &found {
        let ids = &right[conversation.id.as_ref()];
        let sum = |of: &dyn Fn(&Line) -> u64| ids.iter().map(|id| of(&lines[id])).sum::<u64>();
        assert_eq!(conversation.traces, ids.len() as u64);
        assert_eq!(conversation.llm_calls, sum(&|line| line.counts[2]));
        assert_eq!(conversation.errors, sum(&|line| line.counts[1]));
        assert_eq!(conversation.usage.input.unwrap_or(0), sum(&|line| line.usage.input.unwrap_or(0)));
        assert_eq!(conversation.end, ids.iter().map(|id| lines[id].bounds.1).max().unwrap());
        let listed = store.conversation(&conversation.id, 1_000).await.unwrap();
        assert!(listed.is_sorted_by_key(|trace| trace.start));
        assert_eq!(
            listed.iter().map(|trace| trace.id).collect::<BTreeSet<_>>(),
            ids.iter().copied().collect()
        );
    }
}

async fn compare_services(store: &impl Store, spans: &[Span]) {
    store.ingest(batch(vec![], vec![log(None, "x", noon())])).await.unwrap();
    let services = store.services(None).await.unwrap();
    assert_eq!(services.iter().map(|service| service.spans).sum::<u64>(), spans.len() as u64);
    for service in &services {
        let own: Vec<&Span> =
            spans.iter().filter(|span| span.origin.resource.service == service.name).collect();
        assert_eq!(service.spans, own.len() as u64);
        assert_eq!(service.logs, u64::from(&*service.name == "shop"));
        assert_eq!(service.calls, own.iter().filter(|span| is(span, Op::is_inference)).count() as u64);
        assert_eq!(service.instances, 1);
        let first = own.iter().map(|span| span.start).min();
        assert!(first.is_none_or(|first| first == service.first), "{service:?}");
    }
    let status = store.status().await.unwrap();
    assert_eq!((status.spans, status.logs), (spans.len() as u64, 1));
    assert_eq!(status.traces, by_trace(spans).len() as u64);
    assert!(status.per_second > 0.0);
}
