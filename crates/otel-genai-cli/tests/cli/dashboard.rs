//! `dashboard`: how it starts, ends, and says what stands in its way.

use std::net::TcpListener;
use std::process::Command;

use serde_json::Value;

use crate::support::{Finished, Running, Server, feed, get, otel_genai, post_json, run};

pub(crate) struct Dashboard {
    pub(crate) running: Running,
    /// Everything that it printed when it started.
    pub(crate) greeting: String,
    pub(crate) url: String,
}

/// On free ports, with data in `folder`.
pub(crate) fn command(folder: &std::path::Path, arguments: &[&str]) -> Command {
    let mut command = otel_genai(&["dashboard"]);
    let any = "127.0.0.1:0";
    command.env("OTEL_GENAI_DASHBOARD_PAGE", any).env("OTEL_GENAI_DASHBOARD_HTTP", any);
    command.env("OTEL_GENAI_DASHBOARD_GRPC", any).env("OTEL_GENAI_DATA_DIR", folder).args(arguments);
    command
}

pub(crate) fn start(command: Command) -> Dashboard {
    let mut running = Running::start(command);
    let mut greeting = String::new();
    loop {
        let line = running.line();
        greeting.push_str(&line);
        greeting.push('\n');
        // The last word, of which the line before tells nothing.
        if line.starts_with("Ctrl-C") {
            break;
        }
        assert!(greeting.len() < 4_000, "{greeting}");
    }
    let url = greeting.lines().next().unwrap().strip_prefix("listening on ").unwrap().to_owned();
    Dashboard { running, greeting, url }
}

fn about(url: &str, header: &str) -> Value {
    let answer = get(url, "/api/v1/about", header);
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}"))
}

#[test]
fn it_says_where_it_is_and_there_is_one_for_each_folder() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let dashboard = start(command(&data, &[]));
    let about = about(&dashboard.url, "");
    assert_eq!(about["store"], data.to_str().unwrap());
    let otlp = about["otlp"]["http"].as_str().unwrap();
    assert!(
        dashboard.greeting.contains(&format!("OTEL_EXPORTER_OTLP_ENDPOINT={otlp}\n")),
        "{}",
        dashboard.greeting
    );

    let second = run(command(&data, &[]));
    assert_eq!((second.code, second.out.as_str()), (3, ""));
    let pid = dashboard.running.child.id();
    assert!(
        second.err.contains(&format!("runs already: {} (process {pid})", dashboard.url)),
        "{}",
        second.err
    );

    let stopped = run(command(&data, &["--stop"]));
    assert_eq!(stopped.code, 0, "{stopped:?}");
    let Finished { code, err, .. } = dashboard.running.end();
    assert_eq!((code, err.as_str()), (0, ""));
    let nobody = run(command(&data, &["--stop"]));
    assert!(nobody.code == 0 && nobody.err.contains("no dashboard runs"), "{nobody:?}");
}

#[test]
fn what_stands_in_its_way_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (flag, name) in [("--http", "OTLP over HTTP"), ("--grpc", "OTLP over gRPC"), ("--page", "the page")] {
        let told = run(command(folder.path(), &[flag, &address]));
        assert_eq!(told.code, 4, "{told:?}");
        let said = [&address, name, flag].iter().all(|word| told.err.contains(*word));
        assert!(said && told.err.lines().count() == 1, "{}", told.err);
    }
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let told = run(command(&file, &[]));
    assert!(told.code == 5 && told.err.contains("--data-dir"), "{told:?}");
    let named = format!("cannot make the data folder: {}: ", file.display());
    assert!(told.err.contains(&named) && told.err.lines().count() == 1, "{}", told.err);
    let mut homeless = otel_genai(&["dashboard"]);
    homeless.env_remove("HOME");
    let told = run(homeless);
    assert!(told.code == 5 && told.err.contains("--memory"), "{told:?}");
    let told = run(command(folder.path(), &["--token", "a b"]));
    assert!(told.code == 2 && !told.err.contains("a b"), "{told:?}");
    let told = run(command(folder.path(), &["--max-content", "10"]));
    assert!(told.code == 2 && told.err.contains("\"10\" is less than 1KiB"), "{told:?}");
    let prices = folder.path().join("prices.toml");
    std::fs::write(&prices, "[[price]]\nprovider = \"openai\"\nrows = [{ model = \"m\", input = -1 }]\n")
        .unwrap();
    let told = run(command(folder.path(), &["--prices", prices.to_str().unwrap()]));
    assert!(told.code == 2 && told.err.contains("line 3: `input` of m is -1"), "{told:?}");
    let told = run(command(folder.path(), &["--prices", "nowhere.toml"]));
    assert!(told.code == 2 && told.err.contains("cannot read the prices in nowhere.toml"), "{told:?}");
}

