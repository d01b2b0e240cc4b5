//! The trace a program is already in, from the headers of its request.

use http::HeaderMap;
use opentelemetry::propagation::Extractor;
use opentelemetry::{Context, global};

/// As the propagator says that the application configured; the headers themselves travel on unchanged.
pub(crate) fn parent(headers: &HeaderMap) -> Context {
    global::get_text_map_propagator(|propagator| {
        propagator.extract_with_context(&Context::new(), &Headers(headers))
    })
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}
