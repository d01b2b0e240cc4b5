//! What was said is answered as the page reads it: through receiver and store, to the route.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod support;

use std::sync::Arc;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use otel_genai_store::{Delete, SqliteOptions};
use serde_json::{Value as Json, json};
use support::{Served, TRACE, ask, int, request, span, text};

fn said(role: &str, said: &str) -> Json {
    json!({"role": role, "parts": [{"type": "text", "content": said}]})
}

/// An agent with two calls and a tool between them; the history is told again with the second.
fn run(long: &str) -> ExportTraceServiceRequest {
    let asks = json!({"role": "assistant", "parts": [{"type": "tool_call", "id": "c1", "name": "find", "arguments": {"n": 7}}]});
    let answer =
        json!({"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": long}]});
    let chat = |id: u8, at: (u64, u64), input: &[&Json], output: &Json| {
        let input = Json::from(input.iter().map(|one| (*one).clone()).collect::<Vec<_>>());
        let attributes = vec![
            text("gen_ai.operation.name", "chat"),
            text("gen_ai.provider.name", "openai"),
            text("gen_ai.response.model", "gpt-5"),
            int("gen_ai.usage.input_tokens", 100),
            text("gen_ai.system_instructions", r#"[{"type":"text","content":"Be brief."}]"#),
            text("gen_ai.input.messages", &input.to_string()),
            text("gen_ai.output.messages", &json!([output]).to_string()),
        ];
        span(id, 1, "chat gpt-5", at, attributes)
    };
    let user = said("user", "Where is my order?");
    let tool = vec![
        text("gen_ai.operation.name", "execute_tool"),
        text("gen_ai.tool.name", "find"),
        text("gen_ai.tool.call.id", "c1"),
    ];
    let agent = vec![text("gen_ai.operation.name", "invoke_agent"), text("gen_ai.agent.name", "Support")];
    request(vec![
        span(1, 0, "invoke_agent Support", (0, 1000), agent),
        chat(2, (10, 500), &[&user], &asks),
        span(3, 1, "execute_tool find", (510, 600), tool),
        chat(4, (610, 900), &[&user, &asks, &answer], &said("assistant", "On its way.")),
    ])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_is_answered_as_a_conversation() {
    let served = Served::start().await;
    let long = "Ein langer Weg. ".repeat(10_000);
    served.send(&run(&long)).await;
    let path = format!("/api/v1/traces/{TRACE}/transcript");
    let transcript = served.json(&path).await;

    let chains = transcript["chains"].as_array().unwrap();
    assert_eq!((chains.len(), &chains[0]["agent"], &chains[0]["calls"]), (1, &json!("Support"), &json!(2)));
    let (first, second) = (&transcript["calls"][0], &transcript["calls"][1]);
    assert_eq!(
        (&first["op"], &first["model"], &first["span"]),
        (&json!("chat"), &json!("gpt-5"), &json!("0100000000000002"))
    );
    assert_eq!(
        (&first["durationMs"], &first["usage"]["input"], &first["trace"]),
        (&json!(490.0), &json!(100), &json!(TRACE))
    );
    assert_eq!(
        (&first["content"], &first["carried"], &second["carried"]),
        (&json!("here"), &json!(0), &json!(2))
    );
    assert_eq!((&second["previous"], second.get("break")), (&json!(0), None));

    let message = |seen: &Json| transcript["messages"][seen["message"].as_str().unwrap()].clone();
    assert_eq!(message(&first["system"][0])["parts"][0]["content"], "Be brief.");
    let asked = message(&first["output"][0])["parts"][0].clone();
    assert_eq!((&asked["type"], &asked["arguments"]["n"]), (&json!("tool_call"), &json!(7)));
    assert_eq!(
        (&asked["join"]["span"], &asked["join"]["durationMs"]),
        (&json!("0100000000000003"), &json!(90.0))
    );
    let answer = message(&second["input"][0])["parts"][0].clone();
    assert_eq!(answer["join"]["asked"], first["output"][0]["message"]);
    assert_eq!(second["input"][0]["sources"][0]["carrier"], "span_attribute");

    // A long text is cut, and given in full where that is asked for.
    assert_eq!(answer["cut"], json!(long.len()));
    assert_eq!(answer["response"].as_str().unwrap().len(), 64 << 10);
    let whole = served.get(answer["more"].as_str().unwrap()).await;
    assert_eq!((whole.status, whole.header("content-type")), (200, Some("text/plain; charset=utf-8")));
    assert!(whole.text() == long);
    let full = served.json(&format!("{path}?full=1")).await;
    let full = &full["messages"][second["input"][0]["message"].as_str().unwrap()]["parts"][0];
    assert!(full.get("cut").is_none() && full["response"] == json!(long));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_is_answered_in_parts() {
    let served = Served::start().await;
    served.send(&run("Berlin")).await;
    let path = format!("/api/v1/traces/{TRACE}/transcript");
    let page = served.json(&format!("{path}?limit=1")).await;
    assert_eq!((page["calls"].as_array().unwrap().len(), &page["next"]), (1, &json!(1)));
    let rest = served.json(&format!("{path}?limit=1&after=1")).await;
    assert_eq!((&rest["calls"][0]["ordinal"], rest.get("next")), (&json!(1), None));
    let other = served.json(&format!("{path}?agent=7")).await;
    assert_eq!(other["calls"], json!([]));

    assert_eq!(served.get(&format!("{path}?agnet=1")).await.code(), "bad_parameter");
    assert_eq!(
        served.get("/api/v1/traces/0af7651916cd43dd8448eb211c80319c/transcript").await.code(),
        "not_found"
    );
    assert_eq!(served.get(&format!("{path}/part?message=none")).await.code(), "not_found");
}

/// A tool that a call asks for may run in a later trace: after a person said yes, for example.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_of_two_traces_is_answered_in_parts_and_says_where_its_tools_ran() {
    let served = Served::start().await;
    let mut told = run("Berlin");
    let later = "0af7651916cd43dd8448eb211c80319c";
    for span in &mut told.resource_spans[0].scope_spans[0].spans {
        span.attributes.push(text("gen_ai.conversation.id", "talk"));
        if span.span_id[7] > 2 {
            span.trace_id =
                (0..16).map(|i| u8::from_str_radix(&later[2 * i..2 * i + 2], 16).unwrap()).collect();
            span.parent_span_id.clear();
        }
    }
    served.send(&told).await;
    let path = "/api/v1/conversations/talk?transcript=1";
    let first = &served.json(&format!("{path}&limit=1")).await["transcript"];
    assert_eq!((&first["calls"][0]["trace"], &first["next"]), (&json!(TRACE), &json!(1)));
    let rest = &served.json(&format!("{path}&limit=1&after=1")).await["transcript"];
    assert_eq!(
        (&rest["calls"][0]["ordinal"], &rest["calls"][0]["trace"], rest.get("next")),
        (&json!(1), &json!(later), None)
    );
    let asked = first["calls"][0]["output"][0]["message"].as_str().unwrap();
    let join = &first["messages"][asked]["parts"][0]["join"];
    assert_eq!((&join["span"], &join["trace"]), (&json!("0100000000000003"), &json!(later)));
}

/// A trace that was deleted and came again with other words is another one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_again_is_told_again() {
    let served = Served::start().await;
    let path = format!("/api/v1/traces/{TRACE}/transcript");
    served.send(&run("Berlin")).await;
    let tag = served.get(&path).await.header("etag").unwrap().to_owned();
    served.store.delete(Delete::All).await.unwrap();
    let mut again = run("Hamburg");
    for span in &mut again.resource_spans[0].scope_spans[0].spans {
        span.end_time_unix_nano += 1_000_000;
    }
    served.send(&again).await;
    let answer = ask(served.page, "GET", &path, &[("if-none-match", &tag)], b"").await;
    assert!(answer.status == 200 && answer.text().contains("Hamburg"), "{}", answer.status);
}

