//! What was said, found by its words: the index names candidates, the last first, and where it cannot tell (phrases, parts of
//! words, scripts without spaces) the text itself is looked at.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use rusqlite::types::Value;
use rusqlite::{OptionalExtension as _, Row, params, params_from_iter};

use super::filter::containing;
use super::list;
use super::more::Kind;
use super::reader::{File, Reader};
use super::rest::unpack;
use super::trace::{BEGAN, GOES_ON};
use crate::cursor::{Cursor, Position};
use crate::error::StoreError;
use crate::id::{ContentHash, Day, LogId, Nanos, SpanId, TraceId};
use crate::log::LogRecord;
use crate::query::{Dimension, Hit, Page, SearchQuery, Snippet};
use crate::value::Form;
use crate::words::{self, Sought, log_texts};

/// A page has at most so many hits.
const MOST_ON_PAGE: u32 = 500;
/// The index is asked for so many at a time.
const AT_A_TIME: i64 = 200;
/// A piece that was told in more traces is looked for in the last of them.
const MOST_USES: i64 = 200;
/// So many pieces and log records of a day say in which traces and records a word is.
const MOST_OF_A_DAY: usize = 20_000;
/// And so many traces are.
const MOST_BY_ID: usize = 5;
/// So many words of a day are looked at for names.
const MOST_WORDS: i64 = 2_000;
/// So many names are told, of texts with
const MOST_NAMES: i64 = 10;
/// so many letters.
const FEWEST_LETTERS: usize = 2;

const CONTENT: &str = "SELECT rowid FROM fts WHERE fts MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?";
const LOGS: &str =
    "SELECT rowid FROM fts_log WHERE fts_log MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?";

/// What somebody looks for.
///
/// # Errors
/// [`StoreError::BadQuery`], if there is no word in it.
fn sought(text: &str) -> Result<Sought, StoreError> {
    Sought::new(text).ok_or_else(|| StoreError::BadQuery("there is no word to search for".to_owned()))
}

/// What was said, newest first; before it, on the first page, traces by their ids, and what is called so.
pub(super) fn search(reader: &mut Reader, query: &SearchQuery) -> Result<Page<Hit>, StoreError> {
    let asked = Cursor::of_query(&("search", &query.text, query.range, &query.service));
    let from = query.cursor.as_ref().map(|cursor| cursor.position(asked)).transpose()?;
    let limit = query.limit.clamp(1, MOST_ON_PAGE) as usize;
    let mut page = Page { items: Vec::new(), next: None, total: None };
    if from.is_none() {
        page.items = by_id(reader, &query.text)?;
        page.items.extend(names(reader, &query.text)?);
        page.items.truncate(limit);
    }
    let sought = match sought(&query.text) {
        Err(_) if !page.items.is_empty() => return Ok(page),
        sought => sought?,
    };
    let mut days = reader.days()?;
    days.reverse();
    for day in days.into_iter().filter(|day| from.is_none_or(|from| *day <= from.day)) {
        let Some(file) = reader.file(day)? else { continue };
        let Some(services) = services(&file, &query.service)? else { continue };
        let look = Look { reader, file: &file, sought: &sought, query, services };
        let from = from.filter(|from| from.day == day);
        let mut content = Stream::new(CONTENT, from.map(|from| from.value));
        let mut logs = Stream::new(LOGS, from.map(|from| from.row));
        loop {
            let (one, other) = (content.peek(&look)?, logs.peek(&look)?);
            let stream = match (one, other) {
                (None, None) => break,
                (Some(one), Some(other)) if one < other => &mut logs,
                (None, Some(_)) => &mut logs,
                _ => &mut content,
            };
            if page.items.len() >= limit {
                let position = Position { value: content.passed, day, row: logs.passed };
                page.next = Some(Cursor::new(position, asked));
                return Ok(page);
            }
            page.items.extend(stream.take());
        }
    }
    Ok(page)
}

