//! The shapes of the answers under `/api/v1`, as `ui/src/api.ts` has them: names in camel case, what is not known left
//! out and never `null`, ids in lower-case hexadecimal digits, times and durations in milliseconds.

mod about;
mod any;
mod finding;
mod import;
mod log;
mod number;
mod row;
mod span;
mod status;
mod summary;
pub mod transcript;
mod usage;
mod words;

pub use about::{About, ApiError, ErrorCode, Otlp, Told};
pub use any::{Any, Attribute};
pub use finding::{Finding, Findings, ServiceHealth, Severity, Signals};
pub use import::{Imported, Rejected};
pub use log::{LogDetail, LogList, LogRow};
pub(crate) use number::duration;
pub use number::millis;
pub use row::{Fold, OwnSum, Row, SpanKind, TotalSum, rows};
pub use span::{
    Document, Dropped, Evaluation, Event, ExemplarOf, Link, Mcp, Memory, Scope, SpanDetail, Status,
    StatusCode,
};
pub(crate) use span::{escape, skew};
pub use status::{
    Deleted, DialectServices, Durability, Hello, Revised, Settings, Status as StoreStatus, Stretch, Traces,
    Variable, Way, Whence,
};
pub use summary::{Bar, Few, Trace, TraceList, TraceRow, TraceState};
pub use usage::{Cost, CostSource, Usage};
pub use words::{ContentState, Dialect, Op, SpanState};

/// For fields that are `true` or left out.
pub(crate) fn is_false(value: &bool) -> bool {
    !value
}
