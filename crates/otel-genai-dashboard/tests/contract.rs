//! What is really answered has the shapes that the page is written for: `ui/src/api.ts`. Answers become TypeScript that the
//! compiler checks, by which missing fields and fields too many both fail.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod support;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use otel_genai_store::otlp;
use prost::Message as _;
use support::{PROTOBUF, START, Served, TRACE, ask, attribute, int, request, span, text};

const INPUT: &str = r#"[{"role":"user","parts":[{"type":"text","content":"Where is my order?"}]}]"#;
const OUTPUT: &str = r#"[{"role":"assistant","parts":[{"type":"tool_call","id":"c1","name":"find","arguments":{"id":7}}],"finish_reason":"tool_call"}]"#;
const DOCUMENTS: &str = r#"[{"id":"d1","score":0.5,"content":"an order","metadata":{"page":1}}]"#;

fn everything() -> ExportTraceServiceRequest {
    let op = |name: &str| text("gen_ai.operation.name", name);
    let agent = vec![
        op("invoke_agent"),
        text("gen_ai.agent.name", "Support"),
        text("gen_ai.conversation.id", "talk"),
    ];
    let chat = vec![
        op("chat"),
        text("gen_ai.provider.name", "openai"),
        text("gen_ai.request.model", "gpt-4o"),
        text("gen_ai.response.model", "gpt-4o-2024-08-06"),
        int("gen_ai.usage.input_tokens", 100),
        int("gen_ai.usage.output_tokens", 20),
        int("gen_ai.usage.cache_read.input_tokens", 10),
        attribute("gen_ai.request.temperature", Value::DoubleValue(0.5)),
        attribute("gen_ai.response.time_to_first_chunk", Value::DoubleValue(0.1)),
        attribute("bytes", Value::BytesValue(vec![1, 2, 3])),
        int("large", i64::MAX),
        text("long", &"x".repeat(70_000)),
        text("gen_ai.input.messages", INPUT),
        text("gen_ai.output.messages", OUTPUT),
        text("gen_ai.conversation.id", "talk"),
    ];
    let mut chat = span(2, 1, "chat gpt-4o", (10, 510), chat);
    chat.events.push(Event {
        time_unix_nano: START + 20_000_000,
        name: "first".to_owned(),
        ..Event::default()
    });
    chat.links.push(Link { trace_id: vec![7; 16], span_id: vec![8; 8], ..Link::default() });
    chat.dropped_attributes_count = 1;
    let tool = vec![op("execute_tool"), text("gen_ai.tool.name", "find"), text("gen_ai.tool.call.id", "c1")];
    let mut tool =
        span(4, 1, "execute_tool find", (520, 600), [tool, vec![text("error.type", "timeout")]].concat());
    tool.status = Some(opentelemetry_proto::tonic::trace::v1::Status { code: 2, message: "late".to_owned() });
    let retrieval = vec![
        op("retrieval"),
        text("gen_ai.retrieval.documents", DOCUMENTS),
        text("gen_ai.retrieval.query.text", "order"),
    ];
    let mcp = vec![
        text("mcp.method.name", "tools/call"),
        text("mcp.session.id", "s"),
        int("jsonrpc.request.id", 1),
    ];
    let memory = vec![op("search_memory"), text("gen_ai.memory.store.id", "m")];
    request(vec![
        span(1, 0, "invoke_agent Support", (0, 1000), agent),
        chat,
        span(3, 2, "POST", (20, 480), vec![text("http.request.method", "POST")]),
        tool,
        span(5, 99, "retrieval", (610, 620), retrieval),
        span(6, 1, "tools/call find", (630, 640), mcp),
        span(7, 1, "search_memory", (650, 660), memory),
        Span { end_time_unix_nano: 0, ..span(8, 1, "running", (700, 0), Vec::new()) },
    ])
}

fn logs() -> ExportLogsServiceRequest {
    let text = format!(
        r#"{{"resourceLogs":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"shop"}}}}]}},"scopeLogs":[{{
            "scope":{{"name":"judge","version":"1"}},"logRecords":[
            {{"timeUnixNano":"{START}","observedTimeUnixNano":"{START}","severityNumber":9,"severityText":"INFO","eventName":"gen_ai.evaluation.result",
              "traceId":"{TRACE}","spanId":"0100000000000002","attributes":[
                {{"key":"gen_ai.evaluation.name","value":{{"stringValue":"Relevance"}}}},
                {{"key":"gen_ai.evaluation.score.value","value":{{"doubleValue":0.5}}}}]}},
            {{"timeUnixNano":"{START}","body":{{"kvlistValue":{{"values":[{{"key":"a","value":{{"arrayValue":{{"values":[{{"intValue":"1"}}]}}}}}}]}}}}}}
            ]}}]}}]}}"#
    );
    otlp::from_json(text.as_bytes()).unwrap()
}

