//! How often a call counts, and that sums have an end, in day files that are closed, copied and opened again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

#[allow(dead_code, unused_imports, unused_macros, reason = "shared with the other tests")]
mod suite;
#[allow(dead_code, reason = "shared with the other tests")]
mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use otel_genai_store::{
    Attributes, Batch, Cost, CostSource, Dimension, Facts, Instrument, Nanos, Op, Point, PointValue, Range,
    Series, SeriesQuery, Span, SqliteOptions, SqliteStore, StatsQuery, Store, TraceQuery, TraceSort, Usage,
};
use suite::{batch, noon, origin, span, trace_id};

const HOUR: u64 = 3_600_000_000_000;

fn call(trace: u64, id: u64, parent: Option<u64>, start: u64, tokens: (u64, u64)) -> Span {
    let mut call = span(trace, id, parent, start);
    call.facts = Facts {
        op: Some(Op::Chat),
        usage: Usage { input: Some(tokens.0), output: Some(tokens.1), ..Usage::default() },
        cost: Some(Cost { nanos: 100, saved: 0, source: CostSource::Table }),
        count: Some(1),
        ..Facts::default()
    };
    call
}

/// Sums that are larger than any number stay the largest number, and the trace can be read.
#[test]
fn sums_have_an_end() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    runtime.block_on(async {
        let store = SqliteOptions::temporary().open().unwrap();
        let huge = i64::MAX.unsigned_abs();
        for id in 0..3 {
            let mut call = call(1, id, None, noon() + id, (huge, huge));
            call.facts.cost = Some(Cost { nanos: i64::MAX, saved: i64::MIN, source: CostSource::Table });
            store.ingest(batch(vec![call], vec![])).await.unwrap();
        }
        for sort in [TraceSort::Start, TraceSort::Tokens, TraceSort::Cost] {
            let query = TraceQuery { limit: 5, sort, ..TraceQuery::default() };
            let trace = store.traces(&query).await.unwrap().items.remove(0);
            assert!(trace.usage.input > Some(huge / 3) && trace.usage.output > Some(huge / 3));
            let cost = trace.cost.unwrap();
            assert!(cost.nanos > i64::MAX / 3 && cost.saved < i64::MIN / 3);
        }
    });
}

/// Calls that are told twice count once also in days that are closed at once, and after a process was killed.
#[test]
fn calls_count_once_in_days_that_are_closed() {
    let days = 9;
    let spans = || {
        let of_day = |day: u64| {
            let start = noon() - day * 24 * HOUR;
            [call(day, 1, None, start, (10, 5)), call(day, 2, Some(1), start + 5, (10, 5))]
        };
        (0..days).flat_map(of_day).collect::<Vec<_>>()
    };
    let tokens = async |store: &SqliteStore| {
        let all = store.traces(&TraceQuery { limit: 50, ..TraceQuery::default() }).await.unwrap().items;
        assert_eq!(all.len() as u64, days);
        all.iter().filter_map(|trace| trace.usage.input).sum::<u64>()
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    runtime.block_on(async {
        let (folder, image) = (tempfile::TempDir::new().unwrap(), tempfile::TempDir::new().unwrap());
        let store = SqliteOptions::new(folder.path()).open().unwrap();
        store.ingest(batch(spans(), vec![])).await.unwrap();
        // What a process leaves that is killed now.
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let entry = entry.unwrap();
            if entry.file_name().to_str().unwrap().starts_with("20") {
                // What SQLite keeps beside a file that was closed goes with it.
                let _ = std::fs::copy(entry.path(), image.path().join(entry.file_name()));
            }
        }
        store.close().await;
        let closed = SqliteOptions::new(folder.path()).read_only().open().unwrap();
        assert_eq!(tokens(&closed).await, days * 10);

        let store = SqliteOptions::new(image.path()).open().unwrap();
        let patience = Instant::now() + Duration::from_secs(60);
        while tokens(&store).await != days * 10 {
            assert!(Instant::now() < patience, "{} tokens, not {}", tokens(&store).await, days * 10);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let query = StatsQuery { by: vec![Dimension::Op], ..StatsQuery::default() };
        assert_eq!(store.stats(&query).await.unwrap()[0].usage.input, Some(days * 10));
    });
}

/// A call that came by two ways, with other attributes on one of them, counts once.
#[test]
fn a_call_by_two_ways_counts_once() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    runtime.block_on(async {
        let folder = tempfile::TempDir::new().unwrap();
        let store = SqliteOptions::new(folder.path()).open().unwrap();
        let mut other = call(1, 1, None, noon(), (10, 5));
        other.origin = origin("the same, told by a collector");
        store.ingest(batch(vec![call(1, 1, None, noon(), (10, 5)), other], vec![])).await.unwrap();
        store.close().await;
        let store = SqliteOptions::new(folder.path()).read_only().open().unwrap();
        let trace = store.summaries(&[trace_id(1)]).await.unwrap().remove(0);
        assert_eq!((trace.spans, trace.llm_calls, trace.usage.input), (2, 1, Some(10)));
        assert_eq!(trace.cost.unwrap().nanos, 100);
    });
}

