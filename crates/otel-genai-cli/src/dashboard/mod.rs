//! What the commands around the dashboard share: its settings, its data folder, how it is found and asked.

pub(crate) mod api;
pub(crate) mod browser;
pub(crate) mod data;
pub(crate) mod detached;
pub(crate) mod found;
pub(crate) mod inside;
pub(crate) mod keep;
pub(crate) mod page;
pub(crate) mod place;
#[cfg(feature = "clickhouse")]
pub(crate) mod server;
pub(crate) mod settings;
pub(crate) mod source;
pub(crate) mod talk;
pub(crate) mod text;
