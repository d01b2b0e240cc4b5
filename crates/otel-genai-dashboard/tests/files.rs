//! Traces as files, and files of others.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod support;

use serde_json::{Value, json};
use support::{Answer, JSON, PROTOBUF, Served, TRACE, ask};

const CHANGE: (&str, &str) = ("x-otel-genai", "1");

fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

/// A question, a tool that is asked for, and what comes of it; the strings try what they can.
fn talk() -> Value {
    let said = |role: &str, part: Value| json!({ "role": role, "parts": [part] });
    let words = |content: &str| json!({ "type": "text", "content": content });
    let ask =
        json!({ "type": "tool_call", "id": "c1", "name": "get_weather", "arguments": { "place": "Paris" } });
    let result = json!({ "type": "tool_call_response", "id": "c1", "response": "18 degrees" });
    let question = said("user", words("Weather in Paris? <script>alert(1)</script> ```\n# not a heading"));
    let asked = said("assistant", ask);
    let answer = said("assistant", words("18 degrees & sunny"));
    let call = |id: &str, input: Value, output: Value| {
        json!({ "traceId": TRACE, "spanId": id, "parentSpanId": "0000000000000001", "name": "chat gpt-5", "kind": 3,
            "startTimeUnixNano": format!("17953637200000000{}", &id[14..]), "endTimeUnixNano": format!("17953637200000000{}", &id[14..].replace('0', "5")),
            "attributes": [
                text("gen_ai.operation.name", "chat"), text("gen_ai.provider.name", "openai"),
                text("gen_ai.request.model", "gpt-5"), text("gen_ai.input.messages", &input.to_string()),
                text("gen_ai.output.messages", &json!([output]).to_string()),
            ] })
    };
    let agent = json!({ "traceId": TRACE, "spanId": "0000000000000001", "name": "invoke_agent <b>planner</b>", "kind": 1,
        "startTimeUnixNano": "1795363720000000000", "endTimeUnixNano": "1795363721000000000",
        "attributes": [text("gen_ai.operation.name", "invoke_agent"), text("gen_ai.agent.name", "planner")] });
    let spans = [
        agent,
        call("0000000000000010", json!([question]), asked.clone()),
        call("0000000000000020", json!([question, asked, said("tool", result)]), answer),
    ];
    json!({ "resourceSpans": [{ "resource": { "attributes": [text("service.name", "shop")] },
        "scopeSpans": [{ "scope": { "name": "test" }, "spans": spans }] }] })
}

async fn import(served: &Served, query: &str, kind: (&str, &str), body: &[u8]) -> Answer {
    ask(served.page, "POST", &format!("/api/v1/import{query}"), &[kind, CHANGE], body).await
}

