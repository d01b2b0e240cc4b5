//! `demo`: something to look at without a key or a network.

use crate::support::{Running, Server, otel_genai, post, run};

#[test]
fn it_shows_each_kind_of_call() {
    let told = run(otel_genai(&["demo"]));
    assert_eq!((told.code, told.err.as_str()), (0, ""), "{told:?}");
    for word in [
        "chat gpt-4o-mini",
        "What is the capital of France?",
        "The capital of France is Paris.",
        "first chunk",
        "lit along the whole path.",
        "get_weather",
        "18 degrees and sunny",
        "embeddings text-embedding-3-small",
        "rate_limit_exceeded",
        "tokens",
        "gen_ai.client.token.usage",
        "--content no_content",
        "Next:  otel-genai run -- python main.py",
    ] {
        assert!(told.out.contains(word), "{word:?} is missing in:\n{}", told.out);
    }
    assert!(!told.out.contains('\u{1b}'), "colours do not belong into a pipe");
    assert_eq!(told.out.matches("● ").count(), 7, "{}", told.out);
    assert_eq!(told.out.matches("✗ ").count(), 1, "{}", told.out);
    let metrics = told.out.matches("gen_ai.client.operation.duration").count();
    assert_eq!(metrics, 1, "metrics are for the end:\n{}", told.out);
}

#[test]
fn without_content() {
    let told = run(otel_genai(&["demo", "--content", "no_content"]));
    assert_eq!(told.code, 0);
    assert!(!told.out.contains("Paris"), "{}", told.out);
}

#[test]
fn a_receiver_gets_it_too() {
    let receiver = Server::start("200 OK", "{}");
    let mut command = otel_genai(&["demo"]);
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", receiver.address))
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json");
    let told = run(command);
    assert_eq!((told.code, told.err.as_str()), (0, ""));
    assert!(told.out.contains("● chat") && told.out.contains(&receiver.address.to_string()), "{}", told.out);
    let seen = receiver.seen.lock().unwrap().concat();
    assert!(["/v1/traces", "/v1/metrics", "/v1/logs"].iter().all(|path| seen.contains(path)), "{seen}");
}

#[test]
fn the_model_can_be_served_for_programs_of_ones_own() {
    let mut model = Running::start(otel_genai(&["demo", "--serve", "--listen", "127.0.0.1:0"]));
    let line = model.line();
    let origin = line.strip_prefix("listening on ").unwrap_or_else(|| panic!("{line}"));
    assert!(model.line().contains(&format!("OPENAI_BASE_URL={origin}/v1")));
    let answer = post(
        &format!("{origin}/v1"),
        "/embeddings",
        r#"{"model":"e","input":"x","encoding_format":"base64"}"#,
    );
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(r#""embedding":""#), "{answer}");
    let answer = post(&format!("{origin}/v1"), "/chat/completions", "{");
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("invalid_json"), "{answer}");
    let asked = r#""model":"llama3.2","messages":[{"role":"user","content":"The capital of France?"}]"#;
    let answer = post(origin, "/api/chat", &format!("{{{asked}}}"));
    assert!(answer.contains("application/x-ndjson"), "{answer}");
    let answer = post(origin, "/api/chat", &format!(r#"{{{asked},"stream":false}}"#));
    assert!(answer.contains(r#""content":"The capital of France is Paris.""#), "{answer}");
    let tools = r#"[{"function":{"name":"get_weather"}},{"function":{"name":"track_order"}},{"function":{"name":"pay"}}]"#;
    let asked = r#"[{"role":"user","content":"Where is my order, and how is the weather there?"}]"#;
    let answer = post(
        &format!("{origin}/v1"),
        "/chat/completions",
        &format!(r#"{{"model":"m","messages":{asked},"tools":{tools}}}"#),
    );
    assert!(answer.contains("get_weather") && answer.contains("track_order"), "{answer}");
    assert!(!answer.contains(r#""pay""#), "only what it is asked about: {answer}");
    model.signal("TERM");
    assert_eq!(model.end().code, 0);
}
