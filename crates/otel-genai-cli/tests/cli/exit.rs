//! Exit status, streams and arguments pass as they are.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::{feed, finished, otel_genai, run, silent};

#[test]
fn the_exit_status_is_the_programs() {
    for code in [0, 1, 7, 126, 255] {
        let told = run(silent(&["run", "--", "sh", "-c", &format!("exit {code}")]));
        assert_eq!((told.code, told.err.as_str()), (code, ""));
    }
}

#[test]
fn death_by_a_signal_is_128_plus_its_number() {
    for (name, number) in [("TERM", 15), ("KILL", 9), ("ABRT", 6), ("PIPE", 13)] {
        let told = run(silent(&["run", "--", "sh", "-c", &format!("kill -{name} $$")]));
        assert_eq!(told.code, 128 + number, "{name}");
    }
}

#[test]
fn a_command_that_is_not_there() {
    let told = run(otel_genai(&["run", "--", "no-such-command-anywhere", "--flag"]));
    assert_eq!(told.code, 127);
    assert_eq!(told.err, "otel-genai: no-such-command-anywhere: command not found (looked for in PATH)\n");
    let told = run(otel_genai(&["run", "--", "/no/such/file"]));
    assert_eq!(
        (told.code, told.err.as_str()),
        (127, "otel-genai: /no/such/file: no such file or directory\n")
    );
}

#[test]
fn a_command_that_cannot_be_executed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "#!/bin/sh\n").unwrap();
    let strange = folder.path().join("strange");
    std::fs::write(&strange, "#!/no/such/interpreter\n").unwrap();
    std::fs::set_permissions(&strange, std::fs::Permissions::from_mode(0o755)).unwrap();
    for (path, why) in [(folder.path(), "is a directory"), (&file, "chmod +x"), (&strange, "interpreter")] {
        let told = run(otel_genai(&["run", "--", path.to_str().unwrap()]));
        assert_eq!(told.code, 126, "{told:?}");
        assert!(told.err.contains(why) && told.err.contains(path.to_str().unwrap()), "{told:?}");
    }
}

#[test]
fn a_script_without_its_first_line_runs_as_in_a_shell() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("script");
    std::fs::write(&script, "echo \"$1\"; exit 4\n").unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let told = run(silent(&["run", "--", script.to_str().unwrap(), "a b"]));
    assert_eq!((told.code, told.out.as_str()), (4, "a b\n"));
}

#[test]
fn wrong_options_are_told_with_what_is_right() {
    for (arguments, word) in [
        (&["run"][..], "Usage"),
        (&["run", "--exporter", "jaeger", "--", "true"], "otlp, console, none"),
        (&["run", "--content", "all", "--", "true"], "SPAN_AND_EVENT"),
        (&["run", "--upstream", "opnai=http://x", "--", "true"], "openai, azure"),
        (&["run", "--endpoint", "localhost:4317", "--", "true"], "http:// or https://"),
        (&["run", "--flush-timeout", "soon", "--", "true"], "500ms"),
        (&["run", "--convention", "2026-08,v1.31", "--", "true"], "2026-10"),
        (&["run", "--redact", "emial", "--", "true"], "email, phone"),
        (&["gateway", "--listen", "localhost"], "localhost:4080"),
    ] {
        let told = run(otel_genai(arguments));
        assert_eq!(told.code, 2, "{arguments:?}");
        assert!(told.err.contains(word), "{told:?}");
    }
}

#[test]
fn arguments_pass_unchanged_with_and_without_dashes() {
    let script = r#"for word; do printf '[%s]' "$word"; done"#;
    let words = ["--help", "-v", "--", "a b", "", "$HOME", "*", "ü", "-q"];
    for dashes in [&["run", "--"][..], &["run"]] {
        let arguments = [dashes, &["sh", "-c", script, "sh"], &words].concat();
        let told = run(silent(&arguments));
        assert_eq!(told.out, words.map(|word| format!("[{word}]")).concat(), "{told:?}");
    }
}

#[test]
fn standard_streams_carry_every_byte() {
    let data: Vec<u8> = (0..3_000_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let output = feed(silent(&["run", "--", "sh", "-c", "cat; printf '\\377\\0err' >&2"]), data.clone());
    assert!(output.stdout == data, "standard output differs");
    assert_eq!(output.stderr, b"\xff\0err");
}

#[test]
fn a_reader_that_leaves_does_not_hurt() {
    for arguments in ["config --all", "completions bash", "--help"] {
        let mut shell = std::process::Command::new("sh");
        let program = env!("CARGO_BIN_EXE_otel-genai");
        shell.arg("-c").arg(format!("'{program}' {arguments} | head -n 1 >/dev/null"));
        let told = finished(shell.output().unwrap());
        assert_eq!((told.code, told.err.as_str()), (0, ""), "{arguments}");
    }
}
