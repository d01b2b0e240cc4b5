//! What is known of a service, from all that was heard of it.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use prost::Message as _;

use crate::facts::Dialect;
use crate::id::{ContentHash, Nanos};
use crate::origin::{Origin, Resource};
use crate::query::ServiceInfo;

/// How much was heard.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) spans: u64,
    pub(crate) logs: u64,
    pub(crate) points: u64,
    /// Calls of models, and those of them with content.
    pub(crate) calls: u64,
    pub(crate) with_content: u64,
}

#[derive(Default)]
pub(crate) struct Service {
    instances: HashSet<ContentHash>,
    language: Option<Arc<str>>,
    sdk: Option<Arc<str>>,
    scopes: BTreeMap<(Arc<str>, Arc<str>), u64>,
    dialects: BTreeMap<Dialect, u64>,
    schema_urls: Vec<Arc<str>>,
    counts: Counts,
    first: Option<u64>,
    last: u64,
}

impl Service {
    /// Adds what was heard of an origin in one dialect, and when first and last.
    pub(crate) fn add(
        &mut self,
        origin: &Origin,
        dialect: Option<Dialect>,
        counts: Counts,
        (first, last): (u64, u64),
    ) {
        let Origin { resource, scope } = origin;
        let bytes = resource.to_otlp().map(|resource| resource.encode_to_vec()).unwrap_or_default();
        self.instances.insert(ContentHash::of(0, &bytes));
        let text = |key: &str| resource.attributes.text(key).map(Arc::from);
        self.language = self.language.take().or_else(|| text("telemetry.sdk.language"));
        self.sdk = self.sdk.take().or_else(|| sdk(resource));
        *self.scopes.entry((Arc::clone(&scope.name), Arc::clone(&scope.version))).or_default() +=
            counts.spans;
        if let Some(dialect) = dialect {
            *self.dialects.entry(dialect).or_default() += counts.spans;
        }
        for url in [&scope.schema_url, &resource.schema_url] {
            if !url.is_empty() && !self.schema_urls.contains(url) {
                self.schema_urls.push(Arc::clone(url));
            }
        }
        self.counts.spans += counts.spans;
        self.counts.logs += counts.logs;
        self.counts.points += counts.points;
        self.counts.calls += counts.calls;
        self.counts.with_content += counts.with_content;
        self.first = Some(self.first.map_or(first, |known| known.min(first)));
        self.last = self.last.max(last);
    }

    pub(crate) fn info(self, name: Arc<str>) -> ServiceInfo {
        let Counts { spans, logs, points, calls, with_content } = self.counts;
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