/// Data of a picture that was cut are none: what stands in their place is shown.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_that_was_cut_is_told_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteOptions::new(folder.path()).max_content(2_048).open().unwrap();
    let served = Served::over(Arc::new(store), folder, |builder| builder).await;
    let (long, small) = ("iVBORw0KGgo".repeat(1_000), "iVBORw0K\nGgoAAAA=");
    let blob =
        |data: &str| json!({"type": "blob", "modality": "image", "mime_type": "image/png", "content": data});
    let linked = json!({"type": "uri", "modality": "image", "uri": format!("data:image/png;base64,{long}")});
    let messages = [blob(&long), linked, blob(small)].map(|part| json!({"role": "user", "parts": [part]}));
    let attributes = vec![
        text("gen_ai.operation.name", "chat"),
        text("gen_ai.input.messages", &json!(messages).to_string()),
    ];
    served.send(&request(vec![span(1, 0, "chat", (0, 100), attributes)])).await;
    let told = served.json(&format!("/api/v1/traces/{TRACE}/transcript")).await;
    let parts: Vec<_> = told["calls"][0]["input"]
        .as_array()
        .unwrap()
        .iter()
        .map(|seen| &told["messages"][seen["message"].as_str().unwrap()]["parts"])
        .collect();
    for parts in &parts[..2] {
        assert_eq!((&parts[0]["src"], &parts[0]["bytes"]), (&Json::Null, &Json::Null), "{parts}");
        let place = parts[1]["value"]["content"].as_str().unwrap();
        assert!(place.starts_with("… [cut by --max-content: ") && place.ends_with(" more bytes]"), "{place}");
    }
    assert_eq!(parts[2][0]["src"], format!("data:image/png;base64,{small}"));
    let file = served.get(&format!("/api/v1/traces/{TRACE}/export?format=html")).await.text();
    assert_eq!(file.matches("<img ").count(), 1, "{file}");
    assert!(file.contains("cut by --max-content"), "{file}");
}

