//! What is deleted: whole days, which costs nothing, or one trace. By a task of its own: what is stored meanwhile does not wait.

use std::collections::BTreeSet;

use tokio::sync::{mpsc, oneshot};

use super::fault;
use super::read::{Db, bytes};
use super::schema::{self, BY_DAY};
use super::settle::these;
use super::tell::{Ear, News};
use crate::error::StoreError;
use crate::id::{Day, Nanos, TraceId};
use crate::query::{Delete, Deleted, Range};

const DAY_SECONDS: u32 = 86_400;

/// What is to be deleted, and who wants to know.
pub(super) type Order = (Delete, oneshot::Sender<Result<Deleted, StoreError>>);

/// Deletes what it is told to, one after another, until nobody can tell it anything any more.
pub(super) async fn run(db: Db, ear: Ear, mut orders: mpsc::UnboundedReceiver<Order>) {
    while let Some((what, answer)) = orders.recv().await {
        let mut gone = None;
        let deleted = db.delete(what, &mut gone).await;
        db.slow.forget();
        if gone.is_some() {
            ear.tell(News { deleted: gone, ..News::default() });
        }
        let _ = answer.send(deleted);
    }
}

impl Db {
    /// Deletes. Of what time something is `gone` is told though not all of it could be done.
    async fn delete(&self, what: Delete, gone: &mut Option<Range>) -> Result<Deleted, StoreError> {
        if self.is_of_several_servers().await? {
            // What looks like one table here only leads to theirs: nothing would be deleted.
            return Err(StoreError::Unsupported(
                "delete on several servers; delete in the database of each server's share",
            ));
        }
        let before = self.bytes().await;
        let traces = match what {
            Delete::All => {
                let traces = self.traces_of("1").await?;
                *gone = Some(Range { from: Nanos(0), to: Nanos(u64::MAX) });
                for (table, _) in BY_DAY {
                    self.run(&format!("TRUNCATE TABLE {table}")).await?;
                }
                self.list("1").await?;
                traces
            }
            Delete::Before(moment) => {
                let first = Day::of(moment);
                let traces = self.traces_of(&format!("day < toDate({})", first.0)).await?;
                *gone = Some(Range { from: Nanos(0), to: first.start() });
                for (table, day) in BY_DAY {
                    self.drop_before(table, day, first).await?;
                }
                self.list(&format!("day < toDate({})", first.0.max(0))).await?;
                traces
            }
            Delete::Trace(trace) => self.delete_trace(trace, gone).await?,
        };
        // How much room that made is worth no error: it is done.
        let after = self.bytes().await;
        let bytes = before.zip(after).map_or(0, |(before, after)| before.saturating_sub(after));
        Ok(Deleted { traces, bytes })
    }

    async fn is_of_several_servers(&self) -> Result<bool, StoreError> {
        let mut several = false;
        let sql = "SELECT engine FROM system.tables WHERE database = currentDatabase() AND name = 'span'";
        self.each::<String>(self.client.query_raw(sql), |engine| {
            several |= engine == "Distributed";
            Ok(())
        })
        .await?;
        Ok(several)
    }

    async fn traces_of(&self, which: &str) -> Result<u64, StoreError> {
        let sql = format!("SELECT uniqExact(trace_id) FROM trace WHERE {which}");
        Ok(self.one::<u64>(&sql).await?.unwrap_or_default())
    }

    async fn drop_before(&self, table: &str, day: &str, first: Day) -> Result<(), StoreError> {
        // The server knows the days of a table without a look at its rows.
        let sql =
            format!("SELECT {day} AS d FROM {table} WHERE {day} < toDate({}) GROUP BY d", first.0.max(0));
        let mut days = Vec::new();
        self.each::<u16>(self.client.query_raw(&sql), |day| {
            days.push(Day(day.into()));
            Ok(())
        })
        .await?;
        for day in days {
            // A partition is named by its day: 20261122.
            self.run(&format!("ALTER TABLE {table} DROP PARTITION ID '{day}'")).await?;
        }
        Ok(())
    }

    /// Its content stays until its day goes: other traces may share it.
    async fn delete_trace(&self, trace: TraceId, gone: &mut Option<Range>) -> Result<u64, StoreError> {
        let of = format!("trace_id = {}", bytes(trace.bytes()));
        let Some(summary) = self.summaries(&[trace]).await?.pop() else {
            return Ok(0);
        };
        // Told as they are: of tables that are copied to several servers nothing is deleted by what a query finds.
        let hours = self.hours_of(&of).await?;
        let days: BTreeSet<String> =
            hours.iter().map(|hour| format!("toDate({})", hour / DAY_SECONDS)).collect();
        let when = these(&hours);
        let mut called = Vec::new();
        let sql = format!("SELECT DISTINCT hour FROM span WHERE {of} AND {when}");
        self.each::<u32>(self.client.query_raw(&sql), |hour| {
            called.push(hour);
            Ok(())
        })
        .await?;
        self.touch(&called).await?;
        *gone = Some(Range { from: summary.start, to: Nanos(summary.end.0.saturating_add(1)) });
        let deleted = async {
            for table in ["span", "wrapper", "log"] {
                self.run(&format!("DELETE FROM {table} WHERE {of} AND {when}")).await?;
            }
            Ok(())
        };
        let deleted = deleted.await;
        // Whoever added up an hour meanwhile may have found some of it.
        self.touch(&called).await?;
        deleted?;
        if !days.is_empty() {
            let days = days.into_iter().collect::<Vec<_>>().join(",");
            let of = format!("{of} AND day IN ({days})");
            self.run(&format!("DELETE FROM trace WHERE {of}")).await?;
            self.list(&of).await?;
        }
        Ok(1)
    }

    /// Lists traces of which something was stored while they were deleted: their records are there, and what they are chosen by
    /// went.
    async fn list(&self, which: &str) -> Result<(), StoreError> {
        let tables = schema::tables();
        for view in ["trace_of_span", "trace_of_log"] {
            let begin = format!("CREATE MATERIALIZED VIEW IF NOT EXISTS {view} TO trace AS");
            let select = tables.split_once(&begin).and_then(|(_, rest)| rest.split_once(";\n"));
            let Some((select, _)) = select else { continue };
            let columns = schema::TRACE.join(", ");
            self.run(&format!(
                "INSERT INTO trace ({columns}) SELECT {columns} FROM ({select}) WHERE {which}"
            ))
            .await?;
        }
        Ok(())
    }

    async fn run(&self, sql: &str) -> Result<(), StoreError> {
        let told = |error| match fault::code(&error) {
            Some(fault::ACCESS_DENIED) => {
                let database = &self.place.database;
                // What was stored meanwhile is listed anew.
                let why = if sql.starts_with("INSERT") {
                    self.place.grant()
                } else {
                    format!(
                        "this user may not delete: an administrator runs GRANT ALTER DELETE, TRUNCATE ON {database}.*"
                    )
                };
                StoreError::Denied { place: self.place.location.clone(), why }
            }
            _ => self.place.fault("cannot delete", error),
        };
        // The server may take as long as it takes; one that says nothing at all is not waited for.
        let work = self.client.query_raw(sql).with_setting("max_execution_time", "0").execute();
        self.place.within(self.place.to_delete(), work).await.map_err(told)
    }
}
