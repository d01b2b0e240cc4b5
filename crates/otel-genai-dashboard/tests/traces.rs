//! What was sent is listed, drawn, shown whole, and given back as it came.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_precision_loss,
    reason = "tests fail by panicking"
)]

mod support;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValueList};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use otel_genai_store::otlp;
use prost::Message as _;
use serde_json::json;
use support::{PROTOBUF, START, Served, TRACE, ask, attribute, int, request, span, text};

fn run() -> ExportTraceServiceRequest {
    let agent = vec![text("gen_ai.operation.name", "invoke_agent"), text("gen_ai.agent.name", "Support")];
    let mut chat = vec![
        text("gen_ai.operation.name", "chat"),
        text("gen_ai.provider.name", "openai"),
        text("gen_ai.request.model", "gpt-5"),
        text("gen_ai.response.model", "gpt-5-2026"),
        int("gen_ai.usage.input_tokens", 100),
        int("gen_ai.usage.output_tokens", 20),
        attribute("gen_ai.request.temperature", Value::DoubleValue(0.5)),
        text(
            "gen_ai.input.messages",
            r#"[{"role":"user","parts":[{"type":"text","content":"Where is my order?"}]}]"#,
        ),
        text("long", &"ü".repeat(50_000)),
        int("large", i64::MAX),
    ];
    chat.push(attribute(
        "nested",
        Value::ArrayValue(ArrayValue {
            values: vec![
                AnyValue { value: None },
                AnyValue { value: Some(Value::KvlistValue(KeyValueList { values: vec![int("a", 1)] })) },
            ],
        }),
    ));
    let mut chat = span(2, 1, "chat gpt-5", (10, 500), chat);
    chat.events.push(Event {
        time_unix_nano: START + 20_000_000,
        name: "first".to_owned(),
        attributes: vec![text("note", &"x".repeat(70_000))],
        dropped_attributes_count: 1,
    });
    chat.links.push(Link { trace_id: vec![7; 16], span_id: vec![8; 8], ..Link::default() });
    let http = span(3, 2, "POST", (20, 480), vec![text("http.request.method", "POST")]);
    let tool = vec![text("gen_ai.operation.name", "execute_tool"), text("gen_ai.tool.name", "find")];
    let mut tool = span(4, 1, "execute_tool find", (510, 600), tool);
    tool.status = Some(opentelemetry_proto::tonic::trace::v1::Status { code: 2, message: "boom".to_owned() });
    let root = span(1, 0, "invoke_agent Support", (0, 1000), agent);
    let mut both = request(vec![tool, http, chat, root]);
    // Another service, which tells of one span.
    let mut other = request(vec![span(5, 4, "GET /orders", (520, 590), Vec::new())]).resource_spans.remove(0);
    other.resource.as_mut().unwrap().attributes = vec![text("service.name", "orders"), int("pid", 7)];
    other.schema_url = "https://opentelemetry.io/schemas/1.37.0".to_owned();
    both.resource_spans.push(other);
    both
}

fn logs() -> ExportLogsServiceRequest {
    let log = |at: u64, name: &str, body: Option<&str>| LogRecord {
        time_unix_nano: START + at * 1_000_000,
        severity_number: 9,
        severity_text: "INFO".to_owned(),
        event_name: name.to_owned(),
        body: body.map(|body| AnyValue { value: Some(Value::StringValue(body.to_owned())) }),
        attributes: vec![
            text("gen_ai.evaluation.name", "Relevance"),
            text("gen_ai.evaluation.score.label", "good"),
        ],
        trace_id: 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128.to_be_bytes().to_vec(),
        span_id: vec![1, 0, 0, 0, 0, 0, 0, 2],
        ..LogRecord::default()
    };
    let records = vec![log(30, "gen_ai.evaluation.result", None), log(20, "", Some("hello"))];
    let group = ScopeLogs { log_records: records, ..ScopeLogs::default() };
    let resource = request(Vec::new()).resource_spans.remove(0).resource;
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs { resource, scope_logs: vec![group], ..ResourceLogs::default() }],
    }
}

