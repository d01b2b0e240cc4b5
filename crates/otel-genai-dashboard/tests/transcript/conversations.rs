//! What is new in a call, which tool ran for it, and whose conversation it is.

use otel_genai_dashboard::transcript::{Carrier, Join, JoinedBy, OnlyIn, Options, ToolKind, Transcript, Why};
use otel_genai_store::ContentState;
use serde_json::{Value as Json, json};

use crate::evidence::{LogOf, SpanOf, Told, full_input, message, texts};

fn text(role: &str, text: &str) -> Json {
    json!({"role": role, "parts": [{"type": "text", "content": text}]})
}

fn asks(id: &str, name: &str, arguments: Json) -> Json {
    let mut call = json!({"type": "tool_call", "name": name, "arguments": arguments});
    if !id.is_empty() {
        call["id"] = id.into();
    }
    json!({"role": "assistant", "parts": [call]})
}

fn answers(id: &str, response: &str) -> Json {
    let mut part = json!({"type": "tool_call_response", "response": response});
    if !id.is_empty() {
        part["id"] = id.into();
    }
    json!({"role": "tool", "parts": [part]})
}

/// A call with its messages as span attributes.
fn chat(id: u64, parent: u64, start: u64, input: &[Json], output: &[Json]) -> SpanOf<'static> {
    SpanOf {
        id,
        parent,
        name: "chat",
        start,
        end: start + 50,
        attributes: json!({
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "m",
            "gen_ai.input.messages": Json::from(input).to_string(),
            "gen_ai.output.messages": Json::from(output).to_string(),
        }),
        events: Vec::new(),
    }
}

fn agent(id: u64, parent: u64, start: u64, end: u64, name: &str) -> SpanOf<'static> {
    SpanOf {
        id,
        parent,
        name: "invoke_agent",
        start,
        end,
        attributes: json!({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name,
            "gen_ai.usage.input_tokens": 70, "gen_ai.usage.output_tokens": 7}),
        events: Vec::new(),
    }
}

fn tool(
    id: u64,
    parent: u64,
    start: u64,
    call: &str,
    name: &str,
    arguments: &Json,
    result: &str,
) -> SpanOf<'static> {
    let mut attributes = json!({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name,
        "gen_ai.tool.call.arguments": arguments.to_string()});
    if !call.is_empty() {
        attributes["gen_ai.tool.call.id"] = call.into();
    }
    if !result.is_empty() {
        attributes["gen_ai.tool.call.result"] = result.into();
    }
    SpanOf { id, parent, name: "execute_tool", start, end: start + 20, attributes, events: Vec::new() }
}

/// What a tool call led to, or what an answer belongs to: by the text of the part.
fn joins(transcript: &Transcript) -> Vec<(String, Join)> {
    let mut found = Vec::new();
    for (_, said) in &transcript.messages {
        for (part, join) in &said.joins {
            let part = serde_json::to_value(&said.message.parts[*part]).unwrap();
            let name = part["name"].as_str().or(part["response"].as_str()).unwrap_or("?").to_owned();
            found.push((name, join.clone()));
        }
    }
    found
}

fn join<'a>(joins: &'a [(String, Join)], name: &str) -> &'a Join {
    &joins.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no join of {name}")).1
}

#[test]
fn a_growing_history_is_told_once() {
    let (u1, a1, t1) = (text("user", "Where?"), asks("c1", "find", json!({"n": 7})), answers("c1", "Berlin"));
    let (a2, u2, a3) = (text("assistant", "In Berlin."), text("user", "Thanks"), text("assistant", "Bye"));
    let told = Told::default()
        .span(chat(1, 0, 100, std::slice::from_ref(&u1), std::slice::from_ref(&a1)))
        .span(chat(2, 0, 200, &[u1.clone(), a1.clone(), t1.clone()], std::slice::from_ref(&a2)))
        .span(chat(3, 0, 300, &[u1, a1, t1, a2, u2], &[a3]));
    let transcript = told.transcript();
    let new: Vec<_> = transcript.calls.iter().map(|call| texts(&transcript, &call.input).len()).collect();
    assert_eq!(new, [1, 1, 1]);
    assert_eq!(transcript.calls.iter().map(|call| call.carried).collect::<Vec<_>>(), [0, 2, 4]);
    assert_eq!(texts(&transcript, &transcript.calls[2].input), ["Thanks"]);
    assert!(transcript.calls.iter().all(|call| call.rewritten.is_none()));
    assert_eq!(transcript.messages.len(), 6);
    assert_eq!(full_input(&transcript, &transcript.calls[2]).len(), 5);
    assert_eq!(transcript.chains.len(), 1);
    let growth = &transcript.chains[0].growth;
    assert!(growth[0].assistant == 0 && growth[1].assistant > 0 && growth[1].tool_results > 0);
}

