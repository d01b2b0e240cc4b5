//! The services that were heard.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::list::may_have;
use super::reader::Reader;
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
        let mut find = file
            .connection
            .prepare_cached(
                "SELECT origin, dialect, spans, logs, points, calls, content, first_ns, last_ns FROM heard",
            )
            .map_err(told)?;
        let mut rows = find.query([]).map_err(told)?;
        while let Some(row) = rows.next().map_err(told)? {
            let number = |at: usize| -> rusqlite::Result<u64> {
                Ok(u64::try_from(row.get::<_, i64>(at)?).unwrap_or(0))
            };
            let read = || -> rusqlite::Result<_> {
                let counts = Counts {
                    spans: number(2)?,
                    logs: number(3)?,
                    points: number(4)?,
                    calls: number(5)?,
                    with_content: number(6)?,
                };
                Ok((row.get(0)?, row.get::<_, u8>(1)?, counts, number(7)?, number(8)?))
            };
            let (origin, dialect, counts, first, last) = read().map_err(told)?;
            if range.is_some_and(|range| last < range.from.0 || first >= range.to.0) {
                continue;
            }
            let origin = file.origin(origin)?;
            let service = all.entry(Arc::clone(&origin.resource.service)).or_default();
            service.add(&origin, Dialect::from_number(dialect), counts, (first, last));
        }
    }
    Ok(all.into_iter().map(|(name, service)| service.info(name)).collect())
}
