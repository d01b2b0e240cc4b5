//! What is deleted is gone, and in no sum.

use otel_genai_store::{
    ConversationQuery, Cost, CostSource, Delete, Dimension, Facts, LogQuery, Nanos, Op, StatsQuery, Store,
    Usage, Which,
};

use super::{SECOND, batch, log, newest, noon, span, trace_id};

const DAY: u64 = 86_400 * SECOND;

/// Days, a trace and everything can be deleted, and may come again.
pub(crate) async fn what_is_deleted_is_gone_and_may_come_again(store: &impl Store) {
    let some = batch(
        vec![span(1, 1, None, noon() - 2 * DAY), span(2, 1, None, noon()), span(3, 1, None, noon())],
        vec![log(Some(2), "x", noon())],
    );
    store.ingest(some.clone()).await.unwrap();
    let ids = async || {
        let page = store.traces(&newest(100)).await.unwrap();
        let mut ids: Vec<u8> = page.items.iter().map(|trace| trace.id.bytes()[15] - 1).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(ids().await, [1, 2, 3]);
    assert_eq!(store.delete(Delete::Before(Nanos(noon() - DAY))).await.unwrap().traces, 1);
    assert_eq!(ids().await, [2, 3]);
    assert_eq!(store.delete(Delete::Trace(trace_id(2))).await.unwrap().traces, 1);
    assert_eq!(store.delete(Delete::Trace(trace_id(2))).await.unwrap().traces, 0);
    assert_eq!(ids().await, [3]);
    assert!(store.spans(trace_id(2), Which::All).await.unwrap().is_empty());
    let logs = LogQuery { limit: 10, ..LogQuery::default() };
    assert!(store.logs(&logs).await.unwrap().items.is_empty());
    let status = store.status().await.unwrap();
    assert_eq!((status.spans, status.logs, status.traces), (1, 0, 1));
    let again = store.ingest(some).await.unwrap();
    // What is there still may be stored again.
    assert!(again.spans >= 2 && again.logs == 1, "{again:?}");
    assert_eq!(ids().await, [1, 2, 3]);
    assert_eq!(store.delete(Delete::All).await.unwrap().traces, 3);
    assert!(ids().await.is_empty());
}

/// What was deleted is in no sum, as if it had never come.
pub(crate) async fn what_was_deleted_is_in_no_sum(store: &impl Store) {
    let call = |trace: u64, id: u64| {
        let mut span = span(trace, id, None, noon() + trace);
        span.facts = Facts {
            op: Some(Op::Chat),
            response_model: Some("gpt-5".into()),
            conversation: Some(format!("conversation {trace}").into()),
            usage: Usage { input: Some(10 + id), output: Some(3), ..Usage::default() },
            cost: Some(Cost { nanos: 100, saved: 0, source: CostSource::Table }),
            ..Facts::default()
        };
        span
    };
    let told = async || {
        let stats =
            store.stats(&StatsQuery { by: vec![Dimension::Model], ..StatsQuery::default() }).await.unwrap();
        let query = ConversationQuery { limit: 9, ..ConversationQuery::default() };
        let conversations = store.conversations(&query).await.unwrap().items;
        let conversations: Vec<_> = conversations.into_iter().map(|item| (item.id, item.llm_calls)).collect();
        let services = store.services(None).await.unwrap();
        let services: Vec<_> =
            services.iter().map(|service| (service.name.clone(), service.spans, service.calls)).collect();
        let status = store.status().await.unwrap();
        format!("{stats:?} {conversations:?} {services:?} {} {}", status.spans, status.traces)
    };
    store.ingest(batch(vec![call(2, 1), call(2, 2)], vec![])).await.unwrap();
    let before = told().await;
    store.ingest(batch(vec![call(1, 1), call(1, 2), call(1, 3)], vec![])).await.unwrap();
    assert_ne!(told().await, before);
    store.delete(Delete::Trace(trace_id(1))).await.unwrap();
    assert_eq!(told().await, before);
}