#[test]
fn reasoning_need_not_come_back() {
    let u1 = text("user", "Why?");
    let thought = json!({"role": "assistant", "parts": [{"type": "reasoning", "content": "hm"}, {"type": "text", "content": "So."}]});
    let told = Told::default().span(chat(1, 0, 100, std::slice::from_ref(&u1), &[thought])).span(chat(
        2,
        0,
        200,
        &[u1, text("assistant", "So."), text("user", "Oh")],
        &[text("assistant", "Yes")],
    ));
    let transcript = told.transcript();
    assert_eq!(transcript.calls[1].carried, 2);
    assert_eq!(texts(&transcript, &transcript.calls[1].input), ["Oh"]);
}

#[test]
fn reasoning_that_was_not_told_before_is_new() {
    let thought =
        |role: &str, text: &str| json!({"role": role, "parts": [{"type": "reasoning", "content": text}]});
    let told = Told::default()
        .log(LogOf {
            event: "gen_ai.choice",
            span: 2,
            time: 1_000,
            body: json!({"index": 0, "message": thought("tool", "hm")}),
            ..LogOf::default()
        })
        .span(chat(1, 0, 1_008, &[thought("tool", "aha")], &[]));
    let transcript = told.transcript();
    assert_eq!(texts(&transcript, &transcript.calls[0].output), ["hm"]);
    assert_eq!(texts(&transcript, &transcript.calls[1].input), ["aha"]);

    // Nor does what is the same around it hide it.
    let said = |parts: &[&str]| {
        let mut parts: Vec<_> =
            parts.iter().map(|text| json!({"type": "reasoning", "content": text})).collect();
        parts.push(json!({"type": "text", "content": "So."}));
        json!({"role": "assistant", "parts": parts})
    };
    let first = text("user", "Why?");
    let again = |before: &[&str], back: &[&str]| {
        let told = Told::default()
            .span(chat(1, 0, 100, std::slice::from_ref(&first), &[said(before)]))
            .span(chat(2, 0, 200, &[first.clone(), said(back), text("user", "Why so?")], &[]));
        let transcript = told.transcript();
        texts(&transcript, &transcript.calls[1].input)
    };
    assert_eq!(again(&["hm", "aha"], &["aha"]), ["Why so?"]);
    assert_eq!(again(&["hm"], &["  "]), ["Why so?"]);
    assert_eq!(again(&["hm"], &["oh"]), ["oh|So.", "Why so?"]);
    assert_eq!(again(&[], &["oh"]), ["oh|So.", "Why so?"]);
}

#[test]
fn a_history_that_is_rewritten_says_where_and_why() {
    let (u1, a1, u2) = (text("user", "one"), text("assistant", "two"), text("user", "three"));
    let changed = |second: Vec<Json>| {
        let told = Told::default()
            .span(chat(1, 0, 100, &[u1.clone(), a1.clone(), u2.clone()], &[text("assistant", "four")]))
            .span(chat(2, 0, 200, &second, &[text("assistant", "five")]));
        let call = told.transcript().calls[1].clone();
        (call.carried, call.rewritten.map(|told| (told.at, told.why)))
    };
    assert_eq!(
        changed(vec![u1.clone(), text("assistant", "2"), u2.clone()]),
        (1, Some((1, Why::MessageChanged)))
    );
    assert_eq!(changed(vec![u1.clone(), u2.clone()]), (1, Some((1, Why::MessageRemoved))));
    let compacted = json!({"role": "user", "parts": [{"type": "compaction", "content": "one to three"}]});
    assert_eq!(changed(vec![compacted, u2.clone()]), (0, Some((0, Why::Compaction))));
    assert_eq!(changed(vec![text("user", "something else")]), (0, None));
}

