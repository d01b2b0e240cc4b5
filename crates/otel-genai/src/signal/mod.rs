//! An operation in a convention, written to the OpenTelemetry API.

mod any_value;
mod event;
mod metric;
mod span;

pub(crate) use event::{EventSink, details, erase, exception};
pub(crate) use metric::Instruments;
pub(crate) use span::{changed_identity, finish_attributes, start};
