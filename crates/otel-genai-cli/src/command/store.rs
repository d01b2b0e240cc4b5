//! `otel-genai store`: what is kept, from one place to another, and for an administrator.

mod copy;
mod schema;

use crate::exit::Failure;

#[derive(Debug, clap::Args)]
#[command(subcommand_required = true)]
pub(super) struct Store {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Copy all records from one store into another, and look whether they have arrived
    Copy(copy::Copy),
    /// Print the statements that make the tables, for an administrator
    Schema(schema::Schema),
}

impl Store {
    pub(super) fn execute(self) -> Result<u8, Failure> {
        match self.command {
            Command::Copy(copy) => copy.execute(),
            Command::Schema(schema) => schema.execute(),
        }
    }
}
