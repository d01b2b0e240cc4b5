//! Files in a folder, as a user finds them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use otel_genai::opentelemetry::KeyValue;
use otel_genai::opentelemetry::trace::SpanContext;
use otel_genai::{Completion, CompletionHook as _, Message, Part, ToolDefinition};
use otel_genai_upload::{Error, Format, UploadHook};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(30);

/// A conversation, and what the hook made of it.
struct Call {
    input: Vec<Message>,
    output: Vec<Message>,
    instructions: Vec<Part>,
    tools: Vec<ToolDefinition>,
}

impl Call {
    fn new(question: &str) -> Self {
        Call {
            input: vec![Message::user(question)],
            output: vec![Message::assistant("On its way.").finish("stop")],
            instructions: vec![Part::text("Be kind.")],
            tools: vec![ToolDefinition::function("track")],
        }
    }

    fn complete(mut self, hook: &UploadHook) -> BTreeMap<String, String> {
        let mut attributes = vec![KeyValue::new("my.key", "mine")];
        hook.on_completion(&mut Completion::new(
            "chat",
            &SpanContext::NONE,
            &mut self.input,
            &mut self.output,
            &mut self.instructions,
            &mut self.tools,
            &mut attributes,
        ));
        assert_eq!(attributes[0], KeyValue::new("my.key", "mine"), "what was there stays");
        attributes[1..].iter().map(|kv| (kv.key.to_string(), kv.value.to_string())).collect()
    }
}

fn path(reference: &str) -> PathBuf {
    url::Url::parse(reference).unwrap().to_file_path().unwrap()
}

fn json_of(reference: &str) -> Value {
    serde_json::from_slice(&fs::read(path(reference)).unwrap()).unwrap()
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn sum(bytes: &[u8]) -> String {
    let sum = ring::digest::digest(&ring::digest::SHA256, bytes);
    sum.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn references_lead_to_what_was_said() {
    let folder = tempfile::tempdir().unwrap();
    let hook = UploadHook::builder(folder.path().to_str().unwrap()).build().unwrap();
    let references = Call::new("Where is my order?").complete(&hook);
    assert_eq!(
        references.keys().map(String::as_str).collect::<Vec<_>>(),
        [
            "gen_ai.input.messages_ref",
            "gen_ai.output.messages_ref",
            "gen_ai.system_instructions_ref",
            "gen_ai.tool.definitions_ref"
        ]
    );
    let counts = hook.flush(PATIENCE);
    assert_eq!((counts.stored, counts.pending), (4, 0), "{counts:?}");
    assert_eq!(
        json_of(&references["gen_ai.input.messages_ref"]),
        json!([{"role": "user", "parts": [{"type": "text", "content": "Where is my order?"}]}])
    );
    assert_eq!(
        json_of(&references["gen_ai.output.messages_ref"]),
        json!([{"role": "assistant", "parts": [{"type": "text", "content": "On its way."}], "finish_reason": "stop"}])
    );
    assert_eq!(
        json_of(&references["gen_ai.system_instructions_ref"]),
        json!([{"type": "text", "content": "Be kind."}])
    );
    assert_eq!(
        json_of(&references["gen_ai.tool.definitions_ref"]),
        json!([{"type": "function", "name": "track"}])
    );
    for name in files(folder.path()) {
        let bytes = fs::read(folder.path().join(&name)).unwrap();
        assert!(name.starts_with(&sum(&bytes)), "{name} is not the digest of what is in it");
    }
}

#[test]
fn equal_content_is_stored_once_also_by_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("prompts");
    let hook = UploadHook::builder(base.to_str().unwrap()).build().unwrap();
    let first = Call::new("one").complete(&hook);
    let second = Call::new("two").complete(&hook);
    let counts = hook.shutdown(PATIENCE);
    assert_eq!((counts.stored, counts.known), (5, 3), "{counts:?}");
    for same in
        ["gen_ai.output.messages_ref", "gen_ai.system_instructions_ref", "gen_ai.tool.definitions_ref"]
    {
        assert_eq!(first[same], second[same]);
    }
    assert_ne!(first["gen_ai.input.messages_ref"], second["gen_ai.input.messages_ref"]);
    assert_eq!(files(&base).len(), 5);

    // Damaged meanwhile: it is noticed by its length, and mended.
    let damaged = path(&first["gen_ai.input.messages_ref"]);
    fs::write(&damaged, "").unwrap();
    let next = UploadHook::builder(base.to_str().unwrap()).build().unwrap();
    assert_eq!(Call::new("one").complete(&next), first);
    let counts = next.shutdown(PATIENCE);
    assert_eq!((counts.stored, counts.known), (1, 3), "{counts:?}");
    assert_eq!(json_of(&first["gen_ai.input.messages_ref"])[0]["parts"][0]["content"], "one");
}

#[test]
fn lines_for_those_who_read_lines() {
    let folder = tempfile::tempdir().unwrap();
    let base = format!("file://{}", folder.path().to_str().unwrap());
    let hook = UploadHook::builder(base).format(Format::Jsonl).build().unwrap();
    let mut call = Call::new("one");
    call.input.push(Message::assistant("two\nlines"));
    call.output.clear();
    let references = call.complete(&hook);
    hook.shutdown(PATIENCE);
    assert!(!references.contains_key("gen_ai.output.messages_ref"), "what is empty has no file");
    let file = path(&references["gen_ai.input.messages_ref"]);
    assert!(file.to_str().unwrap().ends_with("_inputs.jsonl"), "{file:?}");
    let lines: Vec<Value> =
        fs::read_to_string(file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[0]["index"], &lines[1]["index"]), (&json!(0), &json!(1)));
    assert_eq!(lines[1]["parts"][0]["content"], "two\nlines");
}

