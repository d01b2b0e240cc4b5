//! One exchange in the words of every instrumentation: one transcript.

use bytes::Bytes;
use otel_genai_dashboard::transcript::{
    Carrier, Evidence, NotResolved, Options, References, Transcript, assemble,
};
use otel_genai_store::{ContentState, Form, Glue, Held, Piece, Pieces};
use serde_json::{Value as Json, json};

use crate::evidence::{LogOf, SpanOf, Told, message, reading, texts};

/// The carriers of a transcript's messages.
fn carriers(transcript: &Transcript) -> Vec<Carrier> {
    let call = &transcript.calls[0];
    let seen = call.system.iter().chain(&call.input).chain(&call.output);
    let mut all: Vec<_> = seen.flat_map(|seen| &seen.sources).map(|source| source.carrier).collect();
    all.sort();
    all.dedup();
    all
}

fn parts() -> [(&'static str, Json); 4] {
    [
        ("gen_ai.system_instructions", json!([{"type": "text", "content": "Be brief."}])),
        (
            "gen_ai.input.messages",
            json!([
                {"role": "user", "parts": [{"type": "text", "content": "Where?"}]},
                {"role": "assistant", "parts": [{"type": "tool_call", "id": "c1", "name": "find", "arguments": {"n": 7}}]},
                {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "Berlin"}]},
            ]),
        ),
        (
            "gen_ai.output.messages",
            json!([{"role": "assistant", "parts": [{"type": "text", "content": "In Berlin."}], "finish_reason": "stop"}]),
        ),
        (
            "gen_ai.tool.definitions",
            json!([{"type": "function", "name": "find", "description": "Finds.", "parameters": {"type": "object"}}]),
        ),
    ]
}

fn with(attributes: Json) -> Json {
    let mut all = json!({"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"});
    all.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
    all
}

fn plain() -> Told {
    let content: Json = parts().into_iter().map(|(key, json)| (key.to_owned(), json.to_string())).collect();
    Told::default().span(SpanOf { attributes: with(content), ..SpanOf::default() })
}

fn span(attributes: Json) -> Told {
    Told::default().span(SpanOf { attributes, ..SpanOf::default() })
}

/// OpenAI's messages of the exchange.
fn openai() -> Json {
    json!([
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Where?"},
        {"role": "assistant", "content": null,
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "find", "arguments": "{\"n\": 7}"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "Berlin"},
    ])
}

fn openai_tools() -> Json {
    json!([{"type": "function", "function": {"name": "find", "description": "Finds.", "parameters": {"type": "object"}}}])
}

