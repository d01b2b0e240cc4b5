//! The services that were heard.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::list::may_have;
use super::reader::{File, Reader};
use super::settle::WRAPPER;
use crate::error::StoreError;
use crate::facts::Dialect;
use crate::heard::{Counts, Service};
use crate::query::{Range, ServiceInfo};

/// The services that were heard in this time; what is told of them is of whole days.
pub(super) fn services(reader: &mut Reader, range: Option<Range>) -> Result<Vec<ServiceInfo>, StoreError> {
    let mut all: BTreeMap<Arc<str>, Service> = BTreeMap::new();
    for day in reader.days()? {
        if range.is_some_and(|range| !may_have(day, range)) {
            continue;
        }
        let Some(file) = reader.file(day)? else { continue };
        let told = |error| file.fault(error);
        let mut of_records = of_records(&file).map_err(told)?;
        let mut find = file
            .connection
            .prepare_cached(
                "SELECT origin, dialect, spans, logs, points, calls, content, first_ns, last_ns FROM heard",
            )
            .map_err(told)?;
        let mut rows = find.query([]).map_err(told)?;
        while let Some(row) = rows.next().map_err(told)? {
            let read = || -> rusqlite::Result<_> {
                let counts = Counts {
                    spans: number(row, 2)?,
                    logs: number(row, 3)?,
                    points: number(row, 4)?,
                    calls: number(row, 5)?,
                    with_content: number(row, 6)?,
                };
                Ok((row.get(0)?, row.get::<_, u8>(1)?, counts, number(row, 7)?, number(row, 8)?))
            };
            let (origin, dialect, mut counts, first, last) = read().map_err(told)?;
            if range.is_some_and(|range| last < range.from.0 || first >= range.to.0) {
                continue;
            }
            let (calls, with_content) = of_records.remove(&(origin, dialect)).unwrap_or_default();
            counts.calls += calls;
            counts.with_content += with_content;
            let origin = file.origin(origin)?;
            let service = all.entry(Arc::clone(&origin.resource.service)).or_default();
            service.add(&origin, Dialect::from_number(dialect), counts, (first, last));
        }
    }
    Ok(all.into_iter().map(|(name, service)| service.info(name)).collect())
}

/// Calls that log records tell of and no span, and those of them in whose trace content is, by origin and dialect.
fn of_records(file: &File) -> rusqlite::Result<HashMap<(i64, u8), (u64, u64)>> {
    let mut find = file.connection.prepare_cached(&format!(
        "SELECT s.origin, ifnull(s.dialect, 0), count(*), ifnull(sum(t.content > 1), 0)
         FROM told s JOIN trace t ON t.id = s.trace WHERE s.op IN (1, 2, 3) AND NOT s.flags & {WRAPPER} GROUP BY 1, 2"
    ))?;
    let read = |row: &rusqlite::Row<'_>| Ok(((row.get(0)?, row.get(1)?), (number(row, 2)?, number(row, 3)?)));
    find.query_map([], read)?.collect()
}

fn number(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(at)?).unwrap_or(0))
}