/// What was uploaded to a folder is part of the conversation where the folder is allowed, and of no other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_uploaded_is_read_from_the_folder_that_is_allowed() {
    let (open, closed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let served = Served::with(|builder| builder.allow_reference(open.path())).await;
    let address =
        |folder: &tempfile::TempDir, name: &str| format!("file://{}/{name}", folder.path().display());
    let attributes = vec![
        text("gen_ai.operation.name", "chat"),
        text("gen_ai.input.messages_ref", &address(&open, "asked.json")),
        text("gen_ai.output.messages_ref", &address(&open, "answered.jsonl")),
        text("gen_ai.system_instructions_ref", &address(&closed, "system.json")),
    ];
    served.send(&request(vec![span(1, 0, "chat", (0, 100), attributes)])).await;
    let path = format!("/api/v1/traces/{TRACE}/transcript");
    let early = served.get(&path).await;
    assert_eq!(
        (early.json()["calls"][0]["content"].clone(), early.header("etag")),
        (json!("by_reference"), None)
    );

    let line = |index: u64, words: &str| {
        let mut said = said("assistant", words);
        said["index"] = json!(index);
        said.to_string()
    };
    std::fs::write(open.path().join("asked.json"), json!([said("user", "Where is my order?")]).to_string())
        .unwrap();
    let half = served.get(&path).await;
    let seen = half.json()["calls"][0].clone();
    assert_eq!((&seen["content"], &seen["output"]), (&json!("here"), &json!([])));
    assert_eq!(half.header("etag"), None, "more of it may come");
    std::fs::write(
        open.path().join("answered.jsonl"),
        [line(0, "On its way."), line(1, "Or not.")].join("\n"),
    )
    .unwrap();
    std::fs::write(closed.path().join("system.json"), r#"[{"type":"text","content":"a secret"}]"#).unwrap();
    let whole = served.get(&path).await;
    assert!(whole.header("etag").is_some(), "what is not allowed never comes");
    let told = whole.json();
    let words =
        |seen: &Json| told["messages"][seen["message"].as_str().unwrap()]["parts"][0]["content"].clone();
    let call = &told["calls"][0];
    assert_eq!(words(&call["input"][0]), "Where is my order?");
    assert_eq!(call["input"][0]["sources"][0]["carrier"], "reference");
    let output: Vec<_> = call["output"].as_array().unwrap().iter().map(words).collect();
    assert_eq!(output, ["On its way.", "Or not."]);
    assert!(!told.to_string().contains("a secret"));
    let file = served.get(&format!("/api/v1/traces/{TRACE}/export?format=md")).await.text();
    assert!(file.contains("On its way.") && !file.contains("a secret"), "{file}");
}
