//! How data are kept: the same for the dashboard and for whoever stores into its folder while none runs. A flag goes before a
//! variable, that before what was changed on the page, that before the default.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use otel_genai_dashboard::changes::{self, Changeable, Kept};
use otel_genai_dashboard::view::Whence;
use otel_genai_store::{PriceTable, SqliteOptions, SqliteStore, StoreError};

use super::place;
use super::settings::{Bytes, Content, MAX_AGE, MAX_BYTES, MAX_CONTENT, PRICES, SYNC, Span, Sync};
use crate::diagnostics;
use crate::exit::{Failure, NO_FOLDER, RUNS_ALREADY, USAGE};
use crate::settings::Own;

/// Unless told otherwise, data are kept for so long,
const KEPT_FOR: Duration = Duration::from_secs(30 * 86_400);
/// as long as they take no more room.
const KEPT_BYTES: u64 = 4 << 30;
/// What was changed on the page is kept beside the data.
const CHANGES: &str = "settings.json";

/// Flags that say how data are kept.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Data")]
pub(crate) struct Flags {
    /// Whether what was acknowledged outlives a power failure [default: full]
    ///
    /// Also OTEL_GENAI_DASHBOARD_SYNC.
    #[arg(long, value_name = "HOW", value_enum)]
    sync: Option<Sync>,

    /// Delete days that ended longer ago: 30d, 12h, or none [default: 30d]
    ///
    /// Also OTEL_GENAI_DASHBOARD_MAX_AGE, and the page's settings.
    #[arg(long, value_name = "DURATION")]
    max_age: Option<Span>,

    /// Delete the oldest when there is more: 4GiB, 500MiB, or none [default: 4GiB]
    ///
    /// Also OTEL_GENAI_DASHBOARD_MAX_BYTES, and the page's settings.
    #[arg(long, value_name = "BYTES")]
    max_bytes: Option<Bytes>,

    /// Keep only the beginning of messages, tools' results and other content that is longer: 1MiB, 64KiB [default: none]
    ///
    /// What is cut says so. 1KiB is the least. Also OTEL_GENAI_DASHBOARD_MAX_CONTENT.
    #[arg(long, value_name = "BYTES")]
    max_content: Option<Content>,

    /// A file with prices of models, over those that are built in
    ///
    /// Its shape is told in docs/dashboard.md#costs. Also OTEL_GENAI_DASHBOARD_PRICES.
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
}

/// How data are kept.
pub(crate) struct Keep {
    folder: Option<PathBuf>,
    pub(crate) sync: Told<Sync>,
    pub(crate) max_age: Told<Span>,
    pub(crate) max_bytes: Told<Bytes>,
    pub(crate) max_content: Told<Content>,
    pub(crate) prices_file: Option<Told<PathBuf>>,
    pub(crate) prices: Arc<PriceTable>,
}

/// A value, and who says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told<T> {
    pub(crate) value: T,
    pub(crate) from: Whence,
}

impl Flags {
    /// Together with the environment, what the page has changed in this folder, and the defaults. Without a folder data are
    /// kept in memory.
    pub(crate) fn keep(&self, folder: Option<&Path>) -> Result<Keep, Failure> {
        let changed = folder.map_or(Some(Kept::default()), changed);
        // Where the page has said something that cannot be read nothing is deleted by itself: perhaps it was to be kept.
        let age = Span(changed.map(|_| KEPT_FOR));
        let bytes = Bytes(changed.map(|_| KEPT_BYTES));
        let kept = changed.unwrap_or_default();
        let prices_file = match &self.prices {
            Some(file) => Some(Told { value: file.clone(), from: Whence::Flag }),
            None => PRICES.variable().map(|file| Told { value: file.into(), from: Whence::Environment }),
        };
        Ok(Keep {
            folder: folder.map(Path::to_owned),
            sync: told(SYNC, self.sync, None, Sync::default()),
            max_age: limit(MAX_AGE, Span(None), told(MAX_AGE, self.max_age, kept.max_age.map(Span), age)),
            max_bytes: limit(
                MAX_BYTES,
                Bytes(None),
                told(MAX_BYTES, self.max_bytes, kept.max_bytes.map(Bytes), bytes),
            ),
            max_content: told(MAX_CONTENT, self.max_content, None, Content(None)),
            prices: Arc::new(prices(prices_file.as_ref().map(|told| told.value.as_path()))?),
            prices_file,
        })
    }
}