#[test]
fn other_instructions_break_the_cache() {
    let call = |id, start, system: &str, input: &[Json], output: &str| {
        let mut span = chat(id, 0, start, input, &[text("assistant", output)]);
        span.attributes["gen_ai.system_instructions"] =
            json!([{"type": "text", "content": system}]).to_string().into();
        span.attributes["gen_ai.usage.cache_read.input_tokens"] = (if id == 1 { 900 } else { 0 }).into();
        span.attributes["gen_ai.usage.input_tokens"] = 1_000.into();
        span
    };
    let u1 = text("user", "one");
    let told = Told::default().span(call(1, 100, "It is 10:00.", std::slice::from_ref(&u1), "a")).span(call(
        2,
        200,
        "It is 10:01.",
        &[u1, text("assistant", "a"), text("user", "b")],
        "c",
    ));
    let transcript = told.transcript();
    let told = transcript.calls[1].rewritten.expect("a break");
    assert_eq!((told.why, told.cached_before, told.cached_now), (Why::SystemChanged, Some(900), Some(0)));
    assert_eq!(texts(&transcript, &transcript.calls[1].input), ["b"]);
}

#[test]
fn calls_side_by_side_know_nothing_of_each_other() {
    let u = text("user", "both");
    let told = Told::default()
        .span(chat(1, 0, 100, std::slice::from_ref(&u), &[text("assistant", "left")]))
        .span(chat(2, 0, 120, std::slice::from_ref(&u), &[text("assistant", "right")]));
    let transcript = told.transcript();
    assert_eq!(transcript.calls[1].carried, 0);
    assert_eq!(transcript.calls[1].previous, None);
}

#[test]
fn tools_are_joined_by_the_id_of_the_call() {
    let arguments = json!({"n": 7});
    let told = Told::default()
        .span(agent(9, 0, 50, 900, "helper"))
        .span(chat(1, 9, 100, &[text("user", "go")], &[asks("c1", "find", arguments.clone())]))
        .span(tool(2, 9, 160, "c1", "find", &arguments, "Berlin"))
        .span(chat(
            3,
            9,
            200,
            &[text("user", "go"), asks("c1", "find", arguments.clone()), answers("c1", "Berlin")],
            &[text("assistant", "Berlin!")],
        ));
    let transcript = told.transcript();
    let joins = joins(&transcript);
    let asked = join(&joins, "find");
    assert_eq!(asked.span.unwrap().span.to_string(), "0000000000000002");
    assert_eq!((asked.by, asked.kind, asked.repeats), (JoinedBy::CallId, ToolKind::Tool, 0));
    assert_eq!(asked.duration.unwrap().as_nanos(), 20);
    let answer = join(&joins, "Berlin");
    assert_eq!(message(&transcript, answer.asked.unwrap())["parts"][0]["name"], "find");
    assert_eq!(message(&transcript, asked.response.unwrap())["role"], "tool");
    // The tool's span told the same result.
    let sources: Vec<_> = transcript.calls[1].input[0].sources.iter().map(|source| source.carrier).collect();
    assert_eq!(sources, [Carrier::SpanAttribute, Carrier::ToolSpan]);
    assert!(transcript.orphan_tools.is_empty());
    // What the agent says of itself is in no sum.
    assert_eq!(transcript.chains[0].reported.input, Some(70));
    assert!(transcript.calls.iter().all(|call| call.usage.input.is_none()));
}

#[test]
fn a_result_that_only_the_tool_tells_is_shown() {
    let told = Told::default()
        .span(chat(1, 0, 100, &[text("user", "go")], &[asks("c1", "find", json!({}))]))
        .span(tool(2, 0, 160, "c1", "find", &json!({}), "Berlin"));
    let transcript = told.transcript();
    let call = &transcript.calls[0];
    assert_eq!(call.output.len(), 2);
    assert_eq!(call.output[1].sources[0].carrier, Carrier::ToolSpan);
    let joins = joins(&transcript);
    assert_eq!(join(&joins, "find").response, Some(call.output[1].message));
    assert_eq!(join(&joins, "Berlin").asked, Some(call.output[0].message));
}

