//! The services that were heard, and how they tell.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use prost::Message as _;

use super::list::may_have;
use super::reader::Reader;
use super::segment::hash;
use crate::error::StoreError;
use crate::facts::Dialect;
use crate::id::Nanos;
use crate::origin::{Origin, Resource};
use crate::query::{Range, ServiceInfo};

#[derive(Default)]
struct Service {
    instances: HashSet<[u8; 16]>,
    language: Option<Arc<str>>,
    sdk: Option<Arc<str>>,
    scopes: BTreeMap<(Arc<str>, Arc<str>), u64>,
    dialects: BTreeMap<Dialect, u64>,
    schema_urls: Vec<Arc<str>>,
    /// Spans, log records, points, calls, calls with content.
    counts: [u64; 5],
    first: Option<u64>,
    last: u64,
}

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
                let counts = [number(2)?, number(3)?, number(4)?, number(5)?, number(6)?];
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

impl Service {
    fn add(
        &mut self,
        origin: &Origin,
        dialect: Option<Dialect>,
        counts: [u64; 5],
        (first, last): (u64, u64),
    ) {
        let Origin { resource, scope } = origin;
        let bytes = resource.to_otlp().map(|resource| resource.encode_to_vec()).unwrap_or_default();
        self.instances.insert(hash(&[&bytes]));
        let text = |key: &str| resource.attributes.text(key).map(Arc::from);
        self.language = self.language.take().or_else(|| text("telemetry.sdk.language"));
        self.sdk = self.sdk.take().or_else(|| sdk(resource));
        *self.scopes.entry((Arc::clone(&scope.name), Arc::clone(&scope.version))).or_default() += counts[0];
        if let Some(dialect) = dialect {
            *self.dialects.entry(dialect).or_default() += counts[0];
        }
        for url in [&scope.schema_url, &resource.schema_url] {
            if !url.is_empty() && !self.schema_urls.contains(url) {
                self.schema_urls.push(Arc::clone(url));
            }
        }
        self.counts.iter_mut().zip(counts).for_each(|(sum, more)| *sum += more);
        self.first = Some(self.first.map_or(first, |known| known.min(first)));
        self.last = self.last.max(last);
    }

    fn info(self, name: Arc<str>) -> ServiceInfo {
        let [spans, logs, points, calls, with_content] = self.counts;
        let mut scopes: Vec<(Arc<str>, Arc<str>, u64)> =
            self.scopes.into_iter().map(|((name, version), spans)| (name, version, spans)).collect();
        scopes.sort_by_key(|(_, _, spans)| std::cmp::Reverse(*spans));
        let mut dialects: Vec<(Dialect, u64)> = self.dialects.into_iter().collect();
        dialects.sort_by_key(|(_, spans)| std::cmp::Reverse(*spans));
        ServiceInfo {
            name,
            instances: u32::try_from(self.instances.len()).unwrap_or(u32::MAX),
            language: self.language,
            sdk: self.sdk,
            scopes,
            dialects,
            spans,
            logs,
            points,
            calls,
            with_content,
            first: Nanos(self.first.unwrap_or(0)),
            last: Nanos(self.last),
            schema_urls: self.schema_urls,
        }
    }
}

/// Name and version of the SDK.
fn sdk(resource: &Resource) -> Option<Arc<str>> {
    let name = resource.attributes.text("telemetry.sdk.name")?;
    Some(match resource.attributes.text("telemetry.sdk.version") {
        Some(version) => format!("{name} {version}").into(),
        None => name.as_ref().into(),
    })
}