impl Keep {
    /// Opens the data, to keep them.
    pub(crate) fn open(&self) -> Result<SqliteStore, Failure> {
        self.options().open().map_err(unopened)
    }

    /// Opens the data, to add to them: whoever does that does not know how long the others are to be kept.
    pub(crate) fn open_to_add(&self) -> Result<SqliteStore, Failure> {
        self.options().deletes_nothing().open().map_err(unopened)
    }

    fn options(&self) -> SqliteOptions {
        let folder = self.folder.as_deref();
        let options = folder.map_or_else(SqliteOptions::temporary, SqliteOptions::new);
        let mut options = options.pricing(Arc::clone(&self.prices) as _);
        // In memory nothing outlives anything, unless that is asked for.
        if folder.is_some() || self.sync.from != Whence::Default {
            options = options.durability(self.sync.value.into());
        }
        if let Span(Some(age)) = self.max_age.value {
            options = options.max_age(age);
        }
        if let Bytes(Some(bytes)) = self.max_bytes.value {
            options = options.max_bytes(bytes);
        }
        if let Content(Some(bytes)) = self.max_content.value {
            options = options.max_content(bytes);
        }
        options
    }

    /// Opens the data, to look at them.
    pub(crate) fn look(&self) -> Result<SqliteStore, Failure> {
        let folder = self.folder.clone().unwrap_or_default();
        if !folder.is_dir() {
            let shown = place::shown(&folder);
            let message =
                format!("nothing was received yet: there is no {shown}; `otel-genai dashboard` receives");
            return Err(Failure::new(NO_FOLDER, message));
        }
        SqliteOptions::new(folder).pricing(Arc::clone(&self.prices) as _).read_only().open().map_err(unopened)
    }

    /// What the page may change: what neither a flag nor a variable decides.
    pub(crate) fn changeable(&self) -> Changeable {
        let free = |from: Whence| matches!(from, Whence::Page | Whence::Default);
        Changeable {
            file: self.folder.as_ref().map(|folder| folder.join(CHANGES)),
            max_age: free(self.max_age.from).then(|| MAX_AGE.name.to_owned()),
            max_bytes: free(self.max_bytes.from).then(|| MAX_BYTES.name.to_owned()),
        }
    }
}

/// What the page has changed; none if that cannot be read, which is said.
fn changed(folder: &Path) -> Option<Kept> {
    if folder.is_file() {
        // Said by who opens the folder.
        return Some(Kept::default());
    }
    let file = folder.join(CHANGES);
    let read = Kept::read(&file).inspect_err(|error| {
        let file = place::shown(&file);
        diagnostics::remark(format_args!(
            "{file} cannot be read: {error}; until the settings are changed on the page again, or the file is deleted, \
             nothing is too old and nothing too much"
        ));
    });
    read.ok()
}

/// What the page has changed, for those who show settings; none if that cannot be read.
pub(crate) struct Changed(Option<Kept>);

impl Changed {
    /// In the folder where data are kept.
    pub(crate) fn here() -> Self {
        Self(place::folder(None).as_deref().map_or(Some(Kept::default()), changed))
    }

    /// The value of a setting, and who says it, if it was changed or may have been.
    pub(crate) fn value(&self, own: &Own) -> Option<(String, &'static str)> {
        let (age, size) = match self.0 {
            Some(kept) => (kept.max_age.map(changes::age), kept.max_bytes.map(changes::size)),
            None => (Some(changes::age(None)), Some(changes::size(None))),
        };
        let value = match own.name {
            name if name == MAX_AGE.name => age,
            name if name == MAX_BYTES.name => size,
            _ => None,
        };
        let by = if self.0.is_some() { "the dashboard's page" } else { "the page's settings cannot be read" };
        value.map(|value| (value, by))
    }
}

/// A limit of what is kept. Where its variable cannot be read there is none: perhaps more was to be kept than by default.
fn limit<T>(own: Own, none: T, told: Told<T>) -> Told<T> {
    match told.from {
        Whence::Page | Whence::Default if own.variable().is_some() => {
            Told { value: none, from: Whence::Default }
        }
        _ => told,
    }
}