#[test]
fn a_result_that_differs_is_another_version() {
    let told = Told::default()
        .span(chat(1, 0, 100, &[text("user", "go")], &[asks("c1", "find", json!({}))]))
        .span(tool(2, 0, 160, "c1", "find", &json!({}), "Berlin, 52°N"))
        .span(chat(
            3,
            0,
            200,
            &[text("user", "go"), asks("c1", "find", json!({})), answers("c1", "Berlin")],
            &[],
        ));
    let transcript = told.transcript();
    let seen = &transcript.calls[1].input[0];
    assert_eq!(seen.versions.len(), 1);
    assert_eq!(message(&transcript, seen.versions[0].0)["parts"][0]["response"], "Berlin, 52°N");
}

#[test]
fn tools_without_ids_are_joined_by_name_and_arguments_in_order() {
    let (one, two) = (json!({"n": 1}), json!({"n": 2}));
    let both = json!({"role": "assistant", "parts": [
        {"type": "tool_call", "name": "find", "arguments": one},
        {"type": "tool_call", "name": "find", "arguments": two},
        {"type": "tool_call", "name": "find", "arguments": one}]});
    let told = Told::default()
        .span(chat(1, 0, 100, &[text("user", "go")], &[both]))
        .span(tool(2, 0, 160, "", "find", &two, "second"))
        .span(tool(3, 0, 170, "", "find", &one, "first"))
        .span(tool(4, 0, 180, "", "find", &json!({"n": 5}), "nobody asked"));
    let transcript = told.transcript();
    let (_, said) = transcript.messages.iter().find(|(_, said)| said.message.parts.len() == 3).unwrap();
    let spans: Vec<_> =
        said.joins.iter().map(|(_, join)| join.span.map(|key| key.span.to_string())).collect();
    assert_eq!(spans[0].as_deref(), Some("0000000000000003"));
    assert_eq!(spans[1].as_deref(), Some("0000000000000002"));
    assert_eq!(spans[2], None);
    assert_eq!(said.joins[2].1.repeats, 1);
    assert!(said.joins.iter().take(2).all(|(_, join)| join.by == JoinedBy::NameArguments));
    assert_eq!(transcript.orphan_tools.len(), 1);
}

#[test]
fn agents_that_run_as_tools_have_conversations_of_their_own() {
    let told = Told::default()
        .span(agent(1, 0, 10, 900, "planner"))
        .span(chat(2, 1, 100, &[text("user", "go")], &[asks("c1", "ask_weather", json!({}))]))
        .span(tool(3, 1, 160, "c1", "ask_weather", &json!({}), ""))
        .span(agent(4, 3, 165, 300, "weather"))
        .span(chat(5, 4, 170, &[text("user", "weather?")], &[text("assistant", "sun")]))
        .span(chat(
            6,
            1,
            400,
            &[text("user", "go"), asks("c1", "ask_weather", json!({})), answers("c1", "sun")],
            &[text("assistant", "Sunny.")],
        ));
    let transcript = told.transcript();
    let chains: Vec<_> = transcript
        .chains
        .iter()
        .map(|chain| (chain.agent.as_deref().unwrap(), chain.parent, chain.calls))
        .collect();
    assert_eq!(chains, [("planner", None, 2), ("weather", Some(0), 1)]);
    let asked = transcript.chains[1].asked.clone().unwrap();
    assert_eq!((asked.0, asked.1.as_ref()), (0, "c1"));
    let joins = joins(&transcript);
    let join = join(&joins, "ask_weather");
    assert_eq!((join.kind, join.chain), (ToolKind::Agent, Some(1)));
    assert_eq!(transcript.calls[2].carried, 2);
    let one = told.part(&Options { chain: Some(1), ..Options::default() });
    assert_eq!(one.calls.len(), 1);
    assert_eq!(one.calls[0].chain, 1);
}

