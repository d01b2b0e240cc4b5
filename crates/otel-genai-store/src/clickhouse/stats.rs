//! Calls added up, from the table of spans: each once, however often it was stored.
//!
//! There is no roll-up by a materialised view: a view sees each insert by itself, and would count again what a sender sends
//! again, and calls that another dashboard finds to be told twice. To leave both out while reading (`FINAL`, `wrapper`) is a
//! fifth of what adding up costs: about 1 µs of one core for each span of the time that is asked for. So hours that are over
//! are added up once: see `rollup`; and what an hour came to is kept for the next who asks the same: see `kept`.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use clickhouse::Row;
use clickhouse::query::Query;
use serde::Deserialize;

use super::calls::{self, FAILED, HOUR, column, ops};
use super::list;
use super::read::{Db, Where};
use super::rollup::Rolled;
use crate::cursor::Cursor;
use crate::error::StoreError;
use crate::facts::{Cost, CostSource, Dialect, Op, Usage};
use crate::histogram::{self, Histogram};
use crate::id::Nanos;
use crate::query::{Dimension, Filter, StatsQuery, StatsRow};

/// An answer has at most so many rows.
const MOST_ROWS: usize = 100_000;
/// One more says that there are more.
const MOST_SQL: usize = MOST_ROWS + 1;
/// Of a number, such as an operation, a facet has at most so many values.
const MOST_NUMBERS: u32 = u8::MAX as u32;

/// Values rounded down, and how many there are of each.
type Counts = (Vec<u64>, Vec<u64>);

#[derive(Row, Deserialize)]
struct Sums {
    /// The hour that the calls are kept under, where hours are told apart.
    of_hour: u32,
    /// When the first and the last of them began.
    least: i64,
    most: i64,
    step: u64,
    names: Vec<String>,
    calls: u64,
    errors: u64,
    sum_input: Option<u64>,
    sum_output: Option<u64>,
    sum_cache_read: Option<u64>,
    sum_cache_write: Option<u64>,
    sum_reasoning: Option<u64>,
    sum_audio_input: Option<u64>,
    sum_audio_output: Option<u64>,
    sum_cost: Option<i64>,
    sum_saved: i64,
    reported: u8,
    unpriced: u64,
    took: Counts,
    took_sum: u64,
    first: Counts,
    first_sum: u64,
    rate: Counts,
    rate_sum: u64,
    stops: (Vec<String>, Vec<u64>),
}

#[derive(Row, Deserialize)]
struct Facet {
    word: String,
    traces: u64,
}

/// The columns of [`Sums`] behind its names, in their order in the table of sums, too.
pub(super) const NAMES: &str = "calls, errors, sum_input, sum_output, sum_cache_read, sum_cache_write, sum_reasoning, \
     sum_audio_input, sum_audio_output, sum_cost, sum_saved, reported, unpriced, took, took_sum, first, first_sum, rate, rate_sum, \
     stops";

/// What [`sums_of_calls`] refers to.
pub(super) fn with() -> String {
    let edges: Vec<String> = histogram::edges().map(|edge| edge.to_string()).collect();
    format!(
        "WITH [{edges}] AS edges, {counts} AS counts, {inference} AS inference,
           toUInt64(greatest(end_ns - start_ns, 0)) AS lasted, ifNull(first_chunk_ns, 0) AS waited,
           inference AND ifNull(output, 0) > 0 AND lasted > 0 AS has_rate,
           toUInt64(intDiv(toUInt128(ifNull(output, 0)) * 1000000000000, greatest(lasted, 1))) AS speed",
        edges = edges.join(","),
        counts = ops(Op::counts_tokens),
        inference = ops(Op::is_inference),
    )
}

/// The columns of [`NAMES`] from calls.
pub(super) fn sums_of_calls() -> String {
    format!(
        "count() AS calls, countIf({FAILED}) AS errors,
         sumIf(input, counts) AS sum_input, sumIf(output, counts) AS sum_output, sumIf(cache_read, counts) AS sum_cache_read,
         sumIf(cache_write, counts) AS sum_cache_write, sumIf(reasoning, counts) AS sum_reasoning,
         sumIf(audio_input, counts) AS sum_audio_input, sumIf(audio_output, counts) AS sum_audio_output,
         sumIf(cost, counts) AS sum_cost, sumIf(saved, counts AND cost IS NOT NULL) AS sum_saved,
         max(toUInt8(counts AND cost IS NOT NULL AND cost_source = {reported})) AS reported,
         countIf(counts AND cost IS NULL AND (input IS NOT NULL OR output IS NOT NULL)) AS unpriced,
         sumMap([roundDown(lasted, edges)], [toUInt64(1)]) AS took, sum(lasted) AS took_sum,
         sumMapIf([roundDown(waited, edges)], [toUInt64(1)], first_chunk_ns IS NOT NULL) AS first,
         sum(waited) AS first_sum,
         sumMapIf([roundDown(speed, edges)], [toUInt64(1)], has_rate) AS rate, sumIf(speed, has_rate) AS rate_sum,
         sumMapIf([toString(finish)], [toUInt64(1)], inference AND finish != '') AS stops",
        reported = CostSource::Reported as u8,
    )
}

