//! The shapes of the answers under `/api/v1`, as `ui/src/api.ts` has them: names in camel case, what is not known left
//! out and never `null`, ids in lower-case hexadecimal digits, times and durations in milliseconds.

mod about;
mod any;
mod compare;
mod finding;
mod import;
mod list;
mod log;
mod metric;
mod number;
mod page;
mod prices;
mod row;
mod span;
mod stats;
mod status;
mod summary;
pub mod transcript;
mod usage;
mod words;

pub use about::{About, ApiError, ErrorCode, Otlp, Told};
pub use any::{Any, Attribute};
pub use compare::{AlignedMessage, AlignedRow, Changed, Comparison, Differing, Figure, How, Said, Side};
pub use finding::{Finding, Findings, Looked, ServiceHealth, Severity, Signals};
pub use import::{Imported, Rejected};
pub use list::{
    Conversation, ConversationList, ConversationRow, DialectSpans, Facet, Hit, ScopeSpans, SearchAnswer,
    ServiceRow, Services, Snippet,
};
pub use log::{LogDetail, LogList, LogRow};
pub(crate) use metric::labels;
pub use metric::{ExemplarRow, Kind, MetricInfo, MetricList, Series, SeriesAnswer, Temporality};
pub(crate) use number::{duration, grouped};
pub use number::{millis, money};
pub use page::List;
pub use prices::{PriceRow, Prices};
pub use row::{Fold, OwnSum, Row, SpanKind, TotalSum, rows};
pub(crate) use span::{Beside, escape, request_id, skew};
pub use span::{
    Document, Dropped, Evaluation, Event, ExemplarOf, Link, Mcp, Memory, Scope, SpanDetail, Status,
    StatusCode,
};
pub(crate) use stats::millis as quantile_ms;
pub use stats::{
    AgentRow, AgentTool, Agents, Edge, EdgeKind, Empty, Finish, ModelRow, Models, Overview, Stat, Step,
    Steps, ToolRow, Tools, Unpriced,
};
pub use status::{
    Deleted, DialectServices, Durability, Hello, McpWays, Revised, Setting, Settings, SettingsChange,
    Status as StoreStatus, Stretch, Traces, Variable, Way, Whence,
};
pub use summary::{Bar, Few, Trace, TraceList, TraceRow, TraceState};
pub use usage::{Cost, CostSource, Usage};
pub(crate) use words::dimension;
pub use words::{ContentState, Dialect, Op, SpanState};

/// For fields that are `true` or left out.
pub(crate) fn is_false(value: &bool) -> bool {
    !value
}
