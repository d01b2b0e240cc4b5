//! `store`, and `dashboard --store`: data in ClickHouse, as people and scripts meet it.

#[allow(dead_code, reason = "shared with the store's own tests")]
#[path = "../../../otel-genai-store/tests/engine/mod.rs"]
mod engine;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::{collector, trace};
use otel_genai_store::{ClickHouseOptions, Nanos, SqliteOptions, Store as _, otlp};
use serde_json::Value;

use super::dashboard::{command, send, start};
use crate::support::{Finished, get, otel_genai, run, send_json};

/// A database of its own, with a name in its address, which nobody may see.
fn address() -> Option<String> {
    let location = engine::database()?.location();
    let (server, database) = (engine::address()?, location.rsplit('/').next()?);
    // The engine's own user has no password.
    let named = if server.contains('@') { server.to_owned() } else { server.replace("://", "://default@") };
    Some(format!("{named}/{database}"))
}

/// An address as people may see it.
fn shown(address: &str) -> String {
    ClickHouseOptions::new(address).unwrap().location()
}

/// What the server of an address answers to a statement.
fn sql(address: &str, statement: &str) -> String {
    let (user, rest) = address.split_once("://").unwrap().1.split_once('@').unwrap();
    let host = rest.split('/').next().unwrap();
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let mut socket = TcpStream::connect(host).unwrap();
    let head = format!(
        "POST / HTTP/1.0\r\nX-ClickHouse-User: {name}\r\nX-ClickHouse-Key: {password}\r\nContent-Length: {}\r\n\r\n",
        statement.len()
    );
    socket.write_all((head + statement).as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(" 200 "), "{statement}: {answer}");
    body.to_owned()
}

/// Stores spans into a folder.
fn fill(folder: &str, spans: Vec<trace::v1::Span>) {
    let scope_spans = vec![trace::v1::ScopeSpans { spans, ..Default::default() }];
    let resource_spans = vec![trace::v1::ResourceSpans { scope_spans, ..Default::default() }];
    let request = collector::trace::v1::ExportTraceServiceRequest { resource_spans };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = SqliteOptions::new(folder).open().unwrap();
        store.ingest(otlp::traces(request, Nanos::now()).batch).await.unwrap();
        store.close().await;
    });
}

/// A folder in which there is the span of [`send`].
fn filled(folder: &Path) -> String {
    let dashboard = start(command(folder, &[]));
    send(&dashboard);
    dashboard.running.signal("TERM");
    assert_eq!(dashboard.running.end().code, 0);
    folder.display().to_string()
}

fn asked(url: &str, path: &str) -> Value {
    let answer = get(url, &format!("/api/v1{path}"), "");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    serde_json::from_str(body).unwrap()
}

fn store(home: &Path, arguments: &[&str]) -> Finished {
    let mut command = otel_genai(&["store"]);
    command.args(arguments).env("OTEL_GENAI_DATA_DIR", home.join("unused"));
    run(command)
}

/// On free ports, with data at the address.
fn over(address: &str, home: &Path, arguments: &[&str]) -> Command {
    let mut command = otel_genai(&["dashboard", "--store", address]);
    for port in ["PAGE", "HTTP", "GRPC"] {
        command.env(format!("OTEL_GENAI_DASHBOARD_{port}"), "127.0.0.1:0");
    }
    command.env("OTEL_GENAI_DATA_DIR", home.join("unused")).args(arguments);
    command
}

#[test]
fn a_dashboard_over_clickhouse_answers() {
    let Some(address) = address() else { return };
    let folder = tempfile::tempdir().unwrap();
    let dashboard = start(over(&address, folder.path(), &["--max-age", "36500d"]));
    assert!(
        dashboard.greeting.contains(&format!("  data    {}\n", shown(&address))),
        "{}",
        dashboard.greeting
    );
    send(&dashboard);
    let id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let traces = asked(&dashboard.url, "/traces");
    assert_eq!(
        (&traces["items"][0]["id"], &traces["items"][0]["llmCalls"]),
        (&id.into(), &1.into()),
        "{traces}"
    );
    let transcript = asked(&dashboard.url, &format!("/traces/{id}/transcript")).to_string();
    assert!(transcript.contains("Where is my order?"), "{transcript}");
    let found = asked(&dashboard.url, "/search?q=order").to_string();
    assert!(found.contains(id), "{found}");
    assert_eq!(asked(&dashboard.url, "/status")["spans"], 1);
    dashboard.running.signal("TERM");
    assert_eq!(dashboard.running.end().code, 0);
    assert!(!folder.path().join("unused").exists());
}

