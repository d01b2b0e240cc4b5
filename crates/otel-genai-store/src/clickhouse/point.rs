//! Points of metrics and their series as rows of the tables, and rows as points.

use std::sync::Arc;

use clickhouse::Row;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use prost::Message as _;
use serde::{Deserialize, Serialize};

use super::fault::Place;
use super::line::{hash, hour, number};
use crate::error::StoreError;
use crate::id::{ContentHash, Nanos};
use crate::metric::{self, Point, Series};
use crate::origin::Origin;

/// A series and its points as they are written.
pub(super) struct Heard {
    pub(super) hash: [u8; 16],
    pub(super) origin: ContentHash,
    body: Vec<u8>,
    pub(super) points: Vec<Vec<u8>>,
}

impl Heard {
    pub(super) fn new(series: &Series, points: &[Point], origin: ContentHash) -> Self {
        let (marks, identity) = series.marks();
        let point = |point: &Point| {
            let data = series.data(std::slice::from_ref(point), &[]);
            Metric { data: Some(data), ..Metric::default() }.encode_to_vec()
        };
        Self {
            hash: hash(&[origin.bytes(), series.name.as_bytes(), series.unit.as_bytes(), &marks, &identity]),
            origin,
            body: series.to_otlp_alone().encode_to_vec(),
            points: points.iter().map(point).collect(),
        }
    }
}

/// A row of `series`.
#[derive(Clone, Copy, Debug, Row, Serialize, Deserialize)]
pub(super) struct SeriesLine<'a> {
    day: u16,
    hash: [u8; 16],
    origin: [u8; 16],
    service: &'a str,
    name: &'a str,
    #[serde(with = "serde_bytes")]
    body: &'a [u8],
}

impl<'a> SeriesLine<'a> {
    pub(super) fn new(day: u16, series: &'a Series, heard: &'a Heard) -> Self {
        Self {
            day,
            hash: heard.hash,
            origin: *heard.origin.bytes(),
            service: &series.origin.resource.service,
            name: &series.name,
            body: &heard.body,
        }
    }
}

/// The series of a row.
pub(super) fn read_series(body: &[u8], origin: &Arc<Origin>) -> Result<Series, StoreError> {
    let damaged = || Place::unreadable("cannot read a metric");
    let metric = Metric::decode(body).map_err(|_| damaged())?;
    let (series, _) = Series::from_otlp(metric, origin).pop().ok_or_else(damaged)?;
    Ok(Arc::unwrap_or_clone(series))
}

/// A row of `point`.
#[derive(Debug, Row, Serialize, Deserialize)]
pub(super) struct PointLine<'a> {
    pub(super) hour: u32,
    pub(super) series: [u8; 16],
    pub(super) time_ns: i64,
    pub(super) start_ns: i64,
    received_ns: i64,
    service: &'a str,
    #[serde(with = "serde_bytes")]
    pub(super) body: &'a [u8],
}

impl<'a> PointLine<'a> {
    pub(super) fn new(
        series: &'a Series,
        heard: &'a Heard,
        point: &Point,
        received: Nanos,
        body: &'a [u8],
    ) -> Self {
        let moment = point.time.or(received);
        Self {
            hour: hour(moment, received),
            series: heard.hash,
            time_ns: number(moment.0),
            start_ns: number(point.start.0),
            received_ns: number(received.0),
            service: &series.origin.resource.service,
            body,
        }
    }

    /// What it is known by: of two points of the same times the first is kept.
    pub(super) fn print(&self) -> [u8; 16] {
        print(&self.series, self.time_ns, self.start_ns)
    }

    pub(super) fn point(&self) -> Result<Point, StoreError> {
        read_point(self.body)
    }
}

/// What a point of a series and these times is known by.
pub(super) fn print(series: &[u8; 16], time: i64, start: i64) -> [u8; 16] {
    hash(&[series, &time.to_le_bytes(), &start.to_le_bytes()])
}

/// The point of a row.
pub(super) fn read_point(body: &[u8]) -> Result<Point, StoreError> {
    let data = Metric::decode(body).ok().and_then(|metric| metric.data);
    let point = data.and_then(|data| metric::points(data).pop());
    point.map(|(_, point)| point).ok_or_else(|| Place::unreadable("cannot read a point"))
}
