//! Where commands without a page look: at the dashboard that runs, else into its files; or into ClickHouse.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use otel_genai_store::Store;

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

    /// Look into a ClickHouse instead, such as clickhouse://ann@db.example:8123/otel_genai
    ///
    /// Its password, if it is not in there, is in OTEL_GENAI_STORE_PASSWORD or in the file that
    /// OTEL_GENAI_STORE_PASSWORD_FILE names. Also OTEL_GENAI_STORE, where neither --data-dir nor --url is given.
    #[cfg(feature = "clickhouse")]
    #[arg(long, value_name = "URL", conflicts_with_all = ["data_dir", "url"])]
    store: Option<String>,
}

fn address(text: &str) -> Result<BaseUrl, String> {
    let url = BaseUrl::parse(text).filter(|url| url.origin.scheme_str() == Some("http"));
    url.ok_or_else(|| "it must be an http:// URL".to_owned())
}

/// What can be asked.
pub(crate) struct Source {
    pub(crate) found: Found,
    /// Where that is, or where the data are, for people.
    pub(crate) shown: String,
    /// Ours, over the files, where no dashboard runs.
    inside: Option<Inside>,
}

impl Look {
    /// The dashboard to ask, as one that runs on its own.
    async fn running(&self) -> Result<Option<Found>, Failure> {
        if let Some(url) = &self.url {
            let url = url.origin();
            let token = TOKEN.variable();
            let api = Api::new(&url, token.as_deref());
            api.about().await.map_err(Failure::ours)?;
            return Ok(Some(Found { url, otlp: None, token, api }));
        }
        Ok(Found::at(&self.folder()?).await)
    }

    /// The ClickHouse that is asked for, by a dashboard within this process.
    #[cfg(feature = "clickhouse")]
    async fn server(&self, read_only: bool) -> Result<Option<Source>, Failure> {
        let Some(address) = self.server_address() else { return Ok(None) };
        // How long a server keeps records is not for one who looks, or adds to them, to say.
        let keep = Flags::default().keep(None)?;
        let options = super::server::options(&address, None)?.pricing(Arc::clone(&keep.prices) as _);
        let shown = options.location();
        let options = if read_only { options.read_only() } else { options };
        let store = options.open().await.map_err(|error| super::server::failure(&error))?;
        Source::over(store, shown).await.map(Some)
    }

    #[cfg(not(feature = "clickhouse"))]
    async fn server(&self, _read_only: bool) -> Result<Option<Source>, Failure> {
        Ok(None)
    }

    #[cfg(feature = "clickhouse")]
    fn server_address(&self) -> Option<String> {
        let by_flag = self.data_dir.is_some() || self.url.is_some();
        self.store.clone().or_else(|| super::settings::STORE.variable().filter(|_| !by_flag))
    }

    #[cfg(not(feature = "clickhouse"))]
    fn server_address(&self) -> Option<String> {
        None
    }

    /// Where something may come while it is looked at.
    pub(crate) async fn live(&self) -> Result<Option<Source>, Failure> {
        if let Some(source) = self.server(true).await? {
            return Ok(Some(source));
        }
        Ok(self.running().await?.map(Source::of))
    }

    /// Whatever can be asked.
    pub(crate) async fn open(&self) -> Result<Source, Failure> {
        if let Some(source) = self.server(true).await? {
            return Ok(source);
        }
        if let Some(found) = self.running().await? {
            return Ok(Source::of(found));
        }
        let folder = self.folder()?;
        let store = Flags::default().keep(Some(&folder))?.look()?;
        Source::over(Arc::new(store), place::shown(&folder)).await
    }

    /// The dashboard that runs, else one within this process that stores into the folder; or into ClickHouse.
    pub(crate) async fn open_to_store(&self) -> Result<Source, Failure> {
        if let Some(source) = self.server(false).await? {
            return Ok(source);
        }
        if let Some(found) = self.running().await? {
            return Ok(Source::of(found));
        }
        let folder = self.folder()?;
        place::keep_private();
        let store = Flags::default().keep(Some(&folder))?.open_to_add()?;
        Source::over(Arc::new(store), place::shown(&folder)).await
    }

    /// Whether [`Look::open_to_store`] would find no dashboard, no server and no folder.
    pub(crate) fn would_make_a_folder(&self) -> bool {
        let folder = || place::folder(self.data_dir.as_deref());
        self.url.is_none()
            && self.server_address().is_none()
            && folder().is_some_and(|folder| !folder.is_dir())
    }

    /// The flag by which another command reads the same files or server, ready for a shell. A password is left out.
    pub(crate) fn again(&self) -> String {
        if let Some(folder) = &self.data_dir {
            return format!(" --data-dir {}", quoted(&folder.display().to_string()));
        }
        #[cfg(feature = "clickhouse")]
        if let Some((scheme, rest)) = self.store.as_ref().and_then(|store| store.split_once("://")) {
            let (who, place) = rest.rsplit_once('@').unwrap_or(("", rest));
            let user = who.split(':').next().filter(|user| !user.is_empty());
            let user = user.map(|user| format!("{user}@")).unwrap_or_default();
            return format!(" --store {}", quoted(&format!("{scheme}://{user}{place}")));
        }
        String::new()
    }

    fn folder(&self) -> Result<PathBuf, Failure> {
        place::folder(self.data_dir.as_deref()).ok_or_else(|| {
            Failure::new(NO_FOLDER, "there is no home with data in it; --data-dir names a folder")
        })
    }
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    match word {
        "" => "''".to_owned(),
        word if word.chars().all(plain) => word.to_owned(),
        word => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

impl Source {
    /// A dashboard that runs.
    fn of(found: Found) -> Self {
        Self { shown: found.shown(), found, inside: None }
    }

    /// A dashboard within this process, over what a store keeps.
    async fn over(store: Arc<dyn Store>, shown: String) -> Result<Self, Failure> {
        let inside = Inside::start(store, false).await?;
        Ok(Self { found: inside.found.clone(), shown, inside: Some(inside) })
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_command_is_told_the_same_place_and_no_password() {
        let folder = |folder: &str| Look { data_dir: Some(folder.into()), ..Look::default() }.again();
        assert_eq!(folder("/data/a-b_1"), " --data-dir /data/a-b_1");
        assert_eq!(folder("it's here"), r" --data-dir 'it'\''s here'");
        assert_eq!(Look::default().again(), "");
        #[cfg(feature = "clickhouse")]
        for (store, again) in [
            ("clickhouse://ann:p@ss@db:8123/x", " --store clickhouse://ann@db:8123/x"),
            ("clickhouses://db?cluster=c", " --store 'clickhouses://db?cluster=c'"),
        ] {
            assert_eq!(Look { store: Some(store.to_owned()), ..Look::default() }.again(), again);
        }
    }
}