/// One adds, another one only looks, and none says how long a server keeps what it has.
#[test]
fn clickhouse_is_looked_at_without_a_change() {
    let Some(address) = address() else { return };
    let folder = tempfile::tempdir().unwrap();
    let early = run(over(&address, folder.path(), &["--read-only"]));
    assert!(early.code == 5 && early.err.contains("store schema clickhouse"), "{early:?}");

    let mut command = over(&address, folder.path(), &[]);
    command.env("OTEL_GENAI_DASHBOARD_MAX_CONTENT", "64KiB");
    let dashboard = start(command);
    send(&dashboard);
    let settings = asked(&dashboard.url, "/settings");
    assert_eq!((&settings["changeable"], &settings["maxAgeMs"]), (&Value::Null, &Value::Null), "{settings}");
    assert!(settings["maxContent"].is_null(), "what is for files cuts nothing here: {settings}");
    let value = |name: &str| {
        let variables = settings["variables"].as_array().unwrap();
        variables.iter().find(|one| one["name"] == name).map(|one| one["value"].as_str().unwrap().to_owned())
    };
    assert_eq!(value("OTEL_GENAI_DASHBOARD_MAX_AGE").as_deref(), Some("as is set on the server"));
    assert_eq!((value("OTEL_GENAI_DASHBOARD_MAX_BYTES"), value("OTEL_GENAI_DATA_DIR")), (None, None));
    assert!(value("OTEL_GENAI_STORE").is_some_and(|store| store.starts_with("clickhouse://")), "{settings}");
    let refused = send_json("PATCH", &dashboard.url, "/api/v1/settings", r#"{"maxAgeMs": 86400000}"#);
    assert!(refused.starts_with("HTTP/1.1 400") && refused.contains("cannot be changed here"), "{refused}");

    let looking = start(over(&address, folder.path(), &["--read-only", "--http", "127.0.0.1:0"]));
    assert!(looking.greeting.contains(", only to look at\n"), "{}", looking.greeting);
    assert_eq!(asked(&looking.url, "/status")["spans"], 1);
    assert_eq!(asked(&looking.url, "/settings")["readOnly"], true);
    for dashboard in [dashboard, looking] {
        dashboard.running.signal("TERM");
        assert_eq!(dashboard.running.end().code, 0);
    }
}

#[test]
fn what_a_laptop_has_is_copied_there_and_back_again() {
    let Some(address) = address() else { return };
    let folder = tempfile::tempdir().unwrap();
    let data = filled(&folder.path().join("data"));
    let back = folder.path().join("back").display().to_string();
    for (from, to) in [(&data, &address), (&address, &back), (&back, &address)] {
        let copied = store(folder.path(), &["copy", from, to]);
        assert_eq!(
            (copied.code, copied.out.as_str()),
            (0, "same     1 spans, 0 log records, 0 points\n"),
            "{copied:?}"
        );
        assert!(copied.err.contains("copied [####") && copied.err.contains("100 %"), "{}", copied.err);
    }
    let quiet = store(folder.path(), &["copy", "--quiet", "--no-verify", &data, &back]);
    assert_eq!((quiet.code, quiet.out.as_str(), quiet.err.as_str()), (0, "", ""), "{quiet:?}");
    let quiet = store(folder.path(), &["copy", "-q", &data, &back]);
    assert_eq!((quiet.code, quiet.out.as_str(), quiet.err.as_str()), (0, "", ""), "{quiet:?}");
    let nowhere = store(folder.path(), &["copy", "/nowhere/at/all", &address]);
    assert!(nowhere.code == 5 && nowhere.err.contains("there is no folder"), "{nowhere:?}");
    let same = store(folder.path(), &["copy", &data, &data]);
    assert_eq!(same.code, 2, "{same:?}");
}

/// Killed in the middle, it goes on where it was, and everything is there once.
#[test]
fn a_copy_that_was_killed_goes_on() {
    let Some(address) = address() else { return };
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let long = "all work and no play ".repeat(30_000);
    let span = |number: u64| trace::v1::Span {
        trace_id: vec![1; 16],
        span_id: (number + 1).to_be_bytes().to_vec(),
        name: long.clone(),
        start_time_unix_nano: 1_700_000_000_000_000_000 + number,
        end_time_unix_nano: 1_700_000_000_000_000_005 + number,
        ..trace::v1::Span::default()
    };
    fill(&data, (0..14).map(span).collect());

    let left = folder.path().join("unused/copies");
    let mut command = otel_genai(&["store", "copy", &data, &address]);
    command.env("OTEL_GENAI_DATA_DIR", folder.path().join("unused"));
    let mut copy = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let is_left = || {
        std::fs::read_dir(&left)
            .is_ok_and(|mut files| files.any(|file| file.unwrap().path().extension().is_none()))
    };
    while !is_left() {
        assert!(copy.try_wait().unwrap().is_none(), "it ends before it is killed");
        std::thread::sleep(Duration::from_millis(1));
    }
    copy.kill().unwrap();
    copy.wait().unwrap();
    let copied = store(folder.path(), &["copy", &data, &address]);
    assert_eq!(
        (copied.code, copied.out.as_str()),
        (0, "same     14 spans, 0 log records, 0 points\n"),
        "{copied:?}"
    );
    assert!(copied.err.contains("going on where an earlier copy ended"), "{}", copied.err);
    // The next one has nothing to go on from.
    assert!(!is_left());
}

/// What the first dashboard over a copy would delete is said.
#[test]
fn a_copy_that_a_dashboard_would_cut_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let [data, back] = ["data", "back"].map(|name| folder.path().join(name).display().to_string());
    let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap();
    let span = |days: u64| trace::v1::Span {
        trace_id: vec![1; 16],
        span_id: (days + 1).to_be_bytes().to_vec(),
        start_time_unix_nano: now - days * 86_400_000_000_000,
        end_time_unix_nano: now - days * 86_400_000_000_000,
        ..trace::v1::Span::default()
    };
    fill(&data, vec![span(1)]);
    let copied = store(folder.path(), &["copy", &data, &back]);
    assert!(copied.code == 0 && !copied.err.contains("--max-age"), "{copied:?}");
    fill(&data, vec![span(400)]);
    let copied = store(folder.path(), &["copy", &data, &back]);
    assert!(
        copied.code == 0 && copied.err.contains("start it with --max-age none --max-bytes none"),
        "{copied:?}"
    );
    let told = store(folder.path(), &["copy", "--to-password-file", "/nowhere", &data, &back]);
    assert!(told.code == 2 && told.err.contains("which has no password"), "{told:?}");
}

