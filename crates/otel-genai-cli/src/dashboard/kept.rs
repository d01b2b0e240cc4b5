//! Where the dashboard keeps what it receives: in files of its own, or in a database that others use, too.

use std::path::PathBuf;
use std::sync::Arc;

use otel_genai_store::{SqliteStore, Store};

use super::place;

/// An open store.
pub(crate) struct Kept {
    pub(crate) store: Arc<dyn Store>,
    files: Option<Arc<SqliteStore>>,
    /// The folder by which other commands find the dashboard.
    pub(crate) folder: Option<PathBuf>,
    /// Where data are, for people.
    pub(crate) shown: String,
}

impl Kept {
    /// In files, or without a folder for the time being.
    pub(crate) fn files(store: SqliteStore, folder: Option<PathBuf>) -> Self {
        let store = Arc::new(store);
        let shown = match &folder {
            Some(folder) => place::shown(folder),
            None => "in memory, forgotten at the end".to_owned(),
        };
        Self { store: Arc::clone(&store) as Arc<dyn Store>, files: Some(store), folder, shown }
    }

    /// In a database.
    #[cfg(feature = "clickhouse")]
    pub(crate) fn database(store: otel_genai_store::ClickHouseStore, shown: String) -> Self {
        Self { store: Arc::new(store), files: None, folder: None, shown }
    }

    /// Tells whoever wants the same files where the dashboard is.
    pub(crate) fn announce(&self, url: &str) {
        if let Some(files) = &self.files {
            files.announce(url);
        }
    }
}
