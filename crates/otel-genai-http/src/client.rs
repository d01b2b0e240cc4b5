//! What all client layers do alike.

use http::{HeaderMap, Method, Uri};
use opentelemetry::Context;

use crate::exchange::{Call, Exchange};
use crate::observer::Observer;
use crate::propagate::propagate;

/// How a layer observes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Instrument {
    /// `None`: the global one, asked for at the first call, when telemetry is set up.
    pub(crate) observer: Option<Observer>,
    /// Whether requests carry the trace on.
    pub(crate) propagate: bool,
}

/// A call that is observed and waits for its response.
pub(crate) struct Running {
    pub(crate) exchange: Exchange,
    /// In which the layers within run.
    pub(crate) context: Context,
}

impl Instrument {
    pub(crate) fn of(observer: Observer) -> Self {
        Instrument { observer: Some(observer), propagate: false }
    }

    /// Begins to observe a request, if it is a model call.
    pub(crate) fn begin(
        &self,
        method: &Method,
        upstream: &Uri,
        headers: &mut HeaderMap,
        parent: Context,
    ) -> Option<Running> {
        let observer = self.observer.as_ref().unwrap_or_else(|| Observer::global());
        let call = Call { method, upstream, headers, parent, attributes: Vec::new() };
        let exchange = observer.begin(&call)?;
        let parent = call.parent;
        self.inject(&parent, headers);
        let context = exchange.within(&parent);
        Some(Running { exchange, context })
    }

    /// Has a request carry the trace on, if that is wanted. What it carries already stays.
    pub(crate) fn inject(&self, parent: &Context, headers: &mut HeaderMap) {
        if self.propagate {
            propagate(parent, headers);
        }
    }
}