/// The flag's value, else the variable's, else what the page has changed, else the default.
fn told<T: FromStr>(own: Own, flag: Option<T>, changed: Option<T>, default: T) -> Told<T>
where
    T::Err: Display,
{
    let (value, from) = match (flag, changed) {
        (Some(value), _) => (value, Whence::Flag),
        (None, changed) => match (own.or_variable(None), changed) {
            (Some(value), _) => (value, Whence::Environment),
            (None, Some(value)) => (value, Whence::Page),
            (None, None) => (default, Whence::Default),
        },
    };
    Told { value, from }
}

fn prices(file: Option<&Path>) -> Result<PriceTable, Failure> {
    let Some(file) = file else { return Ok(PriceTable::builtin()) };
    let text = std::fs::read_to_string(file).map_err(|error| {
        Failure::new(USAGE, format!("cannot read the prices in {}: {error}", file.display()))
    })?;
    PriceTable::builtin()
        .with_overrides(&text)
        .map_err(|error| Failure::new(USAGE, format!("the prices in {}: {error}", file.display())))
}

fn unopened(error: StoreError) -> Failure {
    match error {
        StoreError::Locked { url: Some(url), pid, .. } => {
            let process = pid.map(|pid| format!(" (process {pid})")).unwrap_or_default();
            Failure::new(
                RUNS_ALREADY,
                format!(
                    "the dashboard runs already: {url}{process}; `otel-genai dashboard --stop` ends it, and --read-only \
                     looks at its data beside it"
                ),
            )
        }
        StoreError::Locked { .. } => Failure::new(RUNS_ALREADY, error.to_string()),
        StoreError::Older { .. } => {
            Failure::new(NO_FOLDER, format!("{error}: start `otel-genai dashboard` with it once"))
        }
        StoreError::ReadOnly(_) => Failure::new(
            NO_FOLDER,
            format!("{error}; --read-only looks at what is there, --data-dir names another folder"),
        ),
        error => {
            Failure::new(NO_FOLDER, format!("{error}; --data-dir names another folder, --memory needs none"))
        }
    }
}

impl Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&changes::age(self.0))
    }
}

impl Display for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&changes::size(self.0))
    }
}

impl Display for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&changes::size(self.0))
    }
}

impl Display for Sync {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Full => "full",
            Self::Normal => "normal",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_goes_before_the_page_and_that_before_the_default() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(CHANGES);
        std::fs::write(&file, r#"{"maxAgeMs": 3600000, "maxBytes": null}"#).unwrap();
        let keep = Flags::default().keep(Some(folder.path())).unwrap();
        let hour = Span(Some(Duration::from_secs(3_600)));
        assert_eq!(keep.max_age, Told { value: hour, from: Whence::Page });
        assert_eq!(keep.max_bytes, Told { value: Bytes(None), from: Whence::Page });
        let changeable = keep.changeable();
        assert_eq!((changeable.file.as_ref(), changeable.max_age.is_some()), (Some(&file), true));

        let day = Span(Some(Duration::from_secs(86_400)));
        let flags = Flags { max_age: Some(day), ..Flags::default() };
        let keep = flags.keep(Some(folder.path())).unwrap();
        assert_eq!(keep.max_age, Told { value: day, from: Whence::Flag });
        assert_eq!((keep.changeable().max_age, keep.max_age.value.to_string().as_str()), (None, "1d"));

        std::fs::write(&file, "?").unwrap();
        let keep = Flags::default().keep(Some(folder.path())).unwrap();
        assert_eq!(keep.max_age, Told { value: Span(None), from: Whence::Default });
        assert_eq!(keep.max_bytes.value.to_string(), "none");
        assert!(keep.changeable().max_age.is_some());
        let keep = flags.keep(Some(folder.path())).unwrap();
        assert_eq!(keep.max_age.value, day);
        std::fs::write(&file, r#"{"maxAgeMs": 1, "maxBytes": 1, "later": 1}"#).unwrap();
        let keep = Flags::default().keep(Some(folder.path())).unwrap();
        assert_eq!((keep.max_age.value, keep.max_bytes.value.to_string().as_str()), (hour, "16MiB"));
    }
}