/// Rows that an index names, the last first, as far as they hold.
struct Stream {
    sql: &'static str,
    /// The index is asked for what stands before.
    before: i64,
    candidates: VecDeque<i64>,
    all: bool,
    head: Option<(i64, Hit)>,
    /// The last row that was taken.
    passed: i64,
}

impl Stream {
    fn new(sql: &'static str, before: Option<i64>) -> Self {
        let before = before.unwrap_or(i64::MAX);
        Self { sql, before, candidates: VecDeque::new(), all: false, head: None, passed: before }
    }

    /// When the next hit was, if there is one.
    fn peek(&mut self, look: &Look<'_>) -> Result<Option<Nanos>, StoreError> {
        while self.head.is_none() {
            let Some(row) = self.candidates.pop_front() else {
                if self.all {
                    return Ok(None);
                }
                let found = look.candidates(self.sql, self.before, AT_A_TIME)?;
                self.all = i64::try_from(found.len()).unwrap_or(0) < AT_A_TIME;
                self.before = found.last().copied().unwrap_or(self.before);
                self.candidates = found.into();
                continue;
            };
            look.reader.goes_on()?;
            let hit = if self.sql == CONTENT { look.content(row)? } else { look.log(row)? };
            self.head = hit.map(|hit| (row, hit));
        }
        Ok(self.head.as_ref().map(|(_, hit)| at(hit)))
    }

    fn take(&mut self) -> Option<Hit> {
        let (row, hit) = self.head.take()?;
        self.passed = row;
        Some(hit)
    }
}

fn at(hit: &Hit) -> Nanos {
    match hit {
        Hit::Content { at, .. } | Hit::Log { at, .. } => *at,
        _ => Nanos::default(),
    }
}

/// A search in the file of a day.
struct Look<'a> {
    reader: &'a Reader,
    file: &'a File,
    sought: &'a Sought,
    query: &'a SearchQuery,
    /// Origins; empty: any.
    services: Vec<i64>,
}

