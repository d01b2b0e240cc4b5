//! The tables, and who may do what with them.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use clickhouse::{Client, Row};
use serde::Deserialize;

use super::fault::{self, Place};
use super::line::{LogLine, PieceLine, SpanLine};
use super::point::{PointLine, SeriesLine};
use super::retention::{self, Keeping};
use super::said::SaidLine;
use super::settle::Mark;
use crate::error::StoreError;

/// What makes the tables, version by version: the first all of them, each further one what it changes of those before. Every
/// statement may run again: two processes may start at once, and one may have been stopped half way.
const VERSIONS: [&str; 1] = [include_str!("schema.sql")];
/// The version of the tables that is known here.
pub(super) const VERSION: u32 = 1;
/// The tables whose days go, and the day of a row. Content goes before the records that refer to it: whoever stores some
/// meanwhile, and left out content that was there, sees that before it acknowledges them.
pub(super) const BY_DAY: [(&str, &str); 10] = [
    ("piece", "day"),
    ("said", "day"),
    ("series", "day"),
    ("span", "toDate(hour)"),
    ("wrapper", "toDate(hour)"),
    ("hourly", "toDate(hour)"),
    ("touched", "toDate(hour)"),
    ("log", "toDate(hour)"),
    ("point", "toDate(hour)"),
    ("trace", "day"),
];

/// The columns of the table of traces.
pub(super) const TRACE: [&str; 9] =
    ["day", "trace_id", "start_ns", "end_ns", "last_ns", "genai", "failed", "title", "root"];

/// The statements of a version.
fn statements(text: &str) -> impl Iterator<Item = &str> {
    let is_comment =
        |statement: &str| statement.lines().all(|line| line.is_empty() || line.starts_with("--"));
    text.split(";\n").map(str::trim).filter(move |statement| !is_comment(statement))
}

/// All that makes the tables.
pub(super) fn tables() -> String {
    let mut text = String::new();
    for (version, tables) in (1..).zip(VERSIONS) {
        let _ = writeln!(text, "{}\nINSERT INTO schema_version VALUES ({version});\n", tables.trim_end());
    }
    text
}

/// What an administrator gives to the server, so that otel-genai itself needs no right to make anything.
pub(super) fn text(database: &str, keeping: Keeping) -> String {
    let mut text = format!("CREATE DATABASE IF NOT EXISTS {database};\nUSE {database};\n\n{}", tables());
    let age = match keeping {
        Keeping::AsItIs => None,
        Keeping::Forever => {
            text.push_str(
                "-- Records are kept for ever. A table that does so already calls that an error (36), which is none:\n\
                 -- run this with `clickhouse-client -n --ignore-error`.\n",
            );
            Some(None)
        }
        Keeping::For(age) => {
            text.push_str(
                "-- How long records are kept; to be run again with another number to change it.\n",
            );
            Some(Some(age))
        }
    };
    if let Some(age) = age {
        for statement in retention::statements(age) {
            let _ = writeln!(text, "{statement};");
        }
        text.push('\n');
    }
    let _ = write!(
        text,
        "-- Who only looks:
-- CREATE USER otel_genai_reader IDENTIFIED BY '...';
-- GRANT SELECT ON {database}.* TO otel_genai_reader;
-- Who receives, too:
-- CREATE USER otel_genai_writer IDENTIFIED BY '...';
-- GRANT SELECT, INSERT ON {database}.* TO otel_genai_writer;
-- Who may delete traces and days by the dashboard, besides:
-- GRANT ALTER DELETE, TRUNCATE ON {database}.* TO otel_genai_writer;
-- Whose page is to show at once what others delete, besides:
-- GRANT SELECT ON system.parts TO otel_genai_reader, otel_genai_writer;
-- GRANT SELECT ON system.mutations TO otel_genai_reader, otel_genai_writer;
-- Who may set how long records are kept by starting the dashboard with --max-age, besides:
-- GRANT ALTER TTL, ALTER MATERIALIZE TTL ON {database}.* TO otel_genai_writer;
"
    );
    text
}

