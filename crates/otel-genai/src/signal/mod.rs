//! An operation in a convention, written to the OpenTelemetry API.

mod any_value;
mod event;
mod metric;
mod span;

pub(crate) use any_value::any_value;
pub(crate) use event::{EventSink, Record, details, erase, exception};
pub(crate) use metric::{Instruments, Measured, View};
pub(crate) use span::{ATTRIBUTES, add_missing, content, ended, identity, listed, replace, value};
