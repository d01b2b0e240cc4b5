//! What was said, found by its words: the table of words names candidates, the last first; the text itself says whether they
//! hold, and where.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use clickhouse::{Client, Row};
use futures_util::future::try_join;
use serde::Deserialize;

use super::calls::{self, MODEL};
use super::line::PieceLine;
use super::read::{Db, MOST_ON_PAGE, Where, fixed, one_of};
use super::status;
use crate::cursor::{Cursor, Position};
use crate::error::StoreError;
use crate::id::{ContentHash, Day, LogId, Nanos, SpanId, TraceId};
use crate::query::{Dimension, Hit, Page, SearchQuery, Snippet};
use crate::value::Form;
use crate::words::{self, Phrase, Sought};

/// So many candidates are looked at at a time, where not each is a hit.
const AT_A_TIME: usize = 200;
/// And so many traces are.
const MOST_BY_ID: usize = 5;
/// Of a log record so many pieces that may say it are looked at.
const MOST_PIECES: usize = 100;
/// Names are looked for in the last so many seconds of many spans.
const NAMES_OF: u32 = 7 * 86_400;
/// So many names are told, of texts with
const MOST_NAMES: usize = 10;
/// so many letters.
const FEWEST_LETTERS: usize = 2;

/// What somebody looks for.
///
/// # Errors
/// [`StoreError::BadQuery`], if there is no word in it.
pub(super) fn sought(text: &str) -> Result<Sought, StoreError> {
    Sought::new(text).ok_or_else(|| StoreError::BadQuery("there is no word to search for".to_owned()))
}

/// Where the words of the index can be looked up: a table, as it stands in a query. There is none where the server or its user
/// cannot.
pub(super) type Dictionary = Option<Arc<str>>;

/// The condition on the column `words` that all this is said. Where a phrase has other signs than letters, it may hold for
/// what is said without them.
///
/// `hasToken` would read the words of every block of rows that has a word; these are answered by the index alone.
fn words_of(all: &mut Where, sought: &Sought, dictionary: &Dictionary) -> String {
    let mut conditions = Vec::new();
    for Phrase { tokens, begins, run } in sought.phrases() {
        if !tokens.is_empty() {
            let tokens: Vec<String> = tokens.into_iter().map(|token| all.text(token)).collect();
            conditions.push(format!("hasAllTokens(words, [{}])", tokens.join(",")));
        }
        let mut run = run;
        if let (Some(begins), Some(dictionary)) = (begins, dictionary) {
            // Else the index has said it all.
            run = run.filter(|run| run.trim_start() != begins);
            let begins = all.text(begins);
            conditions.push(format!(
                "hasAnyTokens(words, (SELECT groupUniqArray(token) FROM {dictionary} WHERE startsWith(token, {begins})))"
            ));
        }
        if let Some(run) = run {
            let run = all.text(run);
            conditions.push(format!("position(words, {run}) > 0"));
        }
    }
    if conditions.is_empty() { "1".to_owned() } else { conditions.join(" AND ") }
}

/// The condition on traces that somebody said this in their spans or log records, which are of these hours.
///
/// # Errors
/// [`StoreError::BadQuery`], if there is no word in the text.
pub(super) fn traces_that_say(
    all: &mut Where,
    text: &str,
    hours: &str,
    dictionary: &Dictionary,
) -> Result<String, StoreError> {
    let words = words_of(all, &sought(text)?, dictionary);
    let pieces = format!("piece IN (SELECT hash FROM said WHERE row = 0 AND {words})");
    let of = |table: &str| {
        format!(
            "SELECT trace_id FROM (SELECT trace_id, pieces FROM {table} WHERE {hours}) ARRAY JOIN pieces AS piece WHERE {pieces}"
        )
    };
    Ok(format!(
        "trace_id IN ({} UNION ALL {} UNION ALL
           SELECT trace_id FROM log WHERE {hours} AND row IN (SELECT row FROM said WHERE row > 0 AND {words}))",
        of("span"),
        of("log")
    ))
}