fn openai_answer() -> Json {
    json!({"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "In Berlin."}}]})
}

#[test]
fn every_vocabulary_tells_the_same() {
    let structured: Json = parts().into_iter().map(|(key, json)| (key.to_owned(), json)).collect();
    let empty = || SpanOf { attributes: with(json!({})), ..SpanOf::default() };
    let details = "gen_ai.client.inference.operation.details";
    let legacy = || {
        vec![
            ("gen_ai.system.message", json!({"content": "Be brief."})),
            ("gen_ai.user.message", json!({"content": "Where?"})),
            ("gen_ai.assistant.message", json!({"tool_calls": openai()[2]["tool_calls"]})),
            ("gen_ai.tool.message", json!({"id": "c1", "content": "Berlin"})),
            (
                "gen_ai.choice",
                json!({"index": 0, "finish_reason": "stop", "message": {"content": "In Berlin."}}),
            ),
        ]
    };
    let mut logs = Told::default().span(empty());
    let mut texts_of_logs = Told::default().span(empty());
    for (at, (event, body)) in (0..).zip(legacy()) {
        logs = logs.log(LogOf { event, body: body.clone(), time: 1_100 + at, ..LogOf::default() });
        let body = Json::from(body.to_string());
        texts_of_logs = texts_of_logs.log(LogOf { event, body, time: 1_100 + at, ..LogOf::default() });
    }
    let events = |of: fn(&Json) -> Json| {
        let events =
            legacy().into_iter().zip(1_100..).map(|((name, body), at)| (name, at, of(&body))).collect();
        Told::default().span(SpanOf { attributes: with(json!({})), events, ..SpanOf::default() })
    };
    let cases: Vec<(Carrier, Told)> = vec![
        (Carrier::SpanAttribute, span(with(structured.clone()))),
        (
            Carrier::LogDetails,
            Told::default().span(empty()).log(LogOf {
                event: details,
                attributes: structured.clone(),
                ..LogOf::default()
            }),
        ),
        (
            Carrier::LogDetails,
            Told::default().span(empty()).log(LogOf {
                event: details,
                body: structured.clone(),
                ..LogOf::default()
            }),
        ),
        (
            Carrier::SpanEvent,
            Told::default().span(SpanOf {
                attributes: with(json!({})),
                events: vec![(details, 1_900, structured)],
                ..SpanOf::default()
            }),
        ),
        (Carrier::LogLegacy, logs),
        (Carrier::LogLegacy, texts_of_logs),
        (Carrier::SpanEventLegacy, events(|body| json!({"gen_ai.event.content": body.to_string()}))),
        (
            Carrier::SpanEventLegacy,
            events(|body| {
                body.as_object()
                    .unwrap()
                    .iter()
                    .map(|(key, value)| {
                        let value = if value.is_object() || value.is_array() {
                            value.to_string().into()
                        } else {
                            value.clone()
                        };
                        (key.clone(), value)
                    })
                    .collect()
            }),
        ),
        (
            Carrier::Oldest,
            Told::default().span(SpanOf {
                attributes: with(json!({})),
                events: vec![
                    ("gen_ai.content.prompt", 1_100, json!({"gen_ai.prompt": openai().to_string()})),
                    (
                        "gen_ai.content.completion",
                        1_900,
                        json!({"gen_ai.completion": openai_answer()["choices"].to_string()}),
                    ),
                ],
                ..SpanOf::default()
            }),
        ),
        (
            Carrier::Oldest,
            span(with(json!({"gen_ai.prompt": openai().to_string(), "gen_ai.completion": "In Berlin."}))),
        ),
        (
            Carrier::OpenLlmetry,
            span(json!({
                "llm.request.type": "chat", "gen_ai.system": "OpenAI", "gen_ai.request.model": "m",
                "gen_ai.prompt.0.role": "system", "gen_ai.prompt.0.content": "Be brief.",
                "gen_ai.prompt.1.role": "user", "gen_ai.prompt.1.content": "Where?",
                "gen_ai.prompt.2.role": "assistant", "gen_ai.prompt.2.tool_calls.0.id": "c1", "gen_ai.prompt.2.tool_calls.0.name": "find",
                "gen_ai.prompt.2.tool_calls.0.arguments": "{\"n\": 7}",
                "gen_ai.prompt.3.role": "tool", "gen_ai.prompt.3.content": "Berlin", "gen_ai.prompt.3.tool_call_id": "c1",
                "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": "In Berlin.", "gen_ai.completion.0.finish_reason": "stop",
                "llm.request.functions.0.name": "find", "llm.request.functions.0.description": "Finds.", "llm.request.functions.0.parameters": "{\"type\":\"object\"}",
            })),
        ),
        (
            Carrier::OpenInference,
            span(json!({
                "openinference.span.kind": "LLM", "llm.model_name": "m",
                "llm.input_messages.0.message.role": "system", "llm.input_messages.0.message.content": "Be brief.",
                "llm.input_messages.1.message.role": "user", "llm.input_messages.1.message.contents.0.message_content.type": "text",
                "llm.input_messages.1.message.contents.0.message_content.text": "Where?",
                "llm.input_messages.2.message.role": "assistant",
                "llm.input_messages.2.message.tool_calls.0.tool_call.id": "c1",
                "llm.input_messages.2.message.tool_calls.0.tool_call.function.name": "find",
                "llm.input_messages.2.message.tool_calls.0.tool_call.function.arguments": "{\"n\": 7}",
                "llm.input_messages.3.message.role": "tool", "llm.input_messages.3.message.content": "Berlin", "llm.input_messages.3.message.tool_call_id": "c1",
                "llm.output_messages.0.message.role": "assistant", "llm.output_messages.0.message.content": "In Berlin.",
                "llm.tools.0.tool.json_schema": openai_tools()[0].to_string(),
                "input.value": "never looked at",
            })),
        ),
        (
            Carrier::OpenInference,
            span(json!({
                "openinference.span.kind": "LLM", "llm.model_name": "m",
                "input.value": json!({"model": "m", "messages": openai()}).to_string(), "input.mime_type": "application/json",
                "output.value": openai_answer().to_string(),
            })),
        ),
        (
            Carrier::Vercel,
            span(json!({
                "ai.operationId": "ai.generateText.doGenerate", "ai.model.id": "m",
                "ai.prompt.messages": json!([
                    {"role": "system", "content": "Be brief."},
                    {"role": "user", "content": [{"type": "text", "text": "Where?"}]},
                    {"role": "assistant", "content": [{"type": "tool-call", "toolCallId": "c1", "toolName": "find", "input": {"n": 7}}]},
                    {"role": "tool", "content": [{"type": "tool-result", "toolCallId": "c1", "toolName": "find", "output": {"type": "text", "value": "Berlin"}}]},
                ]).to_string(),
                "ai.response.text": "In Berlin.",
                "ai.prompt.tools": [json!({"type": "function", "name": "find", "description": "Finds.", "inputSchema": {"type": "object"}}).to_string()],
            })),
        ),
        (
            Carrier::Logfire,
            span(with(json!({
                "events": Json::from(legacy().into_iter().map(|(event, mut body)| {
                    body["event.name"] = event.into();
                    body
                }).collect::<Vec<_>>()).to_string(),
            }))),
        ),
        (
            Carrier::Logfire,
            span(with(json!({
                "pydantic_ai.all_messages": json!([
                    {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
                    {"role": "user", "parts": [{"type": "text", "content": "Where?"}]},
                    {"role": "assistant", "parts": [{"type": "tool_call", "id": "c1", "name": "find", "arguments": {"n": 7}}]},
                    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "result": "Berlin"}]},
                    {"role": "assistant", "parts": [{"type": "text", "content": "In Berlin."}]},
                ]).to_string(),
            }))),
        ),
        (
            Carrier::Mlflow,
            span(with(json!({
                "mlflow.spanType": "CHAT_MODEL",
                "mlflow.spanInputs": json!({"model": "m", "messages": openai(), "tools": openai_tools()}).to_string(),
                "mlflow.spanOutputs": openai_answer().to_string(),
            }))),
        ),
        (
            Carrier::Traceloop,
            span(with(json!({
                "traceloop.entity.input": json!({"messages": openai()}).to_string(),
                "traceloop.entity.output": openai_answer().to_string(),
            }))),
        ),
    ];
    let expected = plain().transcript();
    let tools = &expected.tools[0].1;
    for (carrier, told) in cases {
        let transcript = told.transcript();
        assert_eq!(reading(&transcript), reading(&expected), "{carrier:?}");
        assert_eq!(carriers(&transcript), [carrier]);
        if let Some((_, other)) = transcript.tools.first() {
            assert_eq!(other, tools, "{carrier:?}");
        }
        // Beside the attributes of the conventions it is one more source, and no message more.
        let mut both = plain();
        let mut more = told.clone();
        if let (Some(one), Some(other)) = (both.spans.first_mut(), more.spans.first_mut()) {
            one.attributes.0.append(&mut other.attributes.0);
            one.events.append(&mut other.events);
        }
        both.logs = more.logs;
        let both = both.transcript();
        assert_eq!(reading(&both), reading(&expected), "{carrier:?} beside");
        assert!(both.calls[0].input.iter().all(|seen| seen.versions.is_empty()), "{carrier:?}");
        if !matches!(carrier, Carrier::SpanAttribute | Carrier::Mlflow | Carrier::Traceloop)
            && !told.spans[0].attributes.0.iter().any(|one| one.key.as_ref() == "input.value")
        {
            assert_eq!(carriers(&both).len(), 2, "{carrier:?}");
        }
    }
}

