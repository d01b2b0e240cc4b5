//! Keeps OpenTelemetry traces, logs and metrics exactly as they came, and answers what generative AI did in them.
//!
//! * [`Span`], [`LogRecord`] and [`Series`] are made from OTLP's messages and give them back without a difference, with
//!   their [`Facts`] beside them: the model, the tokens, the agent, whatever vocabulary they were told in.
//! * [`Store`] takes them in batches and answers in pages. What it has acknowledged is durable. [`SqliteStore`] keeps them in
//!   a folder, one file a day.

#[cfg(feature = "clickhouse")]
pub mod copy;
pub mod otlp;

mod buckets;
mod change;
#[cfg(feature = "clickhouse")]
mod clickhouse;
mod cursor;
mod error;
mod facts;
mod heard;
mod histogram;
mod id;
mod instruments;
mod log;
mod measured;
mod metric;
mod one_call;
mod origin;
mod pack;
mod price;
mod query;
mod rate;
mod recent;
mod span;
mod split;
mod sqlite;
mod steps;
mod store;
mod summary;
mod title;
mod usage;
mod value;
mod words;

#[cfg(feature = "clickhouse")]
pub use self::clickhouse::{ClickHouseOptions, ClickHouseStore};
pub use change::Change;
pub use cursor::Cursor;
pub use error::StoreError;
pub use facts::{
    ContentState, Cost, CostSource, Dialect, Facts, NoPrices, Op, Pricing, Usage, dialects_of, of_log,
    of_span,
};
pub use histogram::Histogram;
pub use id::{ContentHash, Day, LogId, Nanos, NoId, NoLogId, SpanId, SpanKey, TraceId};
pub use log::LogRecord;
pub use metric::{Exemplar, Instrument, Point, PointValue, Series};
pub use opentelemetry_proto::tonic::common::v1::EntityRef;
pub use origin::{Origin, Resource, Scope, UNKNOWN_SERVICE};
pub use price::{Price, PriceError, PriceTable};
pub use query::{
    ConversationQuery, Delete, Deleted, Dimension, Filter, Hit, LogQuery, MetricInfo, Page, Range, Retention,
    SearchQuery, SeriesData, SeriesQuery, ServiceInfo, Snippet, StatsQuery, StatsRow, StepPoint, StoreStatus,
    Stored, TraceQuery, TraceSort, Which,
};
pub use span::{Dropped, Span, SpanEvent, SpanLink, SpanRow, SpanState, Status, ToldIds};
pub use sqlite::{Durability, Owner, SqliteOptions, SqliteStore};
pub use store::{Batch, Store};
pub use summary::{Bar, ConversationSummary, Few, Root, TraceState, TraceSummary};
pub use usage::{Telling, wrappers, wrappers_among};
pub use value::{AnyValue, Attribute, Attributes, Form, Glue, Held, KeyValue, Piece, Pieces};
