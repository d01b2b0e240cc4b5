//! Whatever comes is given back as it came.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use otel_genai_store::{
    Batch, ContentState, Cost, CostSource, Dialect, Facts, LogRecord, Nanos, Op, Origin, Resource, Scope,
    Span, Store, Usage, Which,
};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use super::{SECOND, batch, log, newest, noon, of_trace, span, span_id, trace_id};
use crate::support;

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