#[test]
fn shapes_of_providers_are_read() {
    let anthropic = json!({"system": "Be brief.", "messages": [
        {"role": "user", "content": "Where?"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "find", "input": {"n": 7}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "Berlin"}]}]}]});
    let responses = json!([
        {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "Be brief."}]},
        {"role": "user", "content": "Where?"},
        {"type": "function_call", "call_id": "c1", "id": "fc_1", "name": "find", "arguments": "{\"n\": 7}"},
        {"type": "function_call_output", "call_id": "c1", "output": "Berlin"}]);
    let gemini = json!([
        {"role": "system", "parts": [{"text": "Be brief."}]},
        {"role": "user", "parts": [{"text": "Where?"}]},
        {"role": "model", "parts": [{"functionCall": {"id": "c1", "name": "find", "args": {"n": 7}}}]},
        {"role": "function", "parts": [{"functionResponse": {"id": "c1", "name": "find", "response": "Berlin"}}]}]);
    let bedrock = json!([
        {"role": "system", "content": [{"text": "Be brief."}]},
        {"role": "user", "content": [{"text": "Where?"}]},
        {"role": "assistant", "content": [{"toolUse": {"toolUseId": "c1", "name": "find", "input": {"n": 7}}}]},
        {"role": "tool", "content": [{"toolResult": {"toolUseId": "c1", "content": [{"text": "Berlin"}]}}]}]);
    let langchain = json!([
        {"type": "system", "content": "Be brief."},
        {"type": "human", "content": "Where?"},
        {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", "AIMessage"],
            "kwargs": {"content": "", "tool_calls": [{"name": "find", "args": {"n": 7}, "id": "c1", "type": "tool_call"}]}},
        {"type": "tool", "content": "Berlin", "tool_call_id": "c1"}]);
    let expected = reading(&plain().transcript());
    for (name, input) in [
        ("anthropic", anthropic),
        ("responses", responses),
        ("gemini", gemini),
        ("bedrock", bedrock),
        ("langchain", langchain),
    ] {
        let told = span(with(
            json!({"gen_ai.input.messages": input.to_string(), "gen_ai.completion": "In Berlin."}),
        ));
        let mut told = reading(&told.transcript());
        // Whose turn an answer is differs.
        for message in told[0]["input"].as_array_mut().unwrap() {
            if message["parts"][0]["type"] == "tool_call_response" {
                message["role"] = "tool".into();
                if message["parts"][0]["response"][0]["text"] == "Berlin" {
                    message["parts"][0]["response"] = "Berlin".into();
                }
            }
        }
        assert_eq!(told, expected, "{name}");
    }
}