/// The dashboard says once that its server is away, however much is sent, and once that it is back.
#[test]
fn a_dashboard_says_that_its_server_is_away() {
    let Some(library) = engine::library() else { return };
    let folder = tempfile::tempdir().unwrap();
    let server = engine::Engine::start(&library, folder.path(), &[]);
    let (address, port) = (server.address() + "/away", server.port());
    let dashboard = start(over(&address, folder.path(), &[]));
    let about = asked(&dashboard.url, "/about");
    let otlp = about["otlp"]["http"].as_str().unwrap().to_owned();
    let send = || {
        let span = r#"{"traceId":"01010101010101010101010101010101","spanId":"0101010101010101","name":"a"}"#;
        let body = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{span}]}}]}}]}}"#);
        send_json("POST", &otlp, "/v1/traces", &body)
    };
    server.kill();
    for _ in 0..3 {
        let answer = send();
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    }
    let server = engine::Engine::start_at(&library, folder.path(), port, &[]);
    for _ in 0..2 {
        let answer = send();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    dashboard.running.signal("TERM");
    let said = dashboard.running.end().err;
    for words in ["cannot reach the store at ", "the store is back"] {
        assert_eq!(said.matches(words).count(), 1, "{said}");
    }
    server.kill();
}

const USERS: &str = "<clickhouse><users>
  <one><password>first</password><profile>default</profile><networks><ip>::/0</ip></networks></one>
  <two><password>second</password><profile>default</profile><networks><ip>::/0</ip></networks></two>
  <viewer><password>second</password><profile>default</profile><networks><ip>::/0</ip></networks>
    <grants><query>GRANT SELECT ON two.*</query></grants></viewer>
  <default><password></password><profile>default</profile><networks><ip>::/0</ip></networks></default>
</users><profiles><default/></profiles><quotas><default/></quotas></clickhouse>";

