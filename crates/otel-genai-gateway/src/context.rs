//! The trace a program is already in, from the headers of its request.

use http::HeaderMap;
use opentelemetry::propagation::Extractor;
use opentelemetry::{Context, global};

/// As the propagator says that the application configured; the headers themselves travel on unchanged.
/// Headers that say nothing leave it at where the request comes from in this process, if that is known.
pub(crate) fn parent(headers: &HeaderMap, within: Option<&Context>) -> Context {
    let unknown = Context::new();
    global::get_text_map_propagator(|propagator| {
        propagator.extract_with_context(within.unwrap_or(&unknown), &Headers(headers))
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