#[test]
fn pieces_say_what_the_whole_says() {
    let whole = plain();
    let mut told = whole.clone();
    for attribute in &mut told.spans[0].attributes.0 {
        let Some(Ok(Json::Array(list))) =
            attribute.value.text().map(|text| serde_json::from_str::<Json>(&text))
        else {
            continue;
        };
        let pieces = list
            .iter()
            .map(|item| std::sync::Arc::new(Piece::new(Form::Text, Bytes::from(item.to_string()))));
        attribute.value = Held::Pieces(Pieces { glue: Glue::JsonTight, list: pieces.collect() });
    }
    assert_eq!(reading(&told.transcript()), reading(&whole.transcript()));
    assert_eq!(told.transcript().tools, whole.transcript().tools);
}

struct Folder;

impl References for Folder {
    fn resolve(&self, uri: &str) -> Result<Bytes, NotResolved> {
        let (_, json) = parts()
            .into_iter()
            .find(|(key, _)| uri == format!("file:///content/{key}.json"))
            .ok_or(NotResolved("gone".to_owned()))?;
        Ok(json.to_string().into())
    }
}

#[test]
fn content_that_was_uploaded_is_fetched_where_it_may_be() {
    let references: Json = parts()
        .into_iter()
        .map(|(key, _)| (format!("{key}_ref"), format!("file:///content/{key}.json")))
        .collect();
    let told = span(with(references));
    let evidence = Evidence { spans: &told.spans, logs: &told.logs, references: &Folder };
    let transcript = assemble(&evidence, &Options::default());
    assert_eq!(reading(&transcript), reading(&plain().transcript()));
    assert_eq!(carriers(&transcript), [Carrier::Reference]);
    let call = &told.transcript().calls[0];
    assert_eq!(call.content, ContentState::ByReference);
    assert!(call.hint.is_some());
}