/// The condition on log records that they say this, of those of some time or trace.
pub(super) fn logs_that_say(
    all: &mut Where,
    sought: &Sought,
    within: &str,
    dictionary: &Dictionary,
) -> String {
    let words = words_of(all, sought, dictionary);
    format!(
        "(row IN (SELECT row FROM said WHERE row > 0 AND {words}) OR row IN (
           SELECT row FROM (SELECT row, pieces FROM log WHERE {within}) ARRAY JOIN pieces AS piece
           WHERE piece IN (SELECT hash FROM said WHERE row = 0 AND {words})))"
    )
}

/// Finds the dictionary of the index: that of the table, or of those of a cluster behind it.
pub(super) async fn dictionary(client: &Client) -> Dictionary {
    let local = "mergeTreeTextIndex(currentDatabase(), 'said', 'by_word')".to_owned();
    let behind = "SELECT extract(engine_full, '^Distributed\\\\(([^,]+, [^,]+, [^,)]+)') FROM system.tables
         WHERE database = currentDatabase() AND name = 'said'";
    let behind = client.query_raw(behind).fetch_one::<String>().await.unwrap_or_default();
    let cluster = behind
        .split_once(", ")
        .map(|(cluster, table)| format!("cluster({cluster}, mergeTreeTextIndex({table}, 'by_word'))"));
    for dictionary in [Some(local), cluster].into_iter().flatten() {
        let sql = format!("SELECT count() FROM (SELECT token FROM {dictionary} LIMIT 1)");
        if client.query_raw(&sql).fetch_one::<u64>().await.is_ok() {
            return Some(dictionary.into());
        }
    }
    None
}

/// What may be a hit.
#[derive(Debug, Row, Deserialize)]
struct Candidate {
    at: i64,
    tie: i64,
    trace_id: [u8; 16],
    span_id: [u8; 8],
    /// Pieces that may say it; zeros: the log record itself may.
    hashes: Vec<[u8; 16]>,
    /// Of a log record, or 0.
    row: i64,
}

impl Candidate {
    fn pieces(&self) -> impl Iterator<Item = &[u8; 16]> {
        self.hashes.iter().filter(|hash| **hash != [0; 16])
    }
}

impl Db {
    /// What was said, newest first; before it, on the first page, traces by their ids, and what is called so.
    pub(super) async fn search(&self, query: &SearchQuery) -> Result<Page<Hit>, StoreError> {
        let asked = Cursor::of_query(&("search", &query.text, query.range, &query.service));
        let from = query.cursor.as_ref().map(|cursor| cursor.position(asked)).transpose()?;
        let limit = query.limit.clamp(1, MOST_ON_PAGE) as usize;
        let mut page = Page { items: Vec::new(), next: None, total: None };
        let sought = sought(&query.text);
        let called = async {
            if from.is_some() {
                return Ok(Vec::new());
            }
            let names = async { status::forgiven(self.names(query).await.map(Some)) };
            let (mut called, names) = try_join(self.by_id(&query.text), names).await?;
            called.extend(names.unwrap_or_default());
            Ok(called)
        };
        let days = async {
            match &sought {
                Ok(sought) => self.days_of(sought, query).await,
                Err(_) => Ok(Vec::new()),
            }
        };
        let (called, days) = try_join(called, days).await?;
        page.items = called;
        page.items.truncate(limit);
        let sought = match sought {
            Err(_) if !page.items.is_empty() => return Ok(page),
            sought => sought?,
        };
        let mut last = from;
        for day in days {
            if from.is_some_and(|from| day > from.day) {
                continue;
            }
            let mut behind = from.filter(|from| from.day == day);
            loop {
                // Where the index is right, no more is read than is told.
                let at_a_time = if sought.verifies() { AT_A_TIME } else { limit + 1 - page.items.len() };
                let candidates = self.candidates(&sought, query, day, behind, at_a_time).await?;
                let more = candidates.len() == at_a_time;
                let snippets = self.snippets(&sought, day, &candidates).await?;
                for candidate in candidates {
                    let position = Position { value: candidate.at, day, row: candidate.tie };
                    behind = Some(position);
                    let Some(hit) = snippets.hit(&candidate, day) else { continue };
                    if page.items.len() >= limit {
                        // What is found by its name may fill the page: then all that was said is left.
                        let none = Position { value: i64::MAX, day, row: i64::MAX };
                        page.next = Some(Cursor::new(last.unwrap_or(none), asked));
                        return Ok(page);
                    }
                    page.items.push(hit);
                    last = Some(position);
                }
                if !more {
                    break;
                }
            }
        }
        Ok(page)
    }

