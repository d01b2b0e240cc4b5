//! What is kept: files that are imported, settings that the page changes, and data that are only looked at.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::dashboard::{Dashboard, command, start};
use crate::support::{Finished, feed, finished, get, otel_genai, run, send_json};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// A span of a day that is long over, as OTLP in JSON.
fn otlp(span: u8) -> String {
    format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"{TRACE}","spanId":"00f067aa0ba902{span:02x}","name":"chat gpt-5","startTimeUnixNano":"1763800000000000000","endTimeUnixNano":"1763800001000000000","attributes":[{{"key":"gen_ai.operation.name","value":{{"stringValue":"chat"}}}},{{"key":"gen_ai.provider.name","value":{{"stringValue":"openai"}}}},{{"key":"gen_ai.request.model","value":{{"stringValue":"gpt-5"}}}},{{"key":"gen_ai.usage.input_tokens","value":{{"intValue":"1000000"}}}}]}}]}}]}}]}}"#
    )
}

fn import(data: &Path, files: &[&str]) -> Finished {
    let mut command = otel_genai(&["import"]);
    command.env("OTEL_GENAI_DATA_DIR", data).args(files);
    run(command)
}

fn json(dashboard: &Dashboard, path: &str) -> Value {
    body(&get(&dashboard.url, path, ""))
}

fn body(answer: &str) -> Value {
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}"))
}

fn end(dashboard: Dashboard) {
    dashboard.running.signal("TERM");
    let Finished { code, err, .. } = dashboard.running.end();
    assert_eq!((code, err.as_str()), (0, ""));
}

#[test]
fn files_are_stored_with_and_without_a_dashboard() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (good, bad) =
        (file("good.json", &otlp(1)), file("bad.jsonl", &format!("{}\n{{\"resourceSpans\":", otlp(9))));

    let text = file("notes.txt", "no telemetry at all");
    let told = import(&data, &[&bad, &text]);
    assert!(
        told.err
            .contains("notes.txt: it is neither JSON nor OTLP in protobuf; what can be read: otlp-json, ")
    );
    assert!(told.code == 1 && !data.exists(), "nothing is made for what cannot be read: {told:?}");
    let told = import(&data, &["--format", "zipkin", &good]);
    assert!(told.code == 2 && told.err.contains("[possible values: auto, otlp-json, "), "{told:?}");

    let told = import(&data, &[&bad, &good, "nowhere.json"]);
    assert_eq!(told.code, 1, "{told:?}");
    assert_eq!(told.out, format!("{good}: 1 span in 1 trace\n  see it: otel-genai trace 4bf92f35\n"));
    let (mut elsewhere, place) = (otel_genai(&["import", "--data-dir"]), folder.path().join("my data"));
    elsewhere.arg(&place).arg(&good);
    let hint = format!("  see it: otel-genai trace 4bf92f35 --data-dir '{}'\n", place.display());
    assert!(run(elsewhere).out.ends_with(&hint), "the hint looks where it was stored");
    let errors: Vec<_> = told.err.lines().collect();
    assert_eq!(errors.len(), 2, "{}", told.err);
    assert!(
        errors[0].contains("bad.jsonl: line 2: ") && errors[0].ends_with("; nothing of it is stored"),
        "{}",
        told.err
    );
    assert!(errors[1].contains("nowhere.json: it cannot be read: No such file"), "{}", told.err);
    let mut stats = otel_genai(&["stats"]);
    stats.env("OTEL_GENAI_DATA_DIR", &data).args(["--since", "9999d"]);
    let stats = run(stats);
    let unread = run(otel_genai(&["stats", "--since", "yesterday"]));
    assert!(
        unread.code == 2 && unread.err.contains("\"yesterday\" is no time such as 90s, 15m"),
        "{unread:?}"
    );
    assert!(stats.out.contains('$'), "what is imported has its price: {stats:?}");

    // It is old, and stays: what is too old when it comes is kept with what comes today.
    let dashboard = start(command(&data, &[]));
    let mut from_input = otel_genai(&["import", "--format", "otlp-json", "--json", "-"]);
    from_input.env("OTEL_GENAI_DATA_DIR", &data);
    let told = finished(feed(from_input, otlp(2).into_bytes()));
    assert_eq!((told.code, told.err.as_str()), (0, ""));
    let told: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!((&told["file"], &told["imported"]["spans"]), (&"standard input".into(), &1.into()));
    assert_eq!(json(&dashboard, "/api/v1/traces")["items"][0]["spans"], 2);
    let again = import(&data, &[&good]);
    let link = format!("  see it: {}/trace/{TRACE}\n", dashboard.url);
    assert_eq!(
        (again.code, again.out),
        (0, format!("{good}: nothing new in 1 trace; 1 was there already\n{link}"))
    );
    end(dashboard);

    let mut no_file = otel_genai(&["import"]);
    no_file.env("OTEL_GENAI_DATA_DIR", &data);
    assert_eq!(run(no_file).code, 2);
}

