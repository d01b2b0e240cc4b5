//! The gateway over real sockets, where bytes matter with raw ones.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod failure;
mod http2;
mod intercept;
mod interim;
mod local;
mod observed;
mod proxied;
mod realtime;
mod routing;
mod shutdown;
mod streaming;
mod support;
mod tls;
mod transparency;
mod upgrade;