/// The columns of [`NAMES`] from sums.
const SUMS_OF_SUMS: &str = "sum(h.calls) AS calls, sum(h.errors) AS errors, sum(h.sum_input) AS sum_input, \
     sum(h.sum_output) AS sum_output, sum(h.sum_cache_read) AS sum_cache_read, sum(h.sum_cache_write) AS sum_cache_write, \
     sum(h.sum_reasoning) AS sum_reasoning, sum(h.sum_audio_input) AS sum_audio_input, \
     sum(h.sum_audio_output) AS sum_audio_output, sum(h.sum_cost) AS sum_cost, sum(h.sum_saved) AS sum_saved, \
     max(h.reported) AS reported, sum(h.unpriced) AS unpriced, sumMap(h.took) AS took, sum(h.took_sum) AS took_sum, \
     sumMap(h.first) AS first, sum(h.first_sum) AS first_sum, sumMap(h.rate) AS rate, sum(h.rate_sum) AS rate_sum, \
     sumMap(h.stops) AS stops";

/// Adds the sums of other calls.
fn add(row: &mut StatsRow, more: StatsRow) {
    row.calls += more.calls;
    row.errors += more.errors;
    row.usage.add(&more.usage);
    row.unpriced += more.unpriced;
    row.cost = match (row.cost, more.cost) {
        (Some(one), Some(other)) => {
            let reported = [one, other].iter().any(|cost| cost.source == CostSource::Reported);
            Some(Cost {
                nanos: one.nanos.saturating_add(other.nanos),
                saved: one.saved.saturating_add(other.saved),
                source: if reported { CostSource::Reported } else { CostSource::Table },
            })
        }
        (one, other) => one.or(other),
    };
    row.duration.merge(&more.duration);
    row.first_chunk.merge(&more.first_chunk);
    row.output_rate.merge(&more.output_rate);
    let mut counts: HashMap<Arc<str>, u64> = row.finish.drain(..).collect();
    for (word, count) in more.finish {
        *counts.entry(word).or_default() += count;
    }
    row.finish = counts.into_iter().collect();
    most_first(&mut row.finish);
}

/// The most frequent first.
fn most_first(words: &mut [(Arc<str>, u64)]) {
    words.sort_by(|(word, count), (other, others)| others.cmp(count).then_with(|| word.cmp(other)));
}

/// Rows by what they have in common.
type Found = HashMap<(Option<Nanos>, Vec<(Dimension, Option<Arc<str>>)>), StatsRow>;

fn put(found: &mut Found, row: StatsRow) {
    match found.entry((row.at, row.key.clone())) {
        Entry::Vacant(new) => drop(new.insert(row)),
        Entry::Occupied(mut known) => add(known.get_mut(), row),
    }
}

/// What calls are told apart by, as a query says it.
struct Groups {
    at: String,
    names: String,
    columns: String,
}

impl Groups {
    fn of(query: &StatsQuery) -> Self {
        let names: Vec<String> = query.by.iter().map(|by| format!("toString({})", column(*by))).collect();
        Self {
            at: query.step.map_or("toUInt64(0)".to_owned(), |step| {
                format!("toUInt64(start_ns - start_ns % {})", calls::nanos(step))
            }),
            // Of no names it is to be an array of texts, too.
            names: if names.is_empty() { "''".to_owned() } else { names.join(", ") },
            columns: query.by.iter().map(|by| format!(", {}", column(*by))).collect(),
        }
    }
}

/// The hours told apart, or all in one.
fn of_hour(apart: bool) -> (&'static str, &'static str) {
    if apart { ("hour", "of_hour, ") } else { ("toDateTime(0, 'UTC')", "") }
}

impl Db {
    pub(super) async fn stats(&self, query: &StatsQuery) -> Result<Vec<StatsRow>, StoreError> {
        let step = query.step.map(calls::nanos);
        if step == Some(0) {
            return Err(StoreError::BadQuery("a step of time must be longer than 0".to_owned()));
        }
        if query.filter.genai == Some(false) {
            return Ok(Vec::new());
        }
        let groups = Groups::of(query);
        let rolled = self.rolled(query).await?;
        let found = match self.by_hours(query, &groups, &rolled).await? {
            Some(found) => found,
            None => self.at_once(query, &groups, &rolled).await?,
        };
        if found.len() > MOST_ROWS {
            return Err(StoreError::BadQuery(format!(
                "the answer has more than {MOST_ROWS} rows; narrow the time range, or ask for longer steps or fewer groups"
            )));
        }
        let mut rows: Vec<StatsRow> = found.into_values().collect();
        StatsRow::put_in_order(&mut rows);
        Ok(rows)
    }

