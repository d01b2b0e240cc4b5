//! The guard: as long as it lives telemetry is exported, and when it goes everything is delivered, in bounded time.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::pipeline::Pipelines;
use crate::report::{Export, Report};
use crate::setting::{Setting, Warning};
use crate::signal::Signal;
#[cfg(feature = "tracing")]
use crate::tracing_layer::Filters;

/// How long a guard that is dropped may take. An explicit [`Telemetry::shutdown`] chooses for itself.
const DROP_TIMEOUT: Duration = Duration::from_secs(3);

/// Who asks for more, as by `Duration::MAX`, means "however long it takes".
const LONGEST_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// Telemetry that is set up. Keep it until the program ends: dropping it flushes and shuts down, within three seconds
/// whatever the receiver does.
///
/// ```
/// # fn main() -> Result<(), otel_genai_sdk::InitError> {
/// # let vars = |_: &str| None;
/// let telemetry = otel_genai_sdk::builder().vars(vars).default_exporter(otel_genai_sdk::Exporter::None).init()?;
/// // ... the program ...
/// let report = telemetry.shutdown(std::time::Duration::from_secs(5));
/// eprintln!("{report}");
/// # Ok(())
/// # }
/// ```
#[must_use = "dropping it ends telemetry: keep it in a variable until the program ends"]
pub struct Telemetry {
    shared: Arc<Shared>,
    settings: Vec<Setting>,
    warnings: Vec<Warning>,
    destinations: Vec<(Signal, String)>,
    resource: Resource,
    disabled: bool,
    #[cfg(feature = "tracing")]
    filters: Filters,
}

type Task = Arc<dyn Fn(Duration) + Send + Sync>;
type Last = Box<dyn FnOnce() + Send>;

struct Shared {
    pipelines: Pipelines,
    closed: AtomicBool,
    /// What is done before anything is flushed.
    before: Mutex<Vec<Task>>,
    /// What is done once, before that, when telemetry ends.
    last: Mutex<Vec<Last>>,
}

impl Telemetry {
    pub(crate) fn new(
        pipelines: Pipelines,
        disabled: bool,
        resource: Resource,
        destinations: Vec<(Signal, String)>,
        (settings, warnings): (Vec<Setting>, Vec<Warning>),
        #[cfg(feature = "tracing")] filters: Filters,
    ) -> Self {
        let shared = Arc::new(Shared {
            pipelines,
            closed: AtomicBool::new(false),
            before: Mutex::default(),
            last: Mutex::default(),
        });
        Self {
            shared,
            settings,
            warnings,
            destinations,
            resource,
            disabled,
            #[cfg(feature = "tracing")]
            filters,
        }
    }

    #[cfg(feature = "tracing")]
    pub(crate) fn filters(&self) -> &Filters {
        &self.filters
    }

    #[cfg(feature = "tracing")]
    pub(crate) fn with_warnings(mut self, more: Vec<Warning>) -> Self {
        self.warnings.extend(more);
        self
    }

    /// To whoever listens to `tracing`.
    pub(crate) fn say_warnings(&self) {
        for warning in &self.warnings {
            tracing::warn!(target: "otel_genai_sdk", variable = warning.variable, "{warning}");
        }
    }

    /// For spans.
    #[must_use]
    pub fn tracer_provider(&self) -> SdkTracerProvider {
        self.shared.pipelines.traces.clone()
    }

    /// For counters and histograms.
    #[must_use]
    pub fn meter_provider(&self) -> SdkMeterProvider {
        self.shared.pipelines.metrics.clone()
    }

    /// For log records and events. OpenTelemetry has no global one: hand this to whoever emits events.
    #[must_use]
    pub fn logger_provider(&self) -> SdkLoggerProvider {
        self.shared.pipelines.logs.clone()
    }

    /// Who is speaking: `service.name` and the other attributes.
    #[must_use]
    pub fn resource(&self) -> &Resource {
        &self.resource
    }

    /// Every variable with the value in force and who said so, in the order of [`crate::VARIABLES`]. Holds no secret.
    #[must_use]
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// Values that could not be used, at most one for a variable or for a place of the file that `OTEL_CONFIG_FILE` names.
    /// They were also said by `tracing::warn!`.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Where each signal goes, in words for people; a signal that goes nowhere is missing.
    #[must_use]
    pub fn destinations(&self) -> &[(Signal, String)] {
        &self.destinations
    }

    /// What has become of the telemetry so far. Records that still wait count as dropped: [`Telemetry::flush`] first.
    pub fn report(&self) -> Report {
        self.shared.report()
    }

    /// Whether `OTEL_SDK_DISABLED` is true: then nothing is recorded, and OpenTelemetry's globals are left alone.
    #[must_use]
    pub fn is_disabled(&self) -> bool {
        self.disabled
    }

