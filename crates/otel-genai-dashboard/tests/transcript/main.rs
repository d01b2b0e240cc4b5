//! Transcripts: of recorded telemetry, of every way in which content is told, of what nobody expects.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]
#![allow(clippy::needless_pass_by_value, reason = "what a test tells reads better as values")]

mod carriers;
mod conversations;
mod evidence;
mod golden;
mod properties;
mod recorded;
