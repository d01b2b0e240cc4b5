//! Metrics come back in steps of time: what was measured, whether it was told as differences or as totals.
#![allow(clippy::cast_precision_loss, clippy::float_cmp, reason = "the numbers are small and whole")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{SECOND, noon, origin, span_id, trace_id};
use crate::support;
use otel_genai_store::{
    Attributes, Batch, Exemplar, Instrument, Nanos, Point, PointValue, Range, Series, SeriesData,
    SeriesQuery, Store, StoreError,
};

const BOUNDS: [f64; 3] = [10.0, 20.0, 50.0];
const DELTA: i32 = 1;
const CUMULATIVE: i32 = 2;

fn series(name: &str, kind: Instrument, temporality: i32, model: &str) -> Arc<Series> {
    Arc::new(Series {
        name: name.into(),
        unit: "{token}".into(),
        description: "what it is".into(),
        kind,
        temporality,
        monotonic: kind == Instrument::Sum,
        metadata: Attributes::default(),
        attributes: Attributes::from_otlp(vec![support::string("gen_ai.request.model", model)]),
        origin: origin("shop"),
    })
}

fn point(start: u64, time: u64, value: PointValue) -> Point {
    Point { start: Nanos(start), time: Nanos(time), flags: 0, value, exemplars: Vec::new() }
}

fn histogram(values: &[u64]) -> PointValue {
    let mut counts = vec![0; BOUNDS.len() + 1];
    for value in values {
        counts[BOUNDS.partition_point(|bound| *bound < *value as f64)] += 1;
    }
    let sum = Some(values.iter().sum::<u64>() as f64);
    PointValue::Histogram {
        count: values.len() as u64,
        sum,
        min: None,
        max: None,
        bounds: BOUNDS.into(),
        counts,
    }
}

/// At scale 1.
fn exponential(values: &[u64]) -> PointValue {
    let mut counts = vec![0; 40];
    for value in values.iter().filter(|value| **value > 0) {
        let index = (2.0 * (*value as f64).log2()).ceil() as usize;
        counts[index] += 1;
    }
    let zero = values.iter().filter(|value| **value == 0).count() as u64;
    PointValue::Exponential {
        count: values.len() as u64,
        sum: Some(values.iter().sum::<u64>() as f64),
        min: None,
        max: None,
        scale: 1,
        zero,
        zero_threshold: 0.0,
        positive: Some((-1, counts)),
        negative: None,
    }
}

type Lists = Vec<(Arc<Series>, Vec<Point>)>;

fn batch(points: Lists) -> Batch {
    Batch { points, bytes: 1_000, received: Nanos::now(), ..Batch::default() }
}

fn query(name: &str, from: u64, to: u64, step: u64, by: &[&str]) -> SeriesQuery {
    SeriesQuery {
        name: name.to_owned(),
        range: Range { from: Nanos(from), to: Nanos(to) },
        step: Duration::from_nanos(step),
        by: by.iter().map(|key| (*key).to_owned()).collect(),
        matches: Vec::new(),
        limit: 100,
    }
}

/// Steps in numbers that can be compared; those in which nothing was measured are left out.
fn steps(data: &[SeriesData]) -> Vec<(String, u64, u64, f64, Vec<u64>)> {
    let mut all = Vec::new();
    for one in data {
        let label = one.labels.first().map(|(_, value)| value.to_string()).unwrap_or_default();
        let points = one.points.iter().filter(|point| point.count > 0);
        all.extend(
            points.map(|point| (label.clone(), point.at.0, point.count, point.sum, point.counts.clone())),
        );
    }
    all.sort_by(|one, other| (&one.0, one.1).cmp(&(&other.0, other.1)));
    all
}

