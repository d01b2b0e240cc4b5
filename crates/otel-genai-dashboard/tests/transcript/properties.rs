//! Whatever is told, in whatever order: one transcript, nothing lost, no panic.

use std::collections::BTreeSet;

use otel_genai_dashboard::transcript::Transcript;
use otel_genai_dashboard::view::transcript::{Shown, Transcript as View};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::evidence::{LogOf, SpanOf, Told, full_input, spoken};

/// The transcript as the page reads it: all of it.
fn view(transcript: &Transcript) -> Json {
    let more = |message: &str, part: usize| format!("{message}/{part}");
    serde_json::to_value(View::of(transcript, 1, &Shown { cut: 0, more: &more, trace: None })).unwrap()
}

fn word() -> impl Strategy<Value = String> {
    "[a-zäß日😀]{1,6}"
}

fn part() -> impl Strategy<Value = Json> {
    prop_oneof![
        4 => word().prop_map(|text| json!({"type": "text", "content": text})),
        1 => word().prop_map(|text| json!({"type": "reasoning", "content": text})),
        2 => ("[ab]", "[c-d]", word()).prop_map(|(id, name, value)| json!({"type": "tool_call", "id": id, "name": name, "arguments": {"v": value}})),
        2 => ("[ab]", word()).prop_map(|(id, response)| json!({"type": "tool_call_response", "id": id, "response": response})),
        1 => (word(), word()).prop_map(|(kind, value)| json!({"type": format!("x{kind}"), "value": value})),
    ]
}

fn message() -> impl Strategy<Value = Json> {
    ("user|assistant|tool|system", prop::collection::vec(part(), 1..3))
        .prop_map(|(role, parts)| json!({"role": role, "parts": parts}))
}

fn messages() -> impl Strategy<Value = Vec<Json>> {
    prop::collection::vec(message(), 0..6)
}