/// A history in many thousand attributes is read in one pass.
#[test]
fn a_trace_is_named_by_one_of_many_attributes() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    runtime.block_on(async {
        let store = SqliteOptions::temporary().open().unwrap();
        let mut otlp = span(1, 1, None, noon()).to_otlp();
        let told = [("openinference.span.kind", "LLM".to_owned())]
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value));
        let messages = (0..60_000u32).flat_map(|number| {
            let key = |field: &str| format!("llm.input_messages.{number}.message.{field}");
            [(key("role"), "user".to_owned()), (key("content"), format!("question {number}"))]
        });
        otlp.attributes.extend(told.chain(messages).map(|(key, value)| support::string(&key, &value)));
        let span = Span::from_otlp(otlp, &origin("shop"), Nanos::now()).unwrap();
        store.ingest(batch(vec![span], vec![])).await.unwrap();
        let trace = store.summaries(&[trace_id(1)]).await.unwrap().remove(0);
        assert_eq!(trace.title.as_deref(), Some("question 59999"));
    });
}

/// How many points are too many is told by how many there are, not by how many days they lie in.
#[test]
fn many_days_are_not_too_many_points() {
    const DAYS: u64 = 40;
    const EACH: u64 = 650;
    let first = noon() - DAYS * 24 * HOUR;
    let series = || Series {
        name: "calls".into(),
        unit: "1".into(),
        description: "".into(),
        kind: Instrument::Gauge,
        temporality: 0,
        monotonic: false,
        metadata: Attributes::default(),
        attributes: Attributes::default(),
        origin: origin("shop"),
    };
    let of_day = |day: u64| {
        let point = |number: u64| Point {
            start: Nanos(0),
            time: Nanos(first + day * 24 * HOUR + number),
            flags: 0,
            value: PointValue::Int(1),
            exemplars: Vec::new(),
        };
        let points = vec![(Arc::new(series()), (0..EACH).map(point).collect())];
        Batch { points, bytes: 1_000, received: Nanos::now(), ..Batch::default() }
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    runtime.block_on(async {
        let store = SqliteOptions::temporary().open().unwrap();
        for day in 0..DAYS {
            store.ingest(of_day(day)).await.unwrap();
        }
        let query = SeriesQuery {
            name: "calls".to_owned(),
            range: Range { from: Nanos(first), to: Nanos(noon()) },
            step: Duration::from_secs(86_400),
            by: Vec::new(),
            matches: Vec::new(),
            limit: 100,
        };
        let found = store.series(&query).await.unwrap();
        let count: u64 = found.iter().flat_map(|data| &data.points).map(|point| point.count).sum();
        assert_eq!(count, DAYS * EACH);
    });
}
