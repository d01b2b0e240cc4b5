//! Good telemetry has no findings, and each mistake has the one that is its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod support;

use std::collections::BTreeSet;

use otel_genai_conformance::{
    Checker, Convention, Event, Id, Instrument, Metric, Point, Scope, Span, SpanEvent, SpanKind, Status,
    Telemetry, Value, check,
};
use support::{attributes, chat, details, duration, map, remove, set, span, text, texts};

const CONVENTIONS: [Convention; 2] = [Convention::V2026_08, Convention::V2026_10];

fn good() -> Telemetry {
    Telemetry {
        resources: vec![attributes(&[
            ("service.name", text("s")),
            ("service.instance.id", text("i")),
            ("telemetry.sdk.language", text("rust")),
            ("telemetry.sdk.name", text("opentelemetry")),
            ("telemetry.sdk.version", text("1")),
        ])],
        scopes: vec![Scope { name: "lib".to_owned(), attributes: Vec::new() }],
        spans: vec![chat()],
        events: vec![details()],
        metrics: vec![duration()],
    }
}

fn ids(telemetry: &Telemetry, convention: Convention) -> Vec<&'static str> {
    check(telemetry, convention).iter().map(|finding| finding.id.as_str()).collect()
}

fn of_span(span: Span) -> Telemetry {
    Telemetry { spans: vec![span], ..Telemetry::default() }
}

/// The attributes that findings of one id are about.
fn about(telemetry: &Telemetry, convention: Convention, id: Id) -> Vec<String> {
    let findings = check(telemetry, convention);
    assert!(findings.iter().all(|finding| finding.id == id), "{findings:?}");
    findings.into_iter().filter_map(|finding| finding.attribute).collect()
}

#[test]
fn good_telemetry_has_no_findings() {
    for convention in CONVENTIONS {
        assert_eq!(check(&good(), convention), []);
    }
}

