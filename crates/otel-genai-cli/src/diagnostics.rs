//! What we say ourselves: one line each on standard error, `otel-genai: ...`.

use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, Registry};

/// The variable that says how much is told.
pub(crate) const LOG_LEVEL: &str = "OTEL_LOG_LEVEL";
/// What it may hold.
pub(crate) const LEVELS: &str = "none, error, warn, info, debug, trace";

/// What was said, so that the last lines need not repeat it.
static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());
const REMEMBERED: usize = 64;
/// Whether errors only are wanted.
static QUIET: AtomicBool = AtomicBool::new(false);

/// `None`: the text is none of [`LEVELS`].
pub(crate) fn level(text: &str) -> Option<LevelFilter> {
    Some(match text.trim().to_ascii_lowercase().as_str() {
        "none" | "off" => LevelFilter::OFF,
        "error" | "fatal" => LevelFilter::ERROR,
        "warn" | "warning" => LevelFilter::WARN,
        "info" => LevelFilter::INFO,
        "debug" => LevelFilter::DEBUG,
        "trace" | "verbose" | "all" => LevelFilter::TRACE,
        _ => return None,
    })
}

/// Begins to say things. `quiet` leaves errors only.
pub(crate) fn begin(quiet: bool) {
    let told = std::env::var(LOG_LEVEL).ok().filter(|value| !value.trim().is_empty());
    let level = told.as_deref().and_then(level);
    let shown = if quiet { LevelFilter::ERROR } else { level.unwrap_or(LevelFilter::WARN) };
    QUIET.store(shown < LevelFilter::WARN, Relaxed);
    // Our own crates only: what HTTP libraries say at lower levels may hold headers, and those hold keys.
    let ours = Targets::new().with_target("otel_genai", shown);
    // Somebody else's subscriber cannot be there: this is the program.
    let _ = Registry::default().with(Lines.with_filter(ours)).try_init();
    if let (Some(value), None) = (told, level) {
        tracing::warn!(target: "otel_genai", "{LOG_LEVEL}={value:?} is not one of {LEVELS}; using warn");
    }
}

/// One line for who has not asked for silence.
pub(crate) fn remark(line: impl fmt::Display) {
    if !QUIET.load(Relaxed) {
        say(line);
    }
}

/// One line, whatever the level is.
pub(crate) fn say(line: impl fmt::Display) {
    // One write, so that lines of the program and ours do not mix. Nobody can be told that standard error is gone.
    let _ = std::io::stderr().lock().write_all(format!("otel-genai: {line}\n").as_bytes());
}

/// Whether this, or more, was said already.
pub(crate) fn was_said(text: &str) -> bool {
    SAID.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|said| said.starts_with(text))
}

struct Lines;

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = Message::default();
        event.record(&mut text);
        let message = text.0;
        match *event.metadata().level() {
            Level::ERROR | Level::WARN => say(&message),
            level => say(format_args!("{}: {message}", level.as_str().to_ascii_lowercase())),
        }
        let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
        if said.len() < REMEMBERED {
            said.push(message);
        }
    }
}

/// The message of an event; its other fields repeat what it says.
#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.0, "{value:?}");
        }
    }
}
