//! What conventions require of signals, for checkers and tests. Not part of the public API.

mod v2026_08;
mod v2026_10;

use crate::metric;

pub use v2026_08::CONVENTION as V2026_08;
pub use v2026_10::CONVENTION as V2026_10;

/// A convention's requirements; every list is sorted by name.
#[derive(Clone, Copy, Debug)]
pub struct Convention {
    /// The convention, such as `2026-08`.
    pub name: &'static str,
    /// The attributes it defines, and those of the core conventions that its signals borrow.
    pub attributes: &'static [Attribute],
    /// Its types of span, without providers' refinements.
    pub spans: &'static [Span],
    /// Its events.
    pub events: &'static [Event],
    /// Its metrics.
    pub metrics: &'static [Metric],
}

/// An attribute of a convention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The attribute's name.
    pub name: &'static str,
    /// The type of its value.
    pub r#type: Type,
    /// Whether the convention advises against it.
    pub deprecated: bool,
}

/// The types of attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Structured content.
    Any,
    /// A truth value.
    Boolean,
    /// A floating-point number.
    Double,
    /// A string out of an open list.
    Enum,
    /// A whole number.
    Int,
    /// Text.
    String,
    /// A list of strings.
    Strings,
    /// Text, under the name with `.` and a key of the emitter's choice appended.
    StringTemplate,
}

/// A type of span.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// The type's name in the registry, which is not emitted.
    pub name: &'static str,
    /// The span kind it has.
    pub kind: Kind,
    /// Attributes that it must have.
    pub required: &'static [&'static str],
    /// Attributes that it should have, whatever the call was.
    pub recommended: &'static [&'static str],
}

/// The span kinds that conventions use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A call to another service.
    Client,
    /// Work inside the process.
    Internal,
    /// A call from another service.
    Server,
}

/// An event: a log record with a name.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// The event's name.
    pub name: &'static str,
    /// Attributes that it must have.
    pub required: &'static [&'static str],
}

/// A metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Name, unit and instrument.
    pub definition: metric::Metric,
    /// Attributes that each of its points must have.
    pub required: &'static [&'static str],
}
