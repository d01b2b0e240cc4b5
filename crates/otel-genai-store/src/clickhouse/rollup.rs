//! Sums of whole hours, written down: what is asked about a day need not add up every call of it.
//!
//! An hour is added up once nothing of it was stored for a while. Its sums hold as long as that is so: whatever comes late, is
//! found to be told twice, or is deleted touches the hour, which is then added up call by call until it has been quiet again.

use std::collections::HashSet;
use std::time::Duration;

use clickhouse::Row;
use serde::Deserialize;

use super::calls::{self, HOUR, HOUR_SECONDS, any_hour, time, whole_hours};
use super::fault::WRITE;
use super::line::hash;
use super::read::Db;
use super::stats;
use crate::error::StoreError;
use crate::id::Nanos;
use crate::query::{Dimension, Filter, StatsQuery};

/// Sums are told apart by half hours: what a day is shown by.
const HALF: Duration = Duration::from_secs(1_800);
/// A sum must come to so many calls, or it is no less work than they are.
const FEWEST: u64 = 4;
/// So many hours are added up at a time.
const MOST: usize = 20;
/// And so many are looked at.
const MOST_WAITING: usize = 1_000;
/// The sums of so many hours are asked for; those of older ones are added up call by call.
const MOST_ASKED: usize = 2_000;
/// So many hours are remembered as having come to nothing.
const MOST_TRIED: usize = 10_000;

#[derive(Row, Deserialize)]
struct Quiet {
    hour: u32,
    at: i64,
}

#[derive(Row, Deserialize)]
struct Summed {
    hour: u32,
    id: u64,
}

/// Hours whose sums hold, and by which numbers they stand in the table.
#[derive(Debug, Default)]
pub(super) struct Rolled(Vec<(u32, u64)>);

impl Rolled {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The hours, and the numbers of their sums.
    pub(super) fn hours(&self) -> impl Iterator<Item = (u32, u64)> {
        self.0.iter().copied()
    }

    pub(super) fn has(&self, hour: u32) -> bool {
        self.0.iter().any(|(one, _)| *one == hour)
    }

    /// Those of them that are meant.
    pub(super) fn only(&self, mut meant: impl FnMut(u32) -> bool) -> Self {
        Self(self.0.iter().copied().filter(|(hour, _)| meant(*hour)).collect())
    }

    /// Spans of other hours, as stretches, by which the server knows what it need not read.
    pub(super) fn others(&self) -> String {
        let mut hours: Vec<u32> = self.0.iter().map(|(hour, _)| *hour).collect();
        hours.sort_unstable();
        let (mut stretches, mut from) = (Vec::new(), None);
        for hour in hours {
            match from {
                Some(from) if from == hour => {}
                Some(from) => stretches.push(format!("hour >= {} AND hour < {}", time(from), time(hour))),
                None => stretches.push(format!("hour < {}", time(hour))),
            }
            from = Some(hour.saturating_add(HOUR_SECONDS));
        }
        let Some(from) = from else { return "1".to_owned() };
        stretches.push(format!("hour >= {}", time(from)));
        format!("({})", stretches.join(" OR "))
    }

    /// The sums of these.
    pub(super) fn these(&self) -> String {
        let ids: Vec<String> = self.0.iter().map(|(_, id)| id.to_string()).collect();
        format!("{} AND id IN ({})", any_hour(self.0.iter().map(|(hour, _)| hour)), ids.join(","))
    }
}

/// Whether sums of hours can answer: they know nothing of single calls, nor of conversations.
fn is_coarse(query: &StatsQuery) -> bool {
    let Filter { conversation, error, min_duration, max_duration, text, name, .. } = &query.filter;
    let single = conversation.is_some()
        || error.is_some()
        || min_duration.is_some()
        || max_duration.is_some()
        || text.is_some()
        || name.is_some();
    let fits = |step: Duration| step.as_nanos().is_multiple_of(HALF.as_nanos());
    !single && !query.by.contains(&Dimension::Conversation) && query.step.is_none_or(fits)
}

impl Db {
    fn quiet(&self) -> i64 {
        i64::try_from(self.place.quiet.as_millis()).unwrap_or(i64::MAX)
    }