#[test]
fn an_agent_that_tells_what_its_calls_tell_is_no_call() {
    let mut outer = agent(1, 0, 10, 900, "helper");
    outer.attributes["gen_ai.input.messages"] = json!([text("user", "go")]).to_string().into();
    outer.attributes["gen_ai.output.messages"] =
        json!([text("assistant", "done"), text("assistant", "and more")]).to_string().into();
    let told = Told::default().span(outer).span(chat(
        2,
        1,
        100,
        &[text("user", "go")],
        &[text("assistant", "done")],
    ));
    let transcript = told.transcript();
    assert_eq!(transcript.calls.len(), 2);
    assert_eq!(texts(&transcript, &transcript.calls[0].output), ["and more"]);
    assert!(transcript.calls[0].input.is_empty());
    assert_eq!(transcript.calls[1].input[0].sources.len(), 2);
    assert_eq!(transcript.calls[1].output[0].sources.len(), 2);
}

#[test]
fn a_wrapper_is_merged_into_the_call_in_it() {
    let mut outer = chat(1, 0, 90, &[text("user", "go")], &[text("assistant", "done")]);
    outer.end = 300;
    let mut inner = chat(2, 1, 100, &[text("user", "go")], &[text("assistant", "done")]);
    for span in [&mut outer, &mut inner] {
        span.attributes["gen_ai.usage.input_tokens"] = 5.into();
        span.attributes["gen_ai.usage.output_tokens"] = 6.into();
    }
    let transcript = Told::default().span(outer).span(inner).transcript();
    assert_eq!(transcript.calls.len(), 1);
    assert_eq!(transcript.calls[0].span.unwrap().span.to_string(), "0000000000000002");
    assert_eq!(transcript.calls[0].input[0].sources.len(), 2);
}

#[test]
fn wrappers_that_began_together_tell_of_the_innermost_call() {
    let transcript = Told::default()
        .span(chat(1, 2, 100, &[], &[]))
        .span(chat(2, 3, 100, &[], &[]))
        .span(chat(3, 4, 100, &[], &[]))
        .span(chat(4, 0, 100, &[], &[text("assistant", "done")]))
        .transcript();
    assert_eq!(transcript.calls.len(), 1);
    assert_eq!(transcript.calls[0].span.unwrap().span.to_string(), "0000000000000001");
    assert_eq!(texts(&transcript, &transcript.calls[0].output), ["done"]);
}

#[test]
fn what_two_ways_tell_differently_stands_beside() {
    let span = chat(
        1,
        0,
        100,
        &[text("user", "go"), text("assistant", "so"), text("user", "short")],
        &[text("assistant", "done")],
    );
    let log = LogOf {
        event: "gen_ai.client.inference.operation.details",
        attributes: json!({
            "gen_ai.input.messages": [text("user", "go"), text("assistant", "so"), text("user", "longer"), text("user", "extra")],
            "gen_ai.output.messages": [text("assistant", " done\n")]}),
        ..LogOf::default()
    };
    let transcript = Told::default().span(span).log(log).transcript();
    let call = &transcript.calls[0];
    assert_eq!(texts(&transcript, &call.input), ["go", "so", "longer", "extra"]);
    assert_eq!(call.input[0].sources.len(), 2);
    assert_eq!(message(&transcript, call.input[2].versions[0].0)["parts"][0]["content"], "short");
    assert_eq!(call.input[3].only_in, Some(OnlyIn::Log));
    assert_eq!(call.input[2].only_in, None);
    assert_eq!(texts(&transcript, &call.output), ["done"]);
    assert!(call.output[0].sources[1].loose);
}

#[test]
fn evaluations_find_their_call() {
    let mut span = chat(1, 0, 100, &[text("user", "go")], &[text("assistant", "done")]);
    span.attributes["gen_ai.response.id"] = "r1".into();
    let by_response = LogOf {
        event: "gen_ai.evaluation.result",
        span: 0,
        time: 5_000_000,
        attributes: json!({"gen_ai.evaluation.name": "Relevance", "gen_ai.evaluation.score.value": 0.9, "gen_ai.response.id": "r1"}),
        ..LogOf::default()
    };
    let by_span = LogOf {
        event: "gen_ai.evaluation.result",
        attributes: json!({"gen_ai.evaluation.name": "Toxicity", "gen_ai.evaluation.score.label": "none"}),
        ..LogOf::default()
    };
    let transcript = Told::default().span(span).log(by_response).log(by_span).transcript();
    let names: Vec<_> = transcript.calls[0].evaluations.iter().map(|one| one.name.as_ref()).collect();
    assert_eq!(names, ["Toxicity", "Relevance"]);
    assert_eq!(transcript.calls[0].evaluations[1].score, Some(0.9));
}