async fn served() -> Served {
    let served = Served::start().await;
    served.send(&run()).await;
    let answer = ask(served.http, "POST", "/v1/logs", &[PROTOBUF], &logs().encode_to_vec()).await;
    assert_eq!(answer.status, 200);
    served
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_is_listed_and_drawn() {
    let served = served().await;
    let list = served.json("/api/v1/traces").await;
    let row = &list["items"][0];
    assert_eq!(
        (&row["id"], &row["name"], &row["service"]),
        (&json!(TRACE), &json!("invoke_agent Support"), &json!("shop"))
    );
    assert_eq!((&row["spans"], &row["errors"], &row["logs"]), (&json!(5), &json!(1), &json!(2)));
    assert_eq!((&row["startMs"], &row["durationMs"]), (&json!(1_763_800_000_000.0), &json!(1000.0)));
    assert!(list.get("next").is_none());

    let trace = served.json(&format!("/api/v1/traces/{TRACE}")).await;
    assert_eq!((&trace["totalRows"], &trace["startNs"]), (&json!(5), &json!(START.to_string())));
    let rows: Vec<_> = trace["rows"].as_array().unwrap().iter().collect();
    let names: Vec<_> =
        rows.iter().map(|row| (row["name"].as_str().unwrap(), row["depth"].as_u64().unwrap())).collect();
    let expected = [
        ("invoke_agent Support", 0),
        ("chat gpt-5", 1),
        ("POST", 2),
        ("execute_tool find", 1),
        ("GET /orders", 2),
    ];
    assert_eq!(names, expected);
    assert_eq!((&rows[1]["at"], &rows[1]["durationMs"]), (&json!(10.0), &json!(490.0)));
    assert_eq!(rows[3]["error"], true);

    // The pages of a drawing are the drawing.
    let (mut pages, mut cursor) = (Vec::new(), Some(String::new()));
    while let Some(from) = cursor {
        let page = served.json(&format!("/api/v1/traces/{TRACE}?limit=2{from}")).await;
        assert!((1..=2).contains(&page["rows"].as_array().unwrap().len()));
        pages.extend(page["rows"].as_array().unwrap().clone());
        cursor = page.get("next").map(|next| format!("&cursor={}", next.as_str().unwrap()));
    }
    assert_eq!(json!(pages), trace["rows"]);
    let wrong = served.get(&format!("/api/v1/traces/{TRACE}?cursor=zzz")).await;
    assert_eq!((wrong.status, wrong.code().as_str()), (400, "bad_cursor"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_still_holds_is_not_sent_again() {
    let served = served().await;
    let path = format!("/api/v1/traces/{TRACE}");
    let tag = served.get(&path).await.header("etag").unwrap().to_owned();
    let again = ask(served.page, "GET", &path, &[("if-none-match", &tag)], b"").await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    let other = ask(served.page, "GET", &format!("{path}?fold=http"), &[("if-none-match", &tag)], b"").await;
    assert_eq!(other.status, 200);
    served.send(&request(vec![span(9, 1, "late", (900, 950), Vec::new())])).await;
    let again = ask(served.page, "GET", &path, &[("if-none-match", &tag)], b"").await;
    assert_eq!(again.status, 200);
    let mut running = span(10, 1, "running", (900, 950), Vec::new());
    running.end_time_unix_nano = 0;
    served.send(&request(vec![running])).await;
    assert!(served.get(&path).await.header("etag").is_none(), "it grows by the clock");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_span_is_shown_with_all_that_came_with_it() {
    let served = served().await;
    let path = format!("/api/v1/traces/{TRACE}/spans/0100000000000002");
    let detail = served.json(&path).await;
    assert_eq!(detail["startNs"], (START + 10_000_000).to_string());
    assert_eq!(detail["scope"]["name"], "tests");
    assert_eq!(detail["logs"], 2);
    assert_eq!(detail["evaluations"][0]["label"], "good");
    assert_eq!(detail["request"], json!([{ "key": "gen_ai.request.temperature", "value": 0.5 }]));
    assert_eq!(detail["links"][0]["known"], false);
    assert_eq!((&detail["events"][0]["at"], &detail["events"][0]["dropped"]), (&json!(20.0), &json!(1)));
    let of = |key: &str| {
        let all = detail["attributes"].as_array().unwrap();
        all.iter().find(|one| one["key"] == key).unwrap().clone()
    };
    assert_eq!(of("large")["value"], json!({ "int": "9223372036854775807" }));
    assert_eq!(of("nested")["value"], json!({ "list": [{ "empty": true }, { "map": [["a", 1]] }] }));
    assert_eq!(of("gen_ai.input.messages")["json"], true);
    let long = of("long");
    assert_eq!(long["cut"], 100_000);
    let whole = served.get(long["more"].as_str().unwrap()).await;
    assert_eq!(whole.text(), "ü".repeat(50_000));
    let note = served.get(detail["events"][0]["attributes"][0]["more"].as_str().unwrap()).await;
    assert_eq!(note.body.len(), 70_000);
    assert_eq!(note.header("content-type"), Some("text/plain; charset=utf-8"));

    for path in [
        format!("/api/v1/traces/{TRACE}/spans/0100000000000077"),
        format!("{path}?variant=3"),
        format!("{path}/value?key=nothing"),
        format!("{path}/value?key=note&in=event:7"),
        "/api/v1/traces/00000000000000000000000000000001".to_owned(),
        "/api/v1/traces/nonsense".to_owned(),
        "/api/v1/traces/%ff%fe".to_owned(),
        "/api/v1/logs/20990101-1".to_owned(),
        "/api/v1/logs/x".to_owned(),
        "/api/v1/content/00000000000000000000000000000001".to_owned(),
    ] {
        let answer = served.get(&path).await;
        assert_eq!((answer.status, answer.code().as_str()), (404, "not_found"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_measured_in_a_span_is_shown_with_it() {
    let served = served().await;
    let minute = START + 60_000_000_000;
    let exemplar = |at: u64, value: f64, span: u8| {
        format!(
            r#"{{"timeUnixNano":"{at}","asDouble":{value},"traceId":"{TRACE}","spanId":"010000000000000{span}"}}"#
        )
    };
    let point = |time: u64, exemplars: &[String]| {
        format!(
            r#"{{"startTimeUnixNano":"{START}","timeUnixNano":"{time}","count":"3","sum":1.5,"explicitBounds":[1],
                "bucketCounts":["2","1"],"exemplars":[{}]}}"#,
            exemplars.join(",")
        )
    };
    let (mine, other) = (exemplar(START + 400_000_000, 0.5, 2), exemplar(START + 1_000, 9.0, 3));
    // A total tells again what it told before.
    let durations = [point(minute, &[mine.clone(), other]), point(minute + 1, &[mine])].join(",");
    let tokens = point(minute, &[exemplar(START + 300_000_000, 120.0, 2)]);
    let text = format!(
        r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[
            {{"name":"gen_ai.client.operation.duration","unit":"s","histogram":{{"aggregationTemporality":2,"dataPoints":[{durations}]}}}},
            {{"name":"gen_ai.client.token.usage","unit":"{{token}}","histogram":{{"aggregationTemporality":1,"dataPoints":[{tokens}]}}}}
            ]}}]}}]}}"#
    );
    let sent: ExportMetricsServiceRequest = otlp::from_json(text.as_bytes()).unwrap();
    let answer = ask(served.http, "POST", "/v1/metrics", &[PROTOBUF], &sent.encode_to_vec()).await;
    assert_eq!((answer.status, answer.body.len()), (200, 0), "{}", answer.text());

    let detail = served.json(&format!("/api/v1/traces/{TRACE}/spans/0100000000000002")).await;
    let at = |nanos: u64| (START + nanos) as f64 / 1e6;
    let expected = json!([
        { "metric": "gen_ai.client.token.usage", "value": 120.0, "at": at(300_000_000) },
        { "metric": "gen_ai.client.operation.duration", "value": 0.5, "at": at(400_000_000) },
    ]);
    assert_eq!(detail["exemplars"], expected);
    let agent = served.json(&format!("/api/v1/traces/{TRACE}/spans/0100000000000001")).await;
    assert_eq!(agent["exemplars"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_ends_of_a_request_of_the_protocol_name_each_other() {
    let mcp = |session: &str, request: i64| {
        let mut told = vec![text("mcp.method.name", "tools/call"), int("jsonrpc.request.id", request)];
        told.extend((!session.is_empty()).then(|| text("mcp.session.id", session)));
        told
    };
    let end = |id: u8, parent: u8, kind: i32, when: (u64, u64), told| Span {
        kind,
        ..span(id, parent, "tools/call find", when, told)
    };
    let served = Served::start().await;
    served
        .send(&request(vec![
            // The context went over HTTP.
            end(1, 0, 3, (0, 100), mcp("", 1)),
            span(2, 1, "POST", (10, 90), vec![text("http.request.method", "POST")]),
            end(3, 2, 2, (20, 80), mcp("", 1)),
            // It went nowhere: the session and the request are the same, and the clocks differ.
            end(4, 0, 3, (200, 300), mcp("a", 7)),
            end(5, 0, 3, (200, 300), mcp("b", 7)),
            end(6, 0, 2, (900, 950), mcp("b", 7)),
            // Without a session only what ran at that time can be meant.
            end(7, 0, 3, (1_000, 1_100), mcp("", 7)),
            end(8, 0, 2, (1_050, 1_080), mcp("", 7)),
            end(9, 0, 2, (2_000, 2_080), mcp("", 7)),
        ]))
        .await;
    for (span, peer) in [(1, 3), (3, 1), (4, 0), (5, 6), (6, 5), (7, 8), (8, 7), (9, 0)] {
        let detail = served.json(&format!("/api/v1/traces/{TRACE}/spans/010000000000000{span}")).await;
        let expected = (peer > 0).then(|| json!(format!("010000000000000{peer}")));
        assert_eq!(detail["mcp"].get("peer"), expected.as_ref(), "of {span}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_sent_is_given_back_as_it_came() {
    let served = served().await;
    let answer = served.get(&format!("/api/v1/traces/{TRACE}/raw?logs=1")).await;
    let raw = answer.json();
    let mut traces: ExportTraceServiceRequest =
        otlp::from_json(raw["traces"].to_string().as_bytes()).unwrap();
    let mut sent = run();
    fn by_start(all: &mut [ResourceSpans]) {
        all.sort_by_key(|group| group.schema_url.clone());
        let by_start = |span: &Span| span.start_time_unix_nano;
        all.iter_mut()
            .flat_map(|group| &mut group.scope_spans)
            .for_each(|group| group.spans.sort_by_key(by_start));
    }
    by_start(&mut traces.resource_spans);
    by_start(&mut sent.resource_spans);
    assert_eq!(traces, sent);
    let mut logs_back: ExportLogsServiceRequest =
        otlp::from_json(raw["logs"].to_string().as_bytes()).unwrap();
    logs_back.resource_logs[0].scope_logs[0].log_records.reverse();
    assert_eq!(logs_back, logs());

    let one = served.json(&format!("/api/v1/traces/{TRACE}/raw?span=0100000000000005")).await;
    assert_eq!(one["resourceSpans"].as_array().unwrap().len(), 1);
    assert_eq!(one["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["name"], "GET /orders");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_records_are_listed_and_shown() {
    let served = served().await;
    let list = served.json("/api/v1/logs").await;
    let items = list["items"].as_array().unwrap();
    assert_eq!(
        (items.len(), &items[0]["event"], &items[0]["genai"]),
        (2, &json!("gen_ai.evaluation.result"), &json!(true))
    );
    assert!(items[0]["text"].as_str().unwrap().contains("gen_ai.evaluation.name=Relevance"), "{}", items[0]);
    assert_eq!(items[1]["text"], "hello");
    let of_trace = served.json(&format!("/api/v1/traces/{TRACE}/logs")).await;
    assert_eq!(of_trace["items"][0]["text"], "hello", "the oldest first");
    let id = items[1]["id"].as_str().unwrap();
    let detail = served.json(&format!("/api/v1/logs/{id}")).await;
    assert_eq!(
        (&detail["body"], &detail["timeNs"]),
        (&json!("hello"), &json!((START + 20_000_000).to_string()))
    );
    assert_eq!(served.get(&format!("/api/v1/logs/{id}/value")).await.text(), "hello");
    let event = served.json("/api/v1/logs?event=gen_ai.evaluation.result&severity=info").await;
    assert_eq!(event["items"].as_array().unwrap().len(), 1);
    assert_eq!(served.json("/api/v1/logs?severity=error").await["items"], json!([]));
    for wrong in ["severity=loud", "trace=1", "limit=none", "cursor=zzz"] {
        let answer = served.get(&format!("/api/v1/logs?{wrong}")).await;
        assert_eq!(answer.status, 400, "{wrong}: {}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_go_on_where_the_page_ended() {
    let served = Served::start().await;
    for number in 1..=5u8 {
        let mut one =
            span(1, 0, &format!("run {number}"), (u64::from(number), u64::from(number) + 1), Vec::new());
        one.trace_id = vec![number; 16];
        served.send(&request(vec![one])).await;
    }
    let mut names = Vec::new();
    let mut path = "/api/v1/traces?limit=2".to_owned();
    loop {
        let page = served.json(&path).await;
        names.extend(
            page["items"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()),
        );
        // What comes meanwhile shifts nothing.
        let mut newer = span(1, 0, "newer", (100, 101), Vec::new());
        newer.trace_id = vec![100 + u8::try_from(names.len()).unwrap(); 16];
        served.send(&request(vec![newer])).await;
        let Some(next) = page.get("next") else { break };
        path = format!("/api/v1/traces?limit=2&cursor={}", next.as_str().unwrap());
    }
    assert_eq!(names, ["run 5", "run 4", "run 3", "run 2", "run 1"]);
    let next = served.json("/api/v1/traces?limit=1").await["next"].as_str().unwrap().to_owned();
    let answer = served.get(&format!("/api/v1/traces?limit=1&order=asc&cursor={next}")).await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "bad_cursor"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_answers_are_compressed_for_who_can_read_that() {
    let served = served().await;
    let path = format!("/api/v1/traces/{TRACE}/spans/0100000000000002");
    let plain = served.get(&path).await;
    let packed = ask(served.page, "GET", &path, &[("accept-encoding", "br;q=1.0, gzip")], b"").await;
    assert_eq!(
        (packed.header("content-encoding"), packed.header("vary")),
        (Some("gzip"), Some("accept-encoding"))
    );
    let mut whole = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(packed.body.as_slice()), &mut whole)
        .unwrap();
    assert_eq!(whole, plain.body);
    let refused = ask(served.page, "GET", &path, &[("accept-encoding", "gzip;q=0")], b"").await;
    assert!(refused.header("content-encoding").is_none());
}