type Mistake = (&'static str, fn(&mut Telemetry));

/// Every rule at least once, but for `deprecated`, which no attribute of these conventions is.
const MISTAKES: &[Mistake] = &[
    ("missing_attribute", |t| set(&mut t.spans[0].attributes, "http.method", text("POST"))),
    ("missing_attribute", |t| set(&mut t.spans[0].attributes, "gen_ai.system", text("openai"))),
    ("missing_attribute", |t| set(&mut t.spans[0].attributes, "gen_ai.prompt.variable", text("x"))),
    ("missing_attribute", |t| set(&mut t.spans[0].attributes, "service.name", text("s"))),
    ("missing_attribute", |t| {
        set(&mut t.spans[0].attributes, "azure.resource_provider.namespace", text("s"));
    }),
    ("missing_attribute", |t| set(&mut t.resources[0], "host.name", text("h"))),
    ("missing_attribute", |t| set(&mut t.resources[0], "cloud.region", text("r"))),
    ("missing_attribute", |t| set(&mut t.scopes[0].attributes, "short_name", text("s"))),
    ("missing_attribute", |t| set(&mut t.events[0].attributes, "event.name", text("s"))),
    ("missing_attribute", |t| set(&mut t.metrics[0].points[0].attributes, "user.id", text("s"))),
    ("missing_attribute", |t| t.metrics[0].points[0].exemplars.push(attributes(&[("user.id", text("s"))]))),
    ("missing_attribute", |t| t.spans[0].links.push(attributes(&[("link.kind", text("s"))]))),
    ("missing_attribute", |t| {
        let attributes = attributes(&[("exception.escaped", Value::Bool(false))]);
        t.spans[0].events.push(SpanEvent { name: "exception".to_owned(), attributes });
    }),
    ("missing_event", |t| t.events[0].name = "gen_ai.user.message".to_owned()),
    ("missing_metric", |t| t.metrics[0].name = "gen_ai.client.duration".to_owned()),
    ("type_mismatch", |t| set(&mut t.spans[0].attributes, "gen_ai.request.top_k", Value::Double(10.0))),
    ("type_mismatch", |t| set(&mut t.spans[0].attributes, "server.port", text("443"))),
    ("type_mismatch", |t| set(&mut t.spans[0].attributes, "gen_ai.request.stop_sequences", text("END"))),
    ("type_mismatch", |t| {
        let mixed = Value::Array(vec![text("a"), Value::Int(1)]);
        set(&mut t.spans[0].attributes, "gen_ai.request.stop_sequences", mixed);
    }),
    ("type_mismatch", |t| set(&mut t.spans[0].attributes, "gen_ai.response.id", Value::Empty)),
    ("type_mismatch", |t| set(&mut t.spans[0].attributes, "gen_ai.request.stream", text("true"))),
    ("type_mismatch", |t| set(&mut t.spans[0].attributes, "gen_ai.provider.name", Value::Bool(true))),
    ("type_mismatch", |t| set(&mut t.spans[0].attributes, "gen_ai.prompt.variable.city", Value::Int(1))),
    ("unit_mismatch", |t| t.metrics[0].unit = "ms".to_owned()),
    ("unexpected_instrument", |t| t.metrics[0].instrument = Instrument::Gauge),
    ("required_attribute_not_present", |t| {
        remove(&mut t.metrics[0].points[0].attributes, "gen_ai.operation.name");
    }),
    ("required_attribute_not_present", |t| remove(&mut t.events[0].attributes, "gen_ai.provider.name")),
    ("required_attribute_not_present", |t| remove(&mut t.spans[0].attributes, "gen_ai.operation.name")),
    ("genai_span_name_format", |t| t.spans[0].name = "chat".to_owned()),
    ("genai_span_name_format", |t| t.spans[0].name = "chat m now".to_owned()),
    ("genai_span_name_format", |t| remove(&mut t.spans[0].attributes, "gen_ai.request.model")),
    ("genai_expected_attribute_missing", |t| remove(&mut t.spans[0].attributes, "gen_ai.response.id")),
    ("genai_expected_attribute_missing", |t| remove(&mut t.spans[0].attributes, "gen_ai.provider.name")),
    ("genai_expected_attribute_missing", |t| remove(&mut t.spans[0].attributes, "server.address")),
    ("genai_span_kind_unexpected", |t| t.spans[0].kind = SpanKind::Internal),
    ("genai_span_kind_unexpected", |t| t.spans[0].kind = SpanKind::Unspecified),
    ("genai_operation_name_unknown", |t| {
        set(&mut t.spans[0].attributes, "gen_ai.operation.name", text("talk"));
    }),
    ("genai_content_schema", |t| set(&mut t.spans[0].attributes, "gen_ai.input.messages", text("Hello."))),
    ("genai_content_schema", |t| {
        set(&mut t.spans[0].attributes, "gen_ai.input.messages", text(r#"[{"role": "user", "parts": [{"#));
    }),
    ("span_status_ok_set_by_instrumentation", |t| t.spans[0].status = Status::Ok),
    ("error_type_missing_on_error", |t| t.spans[0].status = Status::Error),
    ("error_type_without_error_status", |t| set(&mut t.spans[0].attributes, "error.type", text("500"))),
    ("attribute_given_twice", |t| t.spans[0].attributes.push(("gen_ai.response.id".to_owned(), text("r")))),
    ("attribute_given_twice", |t| t.resources[0].push(("service.name".to_owned(), text("s")))),
    ("attribute_given_twice", |t| {
        let part = map(&[("type", text("text")), ("content", text("a")), ("content", text("b"))]);
        let message = map(&[("role", text("user")), ("parts", Value::Array(vec![part]))]);
        set(&mut t.events[0].attributes, "gen_ai.input.messages", Value::Array(vec![message]));
    }),
    ("span_name_empty", |t| t.spans[0].name = String::new()),
    ("span_end_before_start", |t| t.spans[0].end = 0),
    ("negative_duration", |t| t.metrics[0].points[0].lowest = Some(-0.1)),
    ("negative_duration", |t| {
        set(&mut t.spans[0].attributes, "gen_ai.response.time_to_first_chunk", Value::Double(-0.1));
    }),
    ("event_content_not_structured", |t| {
        let json = r#"[{"role": "user", "parts": []}]"#;
        set(&mut t.events[0].attributes, "gen_ai.input.messages", text(json));
    }),
];

#[test]
fn each_mistake_has_its_own_finding_and_no_other() {
    for convention in CONVENTIONS {
        for (number, (id, spoil)) in MISTAKES.iter().enumerate() {
            let mut telemetry = good();
            spoil(&mut telemetry);
            assert_eq!(ids(&telemetry, convention), [*id], "mistake {number} in {}", convention.as_str());
        }
    }
}

#[test]
fn every_rule_is_in_the_table() {
    let tried: BTreeSet<_> = MISTAKES.iter().map(|(id, _)| *id).chain(["deprecated"]).collect();
    let all: BTreeSet<_> = Id::ALL.iter().map(|id| id.as_str()).collect();
    assert_eq!(tried, all);
}

#[test]
fn what_conventions_permit_is_no_finding() {
    let permitted: &[fn(&mut Telemetry)] = &[
        // An int where a double is declared.
        |t| set(&mut t.spans[0].attributes, "gen_ai.request.temperature", Value::Int(1)),
        // Values beyond an open list, but for operations.
        |t| set(&mut t.spans[0].attributes, "gen_ai.provider.name", text("acme")),
        |t| set(&mut t.spans[0].attributes, "gen_ai.prompt.variable.city", text("Rome")),
        |t| set(&mut t.spans[0].attributes, "cloud.region", text("r")),
        |t| t.events[0].name = String::new(),
        // A failure, told.
        |t| {
            t.spans[0].status = Status::Error;
            set(&mut t.spans[0].attributes, "error.type", text("500"));
        },
        // Nobody judges what tools answer.
        |t| set(&mut t.spans[0].attributes, "gen_ai.tool.call.result", text("sunny")),
        |t| t.metrics[0].points.clear(),
    ];
    for convention in CONVENTIONS {
        for (number, change) in permitted.iter().enumerate() {
            let mut telemetry = good();
            change(&mut telemetry);
            assert_eq!(check(&telemetry, convention), [], "{number}");
        }
    }
}

/// name, kind, attributes without the operation, and what is expected on it beyond that.
type Operation = (&'static str, SpanKind, &'static [&'static str]);

const OPERATIONS: &[Operation] = &[
    (
        "generate_content",
        SpanKind::Client,
        &[
            "gen_ai.provider.name",
            "gen_ai.response.finish_reasons",
            "gen_ai.response.id",
            "gen_ai.response.model",
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.output_tokens",
            "server.address",
        ],
    ),
    (
        "embeddings",
        SpanKind::Client,
        &[
            "gen_ai.embeddings.dimension.count",
            "gen_ai.provider.name",
            "gen_ai.request.encoding_formats",
            "gen_ai.response.model",
            "gen_ai.usage.input_tokens",
            "server.address",
        ],
    ),
    (
        "invoke_agent",
        SpanKind::Internal,
        &["gen_ai.response.finish_reasons", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"],
    ),
    (
        "invoke_agent",
        SpanKind::Client,
        &[
            "gen_ai.provider.name",
            "gen_ai.response.finish_reasons",
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.output_tokens",
            "server.address",
        ],
    ),
    ("execute_tool", SpanKind::Internal, &["gen_ai.tool.name"]),
    ("create_agent", SpanKind::Client, &["gen_ai.provider.name", "server.address"]),
    ("retrieval", SpanKind::Client, &["gen_ai.retrieval.top_k", "server.address"]),
    (
        "fetch_response",
        SpanKind::Client,
        &[
            "gen_ai.provider.name",
            "gen_ai.response.finish_reasons",
            "gen_ai.response.id",
            "gen_ai.response.model",
            "gen_ai.response.status",
            "server.address",
        ],
    ),
    ("invoke_workflow", SpanKind::Internal, &[]),
    ("plan", SpanKind::Internal, &[]),
    ("search_memory", SpanKind::Client, &[]),
    ("delete_memory_store", SpanKind::Internal, &[]),
];

#[test]
fn every_operation_has_its_expected_attributes() {
    for convention in CONVENTIONS {
        for (operation, kind, expected) in OPERATIONS {
            let telemetry = of_span(span(operation, *kind, operation, &[]));
            let found = about(&telemetry, convention, Id::ExpectedAttributeMissing);
            assert_eq!(found, *expected, "{operation} {kind:?}");
        }
    }
}

#[test]
fn a_span_of_an_unexpected_kind_still_needs_what_is_required() {
    let telemetry = of_span(span("execute_tool", SpanKind::Client, "execute_tool", &[]));
    let expected = ["required_attribute_not_present", "genai_span_kind_unexpected"];
    assert_eq!(ids(&telemetry, Convention::V2026_08), expected);
}

#[test]
fn names_show_what_the_operation_works_on() {
    for (operation, kind, keyed) in [
        ("plan", SpanKind::Internal, "gen_ai.agent.name"),
        ("invoke_workflow", SpanKind::Internal, "gen_ai.workflow.name"),
    ] {
        let named = |name: &str| of_span(span(name, kind, operation, &[(keyed, text("x"))]));
        assert_eq!(check(&named(&format!("{operation} x")), Convention::V2026_08), []);
        assert_eq!(ids(&named(operation), Convention::V2026_08), ["genai_span_name_format"]);
    }
    let memory = |name| {
        of_span(span(name, SpanKind::Client, "search_memory", &[("gen_ai.memory.store.id", text("x"))]))
    };
    assert_eq!(check(&memory("search_memory"), Convention::V2026_08), []);
    assert_eq!(ids(&memory("search_memory x"), Convention::V2026_08), ["genai_span_name_format"]);
}

#[test]
fn names_of_skills_are_of_the_later_convention() {
    let attributes = [
        ("gen_ai.tool.name", text("bash")),
        ("gen_ai.skill.name", text("pdf")),
        ("gen_ai.skill.resource.name", text("fill.py")),
    ];
    for name in ["execute_tool bash pdf fill.py", "execute_tool bash fill.py", "execute_tool bash"] {
        let telemetry = of_span(span(name, SpanKind::Internal, "execute_tool", &attributes));
        assert_eq!(check(&telemetry, Convention::V2026_10), [], "{name}");
    }
    let telemetry =
        of_span(span("execute_tool bash pdf", SpanKind::Internal, "execute_tool", &attributes[..2]));
    let expected = ["missing_attribute", "genai_span_name_format"];
    assert_eq!(ids(&telemetry, Convention::V2026_08), expected);
}

#[test]
fn a_model_inside_the_process_names_no_server() {
    let mut span = chat();
    span.kind = SpanKind::Internal;
    remove(&mut span.attributes, "server.address");
    let found = about(&of_span(span), Convention::V2026_08, Id::ExpectedAttributeMissing);
    assert_eq!(found, ["server.address"]);
}

#[test]
fn mcp_spans_are_named_by_their_method() {
    let mcp = |name: &str, kind| {
        let attributes =
            attributes(&[("mcp.method.name", text("prompts/get")), ("gen_ai.prompt.name", text("x"))]);
        of_span(Span { name: name.to_owned(), kind, start: 1, end: 2, attributes, ..Span::default() })
    };
    assert_eq!(check(&mcp("prompts/get x", SpanKind::Server), Convention::V2026_08), []);
    assert_eq!(ids(&mcp("prompts/get", SpanKind::Client), Convention::V2026_08), ["genai_span_name_format"]);
    let inside = mcp("prompts/get x", SpanKind::Internal);
    assert_eq!(ids(&inside, Convention::V2026_08), ["genai_span_kind_unexpected"]);

    // The conventions' judge knows tool calls by the operation alone, and so does this one.
    let attributes = [("mcp.method.name", text("tools/call")), ("gen_ai.tool.name", text("x"))];
    let call = |name, kind| of_span(span(name, kind, "execute_tool", &attributes));
    assert_eq!(check(&call("execute_tool x", SpanKind::Internal), Convention::V2026_08), []);
    assert_eq!(
        ids(&call("tools/call x", SpanKind::Client), Convention::V2026_08),
        ["genai_span_name_format"]
    );
}

#[test]
fn a_failed_call_is_excused_from_its_answer_and_from_nothing_else() {
    let failed = |operation: &str| {
        let mut span = span(operation, SpanKind::Client, operation, &[("error.type", text("500"))]);
        span.status = Status::Error;
        of_span(span)
    };
    let lenient = Checker::new(Convention::V2026_08).excuse_unanswered(true);
    let missing = |telemetry: &Telemetry| -> Vec<String> {
        lenient.check(telemetry).into_iter().filter_map(|finding| finding.attribute).collect()
    };
    assert_eq!(missing(&failed("chat")), ["gen_ai.provider.name", "server.address"]);
    let of_embeddings = ["gen_ai.provider.name", "gen_ai.request.encoding_formats", "server.address"];
    assert_eq!(missing(&failed("embeddings")), of_embeddings);
    let of_fetching = ["gen_ai.provider.name", "gen_ai.response.id", "server.address"];
    assert_eq!(missing(&failed("fetch_response")), of_fetching);
    // Without a word on the error there is no excuse, and without the option neither.
    let mut untold = failed("chat");
    untold.spans[0].status = Status::Unset;
    assert_eq!(missing(&untold).len(), 1 + 7);
    assert_eq!(check(&failed("chat"), Convention::V2026_08).len(), 7);

    let mut stream = chat();
    set(&mut stream.attributes, "gen_ai.request.stream", Value::Bool(true));
    for name in ["gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "gen_ai.response.id"] {
        remove(&mut stream.attributes, name);
    }
    assert_eq!(missing(&of_span(stream)), ["gen_ai.response.id"]);
}

#[test]
fn names_can_be_allowed() {
    let telemetry = Telemetry {
        spans: vec![span(
            "rerank_documents m",
            SpanKind::Client,
            "rerank_documents",
            &[("gen_ai.rerank.documents.count", Value::Int(3)), ("gen_ai.rerank.device", text("cpu"))],
        )],
        events: vec![Event { name: "acme.done".to_owned(), ..Event::default() }],
        metrics: vec![Metric { name: "acme.cost".to_owned(), ..Metric::default() }],
        ..Telemetry::default()
    };
    let strict = Checker::new(Convention::V2026_08);
    assert_eq!(strict.check(&telemetry).len(), 5);
    let allowing = strict.allow("rerank_documents").allow("gen_ai.rerank.*").allow("acme.done");
    let left = allowing.check(&telemetry);
    assert_eq!(left.iter().map(|finding| finding.id).collect::<Vec<_>>(), [Id::MissingMetric]);
    assert_eq!(allowing.allow("acme.cost").check(&telemetry), []);
}

#[test]
fn the_conventions_differ() {
    let with = |name: &str, value: Value| {
        let mut span = chat();
        set(&mut span.attributes, name, value);
        of_span(span)
    };
    let old = with("gen_ai.usage.cache_creation.input_tokens", Value::Int(1));
    let new = with("gen_ai.usage.cache_write.input_tokens", Value::Int(1));
    for (telemetry, in_08, in_10) in
        [(&old, &[][..], &["missing_attribute"][..]), (&new, &["missing_attribute"], &[])]
    {
        assert_eq!(ids(telemetry, Convention::V2026_08), in_08);
        assert_eq!(ids(telemetry, Convention::V2026_10), in_10);
    }

    let output = with("gen_ai.output.messages", text(r#"[{"role": "assistant", "parts": []}]"#));
    assert_eq!(ids(&output, Convention::V2026_08), ["genai_content_schema"]);
    assert_eq!(check(&output, Convention::V2026_10), []);

    let tokens = |name: &str, instrument, key: &str| {
        let mut attributes = duration().points.remove(0).attributes;
        attributes.push((key.to_owned(), text("input")));
        let points = vec![Point { attributes, lowest: Some(1.0), exemplars: Vec::new() }];
        let metric = Metric { name: name.to_owned(), unit: "{token}".to_owned(), instrument, points };
        Telemetry { metrics: vec![metric], ..Telemetry::default() }
    };
    let old = tokens("gen_ai.client.token.usage", Instrument::Histogram, "gen_ai.token.type");
    assert_eq!(check(&old, Convention::V2026_08), []);
    assert_eq!(ids(&old, Convention::V2026_10), ["missing_attribute", "missing_metric"]);
    let new =
        tokens("gen_ai.client.inference.usage.input_tokens", Instrument::Counter, "gen_ai.token.modality");
    assert_eq!(check(&new, Convention::V2026_10), []);
    assert_eq!(ids(&new, Convention::V2026_08), ["missing_attribute", "missing_metric"]);

    let entity = |names: &[&str]| {
        let attributes = names.iter().map(|name| ((*name).to_owned(), text("x"))).collect();
        Telemetry { resources: vec![attributes], ..Telemetry::default() }
    };
    assert_eq!(check(&entity(&["gen_ai.main_agent.id", "gen_ai.main_agent.name"]), Convention::V2026_10), []);
    let nameless = entity(&["gen_ai.main_agent.name"]);
    assert_eq!(ids(&nameless, Convention::V2026_10), ["required_attribute_not_present"]);
    assert_eq!(ids(&nameless, Convention::V2026_08), ["missing_attribute"]);
}

#[test]
fn a_finding_is_one_line_for_people() {
    let mut span = chat();
    span.name = "chat\nm".to_owned();
    set(&mut span.attributes, "gen_ai.system", texts(&["x"]));
    let lines: Vec<_> = check(&of_span(span), Convention::V2026_08).iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            r#"missing_attribute: span "chat\nm": gen_ai.system: the convention 2026-08 does not know it (it is a name of v1.30)"#,
            r#"genai_span_name_format: span "chat\nm": must be "chat m""#,
        ]
    );
}
