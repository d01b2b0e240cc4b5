//! What every store can do.

use std::sync::Arc;

use futures_util::stream::BoxStream;

use crate::change::Change;
use crate::cursor::Cursor;
use crate::error::StoreError;
use crate::id::{ContentHash, Nanos, SpanId, TraceId};
use crate::log::LogRecord;
use crate::metric::{Exemplar, Point, Series};
use crate::query::{
    ConversationQuery, Delete, Deleted, Dimension, Filter, Hit, LogQuery, MetricInfo, Page, Range, Retention,
    SearchQuery, SeriesData, SeriesQuery, ServiceInfo, StatsQuery, StatsRow, StoreStatus, Stored, TraceQuery,
    Which,
};
use crate::span::{Span, SpanRow};
use crate::summary::{ConversationSummary, TraceSummary};
use crate::value::Piece;

/// Records that were received together.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Spans.
    pub spans: Vec<Span>,
    /// Log records.
    pub logs: Vec<LogRecord>,
    /// Points of metrics, by series.
    pub points: Vec<(Arc<Series>, Vec<Point>)>,
    /// About how large it is in memory, in bytes: what a bound of the queue counts.
    pub bytes: usize,
    /// When it was received.
    pub received: Nanos,
}

/// What was received, kept and asked for. Every method is cancel-safe; dropping the future of a query interrupts it.
#[async_trait::async_trait]
pub trait Store: Send + Sync + 'static {
    /// Returns when everything in the batch is durable; after an error nothing of it is promised. Storing the same batch
    /// again changes nothing: a sender may retry. A batch is atomic per day; a retry completes what an error left out.
    async fn ingest(&self, batch: Batch) -> Result<Stored, StoreError>;

    /// Traces, a page of them.
    async fn traces(&self, query: &TraceQuery) -> Result<Page<TraceSummary>, StoreError>;

    /// Those of these traces that there are.
    async fn summaries(&self, ids: &[TraceId]) -> Result<Vec<TraceSummary>, StoreError>;

    /// The rows of a trace in order of their start; at most `limit` (of 50,000), `Page::total` says how many there are.
    async fn rows(
        &self,
        trace: TraceId,
        limit: u32,
        cursor: Option<Cursor>,
    ) -> Result<Page<SpanRow>, StoreError>;

    /// The first rows of several traces, of each at most `limit`, in the order in which they are asked for.
    async fn rows_of_each(&self, traces: &[TraceId], limit: u32) -> Result<Vec<Page<SpanRow>>, StoreError> {
        let mut pages = Vec::with_capacity(traces.len());
        for trace in traces {
            pages.push(self.rows(*trace, limit, None).await?);
        }
        Ok(pages)
    }

    /// Whole spans in order of their start. Equal pieces share one `Arc`, so that a history told a thousand times is in
    /// memory once.
    async fn spans(&self, trace: TraceId, which: Which) -> Result<Vec<Span>, StoreError>;

    /// Of several traces the whole spans that are named, one trace after the other.
    async fn spans_of_each(&self, named: &[(TraceId, Vec<SpanId>)]) -> Result<Vec<Span>, StoreError> {
        let mut spans = Vec::new();
        for (trace, ids) in named {
            spans.extend(self.spans(*trace, Which::Only(ids.clone())).await?);
        }
        Ok(spans)
    }

    /// Log records, a page of them.
    async fn logs(&self, query: &LogQuery) -> Result<Page<LogRecord>, StoreError>;

    /// A piece of content; `near` is a trace that has it.
    async fn content(&self, hash: ContentHash, near: Option<TraceId>) -> Result<Option<Piece>, StoreError>;

    /// Conversations, a page of them.
    async fn conversations(&self, query: &ConversationQuery)
    -> Result<Page<ConversationSummary>, StoreError>;

    /// The traces of a conversation, oldest first.
    async fn conversation(&self, id: &str, limit: u32) -> Result<Vec<TraceSummary>, StoreError>;

    /// Sums of calls.
    async fn stats(&self, query: &StatsQuery) -> Result<Vec<StatsRow>, StoreError>;

    /// The values of a dimension, and how many traces have each; the most frequent first.
    async fn facets(
        &self,
        filter: &Filter,
        dimension: Dimension,
        limit: u32,
    ) -> Result<Vec<(Arc<str>, u64)>, StoreError>;

    /// What was said, newest first. What came a moment ago may not be searchable yet: see [`StoreStatus::index_behind`].
    async fn search(&self, query: &SearchQuery) -> Result<Page<Hit>, StoreError>;

    /// How many records that are stored cannot be searched yet.
    async fn index_behind(&self) -> Result<u64, StoreError> {
        Ok(self.status().await?.index_behind)
    }

    /// The services that were heard.
    async fn services(&self, range: Option<Range>) -> Result<Vec<ServiceInfo>, StoreError>;

    /// The metrics that were heard.
    async fn metrics(&self, range: Option<Range>) -> Result<Vec<MetricInfo>, StoreError>;

    /// The points of a metric.
    async fn series(&self, query: &SeriesQuery) -> Result<Vec<SeriesData>, StoreError>;

    /// Single measurements that were taken in a span, in order of time, with the names of their metrics: those of points that
    /// were taken in this range.
    async fn exemplars(
        &self,
        _trace: TraceId,
        _span: SpanId,
        _range: Range,
    ) -> Result<Vec<(Arc<str>, Exemplar)>, StoreError> {
        Err(StoreError::Unsupported("find measurements by their span"))
    }

    /// Everything of a range, in pieces of at most 4 MiB: for export, and to copy one store into another.
    async fn dump(&self, range: Range, cursor: Option<Cursor>)
    -> Result<(Batch, Option<Cursor>), StoreError>;

    /// What changes from now on, told at most five times a second. Whoever takes it too slowly is told [`Change::Lost`]. It
    /// ends when the store is closed.
    fn changes(&self) -> BoxStream<'static, Change>;

    /// How the store is.
    async fn status(&self) -> Result<StoreStatus, StoreError>;

    /// Deletes, and frees the room.
    async fn delete(&self, what: Delete) -> Result<Deleted, StoreError>;

    /// Keeps records so long, and so many, from now on; what is beyond it goes at once. It is forgotten when the store is closed.
    /// Stores whose records others keep cannot do it.
    async fn keep(&self, retention: Retention) -> Result<(), StoreError> {
        let _ = retention;
        Err(StoreError::Unsupported("be told how long it keeps"))
    }

    /// Stores what was received and closes all files. What is asked afterwards is answered by an error.
    async fn close(&self);
}
