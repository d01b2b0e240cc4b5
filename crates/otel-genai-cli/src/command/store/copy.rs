//! `otel-genai store copy`: everything that one store has into another. What was copied before an interruption is not copied
//! again, and what is there already stays there once.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use otel_genai_store::copy::{Compared, EVER, Tally, compare, copy};
use otel_genai_store::{Cursor, Nanos, PriceTable, SqliteOptions, Store, StoreError};

use crate::dashboard::keep::Flags;
use crate::dashboard::{place, server};
use crate::diagnostics;
use crate::exit::{Failure, NO_FOLDER, USAGE};

/// Something is missing after the copy.
const INCOMPLETE: u8 = 1;
/// Where the output is no terminal, a line is written so often.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// On a terminal, the line is drawn so often.
const DRAWN_EVERY: Duration = Duration::from_millis(200);
/// The bar has so many columns.
const COLUMNS: usize = 24;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  otel-genai store copy ~/.local/share/otel-genai clickhouse://writer@db.example:8123/otel_genai
  otel-genai store copy clickhouses://reader@db.example/otel_genai ./laptop

A password that is not in the address is in the file that --from-password-file or --to-password-file names, else, for both, in \
the one that OTEL_GENAI_STORE_PASSWORD_FILE names or in OTEL_GENAI_STORE_PASSWORD. A copy that was interrupted goes on where it was when it is started again. A dashboard may receive meanwhile; what \
comes during the copy may need another one.

Exit status: 0 when everything is there, 1 when something is missing, 2 when the options are wrong, 5 when a store cannot be \
used, 125 when the copy ended early.")]
pub(super) struct Copy {
    /// A data folder, or an address of ClickHouse
    #[arg(value_name = "FROM")]
    from: String,

    /// A data folder, which is made if it is not there, or an address of ClickHouse
    #[arg(value_name = "TO")]
    to: String,

    /// A file whose first line is the password of the user in FROM
    #[arg(long, value_name = "FILE")]
    from_password_file: Option<PathBuf>,

    /// A file whose first line is the password of the user in TO
    #[arg(long, value_name = "FILE")]
    to_password_file: Option<PathBuf>,

    /// Copy from the beginning, whatever an earlier copy has done
    #[arg(long)]
    restart: bool,

    /// Do not read both stores afterwards to compare them
    #[arg(long)]
    no_verify: bool,

    /// Say nothing but errors
    #[arg(short, long)]
    quiet: bool,
}

impl Copy {
    pub(super) fn execute(self) -> Result<u8, Failure> {
        diagnostics::begin(self.quiet);
        let runtime = super::super::runtime()?;
        let ended = runtime.block_on(async {
            tokio::select! {
                ended = self.run() => ended,
                () = super::super::interrupted() => {
                    Err(Failure::ours("interrupted; started again, the copy goes on where it was"))
                }
            }
        });
        runtime.shutdown_background();
        ended
    }

    async fn run(&self) -> Result<u8, Failure> {
        let from = End::open(&self.from, self.from_password_file.as_deref(), true).await?;
        let to = End::open(&self.to, self.to_password_file.as_deref(), false).await?;
        if from.shown == to.shown {
            return Err(Failure::new(USAGE, format!("{} is both ends of the copy", from.shown)));
        }
        let left = Left::of(&from.shown, &to.shown);
        let cursor = if self.restart { None } else { left.as_ref().and_then(Left::read) };
        let total = from.count().await?;
        let resumed = cursor.is_some();
        if resumed {
            diagnostics::remark("going on where an earlier copy ended");
        }
        let mut line = Line::new(self.quiet, "copied", total.filter(|_| !resumed));
        let told = |tally: Tally, next: Option<&Cursor>| {
            line.tell(tally.records());
            // At the end, too, the last piece stays known: who is interrupted while comparing does not copy all again.
            if let (Some(left), Some(next)) = (&left, next) {
                left.write(next);
            }
        };
        let copied = copy(from.store.as_ref(), to.store.as_ref(), EVER, cursor, told).await;
        if copied.is_err() {
            line.leave();
        }
        let copied = match copied {
            // What it says is of another time of the source: from the beginning, which copies nothing twice.
            Err(StoreError::BadCursor) => {
                if let Some(left) = &left {
                    left.forget();
                }
                return Err(Failure::ours("what an earlier copy left does not fit; start it again"));
            }
            // Nothing is gained by starting it again.
            Err(error @ (StoreError::Unwritable { .. } | StoreError::ReadOnly(_))) => {
                return Err(server::failure(&error));
            }
            result => result.map_err(|error| {
                Failure::ours(format!("{error}; started again, the copy goes on where it was"))
            })?,
        };
        line.end();
        let code = if self.no_verify {
            self.print(&format!("copied {}\n", counted(copied)));
            0
        } else {
            let mut line = Line::new(self.quiet, "compared", total.map(|total| total * 2));
            let compared =
                compare(from.store.as_ref(), to.store.as_ref(), EVER, |read| line.tell(read)).await;
            if compared.is_ok() {
                line.end();
            } else {
                line.leave();
            }
            let compared = compared.map_err(|error| {
                Failure::ours(format!(
                    "cannot compare: {error}; everything was copied: started again, it is compared, and --no-verify \
                     leaves that out"
                ))
            })?;
            self.print(&report(&compared, &from.shown, &to.shown));
            if compared.missing.records() > 0 {
                let missing = counted(compared.missing);
                diagnostics::say(format_args!("{missing} are missing: start the copy again"));
                INCOMPLETE
            } else {
                0
            }
        };
        if let Some(left) = &left {
            left.forget();
        }
        if let Some(advice) = to.advice().await {
            diagnostics::remark(advice);
        }
        from.store.close().await;
        to.store.close().await;
        Ok(code)
    }

