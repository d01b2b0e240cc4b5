//! `otel-genai import`: files of telemetry, stored as if they had been sent.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use otel_genai_dashboard::import::{self, Format};
use serde_json::Value;

use crate::dashboard::source::{Look, Source};
use crate::dashboard::text;
use crate::diagnostics;
use crate::exit::Failure;

/// A file may be so large: what the dashboard takes at a time.
const MOST: u64 = 128 << 20;
/// Some of the files were not stored.
const REFUSED: u8 = 1;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  otel-genai import traces.json
  otel-genai import collector/*.jsonl    what the Collector's file exporter wrote
  curl -s http://jaeger:16686/api/traces/ID | otel-genai import -
  otel-genai import --data-dir other traces.json

Of a file that cannot be read nothing is stored; what is there already is not stored twice.

Exit status: 0 when all files were stored, 1 when some were not, 2 when the options are wrong, 3 when the folder is in use, \
5 when it cannot be used, 125 when otel-genai itself fails.")]
pub(super) struct Import {
    /// What to store; - is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// What the files are
    #[arg(long, value_name = "FORMAT", default_value = Format::default().name(), value_parser = formats())]
    format: Format,

    /// What became of each file as JSON, a line each, for programs
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    look: Look,
}

/// The formats, as the command line tells and reads them.
fn formats() -> impl TypedValueParser<Value = Format> {
    let values = Format::ALL.map(|(_, name, about)| PossibleValue::new(name).help(about));
    PossibleValuesParser::new(values).try_map(|name| name.parse::<Format>())
}

impl Import {
    pub(super) fn execute(self) -> Result<u8, Failure> {
        diagnostics::begin(false);
        super::runtime()?.block_on(async {
            let mut source = None;
            let mut code = 0;
            for file in &self.files {
                let stored = match self.read(file, source.is_some()) {
                    Ok(bytes) => {
                        let source = match &source {
                            Some(source) => source,
                            None => source.insert(self.look.open_to_store().await?),
                        };
                        self.store(source, file, bytes).await
                    }
                    Err(why) => Err(why),
                };
                match stored {
                    Ok(told) => super::print(&told),
                    Err(why) => {
                        diagnostics::say(format_args!("{}: {why}", shown(file)));
                        code = REFUSED;
                    }
                }
            }
            if let Some(source) = source {
                source.close().await;
            }
            Ok(code)
        })
    }

    /// A file whole. `has_place`: there is a place for it. A new one is made for a file that has something to be stored alone.
    fn read(&self, file: &Path, has_place: bool) -> Result<Bytes, String> {
        let bytes = read(file)?;
        if !has_place && self.look.would_make_a_folder() {
            import::read(&bytes, self.format).map_err(|why| format!("{why}; nothing of it is stored"))?;
        }
        Ok(bytes)
    }

    /// Stores a file, and says what came of it.
    async fn store(&self, source: &Source, file: &Path, bytes: Bytes) -> Result<String, String> {
        let told = source.import(self.format.name(), bytes).await.map_err(|why| why.to_string())?;
        if self.json {
            return Ok(format!("{}\n", serde_json::json!({ "file": shown(file), "imported": told })));
        }
        let mut told_of = sentence(&shown(file), &told);
        let mut traces = told.get("traces").and_then(Value::as_array).into_iter().flatten();
        if let (Some(trace), None) = (traces.next().and_then(Value::as_str), traces.next()) {
            let _ = match source.runs() {
                true => writeln!(told_of, "  see it: {}", source.found.link(&format!("/trace/{trace}"))),
                false => {
                    let trace = trace.get(..8).unwrap_or(trace);
                    writeln!(told_of, "  see it: otel-genai trace {trace}{}", self.look.again())
                }
            };
        }
        Ok(told_of)
    }
}

fn shown(file: &Path) -> String {
    if file == Path::new("-") { "standard input".to_owned() } else { file.display().to_string() }
}

/// A file whole, unless it is too large.
fn read(file: &Path) -> Result<Bytes, String> {
    let mut bytes = Vec::new();
    let wrong = |error: io::Error| format!("it cannot be read: {error}");
    // One byte more than may be shows that there are more.
    let length = if file == Path::new("-") {
        io::stdin().lock().take(MOST + 1).read_to_end(&mut bytes)
    } else {
        File::open(file).map_err(wrong)?.take(MOST + 1).read_to_end(&mut bytes)
    };
    if length.map_err(wrong)? as u64 > MOST {
        return Err(format!(
            "it is larger than {} MiB; cut it into several (JSON lines between lines: `split -C 100M`)",
            MOST >> 20
        ));
    }
    Ok(bytes.into())
}

/// What became of a file.
fn sentence(file: &str, told: &Value) -> String {
    let list = |name: &str| told.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let new = [("spans", "span"), ("logs", "log record"), ("points", "point of metrics")];
    let new = new.map(|(name, word)| (text::whole(told, name), word));
    let new: Vec<_> = new
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| match word {
            "point of metrics" if count != 1 => format!("{count} points of metrics"),
            _ => text::plural(count, word),
        })
        .collect();
    let traces = list("traces").len() as u64;
    let mut sentence =
        format!("{file}: {}", if new.is_empty() { "nothing new".to_owned() } else { new.join(", ") });
    if traces > 0 {
        let _ = write!(
            sentence,
            " in {}{}",
            if traces < 1_000 { "" } else { "more than " },
            text::plural(traces, "trace")
        );
    }
    let known = text::whole(told, "known");
    if known > 0 {
        let _ = write!(
            sentence,
            "; {} there already",
            if known == 1 { "1 was".to_owned() } else { format!("{known} were") }
        );
    }
    sentence.push('\n');
    for rejected in list("rejected") {
        let count = text::whole(&rejected, "count");
        let _ = writeln!(sentence, "  {} left out: {}", count, text::text(&rejected, "why"));
    }
    sentence
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_became_of_a_file_reads_like_a_sentence() {
        let told = json!({"spans": 3, "logs": 1, "points": 2, "known": 1, "traces": ["a", "b"],
            "rejected": [{"why": "the span has no id", "count": 2}]});
        assert_eq!(
            sentence("f", &told),
            "f: 3 spans, 1 log record, 2 points of metrics in 2 traces; 1 was there already\n  2 left out: the span has no id\n"
        );
        let told = json!({"spans": 0, "logs": 0, "points": 0, "known": 4, "traces": [], "rejected": []});
        assert_eq!(sentence("f", &told), "f: nothing new; 4 were there already\n");
    }
}