/// What was uploaded is shown where its folder is allowed, whether a dashboard runs or not.
#[test]
fn what_was_uploaded_is_shown_from_the_files_too() {
    let folder = tempfile::tempdir().unwrap();
    let (data, uploads) = (folder.path().join("data"), folder.path().join("uploads"));
    fs::create_dir(&uploads).unwrap();
    let asked = r#"[{"role":"user","parts":[{"type":"text","content":"Where is my order?"}]}]"#;
    fs::write(uploads.join("asked.json"), asked).unwrap();
    let place = format!(
        r#""attributes":[{{"key":"gen_ai.input.messages_ref","value":{{"stringValue":"file://{}/asked.json"}}}},"#,
        uploads.display()
    );
    let file = folder.path().join("trace.json");
    fs::write(&file, otlp(1).replace(r#""attributes":["#, &place)).unwrap();
    assert_eq!(import(&data, &[file.to_str().unwrap()]).code, 0);

    let shown = |allowed: &str| {
        let mut command = otel_genai(&["trace", "4bf92f35"]);
        command.env("OTEL_GENAI_DATA_DIR", &data).env("OTEL_GENAI_DASHBOARD_ALLOW_REFERENCE", allowed);
        run(command).out
    };
    assert!(shown(uploads.to_str().unwrap()).contains("Where is my order?"));
    assert!(shown("").contains("The content was uploaded"), "{}", shown(""));
}

#[test]
fn what_the_page_changes_outlives_the_dashboard_and_flags_win() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let of = |settings: &Value, name: &str| {
        let all = settings["variables"].as_array().unwrap();
        let found = all.iter().find(|one| one["name"] == format!("OTEL_GENAI_DASHBOARD_{name}")).unwrap();
        (found["value"].as_str().unwrap().to_owned(), found["from"].as_str().unwrap().to_owned())
    };
    let told = |value: &str, from: &str| (value.to_owned(), from.to_owned());

    let first = start(command(&data, &["--max-bytes", "1GiB", "--sync", "normal"]));
    let settings = json(&first, "/api/v1/settings");
    assert_eq!(settings["changeable"], serde_json::json!(["maxAgeMs"]));
    assert_eq!(
        (of(&settings, "MAX_BYTES"), of(&settings, "MAX_AGE")),
        (told("1GiB", "flag"), told("30d", "default"))
    );
    assert_eq!(
        (of(&settings, "PAGE"), of(&settings, "SYNC")),
        (told("127.0.0.1:0", "environment"), told("normal", "flag"))
    );
    assert_eq!(settings["sync"], "normal");
    let changed = body(&send_json("PATCH", &first.url, "/api/v1/settings", r#"{"maxAgeMs": 604800000}"#));
    assert_eq!((of(&changed, "MAX_AGE"), &changed["maxAgeMs"]), (told("7d", "page"), &604_800_000.0.into()));
    end(first);
    let mut config = otel_genai(&["config", "--set"]);
    config.env("OTEL_GENAI_DATA_DIR", &data);
    let config = run(config).out;
    let line = config.lines().find(|line| line.contains("_MAX_AGE")).unwrap_or_else(|| panic!("{config}"));
    assert!(line.contains(" 7d ") && line.ends_with("the dashboard's page"), "{config}");

    let second = start(command(&data, &[]));
    let settings = json(&second, "/api/v1/settings");
    assert_eq!(
        (of(&settings, "MAX_AGE"), of(&settings, "MAX_BYTES")),
        (told("7d", "page"), told("4GiB", "default"))
    );
    assert_eq!(settings["changeable"], serde_json::json!(["maxAgeMs", "maxBytes"]));
    end(second);

    let mut flag = command(&data, &["--max-age", "2d"]);
    flag.env("OTEL_GENAI_DASHBOARD_MAX_BYTES", "none");
    let third = start(flag);
    let settings = json(&third, "/api/v1/settings");
    assert_eq!(
        (of(&settings, "MAX_AGE"), of(&settings, "MAX_BYTES")),
        (told("2d", "flag"), told("none", "environment"))
    );
    assert_eq!(settings["changeable"], Value::Null);
    let refused = body(&send_json("PATCH", &third.url, "/api/v1/settings", r#"{"maxAgeMs": 604800000}"#));
    assert!(refused["error"]["hint"].as_str().unwrap().contains("--max-age"), "{refused}");
    end(third);
}

#[test]
fn a_limit_that_cannot_be_read_deletes_nothing_and_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(folder.path(), &["--exit-when-idle", "5m"]);
    command.env("OTEL_GENAI_DASHBOARD_MAX_AGE", "1 year").env("OTEL_GENAI_DASHBOARD_MAX_BYTES", "4GB");
    let dashboard = start(command);
    let settings = json(&dashboard, "/api/v1/settings");
    assert_eq!((settings.get("maxAgeMs"), settings.get("maxBytes")), (None, None), "{settings}");
    dashboard.running.signal("TERM");
    let Finished { code, err, .. } = dashboard.running.end();
    assert_eq!((code, err.lines().count()), (0, 2), "{err}");
    for words in ["OTEL_GENAI_DASHBOARD_MAX_AGE: \"1 year\" is no duration", "_MAX_BYTES: \"4GB\" is no size"]
    {
        assert_eq!(err.matches(words).count(), 1, "{err}");
    }

    // What cannot be used and has a default is passed over, and told once.
    let mut page = otel_genai(&["dashboard", "--memory", "--exit-when-idle", "1s", "--grpc", "off"]);
    page.args(["--http", "127.0.0.1:0"]).env("OTEL_GENAI_DASHBOARD_PAGE", "here");
    let told = run(page);
    assert_eq!(
        told.err.matches("OTEL_GENAI_DASHBOARD_PAGE: \"here\" is no ADDRESS:PORT").count(),
        1,
        "{told:?}"
    );
}

#[test]
fn data_can_be_looked_at_beside_the_dashboard_that_adds_to_them() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let nothing = run(command(&data, &["--read-only"]));
    assert!(nothing.code == 5 && nothing.err.contains("nothing was received yet"), "{nothing:?}");

    let writing = start(command(&data, &["--token", "secret"]));
    // On the ports of the first one, where it was not told others.
    let mut beside = otel_genai(&["dashboard", "--read-only"]);
    beside
        .env("OTEL_GENAI_DATA_DIR", &data)
        .env("OTEL_GENAI_DASHBOARD_PAGE", writing.url.strip_prefix("http://").unwrap());
    let reading = start(beside);
    assert_ne!(reading.url, writing.url);
    for words in ["OTLP    off", "only to look at"] {
        assert!(reading.greeting.contains(words), "{words:?} is missing in {}", reading.greeting);
    }
    assert!(!reading.greeting.contains("OTEL_EXPORTER"), "{}", reading.greeting);
    let file = folder.path().join("file.json");
    fs::write(&file, otlp(1)).unwrap();
    assert_eq!(import(&data, &[file.to_str().unwrap()]).code, 0, "it goes to the one that writes");
    assert_eq!(json(&reading, "/api/v1/traces")["items"][0]["id"], TRACE);
    assert_eq!(json(&reading, "/api/v1/settings")["readOnly"], true);
    let refused = send_json("POST", &reading.url, "/v1/traces", &otlp(2));
    assert!(refused.starts_with("HTTP/1.1 403") && refused.contains("can only be read"), "{refused}");
    assert_eq!(fs::read_to_string(data.join("token")).unwrap(), "secret", "it is the other one's");
    end(reading);
    assert_eq!(fs::read_to_string(data.join("token")).unwrap(), "secret");
    end(writing);

    // A port that is asked for says why nothing is taken.
    let reading = start(command(&data, &["--read-only", "--http", "127.0.0.1:0"]));
    let otlp_at = json(&reading, "/api/v1/about")["otlp"]["http"].as_str().unwrap().to_owned();
    let refused = send_json("POST", &otlp_at, "/v1/traces", &otlp(2));
    assert!(refused.starts_with("HTTP/1.1 403") && refused.contains("can only be read"), "{refused}");
    end(reading);
}

#[test]
fn a_damaged_day_is_said_and_kept_aside() {
    let folder = tempfile::tempdir().unwrap();
    let day = folder.path().join("2026-11-21.sqlite");
    fs::write(&day, "this is no database at all ".repeat(400)).unwrap();
    let damaged = format!("{} is damaged", day.display());
    let mut look = otel_genai(&["traces"]);
    look.env("OTEL_GENAI_DATA_DIR", folder.path());
    let told = run(look);
    assert!(told.code == 0 && told.err.contains(&damaged), "{told:?}");
    assert!(told.err.contains("the next dashboard that writes to its folder keeps it aside"), "{told:?}");
    assert!(day.exists(), "who looks moves nothing");

    // All that it says at its start is there at its end.
    let dashboard = start(command(folder.path(), &["--max-age", "none"]));
    assert!(json(&dashboard, "/api/v1/traces")["items"].as_array().unwrap().is_empty());
    dashboard.running.signal("TERM");
    let told = dashboard.running.end();
    assert!(told.code == 0 && told.err.contains(&damaged), "{told:?}");
    assert!(told.err.contains("it is kept as") && !day.exists(), "{told:?}");
    assert!(folder.path().join("damaged/2026-11-21.sqlite.1").exists());
}
