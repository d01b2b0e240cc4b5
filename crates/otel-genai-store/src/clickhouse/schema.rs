//! The tables, and who may do what with them.

use std::fmt::Write as _;
use std::path::PathBuf;

use clickhouse::Client;

use super::fault::{self, Place};
use crate::error::StoreError;

/// The version of [`TABLES`].
pub(super) const VERSION: u32 = 1;
/// The tables with content, which are of days.
pub(super) const BY_DAY: [&str; 5] = ["span", "wrapper", "log", "piece", "trace"];

pub(super) const TABLES: &str = include_str!("schema.sql");

pub(super) fn statements() -> impl Iterator<Item = &'static str> {
    TABLES.split(";\n").map(str::trim).filter(|statement| statement.contains("CREATE"))
}

/// What an administrator gives to the server, so that otel-genai itself needs no right to make anything.
pub(super) fn text(database: &str) -> String {
    let mut text = format!("CREATE DATABASE IF NOT EXISTS {database};\nUSE {database};\n\n{TABLES}");
    let _ = write!(
        text,
        "INSERT INTO schema_version VALUES ({VERSION});

-- Who only looks:
-- CREATE USER otel_genai_reader IDENTIFIED BY '...';
-- GRANT SELECT ON {database}.* TO otel_genai_reader;
-- Who receives, too. Deleting asks for ALTER DELETE and TRUNCATE besides:
-- CREATE USER otel_genai_writer IDENTIFIED BY '...';
-- GRANT SELECT, INSERT ON {database}.* TO otel_genai_writer;
"
    );
    text
}

/// Makes the tables where there are none, and looks whether those that there are can be understood.
pub(super) async fn prepare(client: &Client, place: &Place) -> Result<(), StoreError> {
    match version(client).await {
        Ok(VERSION) => return Ok(()),
        Ok(0) => {}
        Ok(found) if found > VERSION => {
            return Err(StoreError::Newer { file: PathBuf::from(&place.location), found, known: VERSION });
        }
        Ok(_) => {}
        Err(error) if matches!(fault::code(&error), Some(fault::UNKNOWN_TABLE | fault::UNKNOWN_DATABASE)) => {
        }
        Err(error) => return Err(place.fault("cannot read the version of the tables", error)),
    }
    let told = |error| place.fault("cannot make the tables", error);
    let create = format!("CREATE DATABASE IF NOT EXISTS {}", place.database);
    match client.clone().with_database("default").query_raw(&create).execute().await {
        // Who may not make databases may have been given one.
        Err(error) if fault::code(&error) == Some(fault::ACCESS_DENIED) => {}
        result => result.map_err(told)?,
    }
    for statement in statements() {
        client.query_raw(statement).execute().await.map_err(told)?;
    }
    let insert = format!("INSERT INTO schema_version VALUES ({VERSION})");
    client.query_raw(&insert).execute().await.map_err(told)
}

async fn version(client: &Client) -> clickhouse::error::Result<u32> {
    client.query_raw("SELECT max(version) FROM schema_version").fetch_one().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_found() {
        assert_eq!(statements().count(), 8);
        assert!(text("traces").contains("GRANT SELECT ON traces.*"));
    }
}
