//! Single measurements, by the span in which they were taken.

use std::sync::Arc;

use super::fault;
use super::list::may_have;
use super::point::{mentions, read_point};
use super::reader::Reader;
use super::segment::number;
use crate::error::StoreError;
use crate::id::{SpanId, TraceId};
use crate::measured::Measured;
use crate::metric::Exemplar;
use crate::query::Range;

/// More points are not looked into.
const MOST_POINTS: usize = 50_000;

/// The measurements that were taken in a span, with the names of their metrics, in order of time. They stand in points that
/// were taken in this range. A total tells the same ones again and again: each is told once.
pub(super) fn exemplars(
    reader: &mut Reader,
    (trace, span): (TraceId, SpanId),
    range: Range,
) -> Result<Vec<(Arc<str>, Exemplar)>, StoreError> {
    let mut measured = Measured::new(trace, span);
    let mut points = 0;
    'days: for day in reader.days()? {
        if !may_have(day, range) {
            continue;
        }
        let Some(file) = reader.file(day)? else { continue };
        let told = |error| file.fault(error);
        // Points lie by their series, and then by their time.
        let mut find = file
            .connection
            .prepare_cached(
                "SELECT series.name, point.body FROM series CROSS JOIN point ON point.series = series.id
                 WHERE point.time_ns >= ? AND point.time_ns < ?",
            )
            .map_err(told)?;
        let mut rows = find.query([number(range.from.0), number(range.to.0)]).map_err(told)?;
        while let Some(row) = rows.next().map_err(told)? {
            points += 1;
            if points > MOST_POINTS {
                break 'days;
            }
            let damaged = || fault::unreadable("cannot read a point");
            let body = row.get_ref(1).map_err(told)?.as_blob().map_err(|_| damaged())?;
            if !mentions(body, span) {
                continue;
            }
            let name = file.word(row.get(0).map_err(told)?).map_err(told)?;
            let point = read_point(body).ok_or_else(damaged)?;
            measured.add(&name, point);
        }
    }
    Ok(measured.told())
}
