//! A store in ClickHouse: where it is, and as whom it is asked. The password is said nowhere.

use std::path::PathBuf;

use otel_genai_store::{ClickHouseOptions, StoreError};

use super::settings::{STORE, STORE_PASSWORD, STORE_PASSWORD_FILE};
use crate::exit::{Failure, NO_FOLDER, USAGE};

/// The flags of a dashboard whose data are in ClickHouse.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Data")]
pub(crate) struct Server {
    /// Keep data in ClickHouse instead, such as clickhouse://ann@db.example:8123/otel_genai
    ///
    /// Its HTTP port; clickhouses:// asks by TLS; http:// and https:// are understood, too. How long data are kept is then
    /// changed by --max-age alone. Also OTEL_GENAI_STORE.
    #[arg(long, value_name = "URL", conflicts_with_all = ["data_dir", "memory", "sync", "max_bytes", "max_content"])]
    store: Option<String>,

    /// A file whose first line is the password of the user in that address
    ///
    /// Also OTEL_GENAI_STORE_PASSWORD_FILE; or OTEL_GENAI_STORE_PASSWORD has the password.
    #[arg(long, value_name = "FILE")]
    store_password_file: Option<PathBuf>,
}

impl Server {
    /// The store that is asked for. `files`: flags ask for files, which weigh more than a variable.
    pub(crate) fn options(&self, files: bool) -> Result<Option<ClickHouseOptions>, Failure> {
        let address = self.store.clone().or_else(|| STORE.variable().filter(|_| !files));
        address.map(|address| options(&address, self.store_password_file.clone())).transpose()
    }

    /// The flag's address, with whatever secret is in it.
    pub(crate) fn address(&self) -> Option<&str> {
        self.store.as_deref()
    }

    pub(crate) fn password_file(&self) -> &Option<PathBuf> {
        &self.store_password_file
    }
}

/// Whether a text is an address of ClickHouse, and not a folder.
pub(crate) fn is_address(text: &str) -> bool {
    text.contains("://")
}

/// The store at an address. A password that is not in it is in a file or in a variable.
pub(crate) fn options(address: &str, password_file: Option<PathBuf>) -> Result<ClickHouseOptions, Failure> {
    let options = ClickHouseOptions::new(address).map_err(|error| Failure::new(USAGE, error.to_string()))?;
    if options.has_password() {
        return Ok(options);
    }
    let file = password_file.or_else(|| STORE_PASSWORD_FILE.variable().map(PathBuf::from));
    let password = match file {
        Some(file) => {
            let text = std::fs::read_to_string(&file).map_err(|error| {
                Failure::new(USAGE, format!("cannot read the password in {}: {error}", file.display()))
            })?;
            Some(text.lines().next().unwrap_or_default().trim().to_owned())
        }
        None => STORE_PASSWORD.variable(),
    };
    Ok(match password {
        Some(password) => options.password(password),
        None => options,
    })
}

/// Why a store in ClickHouse cannot be used.
pub(crate) fn failure(error: &StoreError) -> Failure {
    let hint = match error {
        StoreError::Away { source, .. } if source.to_string().contains("certificate") => {
            "; SSL_CERT_FILE names the file of an authority that this system does not trust"
        }
        StoreError::Away { .. } => "; is the server there, and is this its HTTP port, 8123 or 8443?",
        _ => "",
    };
    Failure::new(NO_FOLDER, format!("{error}{hint}"))
}
