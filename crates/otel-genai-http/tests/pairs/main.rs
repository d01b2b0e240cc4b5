//! Recorded exchanges with many providers, and what an observed exchange leaves of each: one reviewed snapshot a provider,
//! in `snapshots/`.
//!
//! The recordings lie outside of the repository: in `../shared/golden/pairs` beside it, or where `OTEL_GENAI_PAIRS_DIR`
//! says. Without them there is nothing to test. `UPDATE_SNAPSHOTS=1` writes the snapshots anew; look at what changed, it
//! is all there is to say whether it is right.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod drive;
mod exchange;
mod table;
mod telling;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

#[tokio::test]
async fn recorded_exchanges_leave_the_reviewed_telemetry() {
    let folder = match env::var_os("OTEL_GENAI_PAIRS_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => crate_folder().join("../../../shared/golden/pairs"),
    };
    let providers = exchange::providers(&folder);
    if providers.is_empty() {
        println!("skipped: there are no recorded exchanges; OTEL_GENAI_PAIRS_DIR may name a folder of them");
        return;
    }
    let write = env::var_os("UPDATE_SNAPSHOTS").is_some();
    let mut differences = Vec::new();
    for (provider, exchanges) in &providers {
        let mut told = String::new();
        for exchange in exchanges {
            let telemetry = drive::observe(exchange).await;
            told.push_str(&telling::tell(exchange, telemetry.as_ref()));
        }
        let path = crate_folder().join("tests/pairs/snapshots").join(format!("{provider}.txt"));
        let before = fs::read_to_string(&path).unwrap_or_default();
        if before == told {
            continue;
        }
        if write {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &told).unwrap();
            println!("wrote {}", path.display());
        } else {
            differences.push(difference(provider, &before, &told));
        }
    }
    assert!(
        differences.is_empty(),
        "the telemetry of recorded exchanges has changed; if it is right so, UPDATE_SNAPSHOTS=1 accepts it\n{}",
        differences.join("\n")
    );
}

#[test]
fn the_table_of_providers_is_what_the_snapshots_prove() {
    let path = crate_folder().join("../../docs/providers.md");
    // Outside of the repository there is no documentation to look at.
    let Ok(old) = fs::read_to_string(&path) else { return };
    let new = table::page(&old, &crate_folder().join("tests/pairs/snapshots"));
    if env::var_os("OTEL_GENAI_WRITE_DOCS").is_some() {
        fs::write(&path, new).unwrap();
    } else {
        assert!(old == new, "docs/providers.md has drifted; run `cargo xtask docs` and commit the result");
    }
}

/// Asked first at run time: checkouts that share a target folder also share this program.
fn crate_folder() -> PathBuf {
    env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).to_owned(), PathBuf::from)
}

/// The first exchange that differs, before and after.
fn difference(provider: &str, before: &str, now: &str) -> String {
    let differs = |(before, now): &(&str, &str)| before != now;
    let (before, now): (Vec<&str>, Vec<&str>) = (split(before), split(now));
    match before.iter().copied().zip(now.iter().copied()).find(differs) {
        Some((before, now)) => format!("{provider}, before:\n{before}\nnow:\n{now}"),
        None => format!("{provider}: {} exchanges before, {} now", before.len(), now.len()),
    }
}

fn split(snapshot: &str) -> Vec<&str> {
    snapshot.split_inclusive("\n\n").collect()
}
