//! The program as people and scripts meet it: the real binary, on loopback, against a scripted server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

#[path = "cli/support.rs"]
mod support;

#[path = "cli/config.rs"]
mod config;
#[cfg(feature = "dashboard")]
#[path = "cli/dashboard.rs"]
mod dashboard;
#[path = "cli/demo.rs"]
mod demo;
#[path = "cli/environment.rs"]
mod environment;
#[path = "cli/exit.rs"]
mod exit;
#[path = "cli/gateway.rs"]
mod gateway;
#[cfg(feature = "dashboard")]
#[path = "cli/kept.rs"]
mod kept;
#[path = "cli/mcp.rs"]
mod mcp;
#[path = "cli/observe.rs"]
mod observe;
#[path = "cli/signals.rs"]
mod signals;
#[cfg(feature = "clickhouse")]
#[path = "cli/store.rs"]
mod store;