impl Look<'_> {
    fn candidates(&self, sql: &str, before: i64, limit: i64) -> Result<Vec<i64>, StoreError> {
        let found = (|| {
            let mut find = self.file.connection.prepare_cached(sql)?;
            let rows = find.query_map(params![self.sought.index(), before, limit], |row| row.get(0))?;
            rows.collect::<rusqlite::Result<_>>()
        })();
        found.map_err(|error| self.file.fault(error))
    }

    /// A piece of content, where it was told last by a span that fits; else by a log record.
    fn content(&self, id: i64) -> Result<Option<Hit>, StoreError> {
        let Some((hash, texts)) = piece(self.file, id)? else { return Ok(None) };
        let Some(snippet) = self.sought.find(&texts) else { return Ok(None) };
        let row = (|| {
            let mut find = self.file.connection.prepare_cached(
                "SELECT trace.trace_id, span.span_id, span.start_ns, span.origin FROM
                   (SELECT row FROM content_use WHERE content = ? AND kind = 0 ORDER BY trace DESC LIMIT ?) used
                   JOIN span ON span.id = used.row JOIN trace ON trace.id = span.trace",
            )?;
            let mut rows = find.query(params![id, MOST_USES])?;
            while let Some(row) = rows.next()? {
                let trace = TraceId::new(row.get_ref(0)?.as_blob()?);
                let span = SpanId::new(row.get_ref(1)?.as_blob()?);
                let at = Nanos(u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0));
                if let (Some(trace), Some(span), true) = (trace, span, self.fits(at, row.get(3)?)) {
                    return Ok(Some((trace, span, at)));
                }
            }
            Ok(None)
        })();
        if let Some((trace, span, at)) = row.map_err(|error| self.file.fault(error))? {
            return Ok(Some(Hit::Content { trace, span, hash, snippet, at }));
        }
        let logs: rusqlite::Result<Vec<i64>> = (|| {
            let mut find = self.file.connection.prepare_cached(
                "SELECT row FROM content_use WHERE content = ? AND kind = 1 ORDER BY row DESC LIMIT ?",
            )?;
            find.query_map(params![id, MOST_USES], |row| row.get(0))?.collect()
        })();
        for row in logs.map_err(|error| self.file.fault(error))? {
            if let Some(hit) = self.record(row, &mut |_| Some(snippet.clone()))? {
                return Ok(Some(hit));
            }
        }
        Ok(None)
    }

    fn log(&self, id: i64) -> Result<Option<Hit>, StoreError> {
        self.record(id, &mut |rest| self.sought.find(&log_texts(rest)))
    }

    fn record(
        &self,
        id: i64,
        snippet: &mut dyn FnMut(&[u8]) -> Option<Snippet>,
    ) -> Result<Option<Hit>, StoreError> {
        let mut read = |row: &Row<'_>| -> rusqlite::Result<Option<Hit>> {
            let at = Nanos(u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0));
            let fits = self.fits(at, row.get(1)?);
            let Some(rest) = unpack(row.get_ref(4)?.as_blob()?).filter(|_| fits) else { return Ok(None) };
            Ok(snippet(&rest).map(|snippet| Hit::Log {
                id: LogId { day: self.file.day, row: id },
                trace: row.get_ref(2).ok().and_then(|id| TraceId::new(id.as_blob().ok()?)),
                span: row.get_ref(3).ok().and_then(|id| SpanId::new(id.as_blob().ok()?)),
                snippet,
                at,
            }))
        };
        let found = (|| {
            let mut find = self
                .file
                .connection
                .prepare_cached("SELECT time_ns, origin, trace_id, span_id, rest FROM log WHERE id = ?")?;
            find.query_row([id], &mut read).optional()
        })();
        Ok(found.map_err(|error| self.file.fault(error))?.flatten())
    }

    fn fits(&self, at: Nanos, origin: i64) -> bool {
        self.query.range.is_none_or(|range| (range.from..range.to).contains(&at))
            && (self.query.service.is_empty() || self.services.contains(&origin))
    }
}

/// A piece's name, and what it says; none if it has been deleted or cannot be read.
fn piece(file: &File, id: i64) -> Result<Option<(ContentHash, Vec<String>)>, StoreError> {
    let found = (|| {
        let mut find = file.connection.prepare_cached("SELECT hash, form, body FROM content WHERE id = ?")?;
        find.query_row([id], |row| {
            let hash = ContentHash::new(row.get_ref(0)?.as_blob()?);
            let form = if row.get::<_, u8>(1)? == Form::Text as u8 { Form::Text } else { Form::Value };
            Ok(hash.zip(unpack(row.get_ref(2)?.as_blob()?).map(|body| words::texts(form, &body))))
        })
        .optional()
    })();
    Ok(found.map_err(|error| file.fault(error))?.flatten())
}

/// The origins of these services; none if the day has none of them.
fn services(file: &File, names: &[String]) -> Result<Option<Vec<i64>>, StoreError> {
    if names.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let origins: rusqlite::Result<Vec<i64>> = (|| {
        let marks = vec!["?"; names.len()].join(",");
        let mut find = file.connection.prepare(&format!(
            "SELECT id FROM origin WHERE service IN (SELECT id FROM word WHERE text IN ({marks}))"
        ))?;
        find.query_map(params_from_iter(names), |row| row.get(0))?.collect()
    })();
    let origins = origins.map_err(|error| file.fault(error))?;
    Ok((!origins.is_empty()).then_some(origins))
}