/// Two servers have two passwords, and who may not write there is told what is missing.
#[test]
fn each_end_of_a_copy_has_its_password() {
    let Some(library) = engine::library() else { return };
    let folder = tempfile::tempdir().unwrap();
    let server = engine::Engine::start_with_users(&library, folder.path(), USERS);
    let at =
        |user: &str, database: &str| server.address().replace("://", &format!("://{user}@")) + "/" + database;
    let [first, second] = ["first", "second"].map(|password| {
        let file = folder.path().join(password);
        std::fs::write(&file, password).unwrap();
        file.display().to_string()
    });
    let data = filled(&folder.path().join("data"));
    let (one, two, viewer) = (at("one", "one"), at("two", "two"), at("viewer", "two"));
    let copied = store(folder.path(), &["copy", "--to-password-file", &first, &data, &one]);
    assert_eq!(copied.code, 0, "{copied:?}");
    let both = ["copy", "--from-password-file", &first, "--to-password-file", &second, &one];
    let copied = store(folder.path(), &[&both[..], &[&two]].concat());
    assert_eq!(
        (copied.code, copied.out.as_str()),
        (0, "same     1 spans, 0 log records, 0 points\n"),
        "{copied:?}"
    );
    let wrong = store(
        folder.path(),
        &["copy", "--from-password-file", &second, "--to-password-file", &second, &one, &two],
    );
    assert!(wrong.code == 5 && wrong.err.contains("Authentication failed"), "{wrong:?}");
    let refused = store(folder.path(), &[&both[..], &[&viewer]].concat());
    assert_eq!(refused.code, 5, "{refused:?}");
    assert!(refused.err.contains("may not insert") && refused.err.contains("INSERT ON two.*"), "{refused:?}");
    assert!(!refused.err.contains("started again"), "{refused:?}");
    // Whoever sends is not to find it out first.
    let looking = start(over(&viewer, folder.path(), &["--store-password-file", &second]));
    assert!(looking.greeting.contains(", only to look at\n"), "{}", looking.greeting);
    let sent = send_json("POST", &looking.url, "/v1/traces", "{}");
    assert!(sent.starts_with("HTTP/1.1 403"), "{sent}");
    looking.running.signal("TERM");
    let ended = looking.running.end();
    assert_eq!(ended.code, 0);
    assert!(ended.err.contains("may not insert") && ended.err.contains("nothing is received"), "{ended:?}");
    server.kill();
}

/// Tables of a later version, and those that no exporter writes.
#[test]
fn tables_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    for (tables, told) in [
        (
            &["schema_version (version UInt32) ENGINE = MergeTree ORDER BY version AS SELECT 99"][..],
            "was written by a newer otel-genai (schema 99, this one knows 1)",
        ),
        (
            &["otel_traces (Timestamp DateTime64(9), TraceId String) ENGINE = MergeTree ORDER BY Timestamp"],
            "the table otel_traces has no column SpanId: it is none that the OpenTelemetry Collector's exporter writes",
        ),
    ] {
        let Some(address) = address() else { return };
        let database = address.rsplit('/').next().unwrap();
        sql(&address, &format!("CREATE DATABASE {database}"));
        tables.iter().for_each(|table| drop(sql(&address, &format!("CREATE TABLE {database}.{table}"))));
        let mut command = otel_genai(&["traces", "--store", &address]);
        command.env("OTEL_GENAI_DATA_DIR", folder.path().join("unused"));
        for finished in [run(command), run(over(&address, folder.path(), &[]))] {
            assert!(finished.code == 5 && finished.err.contains(told), "{finished:?}");
        }
    }
}

/// A database of a Collector: own tables beside its would be all that a dashboard shows.
#[test]
fn nothing_is_copied_into_a_collectors_database() {
    let Some(address) = address() else { return };
    let folder = tempfile::tempdir().unwrap();
    let data = filled(&folder.path().join("data"));
    let database = address.rsplit('/').next().unwrap();
    sql(&address, &format!("CREATE DATABASE {database}"));
    sql(
        &address,
        &format!(
            "CREATE TABLE {database}.otel_logs (Timestamp DateTime64(9), TraceId String, SpanId String, SeverityText String,
             SeverityNumber UInt8, ServiceName String, Body String, ResourceAttributes Map(String, String),
             LogAttributes Map(String, String)) ENGINE = MergeTree ORDER BY Timestamp"
        ),
    );
    let refused = store(folder.path(), &["copy", &data, &address]);
    assert_eq!(refused.code, 5, "{refused:?}");
    assert!(
        refused.err.contains("holds a Collector's tables") && refused.err.contains("name another"),
        "{refused:?}"
    );
    let tables = format!("SELECT count() FROM system.tables WHERE database = '{database}'");
    assert_eq!(sql(&address, &tables).trim(), "1");
    let back = folder.path().join("back").display().to_string();
    let copied = store(folder.path(), &["copy", &address, &back]);
    // How much of it tells of generative AI, nobody knows before.
    assert!(copied.code == 0 && !copied.err.contains('%'), "{copied:?}");
}

