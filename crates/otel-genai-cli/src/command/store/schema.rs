//! `otel-genai store schema clickhouse`: what an administrator runs, so that otel-genai needs few rights.

use otel_genai_store::ClickHouseOptions;

use crate::dashboard::settings::Span;
use crate::exit::{Failure, USAGE};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  otel-genai store schema clickhouse | clickhouse-client -n
  otel-genai store schema clickhouse --database traces --max-age 90d

The end of the text tells which rights those need who only look, and those who receive.")]
pub(super) struct Schema {
    /// Of which store
    #[arg(value_name = "STORE", value_enum)]
    store: Kind,

    /// The database
    #[arg(long, value_name = "NAME", default_value = "otel_genai")]
    database: String,

    /// Delete days that ended longer ago: 30d, 90d, or none
    #[arg(long, value_name = "DURATION", default_value = "none")]
    max_age: Span,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Kind {
    Clickhouse,
}

impl Schema {
    pub(super) fn execute(self) -> Result<u8, Failure> {
        let Kind::Clickhouse = self.store;
        let options = ClickHouseOptions::new(&format!("clickhouse://localhost/{}", self.database))
            .map_err(|error| Failure::new(USAGE, error.to_string()))?;
        super::super::print(&options.max_age(self.max_age.0).schema());
        Ok(0)
    }
}