    fn print(&self, text: &str) {
        if !self.quiet {
            super::super::print(text);
        }
    }
}

/// What the comparison has found, for people and for scripts that look for `missing 0`.
fn report(compared: &Compared, from: &str, to: &str) -> String {
    let mut text = format!("same     {}\n", counted(compared.same));
    if compared.missing.records() > 0 {
        text.push_str(&format!("missing  {} of {from}\n", counted(compared.missing)));
    }
    if compared.others.records() > 0 {
        text.push_str(&format!("others   {} were in {to} besides\n", counted(compared.others)));
    }
    text
}

fn counted(Tally { spans, logs, points }: Tally) -> String {
    format!("{spans} spans, {logs} log records, {points} points")
}

/// One end of a copy.
struct End {
    store: Arc<dyn Store>,
    shown: String,
    /// Of a Collector's tables, of which a part is copied.
    collectors: bool,
    folder: Option<PathBuf>,
}

impl End {
    async fn open(text: &str, password_file: Option<&Path>, reads: bool) -> Result<Self, Failure> {
        // What tells no cost costs what it did when it was stored first, as far as the prices are the same.
        let prices = Arc::new(PriceTable::builtin());
        if server::is_address(text) {
            let options = server::options(text, password_file.map(Path::to_owned))?.pricing(prices);
            let shown = options.location();
            let wrong = |error| server::failure(&error);
            let collectors = options.is_a_collectors().await.map_err(wrong)?;
            if collectors && !reads {
                // Own tables beside them would be all that a dashboard shows from then on.
                return Err(Failure::new(
                    NO_FOLDER,
                    format!(
                        "{shown} holds a Collector's tables, which are only read: name another database of that server"
                    ),
                ));
            }
            let options = if reads { options.read_only() } else { options };
            let store = options.open().await.map_err(wrong)?;
            return Ok(Self { store, shown, collectors, folder: None });
        }
        if password_file.is_some() {
            return Err(Failure::new(USAGE, format!("{text} is a folder, which has no password")));
        }
        let folder = PathBuf::from(text);
        if reads && !folder.is_dir() {
            return Err(Failure::new(NO_FOLDER, format!("there is no folder {}", folder.display())));
        }
        let options = SqliteOptions::new(&folder).pricing(prices);
        let options = if reads { options.read_only() } else { options };
        let store = options.open().map_err(|error| Failure::new(NO_FOLDER, error.to_string()))?;
        let folder = fs::canonicalize(&folder).unwrap_or(folder);
        let shown = folder.display().to_string();
        Ok(Self { store: Arc::new(store), shown, collectors: false, folder: Some(folder) })
    }

    /// How many records are to be copied, if the store knows.
    async fn count(&self) -> Result<Option<u64>, Failure> {
        let status = self.store.status().await.map_err(Failure::ours)?;
        Ok((!self.collectors).then_some(status.spans + status.logs + status.points))
    }

    /// How the first dashboard over a folder is to be started, if it would delete some of what was copied.
    async fn advice(&self) -> Option<String> {
        let keep = Flags::default().keep(Some(self.folder.as_deref()?)).ok()?;
        let (status, now) = (self.store.status().await.ok()?, Nanos::now().0);
        let (age, bytes) = (keep.max_age.value, keep.max_bytes.value);
        let is_old = |age: Duration| {
            let long = u64::try_from(age.as_nanos()).unwrap_or(u64::MAX);
            status.oldest.is_some_and(|oldest| oldest.0 < now.saturating_sub(long))
        };
        let cuts = age.0.is_some_and(is_old) || bytes.0.is_some_and(|bytes| status.bytes > bytes);
        cuts.then(|| {
            format!(
                "a dashboard over {} keeps {age} and {bytes} of it, and deletes the rest: to keep all, start it with \
                 --max-age none --max-bytes none",
                self.shown
            )
        })
    }
}

