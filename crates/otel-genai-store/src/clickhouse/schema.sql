-- The tables of otel-genai in ClickHouse, version 1.
--
-- Rows are told apart by the hash of what they say (`print`), so that what is stored twice is one row: at once for those who
-- ask through otel-genai, and on the disk when the server has merged. Hours are those of the record, unless a clock is wrong;
-- then those of its reception. A day is a partition, and is dropped whole. Granules are small where few rows are asked for at a
-- time. There are no statistics: the server would read those of each column before each question, which takes longer than the
-- question.

-- Spans. An id of zeros, an empty name and a 0 of `op` and `dialect` say "none". What log records tell of a session that
-- sends no spans counts as calls do, and stands here, too; as log records they stand in `log`.
CREATE TABLE IF NOT EXISTS span (
  hour DateTime('UTC') CODEC(Delta, ZSTD(1)),
  trace_id FixedString(16), span_id FixedString(8), print FixedString(16), parent FixedString(8),
  start_ns Int64 CODEC(Delta, ZSTD(1)), end_ns Int64 CODEC(Delta, ZSTD(1)),
  received_ns Int64 CODEC(Delta, ZSTD(1)), seq UInt32, -- when it came, and at which place of those that came with it
  origin FixedString(16), -- the piece that tells resource and scope
  service LowCardinality(String), scope LowCardinality(String), name LowCardinality(String),
  kind Int32, status Int32, state UInt8, events UInt32, links UInt32, -- state 1: has not ended, 2: no span
  op UInt8, dialect UInt8, provider LowCardinality(String), request_model LowCardinality(String),
  response_model LowCardinality(String), response_id String, agent LowCardinality(String), agent_id String,
  workflow LowCardinality(String), tool LowCardinality(String), tool_call String, mcp_method LowCardinality(String),
  mcp_session String, data_source LowCardinality(String), conversation String, user String,
  error LowCardinality(String), finish LowCardinality(String),
  input Nullable(UInt64), output Nullable(UInt64), cache_read Nullable(UInt64), cache_write Nullable(UInt64),
  reasoning Nullable(UInt64), audio_input Nullable(UInt64), audio_output Nullable(UInt64),
  first_chunk_ns Nullable(UInt64), n Nullable(UInt32), cost Nullable(Int64), saved Int64, cost_source UInt8,
  content UInt8, stream UInt8, inferred UInt8, -- stream 1: no, 2: yes
  title String, -- what a user asked
  rest String CODEC(ZSTD(1)), -- OTLP's Span in protobuf, with holes where pieces were taken out
  glue Array(UInt8), lens Array(UInt32), pieces Array(FixedString(16)), -- what fills the holes
  at DateTime64(9, 'UTC') ALIAS fromUnixTimestamp64Nano(start_ns),
  INDEX by_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX by_response response_id TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX by_conversation conversation TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX by_piece pieces TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX by_state state TYPE minmax GRANULARITY 1
) ENGINE = ReplacingMergeTree
PARTITION BY toDate(hour) ORDER BY (hour, trace_id, span_id, print)
SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1, auto_statistics_types = '', materialize_ttl_recalculate_only = 1;

-- Spans whose calls are told again by spans inside them, and log records of sessions whose calls spans tell, too, count in no
-- sum: found a moment after they were stored. `told` 0 takes it back.
CREATE TABLE IF NOT EXISTS wrapper (
  hour DateTime('UTC') CODEC(Delta, ZSTD(1)), trace_id FixedString(16), print FixedString(16), told UInt8, at Int64
) ENGINE = ReplacingMergeTree(at)
PARTITION BY toDate(hour) ORDER BY (hour, trace_id, print)
SETTINGS ttl_only_drop_parts = 1, auto_statistics_types = '', materialize_ttl_recalculate_only = 1;

-- When anything of the calls of an hour was stored last, in milliseconds by the server's clock.
CREATE TABLE IF NOT EXISTS touched (
  hour DateTime('UTC'), at SimpleAggregateFunction(max, Int64)
) ENGINE = AggregatingMergeTree
PARTITION BY toDate(hour) ORDER BY hour
SETTINGS ttl_only_drop_parts = 1, auto_statistics_types = '', materialize_ttl_recalculate_only = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS touched_by_span TO touched AS
SELECT hour, max(toUnixTimestamp64Milli(now64(3))) AS at FROM span GROUP BY hour;

