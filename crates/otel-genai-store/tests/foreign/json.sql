-- The tables as the exporter makes them when it is to write JSON.
CREATE TABLE otel_traces (
  Timestamp DateTime64(9), TraceId String, SpanId String, ParentSpanId String, TraceState String,
  SpanName LowCardinality(String), SpanKind LowCardinality(String), ServiceName LowCardinality(String),
  ResourceAttributes JSON,
  ResourceAttributesKeys Array(LowCardinality(String)), SpanAttributesKeys Array(LowCardinality(String)),
  ScopeName String, ScopeVersion String, SpanAttributes JSON,
  Duration UInt64, StatusCode LowCardinality(String), StatusMessage String,
  Events Nested (Timestamp DateTime64(9), Name LowCardinality(String), Attributes JSON),
  Links Nested (TraceId String, SpanId String, TraceState String, Attributes JSON),
  INDEX by_trace TraceId TYPE bloom_filter(0.001) GRANULARITY 1
) ENGINE = MergeTree PARTITION BY toDate(Timestamp) ORDER BY (ServiceName, SpanName, toDateTime(Timestamp));

CREATE TABLE otel_traces_trace_id_ts (
  TraceId String, Start SimpleAggregateFunction(min, DateTime), End SimpleAggregateFunction(max, DateTime)
) ENGINE = AggregatingMergeTree PARTITION BY toStartOfWeek(Start) ORDER BY TraceId;

CREATE MATERIALIZED VIEW otel_traces_trace_id_ts_mv TO otel_traces_trace_id_ts AS
SELECT TraceId, min(Timestamp) AS Start, max(Timestamp) AS End FROM otel_traces WHERE TraceId != '' GROUP BY TraceId;

CREATE TABLE otel_logs (
  Timestamp DateTime64(9), TraceId String, SpanId String, TraceFlags UInt8, SeverityText LowCardinality(String),
  SeverityNumber UInt8, ServiceName LowCardinality(String), Body String, ResourceSchemaUrl LowCardinality(String),
  ResourceAttributes JSON, ScopeSchemaUrl LowCardinality(String), ScopeName String, ScopeVersion LowCardinality(String),
  ScopeAttributes JSON, LogAttributes JSON,
  ResourceAttributesKeys Array(LowCardinality(String)), ScopeAttributesKeys Array(LowCardinality(String)),
  LogAttributesKeys Array(LowCardinality(String)), EventName String
) ENGINE = MergeTree PARTITION BY toDate(Timestamp) ORDER BY (toStartOfFiveMinutes(Timestamp), ServiceName, Timestamp);

CREATE TABLE otel_metrics_gauge (
  ResourceAttributes JSON, ResourceSchemaUrl String, ScopeName String, ScopeVersion String, ScopeAttributes JSON,
  ScopeDroppedAttrCount UInt32, ScopeSchemaUrl String, ServiceName LowCardinality(String), MetricName LowCardinality(String),
  MetricDescription LowCardinality(String), MetricUnit LowCardinality(String), Attributes JSON, StartTimeUnix DateTime, TimeUnix DateTime,
  Value Float64, Flags UInt32, Exemplars Nested (FilteredAttributes JSON, TimeUnix DateTime64(9), Value Float64, SpanId String, TraceId String)
) ENGINE = MergeTree PARTITION BY toDate(TimeUnix) ORDER BY (ServiceName, MetricName, TimeUnix);

CREATE TABLE otel_metrics_sum (
  ResourceAttributes JSON, ResourceSchemaUrl String, ScopeName String, ScopeVersion String, ScopeAttributes JSON,
  ScopeDroppedAttrCount UInt32, ScopeSchemaUrl String, ServiceName LowCardinality(String), MetricName LowCardinality(String),
  MetricDescription LowCardinality(String), MetricUnit LowCardinality(String), Attributes JSON, StartTimeUnix DateTime, TimeUnix DateTime,
  Value Float64, Flags UInt32, Exemplars Nested (FilteredAttributes JSON, TimeUnix DateTime64(9), Value Float64, SpanId String, TraceId String),
  AggregationTemporality Int32, IsMonotonic Bool
) ENGINE = MergeTree PARTITION BY toDate(TimeUnix) ORDER BY (ServiceName, MetricName, TimeUnix);

CREATE TABLE otel_metrics_histogram (
  ResourceAttributes JSON, ResourceSchemaUrl String, ScopeName String, ScopeVersion String, ScopeAttributes JSON,
  ScopeDroppedAttrCount UInt32, ScopeSchemaUrl String, ServiceName LowCardinality(String), MetricName LowCardinality(String),
  MetricDescription LowCardinality(String), MetricUnit LowCardinality(String), Attributes JSON, StartTimeUnix DateTime, TimeUnix DateTime,
  Count UInt64, Sum Float64, BucketCounts Array(UInt64), ExplicitBounds Array(Float64), Exemplars Nested (FilteredAttributes JSON, TimeUnix DateTime64(9), Value Float64, SpanId String, TraceId String),
  Flags UInt32, Min Float64, Max Float64, AggregationTemporality Int32
) ENGINE = MergeTree PARTITION BY toDate(TimeUnix) ORDER BY (ServiceName, MetricName, TimeUnix);

CREATE TABLE otel_metrics_exponential_histogram (
  ResourceAttributes JSON, ResourceSchemaUrl String, ScopeName String, ScopeVersion String, ScopeAttributes JSON,
  ScopeDroppedAttrCount UInt32, ScopeSchemaUrl String, ServiceName LowCardinality(String), MetricName LowCardinality(String),
  MetricDescription LowCardinality(String), MetricUnit LowCardinality(String), Attributes JSON, StartTimeUnix DateTime, TimeUnix DateTime,
  Count UInt64, Sum Float64, Scale Int32, ZeroCount UInt64, PositiveOffset Int32, PositiveBucketCounts Array(UInt64),
  NegativeOffset Int32, NegativeBucketCounts Array(UInt64), Exemplars Nested (FilteredAttributes JSON, TimeUnix DateTime64(9), Value Float64, SpanId String, TraceId String),
  Flags UInt32, Min Float64, Max Float64, AggregationTemporality Int32
) ENGINE = MergeTree PARTITION BY toDate(TimeUnix) ORDER BY (ServiceName, MetricName, TimeUnix);

CREATE TABLE otel_metrics_summary (
  ResourceAttributes JSON, ResourceSchemaUrl String, ScopeName String, ScopeVersion String, ScopeAttributes JSON,
  ScopeDroppedAttrCount UInt32, ScopeSchemaUrl String, ServiceName LowCardinality(String), MetricName LowCardinality(String),
  MetricDescription LowCardinality(String), MetricUnit LowCardinality(String), Attributes JSON, StartTimeUnix DateTime, TimeUnix DateTime,
  Count UInt64, Sum Float64, ValueAtQuantiles Nested (Quantile Float64, Value Float64), Flags UInt32
) ENGINE = MergeTree PARTITION BY toDate(TimeUnix) ORDER BY (ServiceName, MetricName, TimeUnix);