/// Makes the tables where there are none, changes those of an earlier version, and looks whether those that there are can be
/// understood. `looks`: nothing may be made.
pub(super) async fn prepare(client: &Client, place: &Place, looks: bool) -> Result<(), StoreError> {
    let found = match place.in_time(version(client)).await {
        Ok(found) => found,
        Err(error) if matches!(fault::code(&error), Some(fault::UNKNOWN_TABLE | fault::UNKNOWN_DATABASE)) => {
            0
        }
        Err(error) => return Err(place.fault("cannot read the version of the tables", error)),
    };
    if found > VERSION {
        return Err(StoreError::Newer { file: PathBuf::from(&place.location), found, known: VERSION });
    }
    if found == VERSION {
        return whole(client, place).await;
    }
    let told = |error| match fault::code(&error) {
        Some(fault::READONLY | fault::ACCESS_DENIED) => missing(place, "the tables of"),
        // Nor was it there.
        Some(fault::UNKNOWN_DATABASE) => missing(place, "database"),
        _ => place.fault("cannot make the tables", error),
    };
    if looks {
        let source = format!(
            "{} has no tables of otel-genai: is the name right? Else an administrator runs what `{}` prints",
            place.location,
            place.schema()
        );
        return Err(StoreError::Backend { what: "there is nothing to read", source: source.into() });
    }
    let create = format!("CREATE DATABASE IF NOT EXISTS {}", place.database);
    let to_store = place.to_store();
    let made = client.clone().with_database("default").query_raw(&create).execute();
    match place.within(to_store, made).await {
        // Who may not make databases may have been given one.
        Err(error) if fault::code(&error) == Some(fault::ACCESS_DENIED) => {}
        result => result.map_err(told)?,
    }
    for (version, text) in (1..).zip(VERSIONS).filter(|(version, _)| *version > found) {
        for statement in statements(text) {
            place.within(to_store, client.query_raw(statement).execute()).await.map_err(told)?;
        }
        let insert = format!("INSERT INTO schema_version VALUES ({version})");
        place.within(to_store, client.query_raw(&insert).execute()).await.map_err(told)?;
    }
    Ok(())
}

/// What is read and written of each table.
fn needed() -> [(&'static str, &'static [&'static str]); 10] {
    [
        ("span", SpanLine::COLUMN_NAMES),
        ("wrapper", Mark::COLUMN_NAMES),
        ("log", LogLine::COLUMN_NAMES),
        ("piece", PieceLine::COLUMN_NAMES),
        ("said", SaidLine::COLUMN_NAMES),
        ("series", SeriesLine::COLUMN_NAMES),
        ("point", PointLine::COLUMN_NAMES),
        ("trace", &TRACE),
        ("hourly", &["hour", "id", "made", "start_ns"]),
        ("touched", &["hour", "at"]),
    ]
}

/// Whether somebody took away what is needed.
async fn whole(client: &Client, place: &Place) -> Result<(), StoreError> {
    #[derive(Row, Deserialize)]
    struct Column {
        table: String,
        name: String,
    }
    let sql = "SELECT table, name FROM system.columns WHERE database = currentDatabase()";
    let found = place.in_time(client.query_raw(sql).fetch_all::<Column>()).await;
    let found = found.map_err(|error| place.fault("cannot look at the tables", error))?;
    let found: HashSet<(&str, &str)> =
        found.iter().map(|column| (column.table.as_str(), column.name.as_str())).collect();
    for (table, columns) in needed() {
        let missing = columns.iter().find(|column| !found.contains(&(table, **column)));
        let what = match missing {
            Some(_) if found.iter().all(|(other, _)| *other != table) => format!("there is no table {table}"),
            Some(column) => format!("the table {table} has no column {column}"),
            None => continue,
        };
        let (location, schema) = (&place.location, place.schema());
        let source = format!(
            "{what} in {location}, though its tables are of version {VERSION}; `{schema}` prints how it is made"
        );
        return Err(StoreError::Backend { what: "cannot use the tables", source: source.into() });
    }
    Ok(())
}

/// There are no tables, or those of an earlier version, and none can be made.
fn missing(place: &Place, what: &str) -> StoreError {
    let (location, database, schema) = (&place.location, &place.database, place.schema());
    let source = format!(
        "{location}: this user may not make {what} {database}; an administrator runs what `{schema}` prints"
    );
    StoreError::Backend { what: "cannot make the tables", source: source.into() }
}

async fn version(client: &Client) -> clickhouse::error::Result<u32> {
    client.query_raw("SELECT max(version) FROM schema_version").fetch_one().await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn statements_are_found() {
        assert_eq!(VERSIONS.len(), usize::try_from(VERSION).unwrap());
        assert_eq!(statements(VERSIONS[0]).count(), 15);
        let text = text("traces", Keeping::For(Duration::from_secs(86_400 * 30)));
        assert!(text.contains("GRANT SELECT ON traces.*") && text.contains("toIntervalDay(31);"), "{text}");
        assert!(statements(&text).all(|statement| !statement.contains("CREATE USER")));
    }
}
