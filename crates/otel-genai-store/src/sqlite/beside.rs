//! Changes that another process makes. Nobody tells them: the files are seen to be others than before.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::stream::{self, BoxStream, StreamExt as _};
use tokio::sync::broadcast::{self, error::RecvError};

use super::folder::Folder;
use crate::change::Change;

/// So often the files are looked at.
const PAUSE: Duration = Duration::from_secs(1);

/// How the files are: their lengths, and when they were written to.
type Looks = BTreeMap<OsString, (u64, Option<SystemTime>)>;

/// Says that something has changed whenever it has. It ends when `open` does.
pub(super) fn watch(folder: &Arc<Folder>, open: broadcast::Receiver<Change>) -> BoxStream<'static, Change> {
    let path = folder.path().to_owned();
    let looks = look(&path);
    let next = |(path, mut looks, mut open): (std::path::PathBuf, Looks, broadcast::Receiver<Change>)| async move {
        loop {
            if let Ok(Err(RecvError::Closed)) = tokio::time::timeout(PAUSE, open.recv()).await {
                return None;
            }
            let now = look(&path);
            if now != looks {
                looks = now;
                return Some((Change::Lost, (path, looks, open)));
            }
        }
    };
    stream::unfold((path, looks, open), next).boxed()
}

fn look(path: &Path) -> Looks {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    // Who reads writes to what SQLite shares between processes.
    let files = entries.filter(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.ends_with(".sqlite") || name.ends_with(".sqlite-wal")
    });
    let looks = files.filter_map(|entry| {
        let file = entry.metadata().ok()?;
        Some((entry.file_name(), (file.len(), file.modified().ok())))
    });
    looks.collect()
}
