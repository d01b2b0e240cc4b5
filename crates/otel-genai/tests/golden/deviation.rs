//! Every way in which our telemetry is meant to differ from the references'.
//!
//! "The registry" is the convention `2026-08`; upstream's utilities speak a slightly later one. "A bug" is a result that
//! the case itself says not to copy.

use otel_genai::config;
use serde_json::{Value, json};

use crate::compare::{Place, same, structure};
use crate::seen::Seen;
use crate::value;

pub(crate) struct Deviation {
    pub(crate) name: &'static str,
    pub(crate) why: &'static str,
    /// Whether the difference is one of this kind.
    is: fn(&Seen<'_>) -> bool,
}

impl Deviation {
    /// Whether it is about what telemetry is labelled with for people, not about what it says.
    pub(crate) fn is_label(&self) -> bool {
        ["scope", "description of a metric"].contains(&self.name)
    }
}

pub(crate) fn find(seen: &Seen<'_>) -> Option<&'static Deviation> {
    DEVIATIONS.iter().find(|deviation| (deviation.is)(seen))
}

pub(crate) const DEVIATIONS: &[Deviation] = &[
    // Both references.
    Deviation {
        name: "scope",
        why: "the instrumentation scope is ours, in one version and with one schema for all signals",
        is: |it| it.key().starts_with(".scope."),
    },
    Deviation {
        name: "empty values",
        why: "an empty text or list says nothing and is left out; in upstream's cases they are marked as a bug",
        is: |it| [json!(""), json!([])].contains(it.expected()) && it.is_missing() && it.is_attribute(),
    },
    Deviation {
        name: "exception event",
        why: "the registry defines gen_ai.client.operation.exception; the references do not emit it",
        is: |it| it.is_new() && *it.place() == Place::Event("gen_ai.client.operation.exception".to_owned()),
    },
    Deviation {
        name: "left open",
        why: "a bug: the reference never ends the span when the application is cancelled, starts an operation twice \
              or hands over an object that has no JSON; here every operation ends and tells what it knows",
        is: |it| match it.place() {
            Place::Span(_) => {
                it.difference.whole["ended"] == false
                    && !matches!(it.key(), ".kind" | ".parent" | ".trace" | ".events" | ".links")
            }
            Place::Event(_) | Place::Metric(_) => it.leaves_a_span_open() && it.is_new(),
            Place::Probe(_) | Place::Case => it.leaves_a_span_open() && it.is_about_what_is_current(),
            Place::Hook => false,
        },
    },
    Deviation {
        name: "raised while writing",
        why: "a bug: what LoongSuite cannot write raises an error in the application, and nothing is told",
        is: |it| it.is_bug(&["raises into the user's code", "escapes to the user"]) && it.is_new(),
    },
    Deviation {
        name: "left current",
        why: "a bug: after ends in the wrong order, or on another thread, the reference leaves an ended span current",
        is: |it| it.is_bug(&["current"]) && it.is_about_what_is_current(),
    },
    Deviation {
        name: "ended once",
        why: "a bug: some of LoongSuite's operations tell of each further stop or fail; an ended operation is gone \
              here, so that the program cannot even be written",
        is: |it| {
            let ends_twice = it.case.ends_twice(it.reference);
            ends_twice && matches!(it.place(), Place::Event(_)) && it.key() == ".is" && it.is_missing()
        },
    },
    Deviation {
        name: "started once",
        why: "an operation that is started again is a new one here, and the first has ended before",
        is: |it| {
            it.case.does(it.reference, |step| step["op"] == "restart") && it.key_is(&[".parent", ".trace"])
        },
    },
    Deviation {
        name: "dropped",
        why: "whoever drops an operation, as cancellation does, ends it as `cancelled`, with all that is known of it; \
              upstream tells Python's exception, and LoongSuite's abandon_llm leaves a bare span",
        is: |it| {
            let abandons = it.case.does(it.reference, |step| step["op"] == "abandon");
            let cancels = it.case.does(it.reference, |step| {
                matches!(
                    step["error"]["type"].as_str(),
                    Some("KeyboardInterrupt" | "CancelledError" | "GeneratorExit" | "SystemExit")
                )
            });
            if abandons {
                return it.is_new() || it.key() == ".status";
            }
            let description = "the call was dropped before it ended";
            cancels
                && (it.key() == "error.type" && *it.actual() == "cancelled"
                    || it.key() == ".status" && it.actual()["description"] == description)
        },
    },
    Deviation {
        name: "what samplers saw",
        why: "OpenTelemetry's API in Rust can only add attributes: what a span was given at its start stays there, \
              and custom attributes of those names win in events alone; LoongSuite gives nothing at the start, and \
              upstream does likewise with calls of models only",
        is: |it| {
            let is_there = it.is_attribute() && !it.is_missing() && matches!(it.place(), Place::Span(_));
            is_there && it.is_custom(it.expected())
        },
    },
    Deviation {
        name: "inexpressible attributes",
        why: "attributes in Rust's API are scalars or lists of one kind; there is no null, map, mixed list or bytes",
        is: |it| {
            let given: Vec<_> = it.case.given(it.reference, "attributes").collect();
            let value = given.iter().find_map(|attributes| attributes.get(it.key()));
            it.is_missing() && value.is_some_and(|value| value::attribute(value).is_none())
        },
    },
    Deviation {
        name: "bytes as base64",
        why: "a bug in events: spans have base64 there. As a tool's argument they are a text here, not JSON of one",
        is: |it| {
            let plain = value::plain(it.expected());
            let quoted = format!("\"{}\"", it.actual().as_str().unwrap_or_default());
            it.case.has_tag(it.reference, "$bytes_b64")
                && (plain != *it.expected() && same(&plain, it.actual()) || *it.expected() == quoted)
        },
    },
    Deviation {
        name: "numbers beyond 64 bits",
        why: "serde_json keeps them as floating-point numbers",
        is: |it| {
            let number = |value: &Value| value.as_str().and_then(|text| text.parse::<f64>().ok());
            number(it.expected()).is_some_and(|number| number.abs() >= 2_f64.powi(63))
                && number(it.expected()) == number(it.actual())
        },
    },
    Deviation {
        name: "the same call",
        why: "an operation within one of its kind is the same call seen by a deeper layer: it is told once, by the \
              outer one. LoongSuite tells it twice; upstream takes for it what a tool or an agent in between does too",
        is: |it| {
            let is_there = it.is_new() || it.is_missing() || it.is_about_what_is_current();
            let is_counted = it.key_is(&[".count", ".sum", ".min", ".max", ".bucket_counts"]);
            match it.is_loongsuite() {
                true => it.case.overlaps(it.reference) && !it.is_attribute() && (is_there || is_counted),
                false => it.case.overlaps_from_afar(it.reference) && (is_there || is_counted),
            }
        },
    },
    Deviation {
        name: "agent's name",
        why: "the registry wants gen_ai.agent.name on tools when applicable: within an agent it is",
        is: |it| {
            let of_agent = it.case.given(it.reference, "agent_name").any(|name| name == it.actual());
            it.key() == "gen_ai.agent.name" && it.is_new() && of_agent
        },
    },
    Deviation {
        name: "port without an address",
        why: "the registry has server.port only with server.address, and an empty address is none",
        is: |it| {
            let is_empty = it.case.given(it.reference, "server_address").any(|address| address == "");
            it.is_upstream() && it.key() == "server.port" && it.is_missing() && is_empty
        },
    },
    // LoongSuite.
    Deviation {
        name: "unnamed agent",
        why: "a bug: what happens within an agent without a name gets the name of the agent around that one",
        is: |it| it.is_loongsuite() && it.key() == "gen_ai.agent.name" && it.is_missing(),
    },
    Deviation {
        name: "metrics of all operations",
        why: "LoongSuite measures models' calls alone and leaves the others as a TODO",
        is: |it| {
            let Place::Metric(_) = it.place() else { return false };
            let points = match it.difference.whole["points"].as_array() {
                Some(points) => points.iter().collect(),
                None => vec![&it.difference.whole],
            };
            let is_inference = |point: &&Value| {
                let operation = &point["attributes"]["gen_ai.operation.name"];
                ["chat", "generate_content", "text_completion"]
                    .contains(&operation.as_str().unwrap_or_default())
            };
            it.is_loongsuite() && it.is_new() && it.key() == ".is" && !points.iter().any(is_inference)
        },
    },
    Deviation {
        name: "operation in metrics",
        why: "a bug: LoongSuite's metrics call every operation `chat`",
        is: |it| {
            let of_operation = it.case.given(it.reference, "operation_name").any(|name| name == it.actual());
            it.is_bug(&["gen_ai.operation.name=chat"]) && it.key() == "gen_ai.operation.name" && of_operation
        },
    },
    Deviation {
        name: "span without a model",
        why: "a bug: Python's None becomes a part of the span's name",
        is: |it| it.key() == ".name" && it.text(it.expected()).strip_suffix(" None") == it.actual().as_str(),
    },
    Deviation {
        name: "scoring prompt",
        why: "a bug: LoongSuite tells the scoring prompt, which is content, where no content is recorded",
        is: |it| {
            let on_span = matches!(it.capture().as_str(), "SPAN_ONLY" | "SPAN_AND_EVENT");
            let recorded = on_span && it.opts_in();
            it.key() == "gen_ai.rerank.scoring_prompt" && it.is_missing() && !recorded
        },
    },
    Deviation {
        name: "session and user",
        why: "what an entry says of session and user reaches the spans within it; LoongSuite's reach baggage only",
        is: |it| {
            let field = match it.key() {
                "gen_ai.session.id" => "session_id",
                "gen_ai.user.id" => "user_id",
                _ => return false,
            };
            it.is_loongsuite()
                && it.is_new()
                && it.case.given(it.reference, field).any(|given| given == it.actual())
        },
    },
    Deviation {
        name: "capture mode",
        why: "blanks around the value are ignored, as upstream does, and `true` is understood, as the older \
              instrumentations do; the references take what they do not know for NO_CONTENT",
        is: |it| {
            let value = it.case.variable(config::CAPTURE_MESSAGE_CONTENT).unwrap_or_default();
            let is_true = value.trim().eq_ignore_ascii_case("true");
            let is_read_otherwise = is_true || it.is_loongsuite() && value.trim() != value;
            let is_event = matches!(it.place(), Place::Event(_)) && it.key() == ".is";
            is_read_otherwise && it.is_new() && (it.is_content() || is_event)
        },
    },
    Deviation {
        name: "custom attributes of a skill",
        why: "custom attributes win, always; in LoongSuite the fields of a skill are an exception",
        is: |it| it.is_loongsuite() && it.key().starts_with("gen_ai.skill.") && it.is_custom(it.actual()),
    },
    Deviation {
        name: "a text as documents",
        why: "documents are a list here; LoongSuite takes anything, bytes too, and leaves a text as it is",
        is: |it| {
            let text = it.text(it.expected());
            let expected = serde_json::from_str(text).unwrap_or_else(|_| json!(text));
            let is_one = structure(it.text(it.actual())).is_some_and(|list| same(&json!([expected]), &list));
            it.is_loongsuite() && it.key().ends_with("documents") && is_one
        },
    },
    Deviation {
        name: "no documents",
        why: "an empty list of documents says nothing and is left out",
        is: |it| {
            it.is_loongsuite() && it.key().ends_with("documents") && *it.expected() == "[]" && it.is_missing()
        },
    },
    Deviation {
        name: "numbers that are none",
        why: "a bug: LoongSuite writes NaN and Infinity into JSON, which has no such words; they are null here",
        is: |it| {
            let expected = it.text(it.expected());
            let words = ["NaN", "-Infinity", "Infinity"];
            let is_broken = serde_json::from_str::<Value>(expected).is_err();
            let mended = words.iter().fold(expected.to_owned(), |text, word| text.replace(word, "null"));
            let is_mended = is_broken && same(&json!(mended), it.actual());
            is_mended || words.contains(&expected) && it.is_missing()
        },
    },
    // Upstream.
    Deviation {
        name: "description of a metric",
        why: "it is the registry's",
        is: |it| it.is_upstream() && it.key() == ".description",
    },
    Deviation {
        name: "calls of an agent",
        why: "the registry has gen_ai.invoke_agent.inference_calls and .tool_calls; upstream does not record them",
        is: |it| {
            let names = ["gen_ai.invoke_agent.inference_calls", "gen_ai.invoke_agent.tool_calls"];
            it.is_new() && names.iter().any(|name| *it.place() == Place::Metric((*name).to_owned()))
        },
    },
    Deviation {
        name: "duration of a workflow",
        why: "the registry's name is gen_ai.workflow.duration; it was renamed later",
        is: |it| match it.place() {
            Place::Metric(name) if name == "gen_ai.invoke_workflow.duration" => it.is_missing(),
            Place::Metric(name) if name == "gen_ai.workflow.duration" => it.is_new(),
            _ => false,
        },
    },
    Deviation {
        name: "errors in token usage",
        why: "the registry's gen_ai.client.token.usage has no error.type",
        is: |it| {
            let place = Place::Metric("gen_ai.client.token.usage".to_owned());
            it.key() == "error.type" && *it.place() == place && it.is_missing()
        },
    },
    Deviation {
        name: "chunks of other operations",
        why: "the registry measures the chunks of a model's answer alone",
        is: |it| {
            let names = [
                "gen_ai.client.operation.time_to_first_chunk",
                "gen_ai.client.operation.time_per_output_chunk",
            ];
            let is_chunks = names.iter().any(|name| *it.place() == Place::Metric((*name).to_owned()));
            is_chunks && it.is_missing() && !it.case.does(it.reference, |step| step["type"] == "inference")
        },
    },
    Deviation {
        name: "zero is not applicable",
        why: "no cached token is told by no attribute, on agents as on models; upstream does so on models only",
        is: |it| {
            let kinds = ["cache_read.input_tokens", "cache_write.input_tokens", "reasoning.output_tokens"];
            let is_count = kinds.iter().any(|kind| it.key() == format!("gen_ai.usage.{kind}"));
            is_count && *it.expected() == 0 && it.is_missing()
        },
    },
    Deviation {
        name: "cache_creation",
        why: "the registry's name of what later became cache_write",
        is: |it| match it.key() {
            "gen_ai.usage.cache_write.input_tokens" => it.is_missing(),
            "gen_ai.usage.cache_creation.input_tokens" => it.is_upstream() && it.is_new(),
            _ => false,
        },
    },
    Deviation {
        name: "tokens by modality",
        why: "the registry does not know them",
        is: |it| {
            let modalities = ["text", "image", "audio"].map(|modality| format!("gen_ai.usage.{modality}."));
            it.is_missing() && modalities.iter().any(|prefix| it.key().starts_with(prefix))
        },
    },
    Deviation {
        name: "one choice",
        why: "the registry tells the number of choices only if it is not 1",
        is: |it| it.key() == "gen_ai.request.choice.count" && *it.expected() == 1 && it.is_missing(),
    },
    Deviation {
        name: "finish reason of a message",
        why: "the registry's schema requires one of every output message; upstream leaves a missing one null",
        is: |it| {
            let with_reasons = |value: &Value| -> Option<Value> {
                let mut messages = structure(it.text(value)).unwrap_or_else(|| value.clone());
                for message in messages.as_array_mut()? {
                    if message["finish_reason"].as_str().unwrap_or_default().is_empty() {
                        message["finish_reason"] = json!("stop");
                    }
                }
                Some(messages)
            };
            it.key() == "gen_ai.output.messages"
                && with_reasons(it.expected())
                    .zip(with_reasons(it.actual()))
                    .is_some_and(|(expected, actual)| same(&expected, &actual))
        },
    },
    Deviation {
        name: "name of a span",
        why: "a span is named by what is known at its end; upstream keeps the name that it started with",
        is: |it| {
            let (expected, actual) = (it.text(it.expected()), it.text(it.actual()));
            it.is_upstream() && it.key() == ".name" && actual.starts_with(&format!("{expected} "))
        },
    },
    Deviation {
        name: "content of a deeper layer",
        why: "where content is recorded, that of a deeper layer of the same call is too; upstream loses it",
        is: |it| it.is_upstream() && it.case.overlaps(it.reference) && it.is_new() && it.is_content(),
    },
    Deviation {
        name: "attributes of a hook",
        why: "what a hook adds is of the span and the event; upstream shows it both, and it adds to each",
        is: |it| it.case.hook() == Some("mutate") && it.key().starts_with("hook.") && it.is_new(),
    },
    Deviation {
        name: "a hook that fails",
        why: "after a panic nobody knows what of its secrets a hook has taken out of the content: none is recorded",
        is: |it| it.case.hook() == Some("raise") && it.is_content() && it.is_missing(),
    },
    Deviation {
        name: "nothing for a hook",
        why: "what an operation does not have is an empty list here; upstream shows None",
        is: |it| *it.place() == Place::Hook && it.expected().is_null() && *it.actual() == 0,
    },
];
