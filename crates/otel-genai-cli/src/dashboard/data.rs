//! The data of a dashboard, opened: files of its own, or a database that others use, too.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use otel_genai_dashboard::changes::Changeable;
use otel_genai_dashboard::view::Durability;
use otel_genai_store::{SqliteStore, Store};

use super::keep::Keep;
use super::place;
use super::settings::{DATA_DIR, MAX_BYTES, MAX_CONTENT, MEMORY, SYNC};
use crate::exit::Failure;
use crate::settings::Own;

/// An open store, and what a dashboard says of it.
pub(crate) struct Data {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) keep: Keep,
    /// Where data are, for people.
    pub(crate) shown: String,
    /// Whether nothing can be added to them.
    pub(crate) looks: bool,
    /// What the files have, and a database has not.
    files: Option<Files>,
}

struct Files {
    store: Arc<SqliteStore>,
    /// The folder in which other commands find the dashboard; none for who only looks, and in memory.
    owned: Option<PathBuf>,
}

impl Data {
    /// In files, or without a folder for the time being.
    pub(crate) fn files(keep: Keep, folder: Option<PathBuf>, read_only: bool) -> Result<Self, Failure> {
        let store = Arc::new(if read_only { keep.look()? } else { keep.open()? });
        let shown = match &folder {
            Some(folder) if read_only => format!("{}, only to look at", place::shown(folder)),
            Some(folder) => place::shown(folder),
            None => "in memory, forgotten at the end".to_owned(),
        };
        // Who only looks leaves nothing in the folder.
        let owned = folder.filter(|_| !read_only);
        Ok(Self {
            store: Arc::clone(&store) as Arc<dyn Store>,
            keep,
            shown,
            looks: read_only,
            files: Some(Files { store, owned }),
        })
    }

    /// In ClickHouse.
    #[cfg(feature = "clickhouse")]
    pub(crate) async fn server(
        keep: Keep,
        options: otel_genai_store::ClickHouseOptions,
        read_only: bool,
    ) -> Result<Self, Failure> {
        use otel_genai_dashboard::view::Whence;

        let mut options = options.pricing(Arc::clone(&keep.prices) as _);
        // The default is that of files; what holds for everybody on the server is changed by who says so.
        if matches!(keep.max_age.from, Whence::Flag | Whence::Environment) {
            options = options.max_age(keep.max_age.value.0);
        }
        if read_only {
            options = options.read_only();
        }
        let location = options.location();
        let store = options.open().await.map_err(|error| super::server::failure(&error))?;
        // Of tables that others write, too.
        let looks = read_only || store.status().await.is_ok_and(|status| status.read_only);
        if looks
            && !read_only
            && let Err(why) = store.ingest(otel_genai_store::Batch::default()).await
        {
            crate::diagnostics::remark(format_args!("{why}; nothing is received"));
        }
        let shown = if looks { format!("{location}, only to look at") } else { location };
        Ok(Self { store, keep, shown, looks, files: None })
    }

    /// Tells whoever wants the same files where the dashboard is.
    pub(crate) fn announce(&self, url: &str) {
        if let Some(files) = &self.files {
            files.store.announce(url);
        }
    }

    /// The folder in which other commands find the dashboard.
    pub(crate) fn owned(&self) -> Option<&Path> {
        self.files.as_ref()?.owned.as_deref()
    }

    /// What the page may change. What a server keeps is not one dashboard's to say.
    pub(crate) fn changeable(&self) -> Changeable {
        if self.files.is_some() { self.keep.changeable() } else { Changeable::default() }
    }

    /// When what was received is on the disk. A server decides it by itself.
    pub(crate) fn durability(&self) -> Durability {
        if self.files.is_some() { self.keep.sync.value.into() } else { Durability::Normal }
    }

    /// Whether a setting means anything here.
    pub(crate) fn knows(&self, own: &Own) -> bool {
        let of_files = [DATA_DIR, MEMORY, SYNC, MAX_BYTES, MAX_CONTENT];
        self.files.is_some() || of_files.iter().all(|of_files| of_files.name != own.name)
    }

    /// Whether data are kept on a server, for as long as is set there unless this dashboard was told.
    pub(crate) fn is_server(&self) -> bool {
        self.files.is_none()
    }
}