/// What was measured is the same told as differences and as totals, over midnight, and over restarts of the sender.
pub(crate) async fn differences_and_totals_tell_the_same(store: &impl Store) {
    // Every 20 seconds of 4 hours around midnight some measurements, and a restart now and then.
    let midnight = noon() + 12 * 3_600 * SECOND;
    let first = midnight - 2 * 3_600 * SECOND;
    let mut state = 99u64;
    let mut chance = |most: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 9) % most
    };
    let step = 300 * SECOND;
    let mut told: BTreeMap<&str, Lists> = BTreeMap::new();
    let mut right: BTreeMap<(String, u64), Vec<u64>> = BTreeMap::new();
    for model in ["one", "two"] {
        let (mut start, mut last, mut total) = (first, first, Vec::new());
        let mut lists: BTreeMap<&str, Vec<Point>> = BTreeMap::new();
        for number in 1..=720 {
            let time = first + number * 20 * SECOND;
            if chance(50) == 0 {
                (start, total) = (time - 10 * SECOND, Vec::new());
            }
            let new: Vec<u64> = (0..chance(4)).map(|_| chance(90)).collect();
            total.extend(&new);
            right.entry((model.to_owned(), time - time % step)).or_default().extend(&new);
            let sum = |values: &[u64]| PointValue::Double(values.iter().sum::<u64>() as f64);
            lists.entry("histogram.delta").or_default().push(point(last, time, histogram(&new)));
            lists.entry("histogram.total").or_default().push(point(start, time, histogram(&total)));
            lists.entry("exponential.delta").or_default().push(point(last, time, exponential(&new)));
            lists.entry("exponential.total").or_default().push(point(start, time, exponential(&total)));
            lists.entry("sum.delta").or_default().push(point(last, time, sum(&new)));
            lists.entry("sum.total").or_default().push(point(start, time, sum(&total)));
            last = time;
        }
        for (name, points) in lists {
            let kind = match name.split_once('.').unwrap().0 {
                "histogram" => Instrument::Histogram,
                "exponential" => Instrument::ExponentialHistogram,
                _ => Instrument::Sum,
            };
            let temporality = if name.ends_with("delta") { DELTA } else { CUMULATIVE };
            told.entry(name).or_default().push((series(name, kind, temporality, model), points));
        }
    }
    let mut points = 0;
    for lists in told.values() {
        // The later half first, and all of it twice.
        for half in [1, 0, 1] {
            let part = |(series, points): &(Arc<Series>, Vec<Point>)| {
                let (one, other) = points.split_at(points.len() / 2);
                (Arc::clone(series), if half == 0 { one } else { other }.to_vec())
            };
            points += store.ingest(batch(lists.iter().map(part).collect())).await.unwrap().points;
        }
    }
    assert_eq!((points, store.status().await.unwrap().points), (6 * 2 * 720, 6 * 2 * 720));

    let end = first + 4 * 3_600 * SECOND + SECOND;
    for (from, by) in
        [(first, &["gen_ai.request.model"][..]), (first, &[]), (midnight, &["gen_ai.request.model"])]
    {
        let mut wanted: BTreeMap<(String, u64), Vec<u64>> = BTreeMap::new();
        for ((model, at), values) in &right {
            if *at >= from {
                let model = if by.is_empty() { String::new() } else { model.clone() };
                wanted.entry((model, *at)).or_default().extend(values);
            }
        }
        let ask = async |name: &str| steps(&store.series(&query(name, from, end, step, by)).await.unwrap());
        let wanted: Vec<_> = wanted
            .into_iter()
            .map(|((model, at), values)| match histogram(&values) {
                PointValue::Histogram { count, sum, counts, .. } => (model, at, count, sum.unwrap(), counts),
                _ => unreachable!(),
            })
            .filter(|(_, _, count, ..)| *count > 0)
            .collect();
        assert!(wanted.len() > 20);
        for temporality in ["delta", "total"] {
            assert_eq!(ask(&format!("histogram.{temporality}")).await, wanted, "{temporality} {by:?}");
            let sums: Vec<_> = ask(&format!("sum.{temporality}")).await;
            let sums: Vec<_> = sums
                .into_iter()
                .filter(|(_, _, _, sum, _)| *sum > 0.0)
                .map(|(_, at, _, sum, _)| (at, sum))
                .collect();
            let right: Vec<_> = wanted.iter().filter(|row| row.3 > 0.0).map(|row| (row.1, row.3)).collect();
            assert_eq!(sums, right, "{temporality} {by:?}");
        }
        // Folded to the same bounds, so that they are the same too.
        let (delta, total) = (ask("exponential.delta").await, ask("exponential.total").await);
        assert_eq!(
            delta.iter().map(|row| (row.1, row.2, row.3)).collect::<Vec<_>>(),
            wanted.iter().map(|row| (row.1, row.2, row.3)).collect::<Vec<_>>()
        );
        assert_eq!(
            total.iter().map(|row| (row.1, row.2, row.3)).collect::<Vec<_>>(),
            wanted.iter().map(|row| (row.1, row.2, row.3)).collect::<Vec<_>>()
        );
        assert!(delta.iter().all(|row| row.4.iter().sum::<u64>() == row.2));
    }
}

