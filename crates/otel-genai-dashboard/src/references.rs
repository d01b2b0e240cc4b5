//! Content that was uploaded to files: read where the folder is one of those that are allowed, and never from the network.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Component, PathBuf};

use bytes::Bytes;

use crate::transcript::{NotResolved, References};

/// A file may be so large.
const MOST: u64 = 64 << 20;

/// Folders whose files may be read.
#[derive(Debug, Default)]
pub(crate) struct Folders(pub(crate) Vec<PathBuf>);

fn no(why: &str) -> NotResolved {
    NotResolved(why.to_owned())
}

impl Folders {
    /// The path of an address that reads as if it were in one of the folders. Nothing else is even looked for: only to look
    /// for a path may lead into the network, or wait for a disk that does not answer.
    fn named(&self, uri: &str) -> Result<PathBuf, NotResolved> {
        if self.0.is_empty() {
            return Err(no("references are not resolved"));
        }
        let path = path(uri).ok_or_else(|| no("only files are read"))?;
        let goes_up = path.components().any(|part| part == Component::ParentDir);
        let is_in = |folder: &PathBuf| {
            path.starts_with(folder) || fs::canonicalize(folder).is_ok_and(|folder| path.starts_with(folder))
        };
        if goes_up || !self.0.iter().any(is_in) {
            return Err(no("its folder is not allowed"));
        }
        Ok(path)
    }

    /// Whether what is not there may still come.
    pub(crate) fn may_have(&self, uri: &str) -> bool {
        self.named(uri).is_ok()
    }
}

impl References for Folders {
    fn resolve(&self, uri: &str) -> Result<Bytes, NotResolved> {
        let failed = |error: std::io::Error| NotResolved(format!("it cannot be read: {error}"));
        // Where links lead to counts, not how the address reads.
        let path = fs::canonicalize(self.named(uri)?).map_err(failed)?;
        let mut folders = self.0.iter().filter_map(|folder| fs::canonicalize(folder).ok());
        if !folders.any(|folder| path.starts_with(folder)) {
            return Err(no("its folder is not allowed"));
        }
        // What is no file may wait for ever when it is opened.
        if !fs::metadata(&path).map_err(failed)?.is_file() {
            return Err(no("it is no file"));
        }
        let mut content = Vec::new();
        File::open(path).and_then(|file| file.take(MOST + 1).read_to_end(&mut content)).map_err(failed)?;
        if content.len() as u64 > MOST {
            return Err(no("it is too large"));
        }
        Ok(content.into())
    }
}

/// The path of a `file://` URL of this machine, or of what is a path already.
fn path(uri: &str) -> Option<PathBuf> {
    let Some(rest) = uri.strip_prefix("file://") else {
        return Some(PathBuf::from(uri)).filter(|path| path.is_absolute());
    };
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let (high, low) = (digit()?, digit()?);
                u8::try_from(high * 16 + low).ok()?
            }
            byte => byte,
        });
    }
    let path = PathBuf::from(String::from_utf8(bytes).ok()?);
    Some(path).filter(|path| path.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_allowed_folders_are_read() {
        let place = tempfile::tempdir().unwrap();
        let (open, closed) = (place.path().join("a b"), place.path().join("closed"));
        for folder in [&open, &closed] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join("one.json"), "[]").unwrap();
        }
        let folders = Folders(vec![place.path().join("nowhere"), open.clone()]);
        let shown = place.path().display();
        let read = |uri: &str| folders.resolve(uri).map_err(|why| why.0);
        for uri in [format!("file://{shown}/a%20b/one.json"), format!("{shown}/a b/one.json")] {
            assert_eq!(read(&uri).unwrap(), "[]", "{uri}");
        }
        for (uri, why) in [
            (format!("file://{shown}/closed/one.json"), "not allowed"),
            // What is elsewhere is not looked for.
            (format!("file://{shown}/closed/two.json"), "not allowed"),
            (format!("file://{shown}/a%20b.json"), "not allowed"),
            (format!("file://{shown}/a%20b/../closed/one.json"), "not allowed"),
            (format!("file://{shown}/a%20b/../a%20b/one.json"), "not allowed"),
            (format!("file://{shown}/a%20b/%2e%2e/closed/one.json"), "not allowed"),
            (format!("file://{shown}/a%20b/two.json"), "cannot be read"),
            (format!("file://{shown}/a%20b"), "no file"),
            ("https://example.com/one.json".to_owned(), "only files"),
            ("file://host/one.json".to_owned(), "only files"),
            ("one.json".to_owned(), "only files"),
            ("file:///%zz".to_owned(), "only files"),
        ] {
            let told = read(&uri).unwrap_err();
            assert!(told.contains(why), "{uri}: {told}");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(closed.join("one.json"), open.join("link.json")).unwrap();
            assert!(read(&format!("{shown}/a b/link.json")).unwrap_err().contains("not allowed"));
            // A folder may be named by a link to it.
            let named = place.path().join("named");
            std::os::unix::fs::symlink(&open, &named).unwrap();
            let folders = Folders(vec![named]);
            for folder in ["named", "a b"] {
                assert_eq!(folders.resolve(&format!("{shown}/{folder}/one.json")).unwrap(), "[]", "{folder}");
            }
        }
        assert!(folders.may_have(&format!("{shown}/a b/two.json")));
        assert!(!folders.may_have(&format!("{shown}/closed/two.json")));
        assert!(Folders::default().resolve(&format!("{shown}/a b/one.json")).is_err());
    }
}