/// JSON that is no message, and text that is no JSON.
fn anything() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i32>().prop_map(Json::from),
        "[\\[\\]{}\":,a-z\\\\ ]{0,12}".prop_map(Json::from),
    ];
    leaf.prop_recursive(8, 40, 4, |inner| {
        let key = "role|parts|content|type|message|messages|tool_calls|function|name|arguments|id|text|event.name|input|prompt";
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map(key, inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

const KEYS: &[&str] = &[
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
    "gen_ai.prompt",
    "gen_ai.completion",
    "gen_ai.prompt.0.content",
    "gen_ai.completion.0.tool_calls",
    "llm.input_messages.0.message",
    "llm.tools.0.tool.json_schema",
    "input.value",
    "output.value",
    "ai.prompt.messages",
    "ai.response.toolCalls",
    "ai.prompt.tools",
    "events",
    "pydantic_ai.all_messages",
    "mlflow.spanInputs",
    "traceloop.entity.output",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
];

/// A trace of any shape: parents may be unknown, themselves, or below.
fn trace() -> impl Strategy<Value = Told> {
    let op = "chat|chat|invoke_agent|execute_tool|invoke_workflow|embeddings";
    let span = (op, 0u64..8, 0u64..500, messages(), messages(), prop::bool::ANY);
    let log = (0u64..8, 0u64..500, messages(), 0usize..4);
    (prop::collection::vec(span, 1..6), prop::collection::vec(log, 0..5)).prop_map(|(spans, logs)| {
        let mut told = Told::default();
        for (id, (op, parent, start, input, output, named)) in (1u64..).zip(spans) {
            let mut attributes = json!({"gen_ai.operation.name": op, "gen_ai.tool.name": "c",
                "gen_ai.input.messages": Json::from(input).to_string(), "gen_ai.output.messages": Json::from(output)});
            if named {
                attributes["gen_ai.agent.name"] = "helper".into();
                attributes["gen_ai.tool.call.id"] = "a".into();
                attributes["gen_ai.tool.call.result"] = "result of a tool".into();
            }
            told = told.span(SpanOf { id, parent, start: 1_000 + start, end: 1_100 + start, attributes, ..SpanOf::default() });
        }
        for (span, time, messages, kind) in logs {
            let (event, body, attributes) = match kind {
                0 => ("gen_ai.client.inference.operation.details", Json::Null, json!({"gen_ai.input.messages": messages})),
                1 => ("gen_ai.user.message", json!({"content": messages.first()}), json!({})),
                2 => ("gen_ai.choice", json!({"index": 0, "message": messages.first()}), json!({})),
                _ => ("gen_ai.evaluation.result", Json::Null, json!({"gen_ai.evaluation.name": "n"})),
            };
            told = told.log(LogOf { event, span, time: 1_000 + time, body, attributes });
        }
        told
    })
}

fn texts(json: &Json, found: &mut BTreeSet<String>) {
    match json {
        Json::String(text) => {
            found.insert(text.clone());
        }
        Json::Array(list) => list.iter().for_each(|item| texts(item, found)),
        Json::Object(object) => {
            object
                .iter()
                .filter(|(key, _)| key.as_str() != "type")
                .for_each(|(_, value)| texts(value, found));
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_order_of_arrival_does_not_matter(told in trace(), seed in any::<u64>()) {
        let mut other = told.clone();
        let mix = |at: usize| (at as u64 + 1).wrapping_mul(seed | 1).rotate_left(17);
        let mut order: Vec<usize> = (0..other.spans.len()).collect();
        order.sort_by_key(|at| mix(*at));
        other.spans = order.iter().map(|at| told.spans[*at].clone()).collect();
        let mut order: Vec<usize> = (0..other.logs.len()).collect();
        order.sort_by_key(|at| mix(*at));
        other.logs = order.iter().map(|at| told.logs[*at].clone()).collect();
        prop_assert_eq!(view(&told.transcript()), view(&other.transcript()));
    }

    #[test]
    fn nothing_is_lost(told in trace()) {
        let mut all = BTreeSet::new();
        for span in told.spans.iter().filter(|span| span.facts.op.is_some_and(otel_genai_store::Op::is_inference)) {
            for key in ["gen_ai.input.messages", "gen_ai.output.messages"] {
                texts(&span.attributes.json(key).unwrap(), &mut all);
            }
        }
        for log in &told.logs {
            log.attributes.json("gen_ai.input.messages").iter().for_each(|json| texts(json, &mut all));
        }
        let mut shown = BTreeSet::new();
        for (_, said) in &told.transcript().messages {
            texts(&serde_json::to_value(&said.message).unwrap(), &mut shown);
        }
        // What speaks is no text.
        let lost: Vec<_> = all.difference(&shown).filter(|text| !["user", "assistant", "tool", "system"].contains(&text.as_str())).collect();
        prop_assert!(lost.is_empty(), "lost {:?}", lost);
    }

    #[test]
    fn what_is_new_and_what_was_before_are_the_whole_input(histories in prop::collection::vec(messages(), 1..5), grow in prop::bool::ANY) {
        let mut told = Told::default();
        let mut inputs: Vec<Vec<Json>> = Vec::new();
        for (at, mut history) in (0u64..).zip(histories) {
            history.retain(|message| message["role"] != "system");
            if grow && let Some(before) = inputs.last() {
                history = before.iter().cloned().chain(history).collect();
            }
            let attributes = json!({"gen_ai.operation.name": "chat", "gen_ai.input.messages": Json::from(history.clone()).to_string(),
                "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": format!("answer {at}")}]}]});
            told = told.span(SpanOf { id: at + 1, start: 1_000 * (at + 1), end: 1_000 * (at + 1) + 10, attributes, ..SpanOf::default() });
            inputs.push(history);
        }
        let transcript = told.transcript();
        for (call, input) in transcript.calls.iter().zip(&inputs) {
            let full = full_input(&transcript, call);
            let alone = Told { spans: vec![told.spans[call.ordinal as usize].clone()], logs: Vec::new() }.transcript();
            let expected: Vec<_> = alone.calls[0].input.iter().map(|seen| seen.message).collect();
            prop_assert_eq!(full, expected, "{:?}", input);
            prop_assert_eq!(spoken(call).count(), 1);
        }
    }

    #[test]
    fn nothing_panics(values in prop::collection::vec((0..KEYS.len(), anything(), 0u8..3), 0..8), end in 0usize..400) {
        let mut attributes = json!({"gen_ai.operation.name": "chat"});
        for (key, value, how) in values {
            let mut text = value.to_string();
            let cut = (0..=end.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            attributes[KEYS[key]] = match how {
                0 => value,
                1 => text.into(),
                _ => {
                    text.truncate(cut);
                    text.into()
                }
            };
        }
        let span = SpanOf { attributes: attributes.clone(), events: vec![("gen_ai.choice", 5, attributes.clone())], ..SpanOf::default() };
        let told = Told::default().span(span).log(LogOf { event: "gen_ai.choice", body: attributes.clone(), attributes, ..LogOf::default() });
        view(&told.transcript());
    }

    #[test]
    fn telling_the_same_again_adds_sources_alone(input in messages(), output in messages()) {
        let span = SpanOf { attributes: json!({"gen_ai.operation.name": "chat",
            "gen_ai.input.messages": Json::from(input.clone()).to_string(), "gen_ai.output.messages": Json::from(output.clone()).to_string()}), ..SpanOf::default() };
        let once = Told::default().span(span);
        let again = once.clone().log(LogOf { event: "gen_ai.client.inference.operation.details",
            attributes: json!({"gen_ai.input.messages": input, "gen_ai.output.messages": output}), ..LogOf::default() });
        let (once, again) = (once.transcript(), again.transcript());
        prop_assert_eq!(crate::evidence::reading(&once), crate::evidence::reading(&again));
        let seen = |transcript: &Transcript| transcript.calls.iter().flat_map(|call| call.system.iter().chain(&call.input).chain(&call.output)).cloned().collect::<Vec<_>>();
        for (one, two) in seen(&once).iter().zip(&seen(&again)) {
            prop_assert!(two.versions.is_empty() && two.only_in.is_none());
            prop_assert_eq!(one.sources.len() * 2, two.sources.len());
        }
    }
}

#[test]
fn cycles_and_depth_do_no_harm() {
    let mut told = Told::default();
    for id in 1..=3_000u64 {
        let op = if id % 3 == 0 { "invoke_agent" } else { "chat" };
        let attributes = json!({"gen_ai.operation.name": op, "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": format!("{id}")}]}]});
        told = told.span(SpanOf {
            id,
            parent: id % 3_000 + 1,
            start: 1_000 + id,
            end: 2_000 + id,
            attributes,
            ..SpanOf::default()
        });
    }
    let transcript = told.transcript();
    // Calls around calls wrap them: what they say differently is another version.
    let said = transcript
        .calls
        .iter()
        .flat_map(|call| &call.output)
        .map(|seen| 1 + seen.versions.len())
        .sum::<usize>();
    assert_eq!(said, 3_000);
}

