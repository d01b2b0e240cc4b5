//! The store in SQLite without a folder, as `--memory` has it: what every store must do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

#[allow(dead_code, reason = "shared with the tests of other stores")]
mod suite;
#[allow(dead_code, reason = "shared with the tests of other stores")]
mod support;

use otel_genai_store::{SqliteOptions, Store as _};
use suite::suite;

macro_rules! run {
    ($topic:ident: $($case:ident)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            let store = SqliteOptions::temporary().open().unwrap();
            suite::$topic::$case(&store).await;
            store.close().await;
        })*
    };
}

suite!(run: every);