#[test]
fn log_records_find_their_call_without_its_span() {
    let mut span = chat(1, 0, 1_000, &[], &[]);
    span.end = 2_000;
    span.attributes =
        json!({"gen_ai.operation.name": "chat", "gen_ai.response.id": "r1", "gen_ai.conversation.id": "k"});
    let details = |attributes: Json| LogOf {
        event: "gen_ai.client.inference.operation.details",
        span: 0,
        attributes,
        ..LogOf::default()
    };
    let output = json!([text("assistant", "done")]);
    let cases = [
        (json!({"gen_ai.response.id": "r1", "gen_ai.output.messages": output}), true),
        (json!({"gen_ai.conversation.id": "k", "gen_ai.output.messages": output}), true),
        (json!({"gen_ai.output.messages": output}), false),
    ];
    for (attributes, is_found) in cases {
        let mut told = Told::default();
        let origin = crate::evidence::origin("test", "");
        told.add_span(
            SpanOf { attributes: span.attributes.clone(), start: 1_000, end: 2_000, ..SpanOf::default() },
            &origin,
            1,
        );
        told.add_log(details(attributes), &origin, 0);
        let transcript = told.transcript();
        assert_eq!(transcript.calls.len(), if is_found { 1 } else { 2 });
        let here = transcript.calls.iter().filter(|call| call.content == ContentState::Here).count();
        assert_eq!(here, 1);
    }
}

#[test]
fn a_page_goes_on_where_the_last_ended() {
    let mut told = Told::default();
    let mut history = Vec::new();
    for at in 0..10u64 {
        history.push(text("user", &format!("question {at}")));
        let answer = text("assistant", &format!("answer {at}"));
        told = told.span(chat(at + 1, 0, 100 + at * 100, &history, std::slice::from_ref(&answer)));
        history.push(answer);
    }
    let whole = told.transcript();
    let mut ordinals = Vec::new();
    let mut options = Options { limit: 3, ..Options::default() };
    loop {
        let page = told.part(&options);
        assert!(page.messages.len() <= 6);
        ordinals.extend(page.calls.iter().map(|call| call.ordinal));
        match page.next {
            Some(next) => options.after = next,
            None => break,
        }
    }
    assert_eq!(ordinals, (0..10).collect::<Vec<_>>());
    assert_eq!(whole.messages.len(), 20);
}

/// A framework around a call that was streamed without its tokens: one call, with the tokens that the framework tells. What
/// failed inside a call is another one.
#[test]
fn tokens_are_those_of_the_framework_where_the_call_tells_none() {
    let outer = |end: u64| {
        let mut outer = chat(1, 0, 100, &[text("user", "go")], &[text("assistant", "gone")]);
        outer.end = end;
        outer.attributes["gen_ai.usage.input_tokens"] = json!(10);
        outer.attributes["gen_ai.usage.output_tokens"] = json!(5);
        outer
    };
    let inner = || chat(2, 1, 110, &[text("user", "go")], &[text("assistant", "gone")]);
    let transcript = Told::default().span(outer(200)).span(inner()).transcript();
    assert_eq!(transcript.calls.len(), 1);
    let usage = transcript.calls[0].usage;
    assert_eq!((usage.input, usage.output), (Some(10), Some(5)));

    let mut failed = chat(2, 1, 110, &[text("user", "is that allowed?")], &[]);
    failed.attributes["error.type"] = json!("timeout");
    let transcript = Told::default().span(outer(200)).span(failed).transcript();
    let told: Vec<_> = transcript.calls.iter().map(|call| (call.usage.input, call.error.is_some())).collect();
    assert_eq!(told, [(Some(10), false), (None, true)]);
}
