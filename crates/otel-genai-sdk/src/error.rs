use crate::config::Destination;

/// Why telemetry cannot be set up at all. Unusable values are no reason: they are [`crate::Warning`]s.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// The operating system gave no thread for the exporters.
    #[error("telemetry needs a thread of its own for exporting, and the system gives none: {0}")]
    Thread(#[source] std::io::Error),
    /// An OTLP exporter refuses its settings.
    #[error("no exporter can be built for {url} (from {variable}): {why}")]
    Exporter {
        /// Where to, without credentials.
        url: String,
        /// The variable that says so.
        variable: &'static str,
        /// The exporter's words.
        why: String,
    },
}

impl InitError {
    pub(crate) fn exporter(to: &Destination, why: &impl std::fmt::Display) -> Self {
        Self::Exporter { url: to.shown_url(), variable: to.url_variable, why: why.to_string() }
    }
}
