//! `config`, `--help`, `completions`.

use std::process::{Command, Stdio};

use crate::support::{feed, otel_genai, run};

#[test]
fn a_value_is_told_with_its_origin() {
    let mut command =
        otel_genai(&["config", "--endpoint", "http://u:SECRET@h:1/x?SECRET", "--content", "true"]);
    command
        .env("OTEL_SERVICE_NAME", "told-by-me")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://loses")
        .env("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer SECRET")
        .env("GROQ_BASE_URL", "http://u:SECRET@groq.test")
        .env("OTEL_TRACES_SAMPLER", "sometimes");
    let told = run(command);
    assert_eq!(told.code, 0, "{told:?}");
    let words = |name: &str| -> Vec<String> {
        let line = told.out.lines().find(|line| line.trim_start().starts_with(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("no {name}: {}", told.out))
            .split_whitespace()
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(words("OTEL_SERVICE_NAME")[1..], ["told-by-me", "environment"]);
    assert_eq!(words("OTEL_EXPORTER_OTLP_ENDPOINT")[1..], ["http://h:1/x", "--endpoint"]);
    assert_eq!(words("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT")[1..], ["true", "--content"]);
    assert_eq!(words("OTEL_BSP_SCHEDULE_DELAY")[2..], ["default"]);
    assert_eq!(words("GROQ_BASE_URL")[1..], ["http://groq.test", "environment"]);
    assert!(told.out.contains("! \"sometimes\" is not one of"), "{}", told.out);
    assert!(!told.out.contains("SECRET") && !told.err.contains("SECRET"), "{told:?}");
}

/// A file in a folder of its own, and its path.
fn otel_yaml(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("otel.yaml");
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

#[test]
fn a_value_of_a_file_is_told_with_its_place() {
    let (_folder, path) = otel_yaml(
        "file_format: '1.0'\nresource: {attributes_list: 'service.name=filed'}\ntracer_provider:\n  processors:\n    \
         - batch: {exporter: {otlp_http: {headers: [{name: api-key, value: '${KEY}'}]}}}\n    \
         - batch: {exporter: {zipkin: {endpoint: 'http://u:SECRET@h'}}}\n  sampler: {always_on: }\n",
    );
    let mut command = otel_genai(&["config", "--json", "--endpoint", "http://h:1"]);
    command.env("OTEL_CONFIG_FILE", &path).env("KEY", "SECRET").env("OTEL_TRACES_SAMPLER", "always_off");
    let told = run(command);
    let document: serde_json::Value = serde_json::from_str(&told.out).unwrap();
    let of = |name: &str| {
        let settings = document["settings"].as_array().unwrap();
        let setting = settings.iter().find(|setting| setting["name"] == name).unwrap();
        [&setting["value"], &setting["origin"], &setting["note"]]
            .map(|part| part.as_str().unwrap_or_default())
    };
    let passed_over = "the environment's does not count beside OTEL_CONFIG_FILE";
    assert_eq!(of("OTEL_CONFIG_FILE"), [&path, "environment", ""]);
    assert_eq!(of("OTEL_TRACES_SAMPLER"), ["always_on", "otel.yaml: tracer_provider.sampler", passed_over]);
    assert_eq!(of("OTEL_EXPORTER_OTLP_ENDPOINT"), ["http://h:1", "--endpoint", ""]);
    assert_eq!(of("OTEL_EXPORTER_OTLP_TRACES_HEADERS")[0], "api-key=***");
    let place = format!(
        "otel-genai: OTEL_CONFIG_FILE: {path}:6:34: tracer_provider.processors[1].batch.exporter.zipkin: is not supported; \
         ignored\n"
    );
    assert_eq!(told.err, place);
    assert!(!told.out.contains("SECRET"));
}

#[test]
fn a_file_that_cannot_be_used_is_told_once_and_the_program_gets_its_name() {
    let (_folder, path) = otel_yaml("file_format: [1\n");
    let mut command = otel_genai(&["run", "--", "sh", "-c", "echo $OTEL_CONFIG_FILE; exit 3"]);
    command.env("OTEL_CONFIG_FILE", &path);
    let told = run(command);
    assert_eq!((told.code, told.out.trim_end()), (3, &*path), "{told:?}");
    let lines: Vec<_> = told.err.lines().filter(|line| line.contains("OTEL_CONFIG_FILE")).collect();
    assert_eq!(lines.len(), 1, "{told:?}");
    assert!(lines[0].contains(&path) && lines[0].contains("telemetry is off"), "{lines:?}");
}

#[test]
fn programs_read_it_as_json() {
    let mut command = otel_genai(&["config", "--json"]);
    command.env("OTEL_SERVICE_NAME", "x");
    let told = run(command);
    let document: serde_json::Value = serde_json::from_str(&told.out).unwrap();
    let settings = document["settings"].as_array().unwrap();
    let service = settings.iter().find(|setting| setting["name"] == "OTEL_SERVICE_NAME").unwrap();
    assert_eq!((service["value"].as_str(), service["origin"].as_str()), (Some("x"), Some("environment")));
    for name in ["OTEL_EXPORTER_OTLP_LOGS_HEADERS", "OTEL_GENAI_LISTEN", "GROQ_API_BASE", "OTEL_LOG_LEVEL"] {
        assert_eq!(settings.iter().filter(|setting| setting["name"] == name).count(), 1, "{name}");
    }
    let mut names: Vec<_> = settings.iter().map(|setting| setting["name"].as_str().unwrap()).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "a setting is told twice");
}

#[test]
fn only_what_is_set() {
    let mut command = otel_genai(&["config", "--set"]);
    command.env("OTEL_SERVICE_NAME", "x");
    let told = run(command);
    assert_eq!(told.out.lines().count(), 2, "{told:?}");
    assert!(run(otel_genai(&["config", "--set"])).out.starts_with("Nothing is set"));
}

#[test]
fn base_urls_are_those_that_run_would_set() {
    let value = |vars: &[(&str, &str)], name: &str| {
        let mut command = otel_genai(&["config", "--all"]);
        command.envs(vars.iter().copied());
        let told = run(command);
        let line = told.out.lines().find(|line| line.trim_start().starts_with(name)).unwrap_or_default();
        line.split_once("  ").unwrap().1.trim_start_matches(name).trim().to_owned()
    };
    assert!(value(&[], "OPENAI_API_BASE").starts_with("https://api.openai.com/v1 "));
    let mine = ("OPENAI_BASE_URL", "http://mine/v1");
    assert!(value(&[mine], "OPENAI_API_BASE").starts_with("not set, and left so "));
    let asked = ("OTEL_GENAI_UPSTREAM", "groq=http://groq.test");
    assert_eq!(
        value(&[asked], "GROQ_BASE_URL").split_whitespace().collect::<Vec<_>>(),
        ["http://groq.test", "OTEL_GENAI_UPSTREAM"]
    );
}

#[test]
fn what_is_recorded_and_uploaded_is_told() {
    let flags =
        ["--convention", "2026-10,v1.30", "--redact", "email,card", "--upload", "s3://u:SECRET@bucket/x"];
    let mut command = otel_genai(&[&["config", "--set"], &flags[..]].concat());
    command.env("OTEL_GENAI_MAX_PART_BYTES", "4KiB").env("OTEL_GENAI_BLOBS", "omit");
    command.env("OTEL_INSTRUMENTATION_GENAI_UPLOAD_FORMAT", "jsonl");
    let told = run(command);
    let words: Vec<Vec<&str>> = told.out.lines().map(|line| line.split_whitespace().collect()).collect();
    for row in [
        ["OTEL_GENAI_CONVENTION", "2026-10,v1.30", "--convention"],
        ["OTEL_GENAI_REDACT", "email,card", "--redact"],
        ["OTEL_GENAI_MAX_PART_BYTES", "4KiB", "environment"],
        ["OTEL_GENAI_BLOBS", "omit", "environment"],
        ["OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK", "upload", "--upload"],
        ["OTEL_INSTRUMENTATION_GENAI_UPLOAD_BASE_PATH", "s3://bucket/x", "--upload"],
        ["OTEL_INSTRUMENTATION_GENAI_UPLOAD_FORMAT", "jsonl", "environment"],
    ] {
        assert!(words.iter().any(|line| line == &row), "{row:?}: {}", told.out);
    }
    assert!(!told.out.contains("SECRET"));
}

#[test]
fn help_is_there_for_everything() {
    for arguments in
        ["--help", "run --help", "gateway --help", "config --help", "demo --help", "completions --help"]
    {
        let told = run(otel_genai(&arguments.split(' ').collect::<Vec<_>>()));
        assert_eq!(told.code, 0);
        assert!(told.out.contains("Usage:") && told.out.contains("Examples:"), "{arguments}: {}", told.out);
    }
    let version = run(otel_genai(&["--version"]));
    assert_eq!(version.out, format!("otel-genai {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn completions_are_scripts() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let told = run(otel_genai(&["completions", shell]));
        assert!(told.code == 0 && told.out.contains("flush-timeout"), "{shell}");
        // The shells that are here read them.
        if let Ok(found) = Command::new(shell).arg("-c").arg(":").stderr(Stdio::null()).status()
            && found.success()
        {
            let mut parse = Command::new(shell);
            parse.args(if shell == "fish" { ["--no-execute"] } else { ["-n"] });
            let output = feed(parse, told.out.into_bytes());
            assert!(output.status.success(), "{shell}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

/// What is said is what is done: a setting that is not in the documentation does not exist for users.
#[test]
fn every_setting_is_documented() {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");
    let page = |name: &str| std::fs::read_to_string(format!("{docs}/{name}")).unwrap();
    let text = page("settings.md") + &page("run.md");
    let told = run(otel_genai(&["config", "--json"]));
    let document: serde_json::Value = serde_json::from_str(&told.out).unwrap();
    for setting in document["settings"].as_array().unwrap() {
        let name = setting["name"].as_str().unwrap();
        let general = ["TRACES_", "METRICS_", "LOGS_"].iter().fold(name.to_owned(), |name, signal| {
            name.replace(&format!("OTEL_EXPORTER_OTLP_{signal}"), "OTEL_EXPORTER_OTLP_")
        });
        assert!(
            [name, &general].iter().any(|name| text.contains(&format!("`{name}`"))),
            "{name} is not documented"
        );
    }
}
