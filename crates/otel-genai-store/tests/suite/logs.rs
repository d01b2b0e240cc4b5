//! Log records in lists.

use otel_genai_store::{LogQuery, LogRecord, Store};

use super::{batch, log, noon, origin, trace_id};

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