CREATE MATERIALIZED VIEW IF NOT EXISTS touched_by_wrapper TO touched AS
SELECT hour, max(toUnixTimestamp64Milli(now64(3))) AS at FROM wrapper GROUP BY hour;

-- Sums of calls by half hours, written down when the hour has been quiet for a while; `start_ns` is when the half hour began.
-- Of an hour those of one `id` hold, as long as it was not touched since.
CREATE TABLE IF NOT EXISTS hourly (
  hour DateTime('UTC'), id UInt64, made Int64, start_ns Int64,
  op UInt8, dialect UInt8, service LowCardinality(String), provider LowCardinality(String),
  request_model LowCardinality(String), response_model LowCardinality(String), agent LowCardinality(String),
  tool LowCardinality(String),
  calls UInt64, errors UInt64, sum_input Nullable(UInt64), sum_output Nullable(UInt64), sum_cache_read Nullable(UInt64),
  sum_cache_write Nullable(UInt64), sum_reasoning Nullable(UInt64), sum_audio_input Nullable(UInt64),
  sum_audio_output Nullable(UInt64), sum_cost Nullable(Int64), sum_saved Int64, reported UInt8, unpriced UInt64,
  took Tuple(Array(UInt64), Array(UInt64)), took_sum UInt64, -- values rounded down, and how many there are of each
  first Tuple(Array(UInt64), Array(UInt64)), first_sum UInt64,
  rate Tuple(Array(UInt64), Array(UInt64)), rate_sum UInt64,
  stops Tuple(Array(String), Array(UInt64))
) ENGINE = MergeTree
PARTITION BY toDate(hour) ORDER BY (hour, id)
SETTINGS ttl_only_drop_parts = 1, auto_statistics_types = '', materialize_ttl_recalculate_only = 1;

-- Log records.
CREATE TABLE IF NOT EXISTS log (
  hour DateTime('UTC') CODEC(Delta, ZSTD(1)),
  time_ns Int64 CODEC(Delta, ZSTD(1)), row Int64, -- the number that its hash makes
  received_ns Int64 CODEC(Delta, ZSTD(1)),
  trace_id FixedString(16), span_id FixedString(8), origin FixedString(16), service LowCardinality(String),
  event LowCardinality(String), severity Int32, op UInt8, content UInt8, conversation String, response_id String,
  title String,
  rest String CODEC(ZSTD(1)), -- OTLP's LogRecord in protobuf, with holes
  glue Array(UInt8), lens Array(UInt32), pieces Array(FixedString(16)),
  at DateTime64(9, 'UTC') ALIAS fromUnixTimestamp64Nano(time_ns),
  INDEX by_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX by_event event TYPE set(100) GRANULARITY 4
) ENGINE = ReplacingMergeTree
PARTITION BY toDate(hour) ORDER BY (hour, time_ns, row)
SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1, auto_statistics_types = '', materialize_ttl_recalculate_only = 1;

-- Content, and where records come from: each once a day. Forms: 0 text, 1 a value in protobuf, 2 resource and scope.
CREATE TABLE IF NOT EXISTS piece (
  day Date, hash FixedString(16), form UInt8, body String CODEC(ZSTD(1))
) ENGINE = ReplacingMergeTree
PARTITION BY day ORDER BY hash
SETTINGS index_granularity = 128, ttl_only_drop_parts = 1, auto_statistics_types = '', materialize_ttl_recalculate_only = 1;

-- What is said in a piece of content or in a log record: its words as they count, without case and accents, and pairs of
-- letters where a script has no spaces. As it comes, for then the server merges the index with the rows; where rows could be
-- replaced it would index all words again. Words that are there twice change no answer.
CREATE TABLE IF NOT EXISTS said (
  day Date, hash FixedString(16), row Int64, -- of a log record the row; its hash is zeros
  words String CODEC(ZSTD(1)),
  INDEX by_word words TYPE text(tokenizer = splitByNonAlpha)
) ENGINE = MergeTree
PARTITION BY day ORDER BY tuple()
SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1, auto_statistics_types = '', materialize_ttl_recalculate_only = 1;

