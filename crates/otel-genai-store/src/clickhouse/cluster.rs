//! The tables on several servers: each keeps its share in a database of its own, and any of them is asked for all.

use std::fmt::Write as _;

use super::schema::tables;

/// What tells on which server a row is kept: what belongs together is together, and what is sent again is where it was.
fn key(table: &str) -> &'static str {
    match table {
        "span" | "wrapper" | "trace" => "cityHash64(trace_id)",
        "log" => "cityHash64(trace_id, if(trace_id = toFixedString('', 16), row, 0))",
        "said" => "cityHash64(hash, row)",
        "hourly" | "touched" => "cityHash64(hour)",
        "piece" | "series" => "cityHash64(hash)",
        "point" => "cityHash64(series)",
        _ => "1",
    }
}

/// What an administrator gives to each server of a cluster.
pub(super) fn text(database: &str, cluster: &str) -> String {
    let (shard, tables) = (format!("{database}_shard"), tables());
    let mut text = format!(
        "-- For each server of the cluster {cluster}: its share in {shard}, and {database} for all that is asked and written.
CREATE DATABASE IF NOT EXISTS {shard};
USE {shard};

{tables}CREATE DATABASE IF NOT EXISTS {database};
"
    );
    for table in tables.lines().filter_map(table) {
        let _ = writeln!(
            text,
            "CREATE TABLE IF NOT EXISTS {database}.{table} AS {shard}.{table}
  ENGINE = Distributed({cluster}, {shard}, {table}, {});",
            key(table)
        );
    }
    let _ = write!(
        text,
        "-- With a <secret> in the cluster's configuration servers ask each other as the one who asks them; without one as the
-- <user> that stands there with each, `default` if none does. Whoever it is needs these rights on each server.
-- Who only looks:
-- CREATE USER otel_genai_reader IDENTIFIED BY '...';
-- GRANT SELECT ON {database}.* TO otel_genai_reader;
-- GRANT SELECT ON {shard}.* TO otel_genai_reader;
-- Who receives, too:
-- CREATE USER otel_genai_writer IDENTIFIED BY '...';
-- GRANT SELECT, INSERT ON {database}.* TO otel_genai_writer;
-- GRANT SELECT, INSERT ON {shard}.* TO otel_genai_writer;
"
    );
    text
}

/// The table that a line of a statement makes.
fn table(line: &str) -> Option<&str> {
    line.strip_prefix("CREATE TABLE IF NOT EXISTS ")?.split(' ').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_table_has_its_key() {
        let text = text("genai", "two");
        for database in ["genai", "genai_shard"] {
            assert!(text.contains(&format!("GRANT SELECT, INSERT ON {database}.* TO")), "{text}");
        }
        for table in tables().lines().filter_map(table) {
            assert!(
                text.contains(&format!("CREATE TABLE IF NOT EXISTS genai.{table} AS genai_shard.{table}\n")),
                "{table}"
            );
            assert!(key(table) != "1" || table == "schema_version", "{table}");
        }
    }
}
