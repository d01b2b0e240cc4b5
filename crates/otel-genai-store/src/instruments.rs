//! The metrics that were heard, gathered from their series.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use crate::id::Nanos;
use crate::metric::Series;
use crate::query::MetricInfo;

/// By name, unit, kind and temporality: the metric, the hashes of its series, and the names of their attributes.
#[derive(Default)]
pub(crate) struct Instruments(BTreeMap<(Arc<str>, Arc<str>, u8, i32), Heard>);

type Heard = (MetricInfo, HashSet<Vec<u8>>, BTreeSet<Arc<str>>);

impl Instruments {
    /// A series, and when its last point was.
    pub(crate) fn add(&mut self, series: &Series, hash: &[u8], last: Nanos) {
        let key = (Arc::clone(&series.name), Arc::clone(&series.unit), series.kind as u8, series.temporality);
        let (info, hashes, keys) = self.0.entry(key).or_insert_with(|| {
            let info = MetricInfo {
                name: Arc::clone(&series.name),
                unit: Arc::clone(&series.unit),
                description: Arc::clone(&series.description),
                kind: series.kind,
                temporality: series.temporality,
                monotonic: series.monotonic,
                series: 0,
                keys: Vec::new(),
                last: Nanos(0),
            };
            (info, HashSet::new(), BTreeSet::new())
        });
        info.last = info.last.max(last);
        hashes.insert(hash.to_vec());
        keys.extend(series.attributes.0.iter().map(|attribute| Arc::clone(&attribute.key)));
    }

    /// By their names.
    pub(crate) fn list(self) -> Vec<MetricInfo> {
        let info = |(mut info, hashes, keys): Heard| {
            info.series = hashes.len() as u64;
            info.keys = keys.into_iter().collect();
            info
        };
        self.0.into_values().map(info).collect()
    }
}
