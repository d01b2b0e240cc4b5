//! Two traces, or two spans of them, side by side.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod support;

use serde_json::{Value, json};
use support::{JSON, Served, ask};

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// What is other from run to run.
struct Run {
    trace: &'static str,
    model: &'static str,
    temperature: f64,
    system: String,
    answer: &'static str,
    /// The agent looks twice.
    again: bool,
}

fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

fn said(role: &str, part: &Value) -> Value {
    json!({ "role": role, "parts": [part] })
}

impl Run {
    fn span(
        &self,
        number: u64,
        parent: u64,
        name: &str,
        (from, to): (u64, u64),
        attributes: &[Value],
    ) -> Value {
        let time = |ms: u64| format!("{}", 1_795_363_720_000_000_000 + ms * 1_000_000);
        json!({ "traceId": self.trace, "spanId": format!("{number:016x}"),
            "parentSpanId": if parent == 0 { String::new() } else { format!("{parent:016x}") }, "name": name, "kind": 3,
            "startTimeUnixNano": time(from), "endTimeUnixNano": time(to), "attributes": attributes })
    }

    fn call(&self, number: u64, at: (u64, u64), input: &[Value], output: &Value) -> Value {
        let tokens =
            |key: &str, count: u64| json!({ "key": key, "value": { "intValue": count.to_string() } });
        let attributes = vec![
            text("gen_ai.operation.name", "chat"),
            text("gen_ai.provider.name", "openai"),
            text("gen_ai.request.model", self.model),
            json!({ "key": "gen_ai.request.temperature", "value": { "doubleValue": self.temperature } }),
            tokens("gen_ai.usage.input_tokens", 100),
            tokens("gen_ai.usage.output_tokens", 10 + number),
            text(
                "gen_ai.system_instructions",
                &json!([{ "type": "text", "content": self.system }]).to_string(),
            ),
            text("gen_ai.input.messages", &json!(input).to_string()),
            text("gen_ai.output.messages", &json!([output]).to_string()),
        ];
        self.span(number, 1, &format!("chat {}", self.model), at, &attributes)
    }

    fn otlp(&self) -> String {
        let words = |content: &str| json!({ "type": "text", "content": content });
        // Providers make up other ids each time.
        let id = format!("call_{}", &self.trace[..4]);
        let asked = said(
            "assistant",
            &json!({ "type": "tool_call", "id": id, "name": "get_weather", "arguments": { "place": "Paris" } }),
        );
        let told = said("tool", &json!({ "type": "tool_call_response", "id": id, "response": "18 degrees" }));
        let question = said("user", &words("Weather in Paris?"));
        let agent = vec![text("gen_ai.operation.name", "invoke_agent"), text("gen_ai.agent.name", "planner")];
        let tool = || {
            vec![
                text("gen_ai.operation.name", "execute_tool"),
                text("gen_ai.tool.name", "get_weather"),
                text("gen_ai.tool.call.id", &id),
            ]
        };
        let mut spans = vec![
            self.span(1, 0, "invoke_agent planner", (0, 1_000), &agent),
            self.call(2, (10, 300), std::slice::from_ref(&question), &asked),
            self.span(3, 1, "execute_tool get_weather", (310, 400), &tool()),
            self.call(4, (500, 900), &[question, asked, told], &said("assistant", &words(self.answer))),
        ];
        if self.again {
            spans.insert(3, self.span(5, 1, "execute_tool get_weather", (410, 450), &tool()));
        }
        json!({ "resourceSpans": [{ "resource": { "attributes": [text("service.name", "shop"), text("service.version", &self.trace[..1])] },
            "scopeSpans": [{ "scope": { "name": "test" }, "spans": spans }] }] })
        .to_string()
    }
}

fn run(trace: &'static str) -> Run {
    Run {
        trace,
        model: "gpt-5",
        temperature: 0.5,
        system: "Be brief.".to_owned(),
        answer: "18 degrees and sunny",
        again: false,
    }
}

