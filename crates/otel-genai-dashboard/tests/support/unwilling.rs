//! A store that cannot, and tells why.

use std::sync::Arc;

use otel_genai_store::{self as store, Batch, StoreError, Stored, TraceQuery};

/// Every question gets this error; but one that has no time knows how much it has.
pub(crate) struct Unwilling(pub(crate) fn() -> StoreError);

macro_rules! unwilling {
    ($($name:ident($($of:ty),*) -> $answer:ty;)*) => {
        #[async_trait::async_trait]
        impl otel_genai_store::Store for Unwilling {
            async fn ingest(&self, _: Batch) -> Result<Stored, StoreError> {
                Err((self.0)())
            }
            $(async fn $name(&self, $(_: $of),*) -> Result<$answer, StoreError> {
                Err((self.0)())
            })*
            fn changes(&self) -> futures_util::stream::BoxStream<'static, store::Change> {
                Box::pin(futures_util::stream::pending())
            }
            async fn status(&self) -> Result<store::StoreStatus, StoreError> {
                match (self.0)() {
                    StoreError::Timeout(_) => Ok(store::StoreStatus { spans: 7, ..store::StoreStatus::default() }),
                    error => Err(error),
                }
            }
            async fn close(&self) {}
        }
    };
}

type Reply<T> = store::Page<T>;

unwilling! {
    traces(&TraceQuery) -> Reply<store::TraceSummary>;
    summaries(&[store::TraceId]) -> Vec<store::TraceSummary>;
    rows(store::TraceId, u32, Option<store::Cursor>) -> Reply<store::SpanRow>;
    spans(store::TraceId, store::Which) -> Vec<store::Span>;
    logs(&store::LogQuery) -> Reply<store::LogRecord>;
    content(store::ContentHash, Option<store::TraceId>) -> Option<store::Piece>;
    conversations(&store::ConversationQuery) -> Reply<store::ConversationSummary>;
    conversation(&str, u32) -> Vec<store::TraceSummary>;
    stats(&store::StatsQuery) -> Vec<store::StatsRow>;
    facets(&store::Filter, store::Dimension, u32) -> Vec<(Arc<str>, u64)>;
    search(&store::SearchQuery) -> Reply<store::Hit>;
    services(Option<store::Range>) -> Vec<store::ServiceInfo>;
    metrics(Option<store::Range>) -> Vec<store::MetricInfo>;
    series(&store::SeriesQuery) -> Vec<store::SeriesData>;
    dump(store::Range, Option<store::Cursor>) -> (Batch, Option<store::Cursor>);
    delete(store::Delete) -> store::Deleted;
}