    /// The days on which somebody may have said it, the last first.
    async fn days_of(&self, sought: &Sought, query: &SearchQuery) -> Result<Vec<Day>, StoreError> {
        let mut all = Where::default();
        let words = words_of(&mut all, sought, &self.dictionary);
        all.and(words);
        if let Some(range) = query.range {
            let day = |moment: Nanos| Day::of(moment).0.clamp(0, i32::from(u16::MAX));
            all.and(format!("day >= toDate({}) AND day <= toDate({})", day(range.from), day(range.to)));
        }
        let sql = format!("SELECT day FROM said WHERE {} GROUP BY day ORDER BY day DESC", all.sql());
        let mut days = Vec::new();
        self.each::<u16>(all.query(self, &sql), |day| {
            days.push(Day(day.into()));
            Ok(())
        })
        .await?;
        Ok(days)
    }

    /// Pieces where they were told last by a span that fits, else by log records, and log records that say it themselves.
    async fn candidates(
        &self,
        sought: &Sought,
        query: &SearchQuery,
        day: Day,
        behind: Option<Position>,
        most: usize,
    ) -> Result<Vec<Candidate>, StoreError> {
        let mut all = Where::default();
        let words = words_of(&mut all, sought, &self.dictionary);
        let found = |column: &str, which: &str| {
            format!("(SELECT {column} FROM said WHERE day = toDate({}) AND {which} AND {words})", day.0)
        };
        let (pieces, rows) = (found("hash", "row = 0"), found("row", "row > 0"));
        let hours = format!("toDate(hour) = toDate({})", day.0);
        let service = all.any_of("service", &query.service).unwrap_or_else(|| "1".to_owned());
        let fits = |time: &str| {
            let mut when = Where::default();
            when.range(time, query.range);
            format!("{hours} AND {service} AND {}", when.sql())
        };
        let (spans, logs) = (fits("start_ns"), fits("time_ns"));
        let rest = behind.map_or_else(
            || "1".to_owned(),
            |behind| format!("(at, tie) < ({}, {})", behind.value, behind.row),
        );
        let sql = format!(
            "SELECT at, tie, trace_id, span_id, hashes, row FROM (
               SELECT tupleElement(told, 1) AS at, reinterpretAsInt64(substring(hash, 1, 8)) AS tie,
                 tupleElement(told, 2) AS trace_id, tupleElement(told, 3) AS span_id, [hash] AS hashes, toInt64(0) AS row
               FROM (
                 SELECT hash, max((tupleElement(first, 1), trace_id, tupleElement(first, 2))) AS told FROM (
                   SELECT piece AS hash, trace_id, min((start_ns, span_id)) AS first
                   FROM (SELECT pieces, trace_id, start_ns, span_id FROM span WHERE {spans})
                   ARRAY JOIN pieces AS piece WHERE piece IN {pieces} GROUP BY hash, trace_id
                 ) GROUP BY hash
               )
               UNION ALL
               SELECT max(time_ns) AS at, row AS tie, any(trace_id) AS trace_id, any(span_id) AS span_id,
                 arrayReverseSort(groupUniqArray({MOST_PIECES})(hash)) AS hashes, row
               FROM (
                 SELECT time_ns, trace_id, span_id, toFixedString('', 16) AS hash, row
                 FROM log WHERE {logs} AND row IN {rows}
                 UNION ALL
                 SELECT time_ns, trace_id, span_id, piece AS hash, row
                 FROM (SELECT pieces, time_ns, trace_id, span_id, row FROM log WHERE {logs})
                 ARRAY JOIN pieces AS piece WHERE piece IN {pieces} AND piece NOT IN (
                   SELECT piece FROM (SELECT pieces FROM span WHERE {spans}) ARRAY JOIN pieces AS piece
                   WHERE piece IN {pieces})
               ) GROUP BY row
             ) WHERE {rest} ORDER BY at DESC, tie DESC LIMIT {most}"
        );
        let mut candidates = Vec::new();
        self.each::<Candidate>(all.query(self, &sql), |candidate| {
            candidates.push(candidate);
            Ok(())
        })
        .await?;
        Ok(candidates)
    }

    /// Where the words stand in what these candidates say.
    async fn snippets(
        &self,
        sought: &Sought,
        day: Day,
        candidates: &[Candidate],
    ) -> Result<Snippets, StoreError> {
        #[derive(Row, Deserialize)]
        struct Rest<'a> {
            row: i64,
            #[serde(with = "serde_bytes")]
            rest: &'a [u8],
        }
        let mut snippets = Snippets::default();
        let hashes: BTreeSet<&[u8; 16]> = candidates.iter().flat_map(Candidate::pieces).collect();
        let sql = format!(
            "SELECT day, hash, form, body FROM piece WHERE day = toDate({}) AND {} LIMIT 1 BY hash",
            day.0,
            one_of("hash", hashes.iter().map(|hash| hash.as_slice()))
        );
        self.each::<PieceLine<'_>>(self.client.query_raw(&sql), |line| {
            let form = if line.form == Form::Text as u8 { Form::Text } else { Form::Value };
            if let Some(snippet) = sought.find(&words::texts(form, line.body)) {
                snippets.pieces.insert(line.hash, snippet);
            }
            Ok(())
        })
        .await?;
        let by_itself = |one: &&Candidate| one.hashes.contains(&[0; 16]);
        let rows: Vec<String> = candidates.iter().filter(by_itself).map(|one| one.row.to_string()).collect();
        if !rows.is_empty() {
            let sql = format!(
                "SELECT row, rest FROM log WHERE toDate(hour) = toDate({}) AND row IN ({}) LIMIT 1 BY row",
                day.0,
                rows.join(",")
            );
            self.each::<Rest<'_>>(self.client.query_raw(&sql), |line| {
                if let Some(snippet) = sought.find(&words::log_texts(line.rest)) {
                    snippets.logs.insert(line.row, snippet);
                }
                Ok(())
            })
            .await?;
        }
        Ok(snippets)
    }

    /// Traces by the beginning of their id, or by the provider's id of an answer in them.
    async fn by_id(&self, text: &str) -> Result<Vec<Hit>, StoreError> {
        #[derive(Row, Deserialize)]
        struct Id {
            trace_id: [u8; 16],
        }
        let text = text.trim();
        if text.len() < SearchQuery::FEWEST_DIGITS || text.contains(char::is_whitespace) {
            return Ok(Vec::new());
        }
        let mut all = Where::default();
        let response = all.text(text);
        let mut sql = format!(
            "SELECT trace_id, max(hour) AS last FROM span WHERE response_id = {response} GROUP BY trace_id"
        );
        if let Some((from, to)) = TraceId::beginning(text) {
            sql = format!(
                "{sql} UNION ALL SELECT trace_id, toDateTime(max(day), 'UTC') AS last FROM trace
                 WHERE trace_id >= {} AND trace_id <= {} GROUP BY trace_id",
                fixed(&from),
                fixed(&to)
            );
        }
        let sql = format!(
            "SELECT trace_id FROM ({sql}) GROUP BY trace_id ORDER BY max(last) DESC LIMIT {MOST_BY_ID}"
        );
        let mut ids = Vec::new();
        self.each::<Id>(all.query(self, &sql), |id| {
            ids.extend(TraceId::new(&id.trace_id));
            Ok(())
        })
        .await?;
        let summaries = self.summaries(&ids).await?;
        Ok(summaries.into_iter().map(|summary| Hit::Trace { summary: Box::new(summary) }).collect())
    }

    /// Services, providers, models, agents, tools and conversations whose names contain the text, the most frequent first. Of many
    /// spans those of the time that is asked for are looked at, or else the last.
    async fn names(&self, query: &SearchQuery) -> Result<Vec<Hit>, StoreError> {
        #[derive(Row, Deserialize)]
        struct Name {
            kind: u8,
            name: String,
            traces: u64,
        }
        let text = query.text.trim().trim_matches('"');
        if text.chars().count() < FEWEST_LETTERS {
            return Ok(Vec::new());
        }
        let kinds = [
            (Dimension::Service, "service"),
            (Dimension::Provider, "provider"),
            (Dimension::Model, MODEL),
            (Dimension::Agent, "agent"),
            (Dimension::Tool, "tool"),
            (Dimension::Conversation, "conversation"),
        ];
        let hours = match query.range {
            _ if self.is_small().await? => "1".to_owned(),
            Some(range) => calls::hours(Some(range)),
            None => format!("hour > (SELECT hour FROM span ORDER BY hour DESC LIMIT 1) - {NAMES_OF}"),
        };
        let mut all = Where::default();
        let part = all.text(text);
        let each = kinds.iter().zip(0u8..).map(|((_, column), kind)| {
            // Names that many spans have are looked at once, as long as they stand in a column.
            let says = |column: &str| format!("positionCaseInsensitiveUTF8({column}, {part}) > 0");
            let says = match *column {
                MODEL => format!("if(response_model != '', {}, {})", says("response_model"), says("request_model")),
                column => says(column),
            };
            format!(
                "SELECT toUInt8({kind}) AS kind, toString({column}) AS name, uniq(trace_id) AS traces FROM span
                 WHERE {hours} AND {says} GROUP BY name"
            )
        });
        let sql = format!(
            "SELECT kind, name, traces FROM ({}) ORDER BY traces DESC, kind, name LIMIT {MOST_NAMES}",
            each.collect::<Vec<_>>().join(" UNION ALL ")
        );
        let mut names = Vec::new();
        self.each::<Name>(all.query(self, &sql), |Name { kind, name, traces }| {
            if let Some((dimension, _)) = kinds.get(usize::from(kind)) {
                names.push(Hit::Name { dimension: *dimension, text: name.into(), traces });
            }
            Ok(())
        })
        .await?;
        Ok(names)
    }
}

/// Text around the words, of those candidates that hold.
#[derive(Default)]
struct Snippets {
    pieces: HashMap<[u8; 16], Snippet>,
    logs: HashMap<i64, Snippet>,
}

impl Snippets {
    fn hit(&self, candidate: &Candidate, day: Day) -> Option<Hit> {
        let at = Nanos(u64::try_from(candidate.at).unwrap_or(0));
        let (trace, span) = (TraceId::new(&candidate.trace_id), SpanId::new(&candidate.span_id));
        let said = candidate.pieces().find_map(|hash| Some((hash, self.pieces.get(hash)?)));
        if candidate.row > 0 {
            let snippet = said.map(|(_, snippet)| snippet).or_else(|| self.logs.get(&candidate.row))?.clone();
            return Some(Hit::Log { id: LogId { day, row: candidate.row }, trace, span, snippet, at });
        }
        let (hash, snippet) = said?;
        let (hash, snippet) = (ContentHash::new(hash)?, snippet.clone());
        Some(Hit::Content { trace: trace?, span: span?, hash, snippet, at })
    }
}