-- Series of metrics: each once a day.
CREATE TABLE IF NOT EXISTS series (
  day Date, hash FixedString(16), origin FixedString(16), service LowCardinality(String), name LowCardinality(String),
  body String CODEC(ZSTD(1)) -- OTLP's Metric in protobuf, with one point that says nothing
) ENGINE = ReplacingMergeTree
PARTITION BY day ORDER BY (name, hash)
SETTINGS ttl_only_drop_parts = 1, auto_statistics_types = '', materialize_ttl_recalculate_only = 1;

-- Their points. Of two of the same times the one that came first is kept.
CREATE TABLE IF NOT EXISTS point (
  hour DateTime('UTC') CODEC(Delta, ZSTD(1)),
  series FixedString(16), time_ns Int64 CODEC(Delta, ZSTD(1)), start_ns Int64 CODEC(Delta, ZSTD(1)),
  received_ns Int64 CODEC(Delta, ZSTD(1)), service LowCardinality(String),
  body String CODEC(ZSTD(1)), -- OTLP's Metric in protobuf, with this point
  early UInt64 MATERIALIZED toUInt64(9223372036854775807 - received_ns) CODEC(Delta, ZSTD(1)),
  at DateTime64(9, 'UTC') ALIAS fromUnixTimestamp64Nano(time_ns)
) ENGINE = ReplacingMergeTree(early)
PARTITION BY toDate(hour) ORDER BY (series, time_ns, start_ns)
SETTINGS ttl_only_drop_parts = 1, auto_statistics_types = '', materialize_ttl_recalculate_only = 1;

-- What a list of traces is chosen by: sums of the kind that stay the same when a row is added twice.
CREATE TABLE IF NOT EXISTS trace (
  day Date, trace_id FixedString(16),
  start_ns SimpleAggregateFunction(min, Int64), end_ns SimpleAggregateFunction(max, Int64),
  last_ns SimpleAggregateFunction(max, Int64), -- when anything of it was received last
  genai SimpleAggregateFunction(max, UInt8), failed SimpleAggregateFunction(max, UInt8),
  title SimpleAggregateFunction(min, Tuple(Int64, String)), -- when a user asked first, and what
  root SimpleAggregateFunction(min, Tuple(Int64, String)), -- when the first span without a parent began, and its name
  INDEX by_trace trace_id TYPE bloom_filter(0.01) GRANULARITY 1, -- mostly a trace is looked for on days that do not have it
  INDEX by_last last_ns TYPE minmax GRANULARITY 1 -- what others wrote is looked for every second
) ENGINE = AggregatingMergeTree
PARTITION BY day ORDER BY trace_id
SETTINGS ttl_only_drop_parts = 1, auto_statistics_types = '', materialize_ttl_recalculate_only = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS trace_of_span TO trace AS
SELECT toDate(hour) AS day, trace_id, min(span.start_ns) AS start_ns,
  max(if(state = 1, span.start_ns, greatest(span.end_ns, span.start_ns))) AS end_ns, max(received_ns) AS last_ns,
  max(toUInt8(state = 2 OR (op > 0 AND op < 30))) AS genai, max(toUInt8(state != 1 AND (status = 2 OR error != ''))) AS failed,
  min(if(span.title != '' AND state != 1, (span.start_ns, span.title), (toInt64(9223372036854775807), ''))) AS title,
  min(if(reinterpretAsUInt64(parent) = 0, (span.start_ns, toString(name)), (toInt64(9223372036854775807), ''))) AS root
FROM span GROUP BY day, trace_id;

CREATE MATERIALIZED VIEW IF NOT EXISTS trace_of_log TO trace AS
SELECT toDate(hour) AS day, trace_id, min(time_ns) AS start_ns, max(time_ns) AS end_ns, max(received_ns) AS last_ns,
  max(toUInt8(log.op > 0 AND log.op < 30)) AS genai, toUInt8(0) AS failed,
  min(if(log.title != '', (time_ns, log.title), (toInt64(9223372036854775807), ''))) AS title, (toInt64(9223372036854775807), '') AS root
FROM log WHERE trace_id != toFixedString('', 16) GROUP BY day, trace_id;

-- The last to be made: who finds it finds all.
CREATE TABLE IF NOT EXISTS schema_version (version UInt32) ENGINE = MergeTree ORDER BY version;