#[test]
fn a_history_that_grows_is_read_once() {
    // Told as the store tells it: pieces that the spans share.
    use otel_genai_store::{Form, Glue, Held, Piece, Pieces};
    use std::sync::Arc;
    let pieces: Vec<Arc<Piece>> = (0..400)
        .map(|at| json!({"role": if at % 2 == 0 { "user" } else { "assistant" }, "parts": [{"type": "text", "content": format!("{at} ").repeat(200)}]}))
        .map(|message| Arc::new(Piece::new(Form::Text, message.to_string().into())))
        .collect();
    let mut told = Told::default();
    for at in 0..400usize {
        let attributes = json!({"gen_ai.operation.name": "chat", "gen_ai.input.messages": ""});
        let start = 1_000 * (at as u64 + 1);
        told =
            told.span(SpanOf { id: at as u64 + 1, start, end: start + 10, attributes, ..SpanOf::default() });
        let span = told.spans.last_mut().unwrap();
        let input =
            span.attributes.0.iter_mut().find(|one| one.key.as_ref() == "gen_ai.input.messages").unwrap();
        input.value = Held::Pieces(Pieces { glue: Glue::JsonTight, list: pieces[..=at].to_vec() });
    }
    let transcript = told.transcript();
    assert_eq!(transcript.messages.len(), 400);
    assert!(transcript.calls.iter().all(|call| call.input.len() == 1));
    assert!(transcript.calls.iter().all(|call| call.rewritten.is_none()));
}
