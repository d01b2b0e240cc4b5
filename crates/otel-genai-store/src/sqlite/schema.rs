//! The tables of a day file.

use rusqlite::{Connection, OptionalExtension as _};

/// "OGAI": says whose file it is.
pub(super) const APPLICATION: i32 = 0x4F47_4149;
/// The version of the tables below, as `user_version`.
pub(super) const VERSION: u32 = 1;

/// In `meta`: the last piece of content whose words are in the index,
pub(super) const INDEXED_CONTENT: &str = "indexed_content";
/// and the last log record.
pub(super) const INDEXED_LOG: &str = "indexed_log";

/// Ids of words, origins and traces are of one file only.
const TABLES: &str = "
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
-- Names of spans, services, models, agents, tools, events: each kept once.
CREATE TABLE word(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
-- Resource and scope: protobuf of a ResourceSpans with one empty ScopeSpans.
CREATE TABLE origin(
  id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, service INT NOT NULL, scope INT NOT NULL, body BLOB NOT NULL);
-- Pieces of content, each kept once. Ids rise: the index of words wants that.
CREATE TABLE content(id INTEGER PRIMARY KEY AUTOINCREMENT, hash BLOB NOT NULL UNIQUE, form INT NOT NULL, body BLOB NOT NULL);
-- Where a piece was told first in each trace, by spans (kind 0) and by log records (1). A record without a trace counts as
-- one of its own: less than 0.
CREATE TABLE content_use(
  content INT NOT NULL, trace INT NOT NULL, kind INT NOT NULL, row INT NOT NULL, PRIMARY KEY(content, trace, kind)) WITHOUT ROWID;
CREATE TABLE trace(
  id INTEGER PRIMARY KEY, trace_id BLOB NOT NULL UNIQUE, start_ns INT NOT NULL, end_ns INT NOT NULL,
  last_ns INT NOT NULL, -- when anything of it was received last
  running INT NOT NULL DEFAULT 0, -- spans that have not ended
  root_span BLOB, root_ns INT, root_name INT, root_service INT, root_op INT,
  root_ended INT NOT NULL DEFAULT 0, spans INT NOT NULL DEFAULT 0, errors INT NOT NULL DEFAULT 0,
  logs INT NOT NULL DEFAULT 0, llm INT NOT NULL DEFAULT 0, llm_err INT NOT NULL DEFAULT 0,
  tools INT NOT NULL DEFAULT 0, tool_err INT NOT NULL DEFAULT 0, in_tok INT, out_tok INT, cache_r INT, cache_w INT,
  reason_tok INT, audio_in INT, audio_out INT, cost INT, saved INT, reported INT NOT NULL DEFAULT 0,
  unpriced INT NOT NULL DEFAULT 0, ttfc_ns INT, ttfc_at INT, content INT NOT NULL DEFAULT 0,
  genai INT NOT NULL DEFAULT 0, counted INT NOT NULL DEFAULT 0, -- spans whose tokens count
  unsettled INT NOT NULL DEFAULT 0, -- whether calls may be in it that are told twice, or it may have begun elsewhere
  also INT NOT NULL DEFAULT 0, -- 1: it began on an earlier day, 2: it goes on on a later one
  rev INT NOT NULL DEFAULT 0, -- how often it was changed
  title TEXT, title_ns INT, more BLOB); -- the names in it, and the bars of its picture
CREATE INDEX trace_start ON trace(start_ns);
CREATE INDEX trace_unsettled ON trace(last_ns) WHERE unsettled;
CREATE INDEX trace_also ON trace(also) WHERE also;
-- Which traces have a name: a service (0), operation (1), provider (2), model (3), agent (4), tool (5), conversation (6) or
-- dialect (7). Words of operations and dialects are their numbers.
CREATE TABLE trace_word(
  kind INT NOT NULL, word INT NOT NULL, trace INT NOT NULL, PRIMARY KEY(kind, word, trace)) WITHOUT ROWID;
CREATE TABLE conversation(word INTEGER PRIMARY KEY, start_ns INT NOT NULL, end_ns INT NOT NULL);
CREATE INDEX conversation_end ON conversation(end_ns);
-- Calls added up by quarters of an hour; 0 is no name.
CREATE TABLE sums(
  at INT NOT NULL, op INT NOT NULL, service INT NOT NULL, provider INT NOT NULL, model INT NOT NULL, agent INT NOT NULL,
  tool INT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY(at, op, service, provider, model, agent, tool)) WITHOUT ROWID;
-- How much was told by an origin, in each dialect (0: in none).
CREATE TABLE heard(
  origin INT NOT NULL, dialect INT NOT NULL, spans INT NOT NULL, logs INT NOT NULL, points INT NOT NULL,
  calls INT NOT NULL, content INT NOT NULL, first_ns INT NOT NULL, last_ns INT NOT NULL,
  PRIMARY KEY(origin, dialect)) WITHOUT ROWID;
CREATE TABLE span(
  id INTEGER PRIMARY KEY, trace INT NOT NULL, span_id BLOB NOT NULL, variant INT NOT NULL, parent BLOB,
  start_ns INT NOT NULL, end_ns INT NOT NULL, received_ns INT NOT NULL, origin INT NOT NULL, name INT NOT NULL,
  kind INT NOT NULL, status INT NOT NULL, state INT NOT NULL, events INT NOT NULL, links INT NOT NULL,
  flags INT NOT NULL, op INT, dialect INT, provider INT, req_model INT, resp_model INT, response_id TEXT, agent INT,
  agent_id INT, workflow INT, tool INT, tool_call TEXT, mcp INT, mcp_session INT, data_source INT, conv INT, user INT,
  error INT, finish INT, in_tok INT, out_tok INT, cache_r INT, cache_w INT, reason_tok INT, audio_in INT,
  audio_out INT, ttfc_ns INT, n INT, cost INT, saved INT,
  rest BLOB NOT NULL, -- protobuf of the span with holes, its ids left out where the columns have them
  refs BLOB); -- what fills the holes
CREATE UNIQUE INDEX span_key ON span(trace, span_id, variant);
CREATE INDEX span_start ON span(start_ns) WHERE op < 30;
CREATE INDEX span_response ON span(response_id) WHERE response_id IS NOT NULL;
CREATE TABLE log(
  id INTEGER PRIMARY KEY AUTOINCREMENT, hash BLOB NOT NULL UNIQUE, -- of the record and its origin: a retry is known by it
  time_ns INT NOT NULL, received_ns INT NOT NULL, trace_id BLOB, span_id BLOB, origin INT NOT NULL, event INT,
  severity INT NOT NULL, conv INT, response_id TEXT, op INT, rest BLOB NOT NULL, refs BLOB);
CREATE INDEX log_time ON log(time_ns);
CREATE INDEX log_trace ON log(trace_id, time_ns) WHERE trace_id IS NOT NULL;
CREATE INDEX log_event ON log(event, time_ns) WHERE event IS NOT NULL;
-- Protobuf of a Metric with one empty point.
CREATE TABLE series(
  id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, name INT NOT NULL, origin INT NOT NULL, body BLOB NOT NULL);
CREATE INDEX series_name ON series(name);
-- Protobuf of a Metric with that point alone.
CREATE TABLE point(
  series INT NOT NULL, time_ns INT NOT NULL, start_ns INT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY(series, time_ns, start_ns)) WITHOUT ROWID;
-- Words of content and of log records, by the ids of those. Words are made before: here only spaces part them.
CREATE VIRTUAL TABLE fts USING fts5(text, content='', contentless_delete=1, detail=none, tokenize='ascii');
CREATE VIRTUAL TABLE fts_log USING fts5(text, content='', contentless_delete=1, detail=none, tokenize='ascii');
";

/// What the first files of this version did not have. More of the kind is another version.
const MORE_TABLES: &str = "
CREATE INDEX IF NOT EXISTS span_order ON span(trace, start_ns);
-- Calls that only log records tell of, by their rows: columns as those of spans. Where a span tells of the call too, the
-- flags say so.
CREATE TABLE IF NOT EXISTS told(
  id INTEGER PRIMARY KEY, trace INT NOT NULL, origin INT NOT NULL, name INT NOT NULL, start_ns INT NOT NULL,
  end_ns INT NOT NULL, status INT NOT NULL, state INT NOT NULL, flags INT NOT NULL, op INT NOT NULL, dialect INT,
  provider INT, req_model INT, resp_model INT, response_id TEXT, agent INT, tool INT, tool_call TEXT, conv INT, error INT,
  finish INT, in_tok INT, out_tok INT, cache_r INT, cache_w INT, reason_tok INT, audio_in INT, audio_out INT, ttfc_ns INT,
  cost INT, saved INT);
CREATE INDEX IF NOT EXISTS told_start ON told(start_ns);
CREATE INDEX IF NOT EXISTS told_end ON told(end_ns);
CREATE INDEX IF NOT EXISTS told_trace ON told(trace);
";
const MORE_NAMES: [&str; 5] = ["span_order", "told", "told_start", "told_end", "told_trace"];

/// Whose file it is, and of which version. Both are 0 for a new one.
pub(super) fn of(connection: &Connection) -> rusqlite::Result<(i32, u32)> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let application = i32::try_from(number("application_id")?).unwrap_or(-1);
    Ok((application, u32::try_from(number("user_version")?).unwrap_or(u32::MAX)))
}