#[test]
fn text_that_was_cut_off_is_shown_as_far_as_it_goes() {
    let long = "word ".repeat(50);
    let whole = json!([
        {"role": "user", "parts": [{"type": "text", "content": "first"}]},
        {"role": "user", "parts": [{"type": "text", "content": long}]}])
    .to_string();
    let cut = &whole[..whole.len() - 100];
    let told = span(with(json!({"gen_ai.input.messages": cut})));
    let transcript = told.transcript();
    let call = &transcript.calls[0];
    let shown = texts(&transcript, &call.input);
    assert_eq!(shown[0], "first");
    assert!(shown[1].starts_with("word word") && long.starts_with(&shown[1]));
    assert!(!call.input[0].sources[0].partial && call.input[1].sources[0].partial);
    // The whole one counts where it is told too.
    let told = told.log(LogOf {
        event: "gen_ai.client.inference.operation.details",
        attributes: json!({"gen_ai.input.messages": serde_json::from_str::<Json>(&whole).unwrap()}),
        ..LogOf::default()
    });
    let transcript = told.transcript();
    assert_eq!(texts(&transcript, &transcript.calls[0].input), ["first", long.as_str()]);
    assert!(transcript.calls[0].input[1].versions[0].1.partial);
}

#[test]
fn what_is_no_json_stands_as_it_came() {
    let python = "[{'role': 'user', 'content': 'hi'}]";
    let transcript = span(with(json!({"gen_ai.input.messages": python}))).transcript();
    assert_eq!(texts(&transcript, &transcript.calls[0].input), [python]);
    assert!(transcript.calls[0].input[0].sources[0].partial);
    let odd = json!([{"speaker": "me", "says": ["what"]}, 7, null]).to_string();
    let transcript = span(with(json!({"gen_ai.input.messages": odd}))).transcript();
    let said: Vec<_> =
        transcript.messages.iter().map(|(hash, _)| message(&transcript, *hash).to_string()).collect();
    assert!(said[0].contains("speaker") && said[0].contains("what") && said[1].contains('7'), "{said:?}");
}

#[test]
fn sessions_of_claude_code_are_conversations() {
    let attributes = |more: Json| {
        let mut all = json!({"session.id": "s1", "event.sequence": 1});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let log = |body: &'static str, time, more: Json| LogOf {
        span: 0,
        body: body.into(),
        time,
        attributes: attributes(more),
        ..LogOf::default()
    };
    let mut told = Told::default();
    let origin = crate::evidence::origin("com.anthropic.claude_code.events", "");
    for log in [
        log(
            "claude_code.user_prompt",
            1_000_000_000,
            json!({"event.name": "user_prompt", "prompt": "List the files."}),
        ),
        log(
            "claude_code.api_request",
            3_000_000_000,
            json!({"event.name": "api_request", "model": "claude-x", "input_tokens": 10,
            "output_tokens": 5, "cache_read_tokens": 90, "cache_creation_tokens": 0, "cost_usd": 0.25, "duration_ms": 1500}),
        ),
        log(
            "claude_code.tool_result",
            4_000_000_000,
            json!({"event.name": "tool_result", "tool_name": "Bash", "tool_use_id": "t1",
            "success": "true", "duration_ms": 12, "tool_input": "{\"command\":\"ls\"}"}),
        ),
        log(
            "claude_code.api_request",
            6_000_000_000,
            json!({"event.name": "api_request", "model": "claude-x", "input_tokens": 1,
            "output_tokens": 2, "duration_ms": 500}),
        ),
        log(
            "claude_code.user_prompt",
            7_000_000_000,
            json!({"event.name": "user_prompt", "prompt": "Thanks."}),
        ),
    ] {
        told.add_log(log, &origin, 0);
    }
    let transcript = told.transcript();
    assert_eq!(transcript.calls.len(), 3);
    assert_eq!(transcript.chains.len(), 1);
    let first = &transcript.calls[0];
    assert_eq!(texts(&transcript, &first.input), ["List the files."]);
    assert_eq!(first.usage.input, Some(100));
    assert_eq!(first.cost.map(|cost| cost.nanos), Some(250_000_000));
    assert_eq!(first.at.0, 1_500_000_000);
    assert!(texts(&transcript, &first.output)[0].contains("\"command\":\"ls\""));
    assert!(texts(&transcript, &transcript.calls[1].input)[0].contains("tool_call_response"));
    assert_eq!(texts(&transcript, &transcript.calls[2].input), ["Thanks."]);
    assert!(transcript.calls.iter().all(|call| call.rewritten.is_none()));
}

