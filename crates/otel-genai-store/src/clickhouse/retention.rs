//! How long the server keeps records: whole days, which it drops by itself some hours after they have become too old.
//!
//! What stands in the tables holds for everybody who uses them. There is no limit of bytes: how much room a server has, and
//! what moves to which disk when, is its administrator's to say.

use std::time::Duration;

use super::fault;
use super::read::Db;
use super::schema::BY_DAY;
use crate::error::StoreError;

const DAY: u64 = 86_400;
/// A table that keeps its rows for ever cannot be told to.
const NO_TTL: u32 = 36;

/// What is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Keeping {
    /// What the tables say already.
    #[default]
    AsItIs,
    Forever,
    For(Duration),
}

/// The statements that say how long records are kept.
pub(super) fn statements(age: Option<Duration>) -> Vec<String> {
    let statement = |(table, day): &(&str, &str)| match age {
        Some(age) => format!("ALTER TABLE {table} MODIFY TTL {day} + toIntervalDay({})", days(age)),
        None => format!("ALTER TABLE {table} REMOVE TTL"),
    };
    BY_DAY.iter().map(statement).collect()
}

/// A day of records goes so many days after it began: it has ended, and all of it is too old.
fn days(age: Duration) -> u64 {
    age.as_secs().div_ceil(DAY).saturating_add(1)
}

impl Db {
    /// How long the server keeps records; none: for ever.
    pub(super) async fn max_age(&self) -> Result<Option<Duration>, StoreError> {
        let sql = "SELECT extract(engine_full, 'toIntervalDay\\\\((\\\\d+)\\\\)') FROM system.tables
             WHERE database = currentDatabase() AND name = 'span'";
        let told = self.one::<String>(sql).await?;
        let days = told.and_then(|days| days.parse::<u64>().ok());
        Ok(days.map(|days| Duration::from_secs(days.saturating_sub(1).saturating_mul(DAY))))
    }

    /// Has the server keep records so long, if it does not yet.
    pub(super) async fn keep(&self, keeping: Keeping) -> Result<(), StoreError> {
        let age = match keeping {
            Keeping::AsItIs => return Ok(()),
            Keeping::Forever => None,
            Keeping::For(age) => Some(age),
        };
        if self.max_age().await?.map(days) == age.map(days) {
            return Ok(());
        }
        for statement in statements(age) {
            let work = self.client.query_raw(&statement).execute();
            let result = self.place.within(self.place.to_store(), work).await;
            let has_none = |error| age.is_none() && fault::code(error) == Some(NO_TTL);
            if result.as_ref().is_err_and(has_none) {
                continue;
            }
            result.map_err(|error| match fault::code(&error) {
                Some(fault::READONLY | fault::ACCESS_DENIED) => StoreError::Backend {
                    what: "cannot set how long records are kept",
                    source: "this user has no right to; an administrator sets it by what `otel-genai store schema \
                             clickhouse --max-age` prints"
                        .into(),
                },
                _ => self.place.fault("cannot set how long records are kept", error),
            })?;
        }
        Ok(())
    }
}