/// A number that a file keeps about itself; 0 if it does not.
pub(super) fn meta(connection: &Connection, key: &str) -> rusqlite::Result<i64> {
    let mut find = connection.prepare_cached("SELECT value FROM meta WHERE key = ?")?;
    Ok(find.query_row([key], |row| row.get(0)).optional()?.unwrap_or(0))
}

/// Makes the tables of a new file, all or none.
pub(super) fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE; {TABLES} {MORE_TABLES} PRAGMA application_id={APPLICATION}; PRAGMA user_version={VERSION}; COMMIT;"
    ))
}

/// Whether a file of this version lacks tables that its first files did not have.
pub(super) fn lacks_tables(connection: &Connection) -> rusqlite::Result<bool> {
    if of(connection)? != (APPLICATION, VERSION) {
        return Ok(false);
    }
    let names = MORE_NAMES.map(|name| format!("'{name}'")).join(",");
    let sql = format!("SELECT count(*) < {} FROM sqlite_schema WHERE name IN ({names})", MORE_NAMES.len());
    connection.query_row(&sql, [], |row| row.get(0))
}

/// Makes what [`lacks_tables`] misses. Calls that only log records told of are not counted afterwards.
pub(super) fn complete(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(&format!("BEGIN IMMEDIATE; {MORE_TABLES} COMMIT;"))
}
