//! Telemetry on a terminal, for people.
//!
//! One model call is a headline with what matters (model, time, time to the first chunk, tokens, why it ended) and, when
//! content is captured, the conversation folded below it; its events are named there and add what only they know. What
//! comes from outside cannot speak to the terminal.

use std::fmt;
use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use opentelemetry_sdk::logs::{BatchLogProcessor, LogProcessor as _};

mod content;
mod event;
mod facts;
mod log;
mod metric;
mod paint;
mod span;
mod text;
mod words;

use event::Waiting;
use paint::Paint;
pub(crate) use text::plain;

/// How the console exporter writes. The default suits a program whose own output is on stdout: stderr, colours where it
/// is a terminal, as wide as the terminal.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct ConsoleOptions {
    /// Where it writes.
    pub target: ConsoleTarget,
    /// Whether it uses colours.
    pub color: Color,
    /// Columns of a line; `None` asks the terminal, then `COLUMNS`, then takes 120.
    pub width: Option<usize>,
}

impl ConsoleOptions {
    /// The same as the default.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Where it writes.
    #[must_use]
    pub fn target(mut self, target: ConsoleTarget) -> Self {
        self.target = target;
        self
    }

    /// Whether it uses colours.
    #[must_use]
    pub fn color(mut self, color: Color) -> Self {
        self.color = color;
        self
    }

    /// Columns of a line; 40 at least.
    #[must_use]
    pub fn width(mut self, columns: usize) -> Self {
        self.width = Some(columns);
        self
    }
}

/// Where the console exporter writes.
#[derive(Default)]
#[non_exhaustive]
pub enum ConsoleTarget {
    /// The standard error stream.
    #[default]
    Stderr,
    /// The standard output stream.
    Stdout,
    /// Anything else. Each block of lines is one `write_all` and one `flush`; errors are ignored.
    Writer(Box<dyn Write + Send>),
}

impl fmt::Debug for ConsoleTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl ConsoleTarget {
    fn name(&self) -> &'static str {
        match self {
            Self::Stderr => "stderr",
            Self::Stdout => "stdout",
            Self::Writer(_) => "writer",
        }
    }

    fn is_terminal(&self) -> bool {
        match self {
            Self::Stderr => std::io::stderr().is_terminal(),
            Self::Stdout => std::io::stdout().is_terminal(),
            Self::Writer(_) => false,
        }
    }
}

/// Whether the console exporter uses colours.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`; `CLICOLOR_FORCE` and `FORCE_COLOR` ask for them anyway.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The console that all signals share, so that their lines do not mix.
#[derive(Debug)]
pub(crate) struct Console {
    target: Mutex<ConsoleTarget>,
    name: &'static str,
    paint: Paint,
    fixed_width: bool,
    /// Events that are shown below their spans. Set where both come here.
    events: OnceLock<Weak<BatchLogProcessor>>,
    waiting: Mutex<Waiting>,
}

impl Console {
    const NARROWEST: usize = 40;

    pub(crate) fn new(options: ConsoleOptions, vars: &dyn Fn(&str) -> Option<String>) -> Arc<Self> {
        let terminal = options.target.is_terminal();
        let set = |name: &str| vars(name).is_some_and(|value| !value.is_empty() && value != "0");
        let color = match options.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto if set("NO_COLOR") => false,
            Color::Auto if set("CLICOLOR_FORCE") || set("FORCE_COLOR") => true,
            Color::Auto => terminal && vars("TERM").as_deref() != Some("dumb"),
        };
        let columns = options.width.or_else(|| vars("COLUMNS")?.trim().parse().ok()).unwrap_or(120);
        Arc::new(Self {
            name: options.target.name(),
            fixed_width: options.width.is_some() || !terminal,
            target: Mutex::new(options.target),
            paint: Paint { color, columns: columns.clamp(Self::NARROWEST, 400) },
            events: OnceLock::new(),
            waiting: Mutex::default(),
        })
    }

    /// `stderr`, `stdout` or `writer`.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Windows are resized: asked for at each export.
    fn paint(&self) -> Paint {
        let size = if self.fixed_width {
            None
        } else if self.name == "stdout" {
            terminal_size::terminal_size_of(std::io::stdout())
        } else {
            terminal_size::terminal_size_of(std::io::stderr())
        };
        match size {
            Some((width, _)) => {
                Paint { columns: usize::from(width.0).clamp(Self::NARROWEST, 400), ..self.paint }
            }
            None => self.paint,
        }
    }

    /// Nobody can be told that a terminal is gone.
    fn write(&self, block: &str) {
        if block.is_empty() {
            return;
        }
        let bytes = block.as_bytes();
        let mut target = self.target.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = match &mut *target {
            ConsoleTarget::Stderr => std::io::stderr().lock().write_all(bytes),
            ConsoleTarget::Stdout => {
                let mut out = std::io::stdout().lock();
                out.write_all(bytes).and_then(|()| out.flush())
            }
            ConsoleTarget::Writer(out) => out.write_all(bytes).and_then(|()| out.flush()),
        };
    }

    /// From now on events wait for their spans, which come here too and take them from this queue.
    pub(crate) fn fetch_events_from(&self, queue: &Arc<BatchLogProcessor>) {
        // There is one queue of the console's.
        let _ = self.events.set(Arc::downgrade(queue));
    }

    /// Has the events written that were emitted so far, so that a span finds its own. Nothing may be locked here.
    fn fetch_events(&self) {
        if let Some(queue) = self.events.get().and_then(Weak::upgrade) {
            // What a queue that is closed still had was brought when it was.
            let _ = queue.force_flush();
        }
    }

    fn has_spans_and_events(&self) -> bool {
        self.events.get().is_some()
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One exporter for all three signals.
#[derive(Clone, Debug)]
pub(crate) struct ConsoleExporter {
    pub(crate) console: Arc<Console>,
}
