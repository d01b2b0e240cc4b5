//! `otel-genai store schema clickhouse`: what an administrator runs, so that otel-genai needs few rights.

use otel_genai_store::{ClickHouseOptions, StoreError};

use crate::dashboard::settings::Span;
use crate::exit::{Failure, USAGE};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  otel-genai store schema clickhouse | clickhouse-client -n
  otel-genai store schema clickhouse --database traces --max-age 90d
  otel-genai store schema clickhouse --cluster genai       for each server of a cluster

The end of the text tells which rights those need who only look, and those who receive.")]
pub(super) struct Schema {
    /// Of which store
    #[arg(value_name = "STORE", value_enum)]
    store: Kind,

    /// The database
    #[arg(long, value_name = "NAME", default_value = "otel_genai")]
    database: String,

    /// Delete days that ended longer ago: 30d, 90d, or none to keep all again
    #[arg(long, value_name = "DURATION")]
    max_age: Option<Span>,

    /// For servers that know each other as this cluster: what each of them is given
    #[arg(long, value_name = "NAME", conflicts_with = "max_age")]
    cluster: Option<String>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Kind {
    Clickhouse,
}

impl Schema {
    pub(super) fn execute(self) -> Result<u8, Failure> {
        let Kind::Clickhouse = self.store;
        let wrong = |error: StoreError| Failure::new(USAGE, error.to_string());
        let address = format!("clickhouse://localhost/{}", self.database);
        let options = ClickHouseOptions::new(&address).map_err(wrong)?;
        let text = match &self.cluster {
            Some(cluster) => options.cluster_schema(cluster).map_err(wrong)?,
            None => match self.max_age {
                Some(Span(age)) => options.max_age(age).schema(),
                None => options.schema(),
            },
        };
        super::super::print(&text);
        Ok(0)
    }
}