    /// The hours of a question whose sums hold.
    pub(super) async fn rolled(&self, query: &StatsQuery) -> Result<Rolled, StoreError> {
        let mut rolled = Rolled::default();
        if !is_coarse(query) {
            return Ok(rolled);
        }
        let whole = whole_hours(query.filter.range);
        let sql = format!(
            "SELECT r.hour AS hour, r.id AS id FROM (
               SELECT hour, id, max(made) AS last, count() AS sums, sum(calls) AS told FROM hourly WHERE {whole}
               GROUP BY hour, id) AS r
             INNER JOIN (SELECT hour, max(at) AS latest FROM touched WHERE {whole} GROUP BY hour) AS t ON t.hour = r.hour
             WHERE r.last >= t.latest + {} AND r.sums * {FEWEST} <= r.told
             ORDER BY r.hour DESC, r.id LIMIT 1 BY r.hour LIMIT {MOST_ASKED}",
            self.quiet()
        );
        self.each::<Summed>(self.client.query_raw(&sql), |Summed { hour, id }| {
            rolled.0.push((hour, id));
            Ok(())
        })
        .await?;
        Ok(rolled)
    }

    /// Adds up hours that have been quiet; `tried` are those that were, when they were touched last.
    pub(super) async fn roll(&self, tried: &mut HashSet<(u32, i64)>) -> Result<(), StoreError> {
        let now = "toUnixTimestamp64Milli(now64(3))";
        let quiet = self.quiet();
        let sql = format!(
            "SELECT t.hour AS hour, t.latest AS at FROM (SELECT hour, max(at) AS latest FROM touched GROUP BY hour) AS t
             LEFT JOIN (SELECT hour, max(made) AS last FROM hourly GROUP BY hour) AS r ON r.hour = t.hour
             WHERE t.latest < {now} - {quiet} AND r.last < t.latest + {quiet} ORDER BY t.hour DESC LIMIT {MOST_WAITING}"
        );
        let mut waiting = Vec::new();
        self.each::<Quiet>(self.client.query_raw(&sql), |quiet| {
            waiting.push(quiet);
            Ok(())
        })
        .await?;
        waiting.retain(|Quiet { hour, at }| !tried.contains(&(*hour, *at)));
        if tried.len() > MOST_TRIED {
            tried.clear();
        }
        for Quiet { hour, at } in waiting.into_iter().take(MOST) {
            self.roll_hour(hour).await?;
            tried.insert((hour, at));
        }
        Ok(())
    }

    async fn roll_hour(&self, hour: u32) -> Result<(), StoreError> {
        // What is stored while it is added up is not in it: it counts from before.
        let made = self.one::<i64>("SELECT toUnixTimestamp64Milli(now64(3))").await?.unwrap_or(0);
        // Two may add up the same hour at the same time, of whose sums those of one are taken.
        let parts =
            [&Nanos::now().0.to_le_bytes()[..], &std::process::id().to_le_bytes(), &hour.to_le_bytes()];
        let id = u64::from_le_bytes(hash(&parts).first_chunk().copied().unwrap_or_default());
        let of = format!("hour = {}", time(hour));
        let (first, end) = (u64::from(hour) * 1_000_000_000, u64::from(hour) * 1_000_000_000 + HOUR);
        let keys = "op, dialect, service, provider, request_model, response_model, agent, tool";
        let calls = "op > 0 AND op < 30 AND state != 1";
        let sql = format!(
            "INSERT INTO hourly (hour, id, made, start_ns, {keys}, {names})
             {with} SELECT hour, {id} AS id, {made} AS made, start_ns - start_ns % {half} AS half, {keys}, {sums}
             FROM span FINAL PREWHERE {of} AND {calls}
             WHERE {once} AND (
               SELECT count() FROM span WHERE {of} AND {calls} AND (start_ns < {first} OR start_ns >= {end})) = 0
             GROUP BY hour, half, {keys}",
            names = stats::NAMES,
            with = stats::with(),
            sums = stats::sums_of_calls(),
            half = HALF.as_nanos(),
            once = calls::once(&of),
        );
        let patience = self.place.to_store();
        let client =
            self.client.clone().with_setting("max_execution_time", patience.as_secs_f64().to_string());
        let client = client.with_setting("distributed_foreground_insert", "1");
        let work = client.query_raw(&sql).execute();
        let told = |error| self.place.fault(WRITE, error);
        let over = |_| StoreError::Timeout(patience);
        tokio::time::timeout(patience.mul_f32(1.5), work).await.map_err(over)?.map_err(told)
    }

    /// These hours are to be added up anew.
    pub(super) async fn touch(&self, hours: &[u32]) -> Result<(), StoreError> {
        if hours.is_empty() {
            return Ok(());
        }
        let hours: Vec<String> = hours.iter().map(ToString::to_string).collect();
        let sql = format!(
            "INSERT INTO touched SELECT toDateTime(arrayJoin([{}]), 'UTC') AS hour, toUnixTimestamp64Milli(now64(3)) AS at",
            hours.join(",")
        );
        let client = self.client.clone().with_setting("distributed_foreground_insert", "1");
        let work = self.place.within(self.place.to_store(), client.query_raw(&sql).execute());
        work.await.map_err(|error| self.place.fault(WRITE, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_added_up_are_stretches() {
        let rolled = |hours: &[u32]| Rolled(hours.iter().map(|hour| (hour * 3_600, 7)).collect()).others();
        assert_eq!(rolled(&[]), "1");
        assert_eq!(
            rolled(&[5, 2, 3]),
            "(hour < toDateTime(7200, 'UTC') OR hour >= toDateTime(14400, 'UTC') AND hour < toDateTime(18000, 'UTC') \
             OR hour >= toDateTime(21600, 'UTC'))"
        );
    }
}