/// Traces by the beginning of their id, or by the provider's id of an answer in them.
fn by_id(reader: &mut Reader, text: &str) -> Result<Vec<Hit>, StoreError> {
    let text = text.trim();
    if text.len() < SearchQuery::FEWEST_DIGITS || text.contains(char::is_whitespace) {
        return Ok(Vec::new());
    }
    let bounds = TraceId::beginning(text);
    let mut ids: Vec<TraceId> = Vec::new();
    for day in reader.days()?.into_iter().rev() {
        let Some(file) = reader.file(day)? else { continue };
        let found: rusqlite::Result<Vec<Option<TraceId>>> = (|| {
            let id = |row: &Row<'_>| Ok(TraceId::new(row.get_ref(0)?.as_blob()?));
            let mut found = Vec::new();
            if let Some((from, to)) = &bounds {
                let mut find = file.connection.prepare_cached(
                    "SELECT trace_id FROM trace WHERE trace_id >= ? AND trace_id <= ? LIMIT 5",
                )?;
                found.extend(find.query_map(params![from, to], id)?.collect::<rusqlite::Result<Vec<_>>>()?);
            }
            let mut find = file.connection.prepare_cached(
                "SELECT DISTINCT trace.trace_id FROM span JOIN trace ON trace.id = span.trace
                 WHERE span.response_id = ? LIMIT 5",
            )?;
            found.extend(find.query_map([text], id)?.collect::<rusqlite::Result<Vec<_>>>()?);
            Ok(found)
        })();
        for id in found.map_err(|error| file.fault(error))?.into_iter().flatten() {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        if ids.len() >= MOST_BY_ID {
            break;
        }
    }
    ids.truncate(MOST_BY_ID);
    let summaries = list::summaries(reader, &ids)?;
    Ok(summaries.into_iter().map(|summary| Hit::Trace { summary: Box::new(summary) }).collect())
}

/// Services, providers, models, agents, tools and conversations whose names contain the text, the most frequent first.
fn names(reader: &mut Reader, text: &str) -> Result<Vec<Hit>, StoreError> {
    let text = text.trim().trim_matches('"');
    if text.chars().count() < FEWEST_LETTERS {
        return Ok(Vec::new());
    }
    let kinds = [
        (Kind::Service, Dimension::Service),
        (Kind::Provider, Dimension::Provider),
        (Kind::Model, Dimension::Model),
        (Kind::Agent, Dimension::Agent),
        (Kind::Tool, Dimension::Tool),
        (Kind::Conversation, Dimension::Conversation),
    ];
    let mut counts: BTreeMap<(usize, Arc<str>), u64> = BTreeMap::new();
    for day in reader.days()? {
        let Some(file) = reader.file(day)? else { continue };
        let found: rusqlite::Result<Vec<(u8, Arc<str>, i64)>> = (|| {
            // The words first: there are few, and each stands in many traces.
            let mut find = file.connection.prepare_cached(
                "WITH found AS MATERIALIZED (SELECT id, text FROM word WHERE text LIKE ?1 ESCAPE '\\' LIMIT ?2)
                 SELECT asked.value, text,
                   (SELECT count(*) FROM trace_word WHERE kind = asked.value AND word = found.id) AS traces
                 FROM found, json_each(?3) AS asked WHERE traces > 0 ORDER BY traces DESC LIMIT ?4",
            )?;
            let asked = list(&kinds.map(|(kind, _)| kind as i64));
            let values = params![containing(text), MOST_WORDS, asked, MOST_NAMES * 6];
            find.query_map(values, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
        })();
        for (kind, name, count) in found.map_err(|error| file.fault(error))? {
            let Some(at) = kinds.iter().position(|(known, _)| *known as u8 == kind) else { continue };
            *counts.entry((at, name)).or_default() += u64::try_from(count).unwrap_or(0);
        }
    }
    let mut names: Vec<_> = counts.into_iter().collect();
    names.sort_by_key(|(_, traces)| std::cmp::Reverse(*traces));
    names.truncate(usize::try_from(MOST_NAMES).unwrap_or(usize::MAX));
    let hit = |((at, text), traces): ((usize, Arc<str>), u64)| {
        let (_, dimension) = *kinds.get(at)?;
        Some(Hit::Name { dimension, text, traces })
    };
    Ok(names.into_iter().filter_map(hit).collect())
}

/// Where words are, for the lists: as far as the first many of a day tell.
pub(super) struct Matching {
    sought: Sought,
    /// The rows of traces by day, as far as those were looked at: a day is asked for once more where traces go on from it.
    days: HashMap<Day, Rc<BTreeSet<i64>>>,
}

impl Matching {
    /// # Errors
    /// [`StoreError::BadQuery`], if there is no word in the text.
    pub(super) fn new(text: &str) -> Result<Self, StoreError> {
        Ok(Self { sought: sought(text)?, days: HashMap::new() })
    }

    /// The rows of the traces of a day in which somebody said it: in spans or log records, on this day or on another one that
    /// the trace has.
    pub(super) fn traces(&mut self, reader: &mut Reader, day: Day) -> Result<Vec<i64>, StoreError> {
        let Some(file) = reader.file(day)? else { return Ok(Vec::new()) };
        let here = self.of_day(reader, &file)?;
        let mut rows: Vec<i64> = here.iter().copied().collect();
        let mut elsewhere = over_midnight(&file).map_err(|error| file.fault(error))?;
        elsewhere.retain(|over| !here.contains(&over.row));
        if !elsewhere.is_empty() {
            let (mut earlier, mut later) = (reader.days()?, reader.days()?);
            earlier.retain(|other| *other < day);
            earlier.reverse();
            later.retain(|other| *other > day);
            for (days, way) in [(later, GOES_ON), (earlier, BEGAN)] {
                let those = elsewhere.iter().filter(|over| over.also & way != 0).cloned().collect();
                self.follow(reader, &days, way, those, &mut rows)?;
            }
        }
        rows.sort_unstable();
        rows.dedup();
        Ok(rows)
    }

    /// Puts in the rows of those traces in which it was said on one of the days that they go to, one way in time.
    fn follow(
        &mut self,
        reader: &mut Reader,
        days: &[Day],
        way: u8,
        mut those: Vec<Over>,
        rows: &mut Vec<i64>,
    ) -> Result<(), StoreError> {
        for day in days {
            if those.is_empty() {
                break;
            }
            let Some(file) = reader.file(*day)? else { continue };
            let find = |over: &Over| -> rusqlite::Result<Option<(i64, u8)>> {
                let mut find =
                    file.connection.prepare_cached("SELECT id, also FROM trace WHERE trace_id = ?")?;
                find.query_row([&over.trace], |row| Ok((row.get(0)?, row.get(1)?))).optional()
            };
            let there: rusqlite::Result<Vec<_>> = those.iter().map(find).collect();
            let there = there.map_err(|error| file.fault(error))?;
            if there.iter().all(Option::is_none) {
                continue;
            }
            let said = self.of_day(reader, &file)?;
            let mut left = Vec::new();
            for (over, there) in those.into_iter().zip(there) {
                match there {
                    Some((row, _)) if said.contains(&row) => rows.push(over.row),
                    Some((_, also)) if also & way == 0 => {}
                    // A day between may have nothing of it.
                    _ => left.push(over),
                }
            }
            those = left;
        }
        Ok(())
    }

    fn of_day(&mut self, reader: &Reader, file: &File) -> Result<Rc<BTreeSet<i64>>, StoreError> {
        if let Some(known) = self.days.get(&file.day) {
            return Ok(Rc::clone(known));
        }
        let rows = Rc::new(self.look(reader, file)?);
        self.days.insert(file.day, Rc::clone(&rows));
        Ok(rows)
    }

    fn look(&self, reader: &Reader, file: &File) -> Result<BTreeSet<i64>, StoreError> {
        let uses =
            self.uses(reader, file, "SELECT trace FROM content_use WHERE content = ? AND trace > 0")?;
        let mut rows = BTreeSet::from_iter(uses);
        for log in self.logs_by_index(reader, file)? {
            let trace = (|| {
                let mut find = file.connection.prepare_cached(
                    "SELECT trace.id FROM log JOIN trace ON trace.trace_id = log.trace_id WHERE log.id = ?",
                )?;
                find.query_row([log], |row| row.get::<_, i64>(0)).optional()
            })();
            rows.extend(trace.map_err(|error| file.fault(error))?);
        }
        Ok(rows)
    }

    /// The log records of a day that say it, or that were the first of their trace to do so.
    pub(super) fn logs(&self, reader: &Reader, file: &File) -> Result<Vec<i64>, StoreError> {
        let mut rows =
            self.uses(reader, file, "SELECT row FROM content_use WHERE content = ? AND kind = 1")?;
        rows.extend(self.logs_by_index(reader, file)?);
        rows.sort_unstable();
        rows.dedup();
        Ok(rows)
    }

    fn uses(&self, reader: &Reader, file: &File, sql: &str) -> Result<Vec<i64>, StoreError> {
        let mut rows = Vec::new();
        for id in self.candidates(file, CONTENT)? {
            reader.goes_on()?;
            let holds = !self.sought.verifies()
                || piece(file, id)?.is_some_and(|(_, texts)| self.sought.find(&texts).is_some());
            if holds {
                let found: rusqlite::Result<Vec<i64>> = (|| {
                    let mut find = file.connection.prepare_cached(sql)?;
                    find.query_map([id], |row| row.get(0))?.collect()
                })();
                rows.extend(found.map_err(|error| file.fault(error))?);
            }
        }
        Ok(rows)
    }

    fn logs_by_index(&self, reader: &Reader, file: &File) -> Result<Vec<i64>, StoreError> {
        let mut rows = self.candidates(file, LOGS)?;
        if self.sought.verifies() {
            let mut held = Vec::new();
            for row in rows {
                reader.goes_on()?;
                let rest = (|| {
                    let mut find = file.connection.prepare_cached("SELECT rest FROM log WHERE id = ?")?;
                    find.query_row([row], |row| row.get::<_, Vec<u8>>(0)).optional()
                })();
                let rest = rest.map_err(|error| file.fault(error))?;
                let texts = rest.as_deref().and_then(unpack).map(|rest| log_texts(&rest));
                held.extend(texts.and_then(|texts| self.sought.find(&texts)).map(|_| row));
            }
            rows = held;
        }
        Ok(rows)
    }

    /// Whether a log record says it.
    pub(super) fn is_in(&self, log: &LogRecord) -> bool {
        self.sought.is_in(log)
    }

    fn candidates(&self, file: &File, sql: &str) -> Result<Vec<i64>, StoreError> {
        let found: rusqlite::Result<Vec<i64>> = (|| {
            let mut find = file.connection.prepare_cached(sql)?;
            let most = i64::try_from(MOST_OF_A_DAY).unwrap_or(i64::MAX);
            find.query_map(params![self.sought.index(), i64::MAX, most], |row| row.get(0))?.collect()
        })();
        found.map_err(|error| file.fault(error))
    }
}

/// A trace of a day that other days have, too.
#[derive(Clone)]
struct Over {
    row: i64,
    trace: Vec<u8>,
    also: u8,
}

fn over_midnight(file: &File) -> rusqlite::Result<Vec<Over>> {
    let mut find = file.connection.prepare_cached("SELECT id, trace_id, also FROM trace WHERE also > 0")?;
    let over = |row: &Row<'_>| Ok(Over { row: row.get(0)?, trace: row.get(1)?, also: row.get(2)? });
    find.query_map([], over)?.collect()
}

/// The condition that a row is in a [`list`].
pub(super) const IN_LIST: &str = "id IN (SELECT value FROM json_each(?))";

/// Rows as SQLite takes a list of them.
pub(super) fn list(rows: &[i64]) -> Value {
    Value::Text(serde_json::to_string(rows).unwrap_or_default())
}