fn metrics() -> ExportMetricsServiceRequest {
    let at = START + 1_000_000;
    let text = format!(
        r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[
            {{"name":"gen_ai.client.operation.duration","unit":"s","description":"How long","histogram":{{"aggregationTemporality":1,"dataPoints":[
              {{"startTimeUnixNano":"{START}","timeUnixNano":"{at}","count":"3","sum":1.5,"explicitBounds":[0.1,1],"bucketCounts":["1","1","1"],
                "attributes":[{{"key":"gen_ai.request.model","value":{{"stringValue":"gpt-4o"}}}}],
                "exemplars":[{{"timeUnixNano":"{at}","asDouble":0.5,"traceId":"{TRACE}","spanId":"0100000000000002"}}]}}]}}}},
            {{"name":"queue","unit":"1","gauge":{{"dataPoints":[{{"timeUnixNano":"{at}","asInt":"4"}}]}}}},
            {{"name":"calls","unit":"1","sum":{{"aggregationTemporality":2,"isMonotonic":true,"dataPoints":[{{"startTimeUnixNano":"{START}","timeUnixNano":"{at}","asInt":"4"}}]}}}}
            ]}}]}}]}}"#
    );
    otlp::from_json(text.as_bytes()).unwrap()
}

/// Answers with their type, written as TypeScript.
struct Contract {
    text: String,
    count: usize,
}

impl Contract {
    fn holds(&mut self, of: &str, path: &str, answer: &serde_json::Value) {
        self.count += 1;
        let name = format!("answer{}", self.count);
        writeln!(self.text, "// {path}\nexport const {name}: api.{of} = {answer};").unwrap();
    }

    async fn get(&mut self, served: &Served, of: &str, path: &str) -> serde_json::Value {
        let answer = served.json(&format!("/api/v1/{path}")).await;
        self.holds(of, path, &answer);
        answer
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_have_the_shapes_that_the_page_reads() {
    let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui").canonicalize().unwrap();
    let compiler = ui.join("node_modules/typescript/bin/tsc");
    if !compiler.exists() {
        eprintln!("skipped: {} is not there; `cargo xtask ui` installs it", compiler.display());
        return;
    }
    let served = Served::start().await;
    let mut contract = Contract { text: String::new(), count: 0 };
    contract.get(&served, "Overview", "overview").await;
    served.send(&everything()).await;
    for (path, body) in [("/v1/logs", logs().encode_to_vec()), ("/v1/metrics", metrics().encode_to_vec())] {
        let answer = ask(served.http, "POST", path, &[PROTOBUF], &body).await;
        assert_eq!((answer.status, answer.body.len()), (200, 0), "{path}: {}", answer.text());
    }
    let range = format!("from={}&to={}", START / 1_000_000 - 60_000, START / 1_000_000 + 600_000);
    contract.get(&served, "About", "about").await;
    contract.get(&served, "Status", "status").await;
    contract.get(&served, "Settings", "settings").await;
    contract.get(&served, "TraceList", "traces?limit=1").await;
    contract.get(&served, "Trace", &format!("traces/{TRACE}")).await;
    for span in 1..=8 {
        contract.get(&served, "SpanDetail", &format!("traces/{TRACE}/spans/010000000000000{span}")).await;
    }
    contract.get(&served, "Transcript", &format!("traces/{TRACE}/transcript")).await;
    contract.get(&served, "Finding[]", &format!("traces/{TRACE}/findings")).await;
    contract.get(&served, "Findings", "findings").await;
    contract.get(&served, "LogList", &format!("traces/{TRACE}/logs")).await;
    let logs = contract.get(&served, "LogList", "logs?limit=2").await;
    for log in logs["items"].as_array().unwrap() {
        contract.get(&served, "LogDetail", &format!("logs/{}", log["id"].as_str().unwrap())).await;
    }
    contract.get(&served, "Overview", &format!("overview?{range}")).await;
    for (of, path) in [
        ("Models", "models"),
        ("Agents", "agents"),
        ("Tools", "tools"),
        ("Services", "services"),
        ("Facets", "facets"),
        ("Facets", "facets?of=conversation&of=dialect"),
        ("ConversationList", "conversations"),
        ("Conversation", "conversations/talk"),
        ("Conversation", "conversations/talk?transcript=1"),
        ("MetricList", "metrics"),
        ("SearchAnswer", "search?q=order"),
        ("SearchAnswer", "search?q=gpt"),
        ("Comparison", &format!("compare?a={TRACE}&b={TRACE}.0100000000000002")),
    ] {
        contract.get(&served, of, path).await;
    }
    for name in ["gen_ai.client.operation.duration", "queue", "calls"] {
        contract.get(&served, "SeriesAnswer", &format!("metrics/series?name={name}&{range}")).await;
    }
    for path in ["/api/v1/traces?sort=no", "/api/v1/nothing"] {
        contract.holds("ApiError", path, &served.get(path).await.json());
    }
    let deleted = ask(served.page, "DELETE", "/api/v1/data?all=1", &[("x-otel-genai", "1")], b"").await;
    assert_eq!(deleted.status, 200, "{}", deleted.text());
    contract.holds("Deleted", "DELETE data", &deleted.json());

    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ui-contract");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("answers.ts");
    let import = serde_json::to_string(&ui.join("src/api").display().to_string()).unwrap();
    std::fs::write(&file, format!("import type * as api from {import};\n{}", contract.text)).unwrap();
    let checked = Command::new("node")
        .arg(&compiler)
        .args([
            "--noEmit",
            "--strict",
            "--skipLibCheck",
            "--ignoreConfig",
            "--target",
            "es2022",
            "--module",
            "esnext",
        ])
        .args(["--moduleResolution", "bundler", "--types", ""])
        .arg(&file)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&checked.stdout);
    let said: String =
        said.lines().take(40).map(|line| line.chars().take(600).collect::<String>() + "\n").collect();
    assert!(checked.status.success(), "{} does not fit:\n{said}", file.display());
}