/// What a copy leaves, for one that goes on: where it was, in a file beside the user's data.
struct Left(PathBuf);

impl Left {
    fn of(from: &str, to: &str) -> Option<Self> {
        let mut hasher = DefaultHasher::new();
        (from, to).hash(&mut hasher);
        let folder = place::folder(None)?.join("copies");
        Some(Self(folder.join(format!("{:016x}", hasher.finish()))))
    }

    fn read(&self) -> Option<Cursor> {
        let text = fs::read_to_string(&self.0).ok()?;
        text.trim().parse().ok()
    }

    /// A copy that cannot leave anything begins anew, which copies nothing twice.
    fn write(&self, cursor: &Cursor) {
        let new = self.0.with_extension("new");
        let _ = self.0.parent().map_or(Ok(()), place::make);
        if fs::write(&new, cursor.as_str()).is_ok() {
            let _ = fs::rename(&new, &self.0);
        }
    }

    fn forget(&self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// How far it is: a line that is drawn again on a terminal, and now and then a new one elsewhere.
struct Line {
    what: &'static str,
    total: Option<u64>,
    begun: Instant,
    last: Instant,
    terminal: bool,
    quiet: bool,
    done: u64,
}

impl Line {
    fn new(quiet: bool, what: &'static str, total: Option<u64>) -> Self {
        let now = Instant::now();
        let terminal = std::io::stderr().is_terminal();
        Self {
            what,
            total: total.filter(|total| *total > 0),
            begun: now,
            last: now,
            terminal,
            quiet,
            done: 0,
        }
    }

    fn tell(&mut self, done: u64) {
        self.done = done;
        let wait = if self.terminal { DRAWN_EVERY } else { LINE_EVERY };
        if !self.quiet && self.last.elapsed() >= wait {
            self.last = Instant::now();
            self.draw();
        }
    }

    fn draw(&self) {
        let text = text(self.what, self.done, self.total, self.begun.elapsed());
        let mut out = std::io::stderr().lock();
        let _ = if self.terminal { write!(out, "\r\x1b[K{text}") } else { writeln!(out, "{text}") };
        let _ = out.flush();
    }

    /// All is done, which is how much there was: before, a server may count what it has twice.
    fn end(&mut self) {
        self.total = self.total.map(|_| self.done).filter(|total| *total > 0);
        if !self.quiet {
            self.draw();
        }
        self.leave();
    }

    /// What is said next has a line of its own.
    fn leave(&self) {
        if self.terminal && !self.quiet {
            let _ = writeln!(std::io::stderr());
        }
    }
}

fn text(what: &str, done: u64, total: Option<u64>, time: Duration) -> String {
    let seconds = time.as_secs_f64().max(0.001);
    #[allow(clippy::cast_precision_loss, reason = "for people")]
    let rate = done as f64 / seconds;
    let Some(total) = total else { return format!("{what} {done} records, {rate:.0} a second") };
    let done_of = done.min(total);
    let full = usize::try_from(done_of.saturating_mul(COLUMNS as u64) / total).unwrap_or(0);
    let percent = done_of.saturating_mul(100) / total;
    let bar = format!("{}{}", "#".repeat(full), "-".repeat(COLUMNS - full));
    #[allow(clippy::cast_precision_loss, reason = "for people")]
    let left = if rate > 0.0 { (total - done_of) as f64 / rate } else { 0.0 };
    format!("{what} [{bar}] {percent:3} %, {done} of {total} records, {rate:.0} a second, {left:.0} s left")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_a_bar_with_numbers() {
        let half = text("copied", 500, Some(1_000), Duration::from_secs(5));
        assert_eq!(
            half,
            "copied [############------------]  50 %, 500 of 1000 records, 100 a second, 5 s left"
        );
        // More may have come since it was counted.
        assert!(text("copied", 1_200, Some(1_000), Duration::from_secs(5)).contains("] 100 %"));
        assert_eq!(text("copied", 7, None, Duration::from_secs(7)), "copied 7 records, 1 a second");
    }

    #[test]
    fn what_a_copy_leaves_is_of_its_two_ends() {
        let folder = tempfile::tempdir().unwrap();
        let left = Left(folder.path().join("copies/a"));
        assert!(left.read().is_none());
        let cursor: Cursor = "abc".parse().unwrap();
        left.write(&cursor);
        assert_eq!(left.read(), Some(cursor));
        left.forget();
        assert!(left.read().is_none());
    }
}
