//! Settings that the page changes while the dashboard runs, and where they are kept for its next start.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::view::SettingsChange;

/// Who mistypes a number must not lose everything: no less than this is kept.
pub(crate) const SHORTEST: Duration = Duration::from_secs(3_600);
pub(crate) const SMALLEST: u64 = 16 << 20;

/// Which settings the page may change. A setting that a flag or a variable decides is none of them: it would be another one
/// again at the next start.
#[derive(Clone, Debug, Default)]
pub struct Changeable {
    /// Where changes are kept, as [`Kept::read`] reads them; without a file they end with the dashboard.
    pub file: Option<PathBuf>,
    /// How long is kept: the name by which it stands among the variables.
    pub max_age: Option<String>,
    /// How much is kept: the name by which it stands among the variables.
    pub max_bytes: Option<String>,
}

/// What the page has changed. `None`: nothing was said; `Some(None)`: no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kept {
    /// How long records are kept.
    pub max_age: Option<Option<Duration>>,
    /// How much room they may take, in bytes.
    pub max_bytes: Option<Option<u64>>,
}

impl Kept {
    /// Reads the file; nothing was changed where there is none.
    ///
    /// # Errors
    /// When it cannot be read, or is not what was written.
    pub fn read(file: &Path) -> io::Result<Self> {
        let change = read(file)?;
        let at_least = |ms: u64| Duration::from_millis(ms).max(SHORTEST);
        Ok(Self {
            max_age: change.max_age_ms.map(|ms| ms.map(at_least)),
            max_bytes: change.max_bytes.map(|bytes| bytes.map(|bytes| bytes.max(SMALLEST))),
        })
    }
}

fn read(file: &Path) -> io::Result<SettingsChange> {
    match std::fs::read(file) {
        Ok(text) => {
            let mut fields: serde_json::Map<_, _> = serde_json::from_slice(&text)?;
            // A later version may keep more in it.
            fields.retain(|name, _| matches!(name.as_str(), "maxAgeMs" | "maxBytes"));
            Ok(serde_json::from_value(fields.into())?)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(SettingsChange::default()),
        Err(error) => Err(error),
    }
}

/// Keeps a change with those before it. The file is the old one or the new one, whatever happens meanwhile.
pub(crate) fn keep(file: &Path, change: &SettingsChange) -> io::Result<()> {
    // What cannot be read was said at the start, and is over with this.
    let before = read(file).unwrap_or_default();
    let all = SettingsChange {
        max_age_ms: change.max_age_ms.or(before.max_age_ms),
        max_bytes: change.max_bytes.or(before.max_bytes),
    };
    let new = file.with_extension("new");
    let mut written = std::fs::File::create(&new)?;
    written.write_all(&serde_json::to_vec_pretty(&all)?)?;
    written.sync_all()?;
    std::fs::rename(new, file)
}

/// A duration as flags have it: `30d`, `12h`, `none`.
#[must_use]
pub fn age(age: Option<Duration>) -> String {
    let Some(age) = age else { return "none".to_owned() };
    let seconds = age.as_secs();
    let units = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let unit = units.into_iter().find(|(unit, _)| seconds % unit == 0 && seconds >= *unit);
    unit.map_or_else(|| "0s".to_owned(), |(unit, name)| format!("{}{name}", seconds / unit))
}

/// A size in bytes as flags have it: `4GiB`, `none`.
#[must_use]
pub fn size(bytes: Option<u64>) -> String {
    let Some(bytes) = bytes else { return "none".to_owned() };
    let units = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")];
    let unit = units.into_iter().find(|(shift, _)| bytes.trailing_zeros() >= *shift && bytes > 0);
    unit.map_or_else(|| bytes.to_string(), |(shift, name)| format!("{}{name}", bytes >> shift))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_stand_beside_those_before_them() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("settings.json");
        assert_eq!(Kept::read(&file).unwrap(), Kept::default());
        let age = SettingsChange { max_age_ms: Some(Some(3_600_000)), max_bytes: None };
        keep(&file, &age).unwrap();
        keep(&file, &SettingsChange { max_age_ms: None, max_bytes: Some(None) }).unwrap();
        let kept = Kept { max_age: Some(Some(Duration::from_secs(3_600))), max_bytes: Some(None) };
        assert_eq!(Kept::read(&file).unwrap(), kept);
        std::fs::write(&file, "{").unwrap();
        assert!(Kept::read(&file).is_err());
        keep(&file, &age).unwrap();
        assert_eq!(Kept::read(&file).unwrap(), Kept { max_bytes: None, ..kept });
    }

    #[test]
    fn values_are_told_as_flags_take_them() {
        let told = |seconds| age(Some(Duration::from_secs(seconds)));
        assert_eq!([told(2_592_000), told(5_400), told(90), told(0)], ["30d", "90m", "90s", "0s"]);
        assert_eq!([size(Some(4 << 30)), size(Some(1_000_000)), size(None)], ["4GiB", "1000000", "none"]);
    }
}
