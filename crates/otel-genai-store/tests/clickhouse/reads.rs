//! What a question about a time reads: little of other times.

use std::time::Duration;

use otel_genai_store::{
    ClickHouseOptions, ConversationQuery, Facts, Filter, LogQuery, Nanos, Op, Range, StatsQuery, Store,
    TraceQuery,
};
use tempfile::TempDir;

use crate::runtime::block_on;
use crate::suite::search::said;
use crate::suite::{SECOND, batch, log, noon, span};
use crate::{engine, raw};

const HOUR: u64 = 3_600_000_000_000;

const USERS: &str = "<clickhouse><users>
  <few><password></password><profile>few</profile><networks><ip>::/0</ip></networks></few>
  <default><password></password><profile>default</profile><networks><ip>::/0</ip></networks></default>
</users><profiles><default/><few><max_rows_to_read>500</max_rows_to_read></few></profiles><quotas><default/></quotas></clickhouse>";

/// Who may not read as many rows as the days before have is answered all the same.
#[test]
fn a_question_about_an_hour_does_not_read_the_days_before() {
    let Some(library) = engine::library() else { return };
    let folder = TempDir::new().unwrap();
    let server = engine::Engine::start_with_users(&library, folder.path(), USERS);
    let host = server.address().replace("clickhouse://", "");
    let as_whom =
        |user: &str| ClickHouseOptions::new(&format!("clickhouse://{user}@{host}/bounded")).unwrap();
    block_on(async {
        let store = as_whom("default").connect().await.unwrap();
        let raw = clickhouse::Client::default().with_url(format!("http://{host}")).with_database("bounded");
        for old in [
            "INSERT INTO span (hour, trace_id, span_id, print, start_ns, end_ns, op, conversation)
             SELECT toDateTime(360000000), reinterpretAsFixedString(toUInt128(1 + number % 5)),
               reinterpretAsFixedString(number + 1), reinterpretAsFixedString(toUInt128(number + 1)),
               360000000000000000, 360000000000000001, 1, 'before' FROM numbers(5000)",
            "INSERT INTO log (hour, time_ns, row) SELECT toDateTime(360000000), 360000000000000000, number FROM numbers(5000)",
        ] {
            raw.query_raw(old).execute().await.unwrap();
        }
        let new = (0..5).map(|number| {
            let mut span = said(number, "the raven said");
            let conversation = Some("now".into());
            span.facts = Facts { op: Some(Op::Chat), conversation, ..Facts::default() };
            span
        });
        store.ingest(batch(new.collect(), vec![log(None, "raven", noon())])).await.unwrap();

        let few = as_whom("few").connect().await.unwrap();
        let range = Some(Range { from: Nanos(noon()), to: Nanos(noon() + HOUR) });
        let filter = Filter { range, ..Filter::default() };
        let about = Filter { text: Some("raven".into()), ..filter.clone() };
        let stats = few.stats(&StatsQuery { filter: about.clone(), ..StatsQuery::default() }).await.unwrap();
        assert_eq!(stats[0].calls, 5);
        let query = LogQuery { range, text: Some("raven".into()), limit: 10, ..LogQuery::default() };
        few.logs(&query).await.unwrap();
        let query = ConversationQuery { filter, limit: 10, ..ConversationQuery::default() };
        let page = few.conversations(&query).await.unwrap();
        assert_eq!((page.items.len(), page.items[0].id.as_ref(), page.items[0].llm_calls), (1, "now", 5));
        let query = TraceQuery { filter: about, limit: 10, ..TraceQuery::default() };
        assert_eq!(few.traces(&query).await.unwrap().items.len(), 5);
        few.close().await;
        store.close().await;
    });
    server.kill();
}

/// A page of traces with more spans than are read at a time tells each as it is.
#[test]
fn large_traces_are_told_one_after_the_other() {
    block_on(async {
        let Some(options) = engine::database() else { return };
        let store = options.clone().connect().await.unwrap();
        let spans = "INSERT INTO span (hour, trace_id, span_id, print, start_ns, end_ns, received_ns, service)
             SELECT toDateTime(3600000), toFixedString(concat('trace ', toString(intDiv(number, 20001))), 16),
               reinterpretAsFixedString(number + 1), reinterpretAsFixedString(toUInt128(number + 1)), 3600000000000000 + number,
               3600000000000000 + number + 7, 3600000000000000, 'shop' FROM numbers(80004)";
        raw(&options).query_raw(spans).execute().await.unwrap();
        let page = store.traces(&TraceQuery { limit: 10, ..TraceQuery::default() }).await.unwrap();
        let told: Vec<_> =
            page.items.iter().map(|trace| (trace.spans, trace.start.0 - 3_600_000_000_000_000)).collect();
        assert_eq!(told, [(20_001, 60_003), (20_001, 40_002), (20_001, 20_001), (20_001, 0)]);
        store.close().await;
    });
}

/// The first pages of a day with many traces are the same as if all of it had been looked at: also up to a moment, of traces of
/// which something comes as long as others begin, and of few that fit.
#[test]
fn the_newest_of_many_are_listed() {
    block_on(async {
        let Some(options) = engine::database() else { return };
        let store = options.connect().await.unwrap();
        let at = |second: u64| noon() + second * SECOND;
        let spans = (0..600).map(|number| span(number, 0, None, at(number)));
        store.ingest(batch(spans.collect(), Vec::new())).await.unwrap();
        // The first goes on to the end, in as many inserts.
        for part in 0..20 {
            let goes_on = span(0, 1 + part, Some(0), at(600 + part));
            store.ingest(batch(vec![goes_on], Vec::new())).await.unwrap();
        }
        let pages = async |filter: Filter, pages: usize| {
            let mut query = TraceQuery { filter, limit: 3, ..TraceQuery::default() };
            let mut found = Vec::new();
            for _ in 0..pages {
                let page = store.traces(&query).await.unwrap();
                found.extend(page.items.iter().map(|trace| (trace.start.0 - noon()) / SECOND));
                query.cursor = page.next;
            }
            found
        };
        assert_eq!(pages(Filter::default(), 3).await, (591..600).rev().collect::<Vec<_>>());
        let range = Some(Range { from: Nanos(noon()), to: Nanos(at(300)) });
        assert_eq!(pages(Filter { range, ..Filter::default() }, 2).await, [299, 298, 297, 296, 295, 294]);
        let long = Filter { min_duration: Some(Duration::from_secs(60)), ..Filter::default() };
        assert_eq!(pages(long, 1).await, [0]);
        store.close().await;
    });
}