pub(crate) async fn what_there_is_of_metrics_is_listed(store: &impl Store) {
    let models = ["a", "b", "c"].map(|model| {
        let points = vec![point(0, noon(), PointValue::Int(5)), point(0, noon() + 9, PointValue::Int(6))];
        (series("requests", Instrument::Sum, CUMULATIVE, model), points)
    });
    let gauge =
        vec![(series("depth", Instrument::Gauge, 0, "a"), vec![point(0, noon() + 2, PointValue::Int(3))])];
    store.ingest(batch(models.to_vec())).await.unwrap();
    store.ingest(batch(gauge)).await.unwrap();
    let found = store.metrics(None).await.unwrap();
    let [depth, requests] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((depth.name.as_ref(), depth.kind, depth.series), ("depth", Instrument::Gauge, 1));
    assert_eq!((requests.series, requests.last, requests.monotonic), (3, Nanos(noon() + 9), true));
    assert_eq!((requests.unit.as_ref(), requests.description.as_ref()), ("{token}", "what it is"));
    assert_eq!(requests.keys, ["gen_ai.request.model".into()]);
    let later = Range { from: Nanos(noon() + 5), to: Nanos(u64::MAX) };
    let found = store.metrics(Some(later)).await.unwrap();
    assert_eq!(found.iter().map(|info| info.name.as_ref()).collect::<Vec<_>>(), ["requests"]);

    // Since when the totals count nobody says: only what was added is known.
    let asked = SeriesQuery {
        matches: vec![("gen_ai.request.model".to_owned(), "b".to_owned())],
        ..query("requests", noon(), noon() + SECOND, SECOND, &["gen_ai.request.model", "service.name"])
    };
    let data = store.series(&asked).await.unwrap();
    assert_eq!((data.len(), data[0].points.len(), data[0].points[0].sum), (1, 1, 1.0));
    assert_eq!(data[0].labels[1].1.as_ref(), "shop");
    let gauge = store.series(&query("depth", noon(), noon() + SECOND, SECOND, &[])).await.unwrap();
    assert_eq!(gauge[0].points[0].value, Some(3.0));
    assert!(store.series(&query("nothing", noon(), noon() + SECOND, SECOND, &[])).await.unwrap().is_empty());
    let error = store.series(&query("depth", noon(), noon() + SECOND, 0, &[])).await.unwrap_err();
    assert!(matches!(error, StoreError::BadQuery(_)));
}

pub(crate) async fn single_measurements_lead_to_their_spans(store: &impl Store) {
    let exemplar = |at: u64| Exemplar {
        time: Nanos(noon() + at),
        value: 12.5,
        int: false,
        trace: Some(trace_id(at)),
        span: Some(span_id(at)),
        attributes: Attributes::default(),
    };
    let mut one = point(noon(), noon() + SECOND, histogram(&[12]));
    one.exemplars = vec![exemplar(1), exemplar(2)];
    let mut other = point(noon(), noon() + 2 * SECOND, histogram(&[12, 14]));
    other.exemplars = vec![exemplar(2), exemplar(3)];
    let list = vec![(series("duration", Instrument::Histogram, CUMULATIVE, "a"), vec![one, other])];
    store.ingest(batch(list)).await.unwrap();
    let data = store.series(&query("duration", noon(), noon() + 9 * SECOND, SECOND, &[])).await.unwrap();
    let spans: Vec<_> = data[0].exemplars.iter().map(|exemplar| exemplar.span.unwrap()).collect();
    assert_eq!(spans, [span_id(3), span_id(2), span_id(1)]);
    assert_eq!(data[0].bounds.as_deref(), Some(&BOUNDS[..]));
    // Both points tell it; and the other way round.
    let range = Range { from: Nanos(noon()), to: Nanos(noon() + 9 * SECOND) };
    let found = store.exemplars(trace_id(2), span_id(2), range).await.unwrap();
    let found: Vec<_> = found.iter().map(|(name, one)| (name.as_ref(), one.time.0, one.value)).collect();
    assert_eq!(found, [("duration", noon() + 2, 12.5)]);
    assert!(store.exemplars(trace_id(2), span_id(1), range).await.unwrap().is_empty());
    let early = Range { to: Nanos(noon() + SECOND), ..range };
    assert!(store.exemplars(trace_id(2), span_id(2), early).await.unwrap().is_empty());
}
