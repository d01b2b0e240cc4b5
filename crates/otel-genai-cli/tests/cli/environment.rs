//! What the program's environment holds, and what it does not.

use crate::support::{otel_genai, run, silent};

/// The variables that a program without hooks sees, sorted, with the gateway's port replaced.
fn environment(vars: &[(&str, &str)], options: &[&str]) -> Vec<String> {
    all(vars, &[&["--no-shim"], options].concat())
}

fn all(vars: &[(&str, &str)], options: &[&str]) -> Vec<String> {
    let mut command = silent(&[&["run"], options, &["--", "env"]].concat());
    command.envs(vars.iter().copied());
    let told = run(command);
    assert_eq!(told.code, 0, "{told:?}");
    let own = |line: &&str| {
        !["PATH=", "OTEL_TRACES_", "OTEL_METRICS_", "OTEL_LOGS_"].iter().any(|name| line.starts_with(name))
    };
    let mut lines: Vec<_> = told.out.lines().filter(own).map(without_port).collect();
    lines.sort();
    lines
}

fn without_port(line: &str) -> String {
    let Some((before, after)) = line.split_once("127.0.0.1:") else { return line.to_owned() };
    let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
    format!("{before}GATEWAY{}", &after[end..])
}

#[test]
fn only_the_base_urls_change() {
    let mine = [("MY_OWN", "ü = 1"), ("OPENAI_API_KEY", "sk-mine"), ("OTEL_SERVICE_NAME", "x")];
    assert_eq!(
        environment(&mine, &[]),
        [
            "ANTHROPIC_BASE_URL=http://GATEWAY/anthropic",
            "MY_OWN=ü = 1",
            "OPENAI_API_BASE=http://GATEWAY/openai/v1",
            "OPENAI_API_KEY=sk-mine",
            "OPENAI_BASE_URL=http://GATEWAY/openai/v1",
            "OTEL_SERVICE_NAME=x",
        ]
    );
}

#[test]
fn a_value_keeps_its_path_and_its_credentials() {
    assert_eq!(
        environment(&[("OPENAI_BASE_URL", "http://u:p@example.test:9/my/gateway/v1?a=b")], &[]),
        [
            "ANTHROPIC_BASE_URL=http://GATEWAY/anthropic",
            "OPENAI_BASE_URL=http://u:p@GATEWAY/openai/my/gateway/v1?a=b"
        ]
    );
}

#[test]
fn azure_alone_is_left_in_peace() {
    let azure = [("AZURE_OPENAI_ENDPOINT", "https://r.openai.azure.com"), ("AZURE_OPENAI_API_KEY", "k")];
    assert_eq!(
        environment(&azure, &[]),
        [
            "ANTHROPIC_BASE_URL=http://GATEWAY/anthropic",
            "AZURE_OPENAI_API_KEY=k",
            "AZURE_OPENAI_ENDPOINT=http://GATEWAY/azure"
        ]
    );
}

#[test]
fn a_proxy_is_not_used_for_the_gateway() {
    let lines = environment(&[("HTTPS_PROXY", "http://proxy.test:3128"), ("NO_PROXY", "corp")], &[]);
    assert!(lines.contains(&"NO_PROXY=corp,127.0.0.1,localhost".to_owned()), "{lines:?}");
    assert!(lines.contains(&"no_proxy=corp,127.0.0.1,localhost".to_owned()), "{lines:?}");
    assert!(lines.contains(&"HTTPS_PROXY=http://proxy.test:3128".to_owned()), "{lines:?}");
}

#[test]
fn what_is_to_be_left_alone_is() {
    assert_eq!(
        environment(
            &[("OPENAI_BASE_URL", "http://x/v1")],
            &["--no-env", "OPENAI_BASE_URL,ANTHROPIC_BASE_URL"]
        ),
        ["OPENAI_BASE_URL=http://x/v1"]
    );
    assert_eq!(
        environment(&[("OTEL_GENAI_NO_ENV", "OPENAI_API_BASE, OPENAI_BASE_URL,ANTHROPIC_BASE_URL")], &[]),
        ["OTEL_GENAI_NO_ENV=OPENAI_API_BASE, OPENAI_BASE_URL,ANTHROPIC_BASE_URL"]
    );
}

#[test]
fn hooks_stand_before_what_is_there_unless_they_are_refused() {
    let mine = [("PYTHONPATH", "/mine"), ("NODE_OPTIONS", "--trace-warnings")];
    let hooked = |name: &str, vars: &[(&str, &str)], options: &[&str]| {
        let own = [&mine, vars].concat();
        let lines = all(&own, options);
        lines
            .into_iter()
            .find_map(|line| Some(line.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
            .unwrap()
    };
    let path = hooked("PYTHONPATH", &[], &[]);
    let folder = path.strip_suffix(":/mine").unwrap();
    assert!(std::path::Path::new(folder).join("sitecustomize.py").exists(), "{path}");
    assert_eq!(hooked("NODE_OPTIONS", &[], &[]), format!("--trace-warnings --require={folder}/node.cjs"));
    for (vars, options) in [
        (&[][..], &["--no-shim"][..]),
        (&[("OTEL_GENAI_SHIM", "false")], &[]),
        (&[], &["--no-env", "PYTHONPATH,NODE_OPTIONS"]),
    ] {
        assert_eq!(hooked("PYTHONPATH", vars, options), "/mine");
        assert_eq!(hooked("NODE_OPTIONS", vars, options), "--trace-warnings");
    }
}

#[test]
fn a_value_that_is_no_url_is_told_once_and_left() {
    let mut command = silent(&["run", "--", "sh", "-c", "echo $OPENAI_BASE_URL"]);
    command.env("OPENAI_BASE_URL", "me:SECRET@localhost:1234/v1");
    let told = run(command);
    assert_eq!(told.out, "me:SECRET@localhost:1234/v1\n");
    assert_eq!(told.err.lines().count(), 1, "{told:?}");
    assert!(told.err.contains("OPENAI_BASE_URL") && told.err.contains("is left as it is"), "{told:?}");
    assert!(!told.err.contains("SECRET"), "{told:?}");
}

#[test]
fn a_dry_run_tells_and_runs_nothing() {
    let mut command = otel_genai(&["run", "--dry-run", "--", "sh", "-c", "echo it ran"]);
    command
        .env("OPENAI_BASE_URL", "https://me:SECRET@gw.test/v1")
        .env("GROQ_BASE_URL", "https://api.groq.com");
    let told = run(command);
    assert_eq!((told.code, told.err.as_str()), (0, ""));
    let lines: Vec<_> = told.out.lines().collect();
    assert_eq!(lines[0], "OPENAI_BASE_URL=http://127.0.0.1:PORT/openai/v1     -> https://gw.test/v1");
    assert_eq!(lines[1], "ANTHROPIC_BASE_URL=http://127.0.0.1:PORT/anthropic  -> https://api.anthropic.com");
    assert_eq!(lines[2], "GROQ_BASE_URL=http://127.0.0.1:PORT/groq            -> https://api.groq.com");
    assert!(told.out.contains("\nPYTHONPATH=FOLDER\nNODE_OPTIONS=--require=FOLDER/node.cjs\n"), "{told:?}");
    assert!(told.out.contains(" api.groq.com ") || told.out.contains(" groq.com "), "{told:?}");
    assert!(told.out.contains("Telemetry: traces, metrics, logs to stderr"), "{told:?}");
    assert!(!told.out.contains("SECRET") && !lines.contains(&"it ran"), "{told:?}");
    assert_eq!(run(otel_genai(&["run", "--print-env"])).code, 0);
}
