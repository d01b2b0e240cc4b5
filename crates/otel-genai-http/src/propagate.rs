//! Headers that carry a trace on.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::propagation::Injector;
use opentelemetry::{Context, global};

/// Has a request carry on the trace of this context, as OpenTelemetry's global propagator writes it (`traceparent`). What
/// the request carries already stays.
pub fn propagate(context: &Context, headers: &mut HeaderMap) {
    global::get_text_map_propagator(|propagator| propagator.inject_context(context, &mut Headers(headers)));
}

struct Headers<'a>(&'a mut HeaderMap);

impl Injector for Headers<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(key.as_bytes()), HeaderValue::from_str(&value))
        {
            self.0.entry(name).or_insert(value);
        }
    }
}
