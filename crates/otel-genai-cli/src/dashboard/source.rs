//! Where commands without a page look: at the dashboard that runs, else into its files.

use std::path::PathBuf;

use bytes::Bytes;
use otel_genai_sdk::shown_url;

use super::api::{Api, Unanswered};
use super::found::Found;
use super::inside::Inside;
use super::keep::Flags;
use super::place;
use super::settings::TOKEN;
use crate::exit::{Failure, NO_FOLDER};
use crate::url::BaseUrl;

#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Where to look")]
pub(crate) struct Look {
    /// Where data are kept
    ///
    /// Asks the dashboard that has the folder, and reads the files themselves if none does. Also OTEL_GENAI_DATA_DIR.
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,

    /// Ask the dashboard at this address instead, such as http://127.0.0.1:18888
    ///
    /// Its token, if it wants one, is in OTEL_GENAI_DASHBOARD_TOKEN.
    #[arg(long, value_name = "URL", conflicts_with = "data_dir", value_parser = address)]
    url: Option<BaseUrl>,
}

fn address(text: &str) -> Result<BaseUrl, String> {
    let url = BaseUrl::parse(text).filter(|url| url.origin.scheme_str() == Some("http"));
    url.ok_or_else(|| "it must be an http:// URL".to_owned())
}

/// What can be asked.
pub(crate) struct Source {
    pub(crate) found: Found,
    /// Ours, over the files, where no dashboard runs.
    inside: Option<Inside>,
}

impl Look {
    /// The dashboard to ask, as one that runs on its own.
    pub(crate) async fn running(&self) -> Result<Option<Found>, Failure> {
        if let Some(url) = &self.url {
            let url = url.origin();
            let token = TOKEN.variable();
            let api = Api::new(&url, token.as_deref());
            api.about().await.map_err(|why| Failure::ours(format!("{}: {why}", shown_url(&url))))?;
            return Ok(Some(Found { url, otlp: None, token, api }));
        }
        Ok(Found::at(&self.folder()?).await)
    }

    /// Whatever can be asked.
    pub(crate) async fn open(&self) -> Result<Source, Failure> {
        if let Some(found) = self.running().await? {
            return Ok(Source { found, inside: None });
        }
        let store = Flags::default().keep(Some(&self.folder()?))?.look()?;
        let inside = Inside::start(store, false).await?;
        Ok(Source { found: inside.found.clone(), inside: Some(inside) })
    }

    /// The dashboard that runs, else one within this process that stores into the folder.
    pub(crate) async fn open_to_store(&self) -> Result<Source, Failure> {
        if let Some(found) = self.running().await? {
            return Ok(Source { found, inside: None });
        }
        let folder = self.folder()?;
        place::keep_private();
        let store = Flags::default().keep(Some(&folder))?.open_to_add()?;
        let inside = Inside::start(store, false).await?;
        Ok(Source { found: inside.found.clone(), inside: Some(inside) })
    }

    /// Whether [`Look::open_to_store`] would find no dashboard and no folder.
    pub(crate) fn would_make_a_folder(&self) -> bool {
        self.url.is_none() && place::folder(self.data_dir.as_deref()).is_some_and(|folder| !folder.is_dir())
    }

    fn folder(&self) -> Result<PathBuf, Failure> {
        place::folder(self.data_dir.as_deref()).ok_or_else(|| {
            Failure::new(NO_FOLDER, "there is no home with data in it; --data-dir names a folder")
        })
    }
}

impl Source {
    /// A document below `/api/v1`.
    pub(crate) async fn get(&self, path: &str) -> Result<serde_json::Value, Failure> {
        self.found.api.get(path).await.map_err(Failure::ours)
    }

    /// A text below `/api/v1`.
    pub(crate) async fn text(&self, path: &str) -> Result<String, Failure> {
        let bytes = self.found.api.whole(path).await.map_err(Failure::ours)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| Failure::ours("the answer is no text"))
    }

    /// Stores a file, and says what became of it. The error says why it is not, and what is stored all the same.
    pub(crate) async fn import(&self, format: &str, file: Bytes) -> Result<serde_json::Value, Unanswered> {
        self.found.api.import(format, file).await
    }

    /// Whether the dashboard is one that goes on.
    pub(crate) fn runs(&self) -> bool {
        self.inside.is_none()
    }

    /// Lets go of the files.
    pub(crate) async fn close(self) {
        if let Some(inside) = self.inside {
            inside.end().await;
        }
    }
}