#[test]
fn two_with_data_of_their_own_do_not_take_each_others_ports() {
    let folder = tempfile::tempdir().unwrap();
    let first = start(command(&folder.path().join("first"), &[]));
    let address = first.url.strip_prefix("http://").unwrap();
    let second = folder.path().join("second");
    for (flag, instead) in [("--page", "--page chooses"), ("--http", "--http and --grpc choose")] {
        let told = run(command(&second, &[flag, address]));
        assert!(told.code == 3 && told.err.contains("with other data"), "{told:?}");
        assert!(told.err.contains(instead), "{}", told.err);
    }
    first.running.signal("INT");
    assert_eq!(first.running.end().code, 0);
}

#[test]
fn a_second_page_moves_to_a_free_port() {
    let folder = tempfile::tempdir().unwrap();
    // Whoever has the usual port, one of these two has not.
    let both = ["first", "second"].map(|name| {
        let mut command = command(&folder.path().join(name), &[]);
        command.env_remove("OTEL_GENAI_DASHBOARD_PAGE");
        start(command)
    });
    assert_ne!(both[0].url, both[1].url);
    for dashboard in both {
        assert_eq!(about(&dashboard.url, "")["name"], "otel-genai");
        dashboard.running.signal("TERM");
        assert_eq!(dashboard.running.end().code, 0);
    }
}

#[test]
fn an_address_of_something_else_is_said() {
    let other = Server::start("404 Not Found", r#"{"error":{"message":"Unknown URL","code":"unknown_url"}}"#);
    let url = other.base_url().replace("/v1", "");
    let told = run(otel_genai(&["traces", "--url", &url]));
    let said = format!("otel-genai: what answers at {url} is no otel-genai dashboard\n");
    assert_eq!((told.code, told.err), (125, said));
}

#[test]
fn others_need_the_token_that_it_prints() {
    let folder = tempfile::tempdir().unwrap();
    let dashboard = start(command(folder.path(), &["--http", "0.0.0.0:0"]));
    let line = dashboard.greeting.lines().find(|line| line.contains("?token=")).unwrap();
    let token = line.split_once("?token=").unwrap().1;
    assert!(token.len() >= 22, "{token}");
    let headers = format!("OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20{token}\n");
    assert!(dashboard.greeting.contains(&headers), "{}", dashboard.greeting);
    assert!(about(&dashboard.url, "")["store"].is_null());
    let known = about(&dashboard.url, &format!("Authorization: Bearer {token}\r\n"));
    assert_eq!(known["store"], folder.path().to_str().unwrap());
    assert_eq!(std::fs::read_to_string(folder.path().join("token")).unwrap(), token);
    dashboard.running.signal("TERM");
    assert_eq!(dashboard.running.end().code, 0);
    assert!(!folder.path().join("token").exists());
}

#[test]
fn a_token_of_ones_own_is_never_shown_by_config() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "SECRET\nnot this\n").unwrap();
    let dashboard = start(command(&folder.path().join("data"), &["--token-file", file.to_str().unwrap()]));
    assert!(about(&dashboard.url, "Authorization: Bearer SECRET\r\n")["store"].is_string());
    assert!(about(&dashboard.url, "Authorization: Bearer SECRETnot\r\n")["store"].is_null());
    let told = run(otel_genai(&["traces", "--url", &dashboard.url]));
    assert!(told.code == 125 && told.err.contains("; OTEL_GENAI_DASHBOARD_TOKEN holds it"), "{told:?}");
    drop(dashboard.running.child);
    run(command(&folder.path().join("data"), &["--stop"]));
    let mut config = otel_genai(&["config", "--set"]);
    config.env("OTEL_GENAI_DASHBOARD_TOKEN", "SECRET").env("OTEL_GENAI_DASHBOARD_PAGE", "127.0.0.1:9");
    let told = run(config);
    assert!(told.out.contains("OTEL_GENAI_DASHBOARD_TOKEN  ***"), "{}", told.out);
    assert!(!told.out.contains("SECRET"));
}

#[test]
fn it_ends_by_itself_when_nobody_is_there() {
    let dashboard = start(command("/nowhere".as_ref(), &["--memory", "--exit-when-idle", "1s"]));
    assert!(dashboard.greeting.contains("forgotten at the end"), "{}", dashboard.greeting);
    assert_eq!(dashboard.running.end().code, 0);
}

