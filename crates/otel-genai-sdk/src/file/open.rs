//! The file's text, of bounded length.

use std::io::Read;

use super::{Fault, Mark};

/// Real ones have a few KiB.
const LARGEST: u64 = 1024 * 1024;

pub(super) fn read(path: &str) -> Result<String, Fault> {
    let cannot = |error: std::io::Error| Fault::of_file(format!("cannot be read: {error}"));
    // To open a pipe can take for ever.
    if !std::fs::metadata(path).map_err(cannot)?.is_file() {
        return Err(Fault::of_file("is no file"));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path).map_err(cannot)?.take(LARGEST + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Fault::of_file("is larger than 1 MiB"));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        Fault::at(end_of(&String::from_utf8_lossy(valid)), "is not UTF-8 here")
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// The place behind a text.
fn end_of(text: &str) -> Mark {
    let last = text.rsplit('\n').next().unwrap_or_default();
    Mark { line: text.matches('\n').count() + 1, column: last.chars().count() + 1 }
}
