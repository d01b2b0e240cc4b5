//! Conversations, and what their traces are called.

use otel_genai_store::{ConversationQuery, Nanos, Span, Store};

use super::{batch, noon, span, trace_id};
use crate::support;

/// What a user asked names the trace, whoever tells it; the first of a conversation and its last.
pub(crate) async fn a_trace_is_named_by_what_was_asked(store: &impl Store) {
    let asked = |trace: u64, id: u64, start: u64, messages: &str| {
        let mut span = span(trace, id, None, start);
        let told = [
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.conversation.id", "thread"),
            ("gen_ai.input.messages", messages),
        ];
        let mut otlp = span.to_otlp();
        otlp.attributes.extend(told.map(|(key, value)| support::string(key, value)));
        span = Span::from_otlp(otlp, &span.origin, Nanos::now()).unwrap();
        span
    };
    let first = r#"[{"role":"user","parts":[{"type":"text","content":"Where is my parcel?"}]}]"#;
    let then = r#"[{"role":"user","parts":[{"type":"text","content":"Where is my parcel?"}]},
        {"role":"assistant","parts":[{"type":"text","content":"In Berlin."}]},
        {"role":"user","parts":[{"type":"text","content":"When will it come?\nI am in a hurry."}]}]"#;
    store.ingest(batch(vec![asked(2, 2, noon() + 900, first)], vec![])).await.unwrap();
    store
        .ingest(batch(vec![asked(2, 1, noon() + 500, then), asked(1, 1, noon(), first)], vec![]))
        .await
        .unwrap();
    let titles: Vec<_> = store.summaries(&[trace_id(1), trace_id(2)]).await.unwrap();
    let titles: Vec<_> = titles.iter().map(|trace| trace.title.as_deref()).collect();
    assert_eq!(titles, [Some("Where is my parcel?"), Some("When will it come?")]);
    let page =
        store.conversations(&ConversationQuery { limit: 5, ..ConversationQuery::default() }).await.unwrap();
    let thread = &page.items[0];
    assert_eq!((page.items.len(), thread.id.as_ref(), thread.traces), (1, "thread", 2));
    assert_eq!(thread.first.as_deref(), Some("Where is my parcel?"));
    assert_eq!(thread.last.as_deref(), Some("When will it come?"));
}
