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

/// What records refer to. Each table goes by itself, hours apart, and a record without its content cannot be read: so this
/// stays a day longer.
const CONTENT: [&str; 3] = ["piece", "said", "series"];
/// The table that is asked how long records are kept: changed last, it says what holds for all.
const JUDGE: &str = "span";

/// The statements that say how long records are kept.
pub(super) fn statements(age: Option<Duration>) -> Vec<String> {
    let statement = |(table, day): &(&str, &str)| match age {
        Some(age) => {
            let days = days(age).saturating_add(u64::from(CONTENT.contains(table)));
            format!("ALTER TABLE {table} MODIFY TTL {day} + toIntervalDay({days})")
        }
        None => format!("ALTER TABLE {table} REMOVE TTL"),
    };
    let (last, first): (Vec<_>, Vec<_>) = BY_DAY.iter().partition(|(table, _)| *table == JUDGE);
    first.into_iter().chain(last).map(statement).collect()
}

/// A day of records goes so many days after it began: it has ended, and all of it is too old.
fn days(age: Duration) -> u64 {
    age.as_secs().div_ceil(DAY).saturating_add(1)
}

impl Db {
    /// How long the server keeps records; none: for ever.
    pub(super) async fn max_age(&self) -> Result<Option<Duration>, StoreError> {
        let told = self.engine("extract(engine_full, 'toIntervalDay\\\\((\\\\d+)\\\\)')").await?;
        let days = told.and_then(|days| days.parse::<u64>().ok());
        Ok(days.map(|days| Duration::from_secs(days.saturating_sub(1).saturating_mul(DAY))))
    }

    /// Something of how the server keeps that table.
    async fn engine(&self, what: &str) -> Result<Option<String>, StoreError> {
        let sql = format!(
            "SELECT {what} FROM system.tables WHERE database = currentDatabase() AND name = '{JUDGE}'"
        );
        self.one::<String>(&sql).await
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
        let flag = age.map_or("none".to_owned(), |age| format!("{}d", age.as_secs().div_ceil(DAY)));
        // What only leads to the tables of several servers has no time of its own.
        let share = self.engine("extract(engine_full, 'Distributed\\\\([^,]+, \\'([^\\']+)')").await?;
        if let Some(share) = share.filter(|share| !share.is_empty()) {
            let source = format!(
                "the tables are shared out over several servers; run on each of them what `otel-genai store schema \
                 clickhouse --database {share} --max-age {flag}` prints, and start without --max-age"
            );
            return Err(StoreError::Backend {
                what: "cannot set how long records are kept",
                source: source.into(),
            });
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
                    source: format!(
                        "{}: this user has no right to; an administrator runs what `{} --max-age {flag}` prints, or \
                         GRANT ALTER TTL, ALTER MATERIALIZE TTL ON {}.*",
                        self.place.location,
                        self.place.schema(),
                        self.place.database
                    )
                    .into(),
                },
                _ => self.place.fault("cannot set how long records are kept", error),
            })?;
        }
        Ok(())
    }
}
