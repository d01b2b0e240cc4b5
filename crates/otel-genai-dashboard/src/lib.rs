//! The dashboard: OpenTelemetry in, a page out on which a person reads what an agent did.
//!
//! * [`Dashboard`] receives OTLP, keeps it in a [`Store`](otel_genai_store::Store), and answers the page and whoever
//!   else asks under `/api/v1`.
//! * [`view`] has the shapes of those answers.
//! * [`changes`] are settings that the page changes while it runs.
//! * [`export`] makes files of traces, and [`import`] reads those of others.
//! * [`transcript`] puts together what was said, from whatever an instrumentation wrote.
//! * [`findings`] says what is wrong with what came, and how to fix it.
//! * [`tree`] puts the spans of a trace in the order in which they are drawn.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//!
//! use otel_genai_dashboard::Dashboard;
//! use otel_genai_store::SqliteOptions;
//!
//! let store = Arc::new(SqliteOptions::new("telemetry").open()?);
//! let dashboard = Dashboard::builder(store).bind().await?;
//! println!("see it: {}", dashboard.url());
//! dashboard.serve(async { tokio::signal::ctrl_c().await.unwrap_or(()) }).await;
//! # Ok(())
//! # }
//! ```

pub mod changes;
pub mod export;
pub mod findings;
pub mod import;
pub mod transcript;
pub mod tree;
pub mod view;

mod api;
mod builder;
mod capture;
mod compare;
mod connect;
mod http;
mod live;
mod mcp;
mod otlp;
mod page;
mod receive;
mod references;
mod serve;
mod shared;

pub use builder::{BindError, DashboardBuilder, Door};
pub use serve::Dashboard;
