//! Points of metrics: how they are written, and read again.

use opentelemetry_proto::tonic::metrics::v1::Metric;
use prost::Message as _;
use rusqlite::{Transaction, params};

use super::count;
use super::record::Fate;
use super::rest::unpack;
use super::segment::{Known, number};
use crate::id::{Nanos, SpanId};
use crate::metric::{self, Point, Series};

/// Writes a point. One of the same series and times has been stored before: whoever sends it again.
pub(super) fn write_point(
    tx: &Transaction<'_>,
    known: &mut Known,
    series: &Series,
    point: &Point,
    received: Nanos,
) -> rusqlite::Result<Fate> {
    let (id, origin) = known.series(tx, series)?;
    let moment = point.time.or(received);
    let body = Metric { data: Some(series.data(std::slice::from_ref(point), &[])), ..Metric::default() };
    let body = known.packer.pack(&body.encode_to_vec());
    let inserted = tx
        .prepare_cached(
            "INSERT INTO point(series, time_ns, start_ns, body) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )?
        .execute(params![id, number(moment.0), number(point.start.0), body])?;
    if inserted == 0 {
        return Ok(Fate::Known);
    }
    count::point(known, origin, moment);
    Ok(Fate::Stored)
}

/// Whether a body may name a span, without reading it.
pub(super) fn mentions(body: &[u8], span: SpanId) -> bool {
    let id = span.bytes();
    unpack(body).is_some_and(|bytes| bytes.windows(id.len()).any(|part| part == id))
}

/// The point of a body; none if it is damaged.
pub(super) fn read_point(body: &[u8]) -> Option<Point> {
    let metric = Metric::decode(unpack(body)?.as_ref()).ok()?;
    metric::points(metric.data?).pop().map(|(_, point)| point)
}
