//! Metrics: names as constants, and in [`definition`] all that is needed to create each instrument.

pub mod definition;
mod name;

pub use name::*;

/// A metric as its convention defines it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Metric {
    /// The metric's name.
    pub name: &'static str,
    /// The unit in UCUM notation, such as `s` or `{token}`.
    pub unit: &'static str,
    /// What is measured, in the convention's words.
    pub description: &'static str,
    /// The kind of instrument.
    pub instrument: Instrument,
    /// The kind of number that the instrument takes.
    pub number: Number,
    /// The bucket boundaries that the convention advises for a histogram, in `unit`; empty for a counter.
    pub boundaries: &'static [f64],
}

/// The kinds of instrument that the conventions use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Instrument {
    /// A sum that only grows.
    Counter,
    /// A distribution in buckets.
    Histogram,
}

/// The kinds of number that instruments take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Number {
    /// Whole numbers, never negative (`u64`).
    Int,
    /// Floating-point numbers (`f64`).
    Double,
}