    /// The sums of all hours together.
    async fn at_once(
        &self,
        query: &StatsQuery,
        groups: &Groups,
        rolled: &Rolled,
    ) -> Result<Found, StoreError> {
        let wanted = calls::conditions(&query.filter, &self.dictionary)?;
        let hours = format!("{} AND {}", calls::hours(query.filter.range), rolled.others());
        let mut found = Found::new();
        for sums in self.sums_of_calls(groups, &hours, &wanted, false).await? {
            put(&mut found, sums.row(query));
        }
        for sums in self.sums_of_sums(query, groups, rolled, false).await? {
            put(&mut found, sums.row(query));
        }
        Ok(found)
    }

    /// The sums of each whole hour, as far as they are not known from before, and of the calls beside them. None, where that
    /// is more than an answer may be.
    async fn by_hours(
        &self,
        query: &StatsQuery,
        groups: &Groups,
        rolled: &Rolled,
    ) -> Result<Option<Found>, StoreError> {
        let range = query.filter.range;
        // What else is said in a trace is no matter of an hour.
        if query.filter.text.is_some() || query.by.contains(&Dimension::Conversation) {
            return Ok(None);
        }
        let whenever = Filter { range: None, ..query.filter.clone() };
        let asked = Cursor::of_query(&(&whenever, &query.by, query.step));
        let mut missing = self.marks(range, rolled).await?;
        let (mut found, mut aside) = (Found::new(), Vec::new());
        self.kept.take(asked, &mut missing, |hour, rows| match rows {
            Some(rows) => rows.iter().for_each(|row| put(&mut found, row.clone())),
            None => aside.push(hour),
        });
        let written = rolled.only(|hour| missing.contains_key(&hour));
        let others: Vec<&u32> = missing.keys().filter(|hour| !written.has(**hour)).collect();
        let mut all = self.sums_of_sums(query, groups, &written, true).await?;
        if !others.is_empty() {
            let these = calls::any_hour(others);
            let wanted = calls::conditions(&whenever, &self.dictionary)?;
            all.extend(self.sums_of_calls(groups, &these, &wanted, true).await?);
        }
        if all.len() > MOST_ROWS {
            return Ok(None);
        }
        let mut answers: HashMap<u32, Option<Vec<StatsRow>>> =
            missing.keys().map(|hour| (*hour, Some(Vec::new()))).collect();
        for sums in all {
            let Some(answer) = answers.get_mut(&sums.of_hour) else { continue };
            match answer {
                Some(rows) if sums.is_of_its_hour() => rows.push(sums.row(query)),
                _ => *answer = None,
            }
        }
        for (hour, answer) in &answers {
            match answer {
                Some(rows) => rows.iter().for_each(|row| put(&mut found, row.clone())),
                None => aside.push(*hour),
            }
        }
        let marked = answers.into_iter().filter_map(|(hour, rows)| Some((hour, *missing.get(&hour)?, rows)));
        self.kept.put(asked, marked.collect());
        let mut beside: Vec<String> = calls::edges(range).into_iter().collect();
        if !aside.is_empty() {
            beside.push(calls::any_hour(&aside));
        }
        if !beside.is_empty() {
            let hours = format!("({})", beside.join(" OR "));
            let wanted = calls::conditions(&query.filter, &self.dictionary)?;
            for sums in self.sums_of_calls(groups, &hours, &wanted, false).await? {
                put(&mut found, sums.row(query));
            }
        }
        Ok(Some(found))
    }

    /// Calls of these hours added up, for a question's groups; each hour by itself, or all together.
    async fn sums_of_calls(
        &self,
        groups: &Groups,
        hours: &str,
        wanted: &Where,
        apart: bool,
    ) -> Result<Vec<Sums>, StoreError> {
        let (Groups { at, names, columns }, (of_hour, by_hour)) = (groups, of_hour(apart));
        let sql = format!(
            "{with} SELECT {of_hour} AS of_hour, min(start_ns) AS least, max(start_ns) AS most, {at} AS step,
               [{names}] AS names, {sums}
             FROM span FINAL PREWHERE {hours} AND op > 0 AND op < 30 AND state != 1
             WHERE {wanted} AND {once} GROUP BY {by_hour}step{columns} LIMIT {MOST_SQL}",
            with = with(),
            sums = sums_of_calls(),
            wanted = wanted.sql(),
            once = calls::once(hours),
        );
        self.sums(wanted.query(self, &sql)).await
    }