    /// Runs `task` before each flush, shutdown and drop, for who records things later than they happen and must be asked
    /// for the rest. It is told how long it may take, and must not take longer.
    pub fn before_flush(&self, task: impl Fn(Duration) + Send + Sync + 'static) {
        self.shared.before.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(task));
    }

    /// Runs `task` once, when telemetry ends, before the tasks of [`before_flush`](Telemetry::before_flush).
    pub fn before_shutdown(&self, task: impl FnOnce() + Send + 'static) {
        self.shared.last.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(task));
    }

    /// Exports what waits, all signals at once, and returns after `timeout` at the latest. Blocks the thread; can be
    /// called from anywhere, inside a runtime too.
    pub fn flush(&self, timeout: Duration) -> Report {
        self.shared.flush(timeout)
    }

    /// The same, without blocking the thread; needs no particular runtime.
    pub async fn flush_async(&self, timeout: Duration) -> Report {
        self.elsewhere(timeout, End::Flush).await
    }

    /// Exports what waits and ends telemetry, all signals at once; returns after `timeout` at the latest, even if the
    /// receiver hangs or is not there. What is recorded afterwards is ignored. A second call only reports.
    pub fn shutdown(&self, timeout: Duration) -> Report {
        self.shared.shutdown(timeout)
    }

    /// The same, without blocking the thread; needs no particular runtime.
    pub async fn shutdown_async(&self, timeout: Duration) -> Report {
        self.elsewhere(timeout, End::Shutdown).await
    }

    async fn elsewhere(&self, timeout: Duration, end: End) -> Report {
        let (done, report) = tokio::sync::oneshot::channel();
        let shared = Arc::clone(&self.shared);
        let work = move || {
            let report = match end {
                End::Flush => shared.flush(timeout),
                End::Shutdown => shared.shutdown(timeout),
            };
            let _ = done.send(report);
        };
        match std::thread::Builder::new().name("otel-flush".into()).spawn(work) {
            Ok(_) => report.await.unwrap_or_else(|_| self.shared.report()),
            Err(_) => self.shared.report(),
        }
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        // What went wrong was said by the exporters.
        let _ = self.shared.shutdown(DROP_TIMEOUT);
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry").field("destinations", &self.destinations).finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum End {
    Flush,
    Shutdown,
}

impl Shared {
    fn shutdown(self: &Arc<Self>, timeout: Duration) -> Report {
        if self.closed.swap(true, Ordering::SeqCst) {
            return self.report();
        }
        let last = std::mem::take(&mut *self.last.lock().unwrap_or_else(PoisonError::into_inner));
        for task in last {
            let _ = catch_unwind(AssertUnwindSafe(task));
        }
        let timeout = self.prepare(timeout);
        for health in &self.pipelines.healths {
            health.close();
        }
        self.each(timeout, End::Shutdown)
    }

    fn flush(self: &Arc<Self>, timeout: Duration) -> Report {
        let timeout = self.prepare(timeout);
        self.each(timeout, End::Flush)
    }

    /// What others have still to record. Returns what is left of the time.
    fn prepare(&self, timeout: Duration) -> Duration {
        let start = Instant::now();
        let left = || timeout.saturating_sub(start.elapsed());
        let tasks = self.before.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if tasks.is_empty() {
            return timeout;
        }
        for task in tasks {
            // What a task does wrong, or slowly, is no reason to lose what was recorded.
            let _ = catch_unwind(AssertUnwindSafe(|| task(left() / 2)));
        }
        left()
    }

    /// Every signal on a thread of its own, so that one that hangs takes no time from the others, and the caller can go.
    fn each(self: &Arc<Self>, timeout: Duration, end: End) -> Report {
        let timeout = timeout.min(LONGEST_TIMEOUT);
        let deadline = Instant::now() + timeout;
        let (done, results) = mpsc::channel();
        let mut running = Vec::new();
        // Only what is exported: a provider without an exporter has nothing to wait for. The terminal does not hang: it
        // is written to by one thread, in the order in which people read.
        let wrapped = self.pipelines.wrapped;
        let has = |signal| {
            (wrapped && signal == Signal::Traces)
                || self.pipelines.healths.iter().any(|health| health.signal == signal)
        };
        const ORDER: [Signal; 3] = [Signal::Traces, Signal::Logs, Signal::Metrics];
        let signals: Vec<Signal> = ORDER.into_iter().filter(|signal| has(*signal)).collect();
        let groups: Vec<Vec<Signal>> = if self.pipelines.transport.is_none() {
            vec![signals]
        } else {
            signals.into_iter().map(|signal| vec![signal]).collect()
        };
        for group in groups.into_iter().filter(|group| !group.is_empty()) {
            let (shared, done, names) = (Arc::clone(self), done.clone(), group.clone());
            let work = move || {
                for signal in names {
                    shared.end(signal, end, deadline.saturating_duration_since(Instant::now()));
                    let _ = done.send(signal);
                }
            };
            if std::thread::Builder::new().name("otel-flush".into()).spawn(work).is_ok() {
                running.extend(group);
            }
        }
        drop(done);
        while !running.is_empty() {
            match results.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(signal) => running.retain(|other| *other != signal),
                Err(_) => break,
            }
        }
        let mut report = self.report();
        for (export, health) in report.exports.iter_mut().zip(&self.pipelines.healths) {
            // The SDK may stop waiting before we do: at a shutdown, what is not done then never will be.
            if health.is_busy() && (end == End::Shutdown || running.contains(&health.signal)) {
                export.trouble = Some(health.out_of_time(timeout));
            }
        }
        report
    }

    /// Blocks until the signal's records are exported. The SDK's own bounds do not cover an exporter that hangs.
    fn end(&self, signal: Signal, end: End, timeout: Duration) {
        let pipelines = &self.pipelines;
        // Failures are in the books of each exporter.
        let _ = match (signal, end) {
            (Signal::Traces, End::Flush) => pipelines.traces.force_flush(),
            (Signal::Metrics, End::Flush) => pipelines.metrics.force_flush(),
            (Signal::Logs, End::Flush) => pipelines.logs.force_flush(),
            (Signal::Traces, End::Shutdown) => pipelines.traces.shutdown_with_timeout(timeout),
            (Signal::Metrics, End::Shutdown) => pipelines.metrics.shutdown_with_timeout(timeout),
            (Signal::Logs, End::Shutdown) => pipelines.logs.shutdown_with_timeout(timeout),
        };
    }

    fn report(&self) -> Report {
        Report { exports: self.pipelines.healths.iter().map(|health| Export::of(health)).collect() }
    }
}