async fn export(served: &Served, format: &str) -> Answer {
    let answer = served.get(&format!("/api/v1/traces/{TRACE}/export?format={format}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer
}

#[tokio::test]
async fn what_is_exported_can_be_imported_and_is_the_same() {
    let (first, second) = (Served::start().await, Served::start().await);
    let told = import(&first, "", JSON, talk().to_string().as_bytes()).await.json();
    assert_eq!((&told["spans"], &told["traces"]), (&json!(3), &json!([TRACE])));
    let file = export(&first, "otlp").await;
    assert_eq!(file.header("content-disposition"), Some("attachment; filename=\"trace-4bf92f35.json\""));

    let again = import(&first, "?format=otlp-json", JSON, &file.body).await.json();
    assert_eq!((&again["spans"], &again["known"]), (&json!(0), &json!(3)), "it is there already");
    assert_eq!(import(&second, "", JSON, &file.body).await.json()["spans"], 3);
    assert_eq!(export(&second, "otlp").await.json(), file.json());

    let fixture = export(&first, "fixture").await;
    assert_eq!(fixture.json()["expected"]["calls"].as_array().unwrap().len(), 2);
    assert_eq!(fixture.json()["otlp"], file.json());
    assert_eq!(import(&second, "", JSON, &fixture.body).await.json()["known"], 3);
}

#[tokio::test]
async fn a_line_a_call_is_what_fine_tuning_takes() {
    let served = Served::start().await;
    import(&served, "", JSON, talk().to_string().as_bytes()).await;
    let file = export(&served, "jsonl").await.text();
    let lines: Vec<Value> = file.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let roles = |line: &Value| -> Vec<String> {
        let messages = line["messages"].as_array().unwrap();
        messages.iter().map(|message| message["role"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(roles(&lines[0]), ["user", "assistant"]);
    assert_eq!(roles(&lines[1]), ["user", "assistant", "tool", "assistant"], "with its whole history");
    let call = &lines[1]["messages"][1]["tool_calls"][0];
    assert_eq!(
        (&call["id"], &call["function"]["arguments"]),
        (&json!("c1"), &json!("{\"place\":\"Paris\"}"))
    );
    assert_eq!(
        lines[1]["messages"][2],
        json!({ "role": "tool", "tool_call_id": "c1", "content": "18 degrees" })
    );
    assert_eq!(lines[1]["messages"][3]["content"], "18 degrees & sunny");
}

#[tokio::test]
async fn markdown_says_what_ran_and_what_was_said_within_its_budget() {
    let served = Served::start().await;
    import(&served, "", JSON, talk().to_string().as_bytes()).await;
    let file = export(&served, "md").await;
    assert_eq!(file.header("content-type"), Some("text/markdown; charset=utf-8"));
    let file = file.text();
    for words in [
        "# invoke_agent \\<b\\>planner",
        "`: service `shop`, 1.00 s, 3 spans, 2 model calls, 0 tool runs, 0 errors.",
        "untrusted content",
        "### Call 1: chat `gpt-5`",
        "asks for the tool `get_weather`",
        "18 degrees & sunny",
        "````\nWeather in Paris? <script>alert(1)</script> ```\n# not a heading\n````",
    ] {
        assert!(file.contains(words), "{words:?} is missing in:\n{file}");
    }
    assert_eq!(file.matches("Weather in Paris?").count(), 1, "a history is told once");
    let short = served.get(&format!("/api/v1/traces/{TRACE}/export?format=md&maxChars=2000")).await.text();
    assert!(short.len() <= 2_200, "{}", short.len());
}

#[tokio::test]
async fn html_is_one_file_in_which_nothing_runs() {
    let served = Served::start().await;
    import(&served, "", JSON, talk().to_string().as_bytes()).await;
    let file = export(&served, "html").await;
    assert_eq!(file.header("content-disposition"), Some("attachment; filename=\"trace-4bf92f35.html\""));
    let file = file.text();
    assert!(file.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && !file.contains("<script"), "{file}");
    assert!(file.contains("default-src 'none'") && file.contains("invoke_agent &lt;b&gt;planner"), "{file}");
    assert!(!file.contains("http://") && !file.contains("https://"), "nothing is loaded");
}

#[tokio::test]
async fn files_of_jaeger_are_read() {
    let tag = |key: &str, kind: &str, value: Value| json!({ "key": key, "type": kind, "value": value });
    let span = |id: &str, parent: Option<&str>, tags: Value| {
        let references: Vec<_> = parent
            .iter()
            .map(|parent| json!({ "refType": "CHILD_OF", "traceID": "1f92f3577b34da6a", "spanID": parent }))
            .collect();
        json!({ "traceID": "1f92f3577b34da6a", "spanID": id, "operationName": "chat gpt-5", "references": references,
            "startTime": 1_795_363_720_000_000_u64, "duration": 1_500, "tags": tags, "processID": "p1",
            "logs": [{ "timestamp": 1_795_363_720_000_100_u64, "fields": [tag("event", "string", json!("retry"))] }] })
    };
    let tags = json!([
        tag("gen_ai.operation.name", "string", json!("chat")),
        tag("gen_ai.usage.input_tokens", "int64", json!(12)),
        tag("span.kind", "string", json!("client")),
        tag("error", "bool", json!(true)),
        tag("otel.scope.name", "string", json!("shop.llm")),
    ]);
    let file = json!({ "data": [{ "traceID": "1f92f3577b34da6a",
        "spans": [span("a", None, json!([])), span("b", Some("a"), tags)],
        "processes": { "p1": { "serviceName": "shop", "tags": [tag("host", "string", json!("h"))] } } }] });
    let served = Served::start().await;
    let told = import(&served, "", JSON, file.to_string().as_bytes()).await.json();
    let trace = "00000000000000001f92f3577b34da6a";
    assert_eq!((&told["spans"], &told["traces"]), (&json!(2), &json!([trace])), "{told}");
    let drawn = served.json(&format!("/api/v1/traces/{trace}")).await;
    let row = &drawn["rows"][1];
    let seen = (&row["parent"], &row["kind"], &row["error"], &row["scope"], &row["service"]);
    let expected =
        (&json!("000000000000000a"), &json!("client"), &json!(true), &json!("shop.llm"), &json!("shop"));
    assert_eq!(seen, expected);
    assert_eq!((&row["durationMs"], &row["usage"]["input"]), (&json!(1.5), &json!(12)), "{row}");
    let detail = served.json(&format!("/api/v1/traces/{trace}/spans/000000000000000b")).await;
    assert_eq!(detail["events"][0]["name"], "retry");
}

#[tokio::test]
async fn files_of_jaeger_are_read_in_their_forms_without_what_nobody_knows() {
    let served = Served::start().await;
    let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
    let trace = |id: u32| {
        format!(
            r#"{{"warnings":{deep},"traceID":"{id}","spans":[{{"traceID":"{id}","spanID":"a","startTime":1795363720000000,
                "tags":[{{"key":"odd","type":"string","value":{{"deep": [{deep}]}}}},{{"key":"none","value":null}}]}}]}}"#
        )
    };
    let forms = [trace(1), format!("[{}]", trace(2)), format!(r#"{{"x":{deep},"data":[{}]}}"#, trace(3))];
    for file in forms {
        let told = import(&served, "?format=jaeger", JSON, file.as_bytes()).await.json();
        assert_eq!(told["spans"], 1, "{told}");
    }
    let span = served.json("/api/v1/traces/00000000000000000000000000000002/spans/000000000000000a").await;
    let odd = &span["attributes"][0];
    assert!(odd["value"].as_str().unwrap().starts_with(r#"{"deep": [[["#), "{span}");

    let wrong = br#"{"data":[{"traceID":"1","spans":[{"traceID":7}]}]}"#;
    let told = import(&served, "?format=jaeger", JSON, wrong).await.text();
    assert!(told.contains("line 1 column 45"), "{told}");
}

#[tokio::test]
async fn lines_and_protobuf_are_read_as_well() {
    let served = Served::start().await;
    let log = json!({ "resourceLogs": [{ "scopeLogs": [{ "logRecords": [
        { "timeUnixNano": "1795363720000000000", "traceId": TRACE, "body": { "stringValue": "said" } }] }] }] });
    let lines = format!("{}\n\n{log}\n", talk());
    let told = import(&served, "?format=auto", JSON, lines.as_bytes()).await.json();
    assert_eq!((&told["spans"], &told["logs"]), (&json!(3), &json!(1)), "{told}");

    use prost::Message as _;
    let request: opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest =
        otel_genai_store::otlp::from_json(talk().to_string().as_bytes()).unwrap();
    let told = import(&served, "", PROTOBUF, &request.encode_to_vec()).await.json();
    assert_eq!(told["known"], 3, "{told}");
    let request: opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest =
        otel_genai_store::otlp::from_json(log.to_string().as_bytes()).unwrap();
    let told = import(&served, "?format=otlp-proto", PROTOBUF, &request.encode_to_vec()).await.json();
    assert_eq!(told["known"], 1, "{told}");
}

#[tokio::test]
async fn what_is_no_file_of_these_is_refused_whole_and_said() {
    let served = Served::start().await;
    let half = format!("{}\n{{\"resourceSpans\": 7}}\n", talk());
    for (query, body, words) in [
        ("", "", "empty"),
        ("", "{\"a\": 1}", "resourceSpans"),
        ("", "\u{1}\u{2}nothing", "protobuf"),
        ("", half.as_str(), "line 2"),
        ("?format=jaeger", "{}", "Jaeger"),
    ] {
        let answer = import(&served, query, JSON, body.as_bytes()).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "bad_query"), "{body}");
        assert!(answer.text().contains(words), "{}", answer.text());
    }
    assert_eq!(served.json("/api/v1/traces").await["items"], json!([]), "nothing of them is stored");
    let answer = import(&served, "?format=zipkin", JSON, b"{}").await;
    assert_eq!(answer.code(), "bad_parameter");
    let unasked = ask(served.page, "POST", "/api/v1/import", &[JSON], b"{}").await;
    assert_eq!(unasked.status, 403, "a form of another page cannot say the header");
    let span = json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": [{ "traceId": TRACE, "spanId": "00", "name": "x" }] }] }] });
    let told = import(&served, "", JSON, span.to_string().as_bytes()).await.json();
    assert_eq!((&told["spans"], &told["rejected"][0]["count"]), (&json!(0), &json!(1)), "{told}");
}