#[test]
fn what_an_administrator_runs_is_printed() {
    let told =
        store(Path::new("/nowhere"), &["schema", "clickhouse", "--database", "traces", "--max-age", "90d"]);
    assert_eq!((told.code, told.err.as_str()), (0, ""), "{told:?}");
    for words in [
        "CREATE DATABASE IF NOT EXISTS traces",
        "CREATE TABLE",
        "toIntervalDay(91)",
        "GRANT SELECT ON traces.*",
    ] {
        assert!(told.out.contains(words), "{words}: {}", told.out);
    }
    assert!(!told.out.contains("REMOVE TTL"), "{}", told.out);
    let schema = |arguments: &[&str]| {
        store(Path::new("/nowhere"), &[&["schema", "clickhouse"], arguments].concat()).out
    };
    assert!(!schema(&[]).contains("\nALTER TABLE"));
    assert!(schema(&["--max-age", "none"]).contains("ALTER TABLE span REMOVE TTL;"));
    let of_each = store(Path::new("/nowhere"), &["schema", "clickhouse", "--cluster", "genai"]);
    let shared = "CREATE TABLE IF NOT EXISTS otel_genai.span AS otel_genai_shard.span";
    assert!(of_each.code == 0 && of_each.out.contains(shared), "{of_each:?}");
    assert_eq!(store(Path::new("/nowhere"), &["schema", "clickhouse", "--cluster", "a b"]).code, 2);
    assert_eq!(store(Path::new("/nowhere"), &["schema", "mysql"]).code, 2);
    assert_eq!(store(Path::new("/nowhere"), &["schema", "clickhouse", "--database", "a b"]).code, 2);
}

/// Whatever goes wrong: the password is said nowhere.
#[test]
fn passwords_are_said_nowhere() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "swordfish\n").unwrap();
    let away = format!("clickhouse://ann:swordfish@{nobody}/traces");
    let wrong = format!("clickhouse://ann:swordfish@{nobody}/tr aces");
    for (address, code) in [(&away, 5), (&wrong, 2)] {
        let mut command = otel_genai(&["dashboard", "--store", address]);
        command.env("OTEL_GENAI_STORE_PASSWORD_FILE", &file).env("OTEL_LOG_LEVEL", "trace");
        let told = run(command);
        assert_eq!(told.code, code, "{told:?}");
        assert!(!told.err.contains("swordfish") && told.err.contains("clickhouse://"), "{}", told.err);
    }
    let mut command = otel_genai(&["config", "--set"]);
    command.env("OTEL_GENAI_STORE", &away).env("OTEL_GENAI_STORE_PASSWORD", "swordfish");
    let told = run(command);
    assert!(told.out.contains("OTEL_GENAI_STORE") && !told.out.contains("swordfish"), "{}", told.out);
    let mut command = otel_genai(&["dashboard", "--store", &away, "--memory"]);
    command.env("OTEL_GENAI_DATA_DIR", folder.path());
    let told = run(command);
    assert!(told.code == 2 && !told.err.contains("swordfish"), "{told:?}");
}

/// Commands without a page look into it, and files come in, without a dashboard; a variable says where, unless a flag does.
#[test]
fn commands_look_into_clickhouse() {
    let Some(address) = address() else { return };
    let folder = tempfile::tempdir().unwrap();
    let dashboard = start(over(&address, folder.path(), &[]));
    send(&dashboard);
    let export =
        get(&dashboard.url, "/api/v1/traces/4bf92f3577b34da6a3ce929d0e0e4736/export?format=otlp", "");
    let file = folder.path().join("trace.json");
    std::fs::write(&file, export.split_once("\r\n\r\n").unwrap().1).unwrap();
    dashboard.running.signal("TERM");
    assert_eq!(dashboard.running.end().code, 0);

    let by_variable = |arguments: &[&str]| {
        let mut command = otel_genai(arguments);
        command.env("OTEL_GENAI_STORE", &address).env("OTEL_GENAI_DATA_DIR", folder.path().join("unused"));
        run(command)
    };
    for arguments in [&["traces"][..], &["traces", "--store", &address], &["trace", "last"]] {
        let told = by_variable(arguments);
        assert!(told.code == 0 && told.out.contains("4bf92f35"), "{arguments:?}: {told:?}");
    }
    let told = by_variable(&["stats", "--since", "36500d"]);
    assert!(told.code == 0 && told.out.contains("gpt-5"), "{told:?}");
    let told = by_variable(&["import", file.to_str().unwrap()]);
    assert!(told.code == 0 && told.err.is_empty(), "{told:?}");
    assert!(!folder.path().join("unused").exists());
    let told = by_variable(&["traces", "--data-dir", folder.path().join("files").to_str().unwrap()]);
    assert!(!told.out.contains("4bf92f35"), "{told:?}");
}
