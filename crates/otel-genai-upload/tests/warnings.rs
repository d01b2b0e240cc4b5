//! What is said, and that it is said once. Alone in its program, because it listens to all threads.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::fs;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use otel_genai::opentelemetry::trace::SpanContext;
use otel_genai::{Completion, CompletionHook as _, Message};
use otel_genai_upload::{Error, UploadHook};

const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl Said {
    /// What was said since this was last asked.
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut self.0.lock().unwrap())).unwrap()
    }
}

impl io::Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn ask(hook: &UploadHook, question: &str) {
    let (mut input, mut output, mut instructions) = (vec![Message::user(question)], vec![], vec![]);
    let (mut tools, mut attributes) = (vec![], vec![]);
    hook.on_completion(&mut Completion::new(
        "chat",
        &SpanContext::NONE,
        &mut input,
        &mut output,
        &mut instructions,
        &mut tools,
        &mut attributes,
    ));
}

#[test]
fn what_is_wrong_is_said_once() {
    let said = Said::default();
    let writer = said.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("prompts");
    let vars = |name: &str| match name {
        "OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK" => Some("upload".to_owned()),
        "OTEL_INSTRUMENTATION_GENAI_UPLOAD_BASE_PATH" => Some(base.to_str().unwrap().to_owned()),
        "OTEL_INSTRUMENTATION_GENAI_UPLOAD_FORMAT" => Some("parquet".to_owned()),
        _ => None,
    };

    // A value that is not known: the variable, the value, the allowed ones.
    let hook = UploadHook::from_vars(vars).unwrap().expect("upload is asked for");
    let text = said.take();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("otel_genai_upload"), "{text}");
    assert!(text.contains("UPLOAD_FORMAT=\"parquet\"") && text.contains("json, jsonl"), "{text}");

    // All is well: nothing to say.
    ask(&hook, "before");
    assert_eq!(hook.flush(PATIENCE).stored, 1);
    assert_eq!(said.take(), "");

    // The folder goes while the program runs.
    fs::remove_dir_all(&base).unwrap();
    fs::write(&base, "not a folder any more").unwrap();
    for n in 0..5 {
        ask(&hook, &format!("question {n}"));
    }
    let counts = hook.flush(PATIENCE);
    assert_eq!((counts.failed, counts.pending), (5, 0), "{counts:?}");
    let text = said.take();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("prompts/") && text.contains("_inputs.json"), "the file is named: {text}");

    // No more is taken.
    hook.shutdown(PATIENCE);
    ask(&hook, "too late");
    ask(&hook, "even later");
    assert_eq!(hook.counts().dropped, 2);
    let text = said.take();
    assert_eq!(text.lines().count(), 1, "{text}");

    // At the end, the sum.
    drop(hook);
    let text = said.take();
    assert!(text.contains("5 failed") && text.contains("2 were dropped"), "{text}");

    // Asked for without a place, and not asked for.
    let no_place =
        |name: &str| (name == "OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK").then(|| "upload".into());
    let error = UploadHook::from_vars(no_place).unwrap_err();
    assert!(matches!(error, Error::NoBasePath), "{error:?}");
    assert!(error.to_string().contains("OTEL_INSTRUMENTATION_GENAI_UPLOAD_BASE_PATH"), "{error}");
    assert!(UploadHook::from_vars(|_| None).unwrap().is_none());
}