/// Where the whole of each request and answer is logged, that is what is shown, each message once.
#[test]
fn bodies_that_claude_code_logs_are_read() {
    let user = |content: Json| json!({"role": "user", "content": content});
    let call = json!([{"type": "text", "text": "I look."}, {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls"}}]);
    let asked = user(json!("<reminder>Be kind.</reminder> List the files."));
    let result = user(json!([{"type": "tool_result", "tool_use_id": "t1", "content": "a.txt"}]));
    let request = |messages: Json| {
        json!({"model": "claude-x", "system": [{"type": "text", "text": "You are an agent."}], "messages": messages,
            "tools": [{"name": "Bash", "description": "Runs.", "input_schema": {"type": "object"}}]})
        .to_string()
    };
    let answer = |content: Json| {
        json!({"id": "m", "type": "message", "role": "assistant", "content": content}).to_string()
    };
    let history = json!([asked, {"role": "assistant", "content": call}, result]);
    let mut told = Told::default();
    let origin = crate::evidence::origin("com.anthropic.claude_code.events", "");
    for (body, time, more) in [
        ("claude_code.user_prompt", 1, json!({"prompt": "List the files."})),
        ("claude_code.api_request_body", 2, json!({"body": request(json!([asked]))})),
        ("claude_code.api_response_body", 3, json!({"request_id": "r1", "body": answer(call.clone())})),
        ("claude_code.api_request", 4, json!({"request_id": "r1", "model": "claude-x", "input_tokens": 10})),
        ("claude_code.tool_result", 5, json!({"tool_name": "Bash", "tool_use_id": "t1", "success": "true"})),
        ("claude_code.api_request_body", 6, json!({"body": request(history)})),
        ("claude_code.api_request", 7, json!({"request_id": "r2", "model": "claude-x", "input_tokens": 20})),
        (
            "claude_code.api_response_body",
            8,
            json!({"request_id": "r2", "body": answer(json!([{"type": "text", "text": "One."}]))}),
        ),
        // Cut off: the session alone tells what it can.
        ("claude_code.user_prompt", 9, json!({"prompt": "Thanks."})),
        (
            "claude_code.api_request_body",
            10,
            json!({"body": "{\"messages\": [{\"role\": \"us", "body_truncated": "true"}),
        ),
        ("claude_code.api_request", 11, json!({"request_id": "r3", "model": "claude-x", "input_tokens": 30})),
    ] {
        let mut attributes = json!({"session.id": "s1", "event.sequence": time});
        attributes.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let log =
            LogOf { span: 0, body: body.into(), time: time * 1_000_000_000, attributes, ..LogOf::default() };
        told.add_log(log, &origin, 0);
    }
    let transcript = told.transcript();
    assert_eq!(transcript.calls.len(), 3);
    let [first, second, third] = [0, 1, 2].map(|at| &transcript.calls[at]);
    assert_eq!(texts(&transcript, &first.system), ["You are an agent."]);
    assert_eq!(texts(&transcript, &first.input), ["<reminder>Be kind.</reminder> List the files."]);
    assert!(texts(&transcript, &first.output)[0].contains("ls"), "{:?}", texts(&transcript, &first.output));
    assert_eq!((first.output.len(), transcript.tools.len()), (1, 1));
    assert_eq!((second.carried, second.previous), (2, Some(0)));
    assert!(texts(&transcript, &second.input)[0].contains("a.txt"), "the tool's result alone is new");
    assert_eq!(texts(&transcript, &second.output), ["One."]);
    assert_eq!(texts(&transcript, &third.input), ["Thanks."]);
    assert!(first.output[0].sources.iter().all(|source| &*source.name == "body"));
}

/// Claude Code calls several models at once; the bodies of each are shown with its own call.
#[test]
fn bodies_of_calls_side_by_side_are_with_their_own_calls() {
    let request = |model: &str, system: &str, asked: &str| {
        let body =
            json!({"model": model, "system": system, "messages": [{"role": "user", "content": asked}]});
        json!({"model": model, "body": body.to_string()})
    };
    let response = |id: &str, said: &str| {
        let content = json!([{"type": "text", "text": said}]);
        let body = json!({"id": "m", "type": "message", "role": "assistant", "content": content});
        json!({"request_id": id, "body": body.to_string()})
    };
    let done = |id: &str, model: &str, millis: u64| {
        let source = if model == "sub" { json!("agent:explore") } else { Json::Null };
        json!({"request_id": id, "model": model, "duration_ms": millis, "input_tokens": 10, "query_source": source})
    };
    let of_agent = |mut told: Json| {
        told["query_source"] = "agent:explore".into();
        told
    };
    let (body, answer) = ("claude_code.api_request_body", "claude_code.api_response_body");
    let mut told = Told::default();
    let origin = crate::evidence::origin("com.anthropic.claude_code.events", "");
    for (name, time, more) in [
        ("claude_code.user_prompt", 1, json!({"prompt": "ask"})),
        // A title by another model, while the first call runs.
        (body, 2, request("opus", "MAIN", "main asks")),
        (body, 3, request("haiku", "TITLE", "title asks")),
        ("claude_code.api_request", 6, done("r2", "haiku", 3_000)),
        (answer, 7, response("r2", "the title")),
        // The next one's answer is told before either's event.
        (answer, 8, response("r3", "later")),
        ("claude_code.api_request", 9, done("r1", "opus", 7_000)),
        (answer, 10, response("r1", "the answer")),
        ("claude_code.api_request", 11, done("r3", "haiku", 1_000)),
        // Two subagents of one model, of which the second ends first; and a call that was cancelled.
        (body, 12, of_agent(request("sub", "CANCELLED", "nobody waits"))),
        (body, 20, of_agent(request("sub", "ONE", "one asks"))),
        (body, 30, of_agent(request("sub", "TWO", "two asks"))),
        ("claude_code.api_request", 40, done("r4", "sub", 10_000)),
        ("claude_code.api_request", 50, done("r5", "sub", 30_000)),
        // The same model for the main thread.
        (body, 60, json!({"query_source": "main", "body": request("sub", "MAIN", "again")["body"]})),
        ("claude_code.api_error", 61, json!({"query_source": "main", "model": "sub", "error": "overloaded"})),
    ] {
        let mut attributes = json!({"session.id": "s1", "event.sequence": time});
        attributes.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        attributes.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let log =
            LogOf { span: 0, body: name.into(), time: time * 1_000_000_000, attributes, ..LogOf::default() };
        told.add_log(log, &origin, 0);
    }
    let transcript = told.transcript();
    let said: Vec<_> = transcript
        .calls
        .iter()
        .map(|call| [&call.system, &call.input, &call.output].map(|slot| texts(&transcript, slot).join("|")))
        .collect();
    assert_eq!(
        said,
        [
            ["MAIN", "main asks", "the answer"],
            ["TITLE", "title asks", "the title"],
            ["", "", "later"],
            ["ONE", "one asks", ""],
            ["TWO", "two asks", ""],
            ["MAIN", "again", ""],
        ]
    );
}

#[test]
fn why_a_call_of_a_coding_agent_failed_is_told_in_the_words_of_its_provider() {
    let mut told = Told::default();
    let claude = crate::evidence::origin("com.anthropic.claude_code.events", "");
    let codex = crate::evidence::origin("codex_otel", "");
    for (origin, body, time, attributes) in [
        (
            &claude,
            "claude_code.api_error",
            1,
            json!({"session.id": "s1", "model": "claude-x", "error": "Overloaded", "status_code": "529"}),
        ),
        (
            &claude,
            "claude_code.api_error",
            2,
            json!({"session.id": "s1", "model": "claude-x", "error": "<REDACTED>", "status_code": "500"}),
        ),
        (
            &codex,
            "codex.sse_event",
            3,
            json!({"conversation.id": "c1", "event.kind": "response.failed", "error.message": "stream closed"}),
        ),
    ] {
        let time = time * 1_000_000_000;
        told.add_log(LogOf { span: 0, body: body.into(), time, attributes, ..LogOf::default() }, origin, 0);
    }
    let transcript = told.transcript();
    let failed = transcript.calls.iter().filter_map(|call| call.error.as_ref());
    let failed: Vec<_> = failed.map(|error| (error.kind.as_ref(), error.message.as_deref())).collect();
    assert_eq!(failed, [("529", Some("Overloaded")), ("500", None), ("_OTHER", Some("stream closed"))]);
}

#[test]
fn what_claude_code_tells_of_prompts_and_answers_is_in_the_transcript() {
    let attributes = |more: Json| {
        let mut all = json!({"session.id": "s1", "event.sequence": 1});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let mut told = Told::default();
    let origin = crate::evidence::origin("com.anthropic.claude_code.events", "");
    for (body, time, more) in [
        ("claude_code.user_prompt", 1, json!({"prompt": "List the files."})),
        ("claude_code.api_request", 3, json!({"model": "claude-x", "input_tokens": 10, "output_tokens": 5})),
        ("claude_code.assistant_response", 4, json!({"response": "There are none."})),
        ("claude_code.assistant_response", 5, json!({"response": "<REDACTED>"})),
    ] {
        let log = LogOf {
            span: 0,
            body: body.into(),
            time: time * 1_000_000_000,
            attributes: attributes(more),
            ..LogOf::default()
        };
        told.add_log(log, &origin, 0);
    }
    let transcript = told.transcript();
    assert_eq!(transcript.calls.len(), 1);
    assert_eq!(texts(&transcript, &transcript.calls[0].input), ["List the files."]);
    assert_eq!(texts(&transcript, &transcript.calls[0].output), ["There are none."]);

    // With spans alone it is the one around all that has the prompt.
    let interaction = SpanOf {
        name: "claude_code.interaction",
        attributes: json!({"span.type": "interaction", "session.id": "s1", "user_prompt": "List the files."}),
        ..SpanOf::default()
    };
    let transcript = Told::default().span(interaction).transcript();
    let said: Vec<_> = transcript.calls.iter().flat_map(|call| texts(&transcript, &call.input)).collect();
    assert_eq!(said, ["List the files."]);
}

#[test]
fn tools_that_a_request_offers_are_read_wherever_they_stand() {
    let expected = plain().transcript().tools[0].1.clone();
    let request = json!({"model": "m", "messages": openai(), "tools": openai_tools()}).to_string();
    let pydantic = json!({"function_tools": [
        {"name": "find", "description": "Finds.", "parameters_json_schema": {"type": "object"}}], "output_tools": []});
    for more in [
        json!({"mlflow.spanType": "CHAT_MODEL", "mlflow.spanInputs": request}),
        json!({"mlflow.spanType": "CHAT_MODEL", "mlflow.chat.tools": openai_tools().to_string()}),
        json!({"traceloop.entity.input": request}),
        json!({"openinference.span.kind": "LLM", "input.value": request}),
        json!({"model_request_parameters": pydantic.to_string(), "logfire.msg": "chat m"}),
    ] {
        let transcript = span(with(more.clone())).transcript();
        let tools = transcript.tools.first().map(|(_, tools)| tools.clone());
        assert_eq!(tools.as_ref(), Some(&expected), "{more}");
    }
}

#[test]
fn sessions_of_codex_are_conversations() {
    let log = |event: &'static str, time, more: Json| {
        let mut attributes = json!({"conversation.id": "k1", "model": "gpt-x"});
        attributes.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        LogOf { event, span: 0, time, attributes, ..LogOf::default() }
    };
    let told = Told::default()
        .log(log("codex.user_prompt", 1_000, json!({"prompt": "Fix it."})))
        .log(log("codex.sse_event", 2_000, json!({"event.kind": "response.output_item.done"})))
        .log(log("codex.sse_event", 2_001, json!({"event.kind": "response.completed", "input_token_count": 100, "cached_token_count": 40, "output_token_count": 7})))
        .log(log("codex.tool_decision", 2_500, json!({"tool_name": "shell", "call_id": "c1", "decision": "approved"})))
        .log(log("codex.tool_result", 3_000, json!({"tool_name": "shell", "call_id": "c1", "arguments": "{\"command\":\"make\"}", "output": "ok", "success": "true"})))
        .log(log("codex.websocket_event", 4_000, json!({"event.kind": "response.completed", "input_token_count": 120, "output_token_count": 3})));
    let transcript = told.transcript();
    assert_eq!(transcript.calls.len(), 2);
    assert_eq!(transcript.calls[0].usage.input, Some(100));
    let output = message(&transcript, transcript.calls[0].output[0].message);
    assert_eq!(output["parts"][0]["arguments"]["command"], "make");
    let answer = message(&transcript, transcript.calls[1].input[0].message);
    assert_eq!(answer["parts"][0]["response"], "ok");
    let (_, said) =
        transcript.messages.iter().find(|(hash, _)| *hash == transcript.calls[0].output[0].message).unwrap();
    assert_eq!(said.joins[0].1.response, Some(transcript.calls[1].input[0].message));
}