async fn send(served: &Served, run: &Run) {
    let answer = ask(served.http, "POST", "/v1/traces", &[JSON], run.otlp().as_bytes()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn runs_that_say_the_same_differ_in_nothing_but_ids_and_times() {
    let served = Served::start().await;
    send(&served, &run(A)).await;
    send(&served, &run(B)).await;
    let told = served.json(&format!("/api/v1/compare?a={A}&b={B}")).await;
    assert_eq!((&told["a"]["trace"]["id"], &told["b"]["trace"]["id"]), (&json!(A), &json!(B)));
    let rows = told["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 4);
    assert!(rows.iter().all(|row| row["same"] == true && row["a"] == row["b"]), "{rows:?}");
    let messages = told["messages"].as_array().unwrap();
    let roles = |side: &str| -> Vec<String> {
        let role = |one: &Value| {
            told[side]["messages"][one[side].as_str().unwrap()]["role"].as_str().unwrap().to_owned()
        };
        messages.iter().map(role).collect()
    };
    assert_eq!(roles("a"), ["system", "user", "assistant", "tool", "assistant"]);
    assert_eq!(roles("a"), roles("b"));
    assert!(messages.iter().all(|one| one["how"] == "same"), "{messages:?}");
    let keys: Vec<_> = told["attributes"].as_array().unwrap().iter().map(|one| &one["key"]).collect();
    assert_eq!(keys, ["service.version"], "{}", told["attributes"]);
}

#[tokio::test]
async fn what_differs_is_told_and_the_rest_stands_together() {
    let served = Served::start().await;
    send(&served, &run(A)).await;
    let other = Run {
        model: "gpt-5-mini",
        temperature: 0.0,
        system: "Be very brief.".to_owned(),
        answer: "18 degrees and rainy",
        again: true,
        ..run(B)
    };
    send(&served, &other).await;
    let told = served.json(&format!("/api/v1/compare?a={A}&b={B}")).await;

    let rows: Vec<_> = told["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["a"].as_u64(), row["b"].as_u64(), row["same"].as_bool().unwrap()))
        .collect();
    let both = |a, b, same| (Some(a), Some(b), same);
    assert_eq!(rows.len(), 5, "{rows:?}");
    assert_eq!(
        rows[..3],
        [both(0, 0, true), both(1, 1, false), both(2, 2, true)],
        "the call is of another model"
    );
    assert!(rows.contains(&(None, Some(3), false)) && rows.contains(&both(3, 4, false)), "{rows:?}");

    let figure = |name: &str| {
        let found = told["metrics"].as_array().unwrap().iter().find(|one| one["name"] == name);
        let found = found.unwrap_or_else(|| panic!("no {name}: {}", told["metrics"]));
        (found["a"].as_f64(), found["b"].as_f64())
    };
    assert_eq!(figure("duration"), (Some(1000.0), Some(1000.0)));
    assert_eq!(figure("spans"), (Some(4.0), Some(5.0)));
    assert_eq!(figure("input tokens"), (Some(200.0), Some(200.0)));
    assert_eq!(figure("output tokens"), (Some(26.0), Some(26.0)));

    let messages = told["messages"].as_array().unwrap();
    let how: Vec<_> = messages.iter().map(|one| one["how"].as_str().unwrap()).collect();
    assert_eq!(how, ["changed", "same", "same", "same", "changed"], "{messages:?}");
    assert_eq!(messages[0]["diff"], json!([[0, "Be "], [1, "very "], [0, "brief."]]));
    assert_eq!(messages[4]["diff"], json!([[0, "18 degrees and "], [-1, "sunny"], [1, "rainy"]]));

    let attributes = told["attributes"].as_array().unwrap();
    let differs = |key: &str| {
        attributes.iter().find(|one| one["key"] == key).map(|one| (one["a"].as_str(), one["b"].as_str()))
    };
    assert_eq!(differs("gen_ai.request.temperature"), Some((Some("0.5"), Some("0.0"))), "{attributes:?}");
    assert_eq!(differs("gen_ai.request.model"), Some((Some("gpt-5"), Some("gpt-5-mini"))));
    assert_eq!(differs("gen_ai.agent.name"), None);
}

#[tokio::test]
async fn two_calls_are_held_against_each_other_with_all_that_they_were_asked() {
    let served = Served::start().await;
    send(&served, &run(A)).await;
    let (first, second) = (format!("{A}.{:016x}", 2), format!("{A}.{:016x}", 4));
    let told = served.json(&format!("/api/v1/compare?a={first}&b={second}")).await;
    assert_eq!(told["a"]["span"], format!("{:016x}", 2));
    assert_eq!((told["a"]["rows"].as_array().unwrap().len(), told["rows"].as_array().unwrap().len()), (1, 1));
    let how: Vec<_> =
        told["messages"].as_array().unwrap().iter().map(|one| one["how"].as_str().unwrap()).collect();
    assert_eq!(how, ["same", "same", "same", "only_b", "only_b"], "the second brings the first's answer");
    let names: Vec<_> = told["metrics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["name"], one["a"].as_f64(), one["b"].as_f64()))
        .collect();
    assert!(names.contains(&(&json!("output tokens"), Some(12.0), Some(14.0))), "{names:?}");
    assert!(names.contains(&(&json!("model calls"), Some(1.0), Some(1.0))), "{names:?}");

    // An agent against itself.
    let agent = format!("{A}.{:016x}", 1);
    let told = served.json(&format!("/api/v1/compare?a={agent}&b={agent}")).await;
    assert_eq!(told["rows"].as_array().unwrap().len(), 4);
    assert_eq!(told["messages"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn long_texts_are_cut_and_yet_told_to_differ() {
    let served = Served::start().await;
    let long = |end: &str| format!("{}{end}", "all work and no play ".repeat(10_000));
    send(&served, &Run { system: long("one"), ..run(A) }).await;
    send(&served, &Run { system: long("two"), ..run(B) }).await;
    let told = served.json(&format!("/api/v1/compare?a={A}&b={B}")).await;
    let first = &told["messages"][0];
    assert_eq!(
        (&first["how"], &first["diff"]),
        (&json!("changed"), &Value::Null),
        "the beginnings are the same"
    );
    let part = &told["a"]["messages"][first["a"].as_str().unwrap()]["parts"][0];
    assert_eq!((part["cut"].as_u64(), part["content"].as_str().unwrap().len()), (Some(210_003), 64 << 10));
    let whole = served.get(part["more"].as_str().unwrap()).await;
    assert!(whole.status == 200 && whole.text().ends_with("play one"), "{}", whole.status);
}

#[tokio::test]
async fn what_cannot_be_compared_is_said() {
    let served = Served::start().await;
    send(&served, &run(A)).await;
    for (query, status, parameter) in [
        (String::new(), 400, json!("a")),
        (format!("a={A}"), 400, json!("b")),
        (format!("a={A}&b=x"), 400, json!("b")),
        (format!("a={A}.&b={A}"), 400, json!("a")),
        (format!("a={A}&b={B}"), 404, Value::Null),
        (format!("a={A}&b={A}.00000000000000ff"), 404, Value::Null),
        (format!("a={A}&b={A}&c={A}"), 400, json!("c")),
    ] {
        let answer = served.get(&format!("/api/v1/compare?{query}")).await;
        assert_eq!(
            (answer.status, &answer.json()["error"]["parameter"]),
            (status, &parameter),
            "{query}: {}",
            answer.text()
        );
    }
    let document = served.json("/api/v1/openapi.json").await;
    let parameters = document["paths"]["/compare"]["get"]["parameters"].as_array().unwrap();
    assert_eq!(parameters.len(), 2, "{parameters:?}");
}