#[test]
fn a_place_that_cannot_be_written_to_is_refused_when_it_is_built() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let base = file.join("prompts");
    let refused = UploadHook::builder(base.to_str().unwrap()).build().unwrap_err();
    assert!(matches!(refused, Error::NotWritable { .. }), "{refused:?}");
    assert!(refused.to_string().contains(base.to_str().unwrap()), "{refused}");
}

#[cfg(unix)]
#[test]
fn a_read_only_folder_is_refused_when_it_is_built() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("prompts");
    fs::create_dir(&base).unwrap();
    fs::set_permissions(&base, fs::Permissions::from_mode(0o500)).unwrap();
    if fs::write(base.join("probe"), "").is_ok() {
        eprintln!("skipped: this user may write everywhere");
        return;
    }
    let refused = UploadHook::builder(base.to_str().unwrap()).build().unwrap_err();
    assert!(matches!(refused, Error::NotWritable { .. }), "{refused:?}");
    assert!(refused.to_string().contains("prompts"), "{refused}");
}

#[test]
fn from_any_runtime_and_from_none() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().to_str().unwrap();
    let upload = |question: &str| {
        let hook = UploadHook::builder(base).build().unwrap();
        let references = Call::new(question).complete(&hook);
        hook.shutdown(PATIENCE);
        assert!(path(&references["gen_ai.input.messages_ref"]).is_file());
    };
    upload("none");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { upload("current thread") });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    runtime.block_on(async { upload("multi thread") });
}

const KILLED: &str = "OTEL_GENAI_UPLOAD_TEST_KILLED";

/// Not a test of its own: the program that is killed by the test below.
#[test]
fn writes_until_it_is_killed() {
    let Ok(base) = std::env::var(KILLED) else { return };
    let hook = UploadHook::builder(base).build().unwrap();
    let long = "a long story. ".repeat(40_000);
    // Bounded, should nobody kill it.
    for n in 0..400 {
        Call::new(&format!("{n} {long}")).complete(&hook);
        if n % 10 == 9 {
            hook.flush(PATIENCE);
        }
    }
}

/// Killed in any case, also when the test fails.
struct Program(std::process::Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_killed_program_leaves_no_half_file() {
    let folder = tempfile::tempdir().unwrap();
    let program = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "writes_until_it_is_killed"])
        .env(KILLED, folder.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut program = Program(program);
    let until = Instant::now() + PATIENCE;
    while files(folder.path()).len() < 20 {
        assert!(Instant::now() < until, "it writes nothing");
        std::thread::sleep(Duration::from_millis(5));
    }
    program.0.kill().unwrap();
    assert!(!program.0.wait().unwrap().success(), "it ended before it was killed");
    // What is not complete stands under another name, which ends in `#1` or so.
    let named: Vec<String> =
        files(folder.path()).into_iter().filter(|name| name.ends_with(".json")).collect();
    assert!(named.len() >= 10, "{named:?}");
    for name in named {
        let bytes = fs::read(folder.path().join(&name)).unwrap();
        assert!(name.starts_with(&sum(&bytes)) || name.starts_with('.'), "{name} is not complete");
    }
}