    /// The same, of sums that are written down.
    async fn sums_of_sums(
        &self,
        query: &StatsQuery,
        groups: &Groups,
        rolled: &Rolled,
        apart: bool,
    ) -> Result<Vec<Sums>, StoreError> {
        if rolled.is_empty() {
            return Ok(Vec::new());
        }
        let mut wanted = Where::default();
        for condition in calls::names(&query.filter, &mut wanted) {
            wanted.and(condition);
        }
        let (Groups { at, names, columns }, (of_hour, by_hour)) = (groups, of_hour(apart));
        let sql = format!(
            "SELECT {of_hour} AS of_hour, min(h.start_ns) AS least, max(h.start_ns) AS most, {at} AS step,
               [{names}] AS names, {SUMS_OF_SUMS}
             FROM hourly AS h PREWHERE {these} WHERE {wanted} GROUP BY {by_hour}step{columns} LIMIT {MOST_SQL}",
            these = rolled.these(),
            wanted = wanted.sql(),
        );
        self.sums(wanted.query(self, &sql)).await
    }

    async fn sums(&self, query: Query) -> Result<Vec<Sums>, StoreError> {
        let mut all = Vec::new();
        self.each::<Sums>(query, |sums| {
            all.push(sums);
            Ok(())
        })
        .await?;
        Ok(all)
    }

    /// The values of a dimension among traces, and how many traces have each.
    pub(super) async fn facets(
        &self,
        filter: &Filter,
        dimension: Dimension,
        limit: u32,
    ) -> Result<Vec<(Arc<str>, u64)>, StoreError> {
        let column = column(dimension);
        let number = matches!(dimension, Dimension::Op | Dimension::Dialect);
        let mut wanted = list::traces_that_fit(filter, &self.dictionary)?;
        wanted.and(if number { format!("{column} > 0") } else { format!("{column} != ''") });
        let early = matches!(
            dimension,
            Dimension::Op | Dimension::Service | Dimension::Agent | Dimension::Conversation
        );
        if !early {
            // What a span that runs does is not known for sure.
            wanted.and("state != 1");
        }
        let sql = format!(
            "SELECT toString({column}) AS word, uniqExact(trace_id) AS traces FROM span WHERE {}
             GROUP BY word ORDER BY traces DESC, word LIMIT {}",
            wanted.sql(),
            if number { MOST_NUMBERS } else { limit }
        );
        let mut facets: Vec<(Arc<str>, u64)> = Vec::new();
        self.each::<Facet>(wanted.query(self, &sql), |facet| {
            facets.extend(word(dimension, &facet.word).map(|name| (name, facet.traces)));
            Ok(())
        })
        .await?;
        facets.sort_by(|(text, count), (other, others)| others.cmp(count).then_with(|| text.cmp(other)));
        facets.truncate(limit as usize);
        Ok(facets)
    }
}

/// What a dimension's column says, in words.
fn word(by: Dimension, told: &str) -> Option<Arc<str>> {
    let number = || told.parse().ok();
    match by {
        Dimension::Op => number().and_then(Op::from_number).map(|op| op.as_str().into()),
        Dimension::Dialect => number().and_then(Dialect::from_number).map(|dialect| dialect.as_str().into()),
        _ => (!told.is_empty()).then(|| told.into()),
    }
}

fn histogram((edges, counts): Counts, sum: u64) -> Histogram {
    Histogram::of_edges(edges.into_iter().zip(counts), sum)
}

impl Sums {
    /// Whether the calls began in the hour that they are kept under.
    fn is_of_its_hour(&self) -> bool {
        let hour = i64::from(self.of_hour) * 1_000_000_000;
        self.least >= hour && self.most < hour.saturating_add_unsigned(HOUR)
    }

    fn row(self, query: &StatsQuery) -> StatsRow {
        let source = if self.reported > 0 { CostSource::Reported } else { CostSource::Table };
        let (words, counts) = self.stops;
        let mut finish: Vec<(Arc<str>, u64)> = words.into_iter().map(Into::into).zip(counts).collect();
        most_first(&mut finish);
        let words = self.names.iter().zip(&query.by).map(|(told, by)| word(*by, told));
        StatsRow {
            at: query.step.map(|_| Nanos(self.step)),
            key: query.by.iter().copied().zip(words).collect(),
            calls: self.calls,
            errors: self.errors,
            usage: Usage {
                input: self.sum_input,
                output: self.sum_output,
                cache_read: self.sum_cache_read,
                cache_write: self.sum_cache_write,
                reasoning: self.sum_reasoning,
                audio_input: self.sum_audio_input,
                audio_output: self.sum_audio_output,
            },
            cost: self.sum_cost.map(|nanos| Cost { nanos, saved: self.sum_saved, source }),
            unpriced: self.unpriced,
            duration: histogram(self.took, self.took_sum),
            first_chunk: histogram(self.first, self.first_sum),
            output_rate: histogram(self.rate, self.rate_sum),
            finish,
        }
    }
}
