use std::fmt;

/// One of the three kinds of telemetry.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Signal {
    /// Spans.
    Traces,
    /// Counters and histograms.
    Metrics,
    /// Log records and events.
    Logs,
}

impl Signal {
    /// All three, in the order they are told in.
    pub const ALL: [Self; 3] = [Self::Traces, Self::Metrics, Self::Logs];

    /// `traces`, `metrics` or `logs`: as in URLs and texts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Metrics => "metrics",
            Self::Logs => "logs",
        }
    }

    /// What so many of its records are called: `span`, `metric points`, `events`.
    #[must_use]
    pub const fn records(self, count: u64) -> &'static str {
        match (self, count) {
            (Self::Traces, 1) => "span",
            (Self::Traces, _) => "spans",
            (Self::Metrics, 1) => "metric point",
            (Self::Metrics, _) => "metric points",
            (Self::Logs, 1) => "event",
            (Self::Logs, _) => "events",
        }
    }

    /// The variable that says where it goes.
    #[must_use]
    pub const fn exporter_variable(self) -> &'static str {
        match self {
            Self::Traces => "OTEL_TRACES_EXPORTER",
            Self::Metrics => "OTEL_METRICS_EXPORTER",
            Self::Logs => "OTEL_LOGS_EXPORTER",
        }
    }

    pub(crate) const fn otlp_path(self) -> &'static str {
        match self {
            Self::Traces => "/v1/traces",
            Self::Metrics => "/v1/metrics",
            Self::Logs => "/v1/logs",
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