#[cfg(target_os = "linux")]
#[test]
fn the_browser_makes_its_files_as_the_user_does() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let opener = folder.path().join("xdg-open");
    let script =
        "#!/bin/sh\n(umask; echo \"$1\") > \"${0%/*}/new\" && mv \"${0%/*}/new\" \"${0%/*}/opened\"\n";
    std::fs::write(&opener, script).unwrap();
    std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let data = folder.path().join("data");
    let with = command(&data, &["--open"]);
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 027 && exec \"$0\" \"$@\""]).arg(with.get_program()).args(with.get_args());
    shell.env_clear().stdin(std::process::Stdio::null());
    shell.envs(with.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let dashboard = start({
        shell.env("PATH", path).env("DISPLAY", ":0");
        shell
    });
    let opened = folder.path().join("opened");
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !opened.exists() {
        assert!(std::time::Instant::now() < patience, "no browser was opened");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(about(&dashboard.url, "")["name"], "otel-genai", "it goes on");
    let told = std::fs::read_to_string(opened).unwrap();
    assert_eq!(told, format!("0027\n{}/\n", dashboard.url));
    let mode = |name: &str| std::fs::metadata(data.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("lock.sqlite"), 0o600, "what the dashboard makes is for its owner alone");
    dashboard.running.signal("TERM");
    assert_eq!(dashboard.running.end().code, 0);
}

/// A question and its answer, as an SDK sends them.
pub(crate) fn send(dashboard: &Dashboard) {
    let said = |role: &str, words: &str| {
        format!(r#"[{{\"role\":\"{role}\",\"parts\":[{{\"type\":\"text\",\"content\":\"{words}\"}}]}}]"#)
    };
    let text = |key: &str, value: &str| format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    let attributes = [
        text("gen_ai.operation.name", "chat"),
        text("gen_ai.provider.name", "openai"),
        text("gen_ai.request.model", "gpt-5"),
        text("gen_ai.input.messages", &said("user", "Where is my order?")),
        text("gen_ai.output.messages", &said("assistant", "On its way\\\\u001b[2J.")),
    ];
    let span = format!(
        r#"{{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7","name":"chat gpt-5","startTimeUnixNano":"{}","endTimeUnixNano":"{now}","attributes":[{}]}}"#,
        now - 1_500_000_000,
        attributes.join(",")
    );
    let body = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{span}]}}]}}]}}"#);
    let otlp =
        dashboard.greeting.split("OTEL_EXPORTER_OTLP_ENDPOINT=").nth(1).unwrap().lines().next().unwrap();
    let answer = post_json(otlp, "/v1/traces", &body);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn what_it_has_received_is_shown_in_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let look = |arguments: &[&str]| {
        let mut command = otel_genai(arguments);
        command.env("OTEL_GENAI_DATA_DIR", &data);
        let told = run(command);
        assert_eq!((told.code, told.err.as_str()), (0, ""), "{told:?}");
        assert!(!told.out.contains('\u{1b}'), "a terminal obeys nobody else: {}", told.out);
        told.out
    };
    let nothing = {
        let mut command = otel_genai(&["traces"]);
        command.env("OTEL_GENAI_DATA_DIR", &data);
        run(command)
    };
    assert!(nothing.code == 5 && nothing.err.contains("nothing was received yet"), "{nothing:?}");

    let dashboard = start(command(&data, &[]));
    send(&dashboard);
    let shown = || {
        let traces = look(&["traces", "--since", "1h"]);
        assert!(traces.contains("4bf92f35  chat gpt-5") && traces.contains("1.5 s"), "{traces}");
        let trace = look(&["trace", "4bf9"]);
        for words in ["chat gpt-5", "█", "user       Where is my order?", "assistant  On its way\u{fffd}[2J."]
        {
            assert!(trace.contains(words), "{words:?} is missing in:\n{trace}");
        }
        assert!(look(&["trace", "last", "--md"]).contains("untrusted content"));
        let stats = look(&["stats"]);
        assert!(stats.contains("gpt-5 (openai)"), "{stats}");
        let json: Value = serde_json::from_str(&look(&["traces", "--json"])).unwrap();
        assert_eq!(json["items"][0]["id"], "4bf92f3577b34da6a3ce929d0e0e4736");
        let asked = concat!(
            r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#,
            "\n",
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            "\n",
            r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"list_traces"}}"#,
            "\n"
        );
        let mut server = otel_genai(&["mcp-server"]);
        server.env("OTEL_GENAI_DATA_DIR", &data);
        let told = String::from_utf8(feed(server, asked.into()).stdout).unwrap();
        let answers: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((answers.len(), &answers[1]["id"]), (2, &Value::from(2)), "{told}");
        assert!(answers[1]["result"]["content"][0]["text"].as_str().unwrap().contains("4bf92f35"), "{told}");
    };
    shown();
    dashboard.running.signal("TERM");
    assert_eq!(dashboard.running.end().code, 0);
    // From the files, where no dashboard runs.
    shown();
    let mut wrong = otel_genai(&["trace", "zzz"]);
    wrong.env("OTEL_GENAI_DATA_DIR", &data);
    assert_eq!(run(wrong).code, 2);
}
