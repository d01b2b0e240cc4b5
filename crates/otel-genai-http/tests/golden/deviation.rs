//! Every way in which our telemetry is meant to differ from the reference's.
//!
//! "The pin" is the convention `2026-08`; the reference speaks a later one.

use serde_json::{Value, json};

use crate::case::{Case, Exchange, Fate, PORT};
use crate::compare::{Difference, Place};
use crate::context::{
    Context, differs_in_reason, failure, has_lost, holds_more, is_class, is_media_of, is_without_reasoning,
    tells_content,
};
use crate::reference::{Of, Reference};

struct Deviation {
    name: &'static str,
    of: Of,
    why: &'static str,
    /// Whether the difference is one of this kind.
    is: fn(&Context<'_>) -> bool,
}

const DEVIATIONS: &[Deviation] = &[
    Deviation {
        name: "openai.api.type",
        of: Of::Latest,
        why: "the pin recommends it; the reference leaves it out for chat",
        is: |it| it.key == "openai.api.type" && it.adds("chat_completions"),
    },
    Deviation {
        name: "default port",
        of: Of::Both,
        why: "the pin wants server.port wherever there is server.address, v1.30 leaves out 443 alone; the reference \
              leaves out 80 too",
        is: |it| {
            let default = |exchange: &Exchange| if exchange.url.starts_with("https:") { 443 } else { 80 };
            it.key == "server.port"
                && it.any_exchange(|exchange| it.adds(default(exchange)))
                && (Of::Latest.holds(it.reference) || it.adds(80))
        },
    },
    Deviation {
        name: "fingerprint and tier of streams",
        of: Of::Latest,
        why: "the reference reads them from whole answers only, a bug",
        is: |it| {
            let field = match it.key {
                "openai.response.system_fingerprint" => "system_fingerprint",
                "openai.response.service_tier" => "service_tier",
                _ => return false,
            };
            it.any_exchange(|exchange| {
                exchange.is_events()
                    && exchange.documents().iter().any(|document| it.adds(document[field].clone()))
            })
        },
    },
    Deviation {
        name: "ids of embeddings",
        of: Of::Latest,
        why: "the SDK that the reference looks at has no field for the id that some compatible servers send",
        is: |it| {
            it.key == "gen_ai.response.id"
                && it.is_of("embeddings")
                && it.any_exchange(|exchange| {
                    exchange.documents().iter().any(|document| it.adds(document["id"].clone()))
                })
        },
    },
    Deviation {
        name: "error.type is the provider's word",
        of: Of::Both,
        why: "the reference has the class of the Python SDK's exception",
        is: |it| {
            it.key == "error.type"
                && it.expected.and_then(Value::as_str).is_some_and(is_class)
                && it.any_exchange(|exchange| it.actual == Some(&failure(exchange)))
        },
    },
    Deviation {
        name: "cancelled",
        of: Of::Both,
        why: "on the wire, an application that stops reading is a cancelled call, whatever its reason",
        is: |it| {
            let left = it.any_exchange(|exchange| matches!(exchange.fate, Fate::LeftAfter(_)));
            left && (it.key == "error.type" && it.actual == Some(&json!("cancelled"))
                || it.key == "status" && it.actual == Some(&json!("ERROR")))
        },
    },
    Deviation {
        name: "unfinished choices",
        of: Of::Latest,
        why: "the reference says `error` for them only where content is captured, a bug",
        is: |it| {
            it.key == "gen_ai.response.finish_reasons"
                && it.reference.mode == "no_content"
                && it.adds(json!(["error"]))
        },
    },
    Deviation {
        name: "cache_creation",
        of: Of::Latest,
        why: "the pin's name of what later became cache_write",
        is: |it| {
            it.key == "gen_ai.usage.cache_write.input_tokens" && it.actual.is_none()
                || it.key == "gen_ai.usage.cache_creation.input_tokens" && it.expected.is_none()
        },
    },
    Deviation {
        name: "tokens by modality",
        of: Of::Latest,
        why: "the pin does not know them",
        is: |it| {
            let modalities = ["text", "image", "audio"].map(|modality| format!("gen_ai.usage.{modality}."));
            it.actual.is_none() && modalities.iter().any(|prefix| it.key.starts_with(prefix))
        },
    },
    Deviation {
        name: "empty values",
        of: Of::Both,
        why: "an empty text or list says nothing and is left out",
        is: |it| {
            let keys = ["gen_ai.request.model", "gen_ai.request.stop_sequences"];
            keys.contains(&it.key)
                && it.actual.is_none()
                && [Some(&json!("")), Some(&json!([]))].contains(&it.expected)
        },
    },
    Deviation {
        name: "azure.ai.openai",
        of: Of::Both,
        why: "the reference calls Azure OpenAI `openai`, a bug",
        is: |it| {
            let names = [("gen_ai.provider.name", "azure.ai.openai"), ("gen_ai.system", "az.ai.openai")];
            names.into_iter().any(|(key, name)| it.key == key && it.actual == Some(&json!(name)))
                && it.any_exchange(|exchange| exchange.url.contains("/openai/deployments/"))
        },
    },
    Deviation {
        name: "internationalised host",
        of: Of::Both,
        why: "the wire knows only its ASCII form",
        is: |it| it.key == "server.address" && it.actual == Some(&json!("xn--bcher-kva.example")),
    },
    Deviation {
        name: "dimensions of base64",
        of: Of::Both,
        why: "the reference counts the letters of the text, a bug",
        is: |it| {
            let letters = it.expected.and_then(Value::as_u64);
            let dimensions = it.actual.and_then(Value::as_u64);
            it.key == "gen_ai.embeddings.dimension.count"
                && letters
                    .zip(dimensions)
                    .is_some_and(|(letters, dimensions)| letters / 4 * 3 / 4 == dimensions)
        },
    },
    Deviation {
        name: "encoding format of the SDK",
        of: Of::Both,
        why: "the Python SDK asks for base64 by itself, and that is what goes over the wire",
        is: |it| it.key == "gen_ai.request.encoding_formats" && it.adds(json!(["base64"])),
    },
    Deviation {
        name: "request.stream of failed requests",
        of: Of::Latest,
        why: "the request asked for a stream, whatever came of it; the reference sets it when a stream begins",
        is: |it| {
            it.key == "gen_ai.request.stream"
                && it.adds(true)
                && it.any_exchange(|exchange| exchange.request["stream"] == true)
        },
    },
    Deviation {
        name: "content that the reference loses",
        of: Of::Latest,
        why: "reasoning, audio, annotations, the older function calls, custom tool calls, late ids, missing roles",
        is: |it| {
            let is_messages = ["gen_ai.output.messages", "gen_ai.input.messages"].contains(&it.key);
            is_messages
                && it.expected.zip(it.actual).is_some_and(|(expected, actual)| holds_more(expected, actual))
        },
    },
    Deviation {
        name: "phantom choices",
        of: Of::Latest,
        why: "the reference makes up choices where an index is left out, a bug",
        is: |it| {
            let real = |value: Option<&Value>| -> Option<Vec<Value>> {
                let is_phantom = |item: &Value| {
                    *item == json!("error")
                        || (item["finish_reason"] == "error" && item["parts"] == json!([]))
                };
                Some(value?.as_array()?.iter().filter(|item| !is_phantom(item)).cloned().collect())
            };
            ["gen_ai.response.finish_reasons", "gen_ai.output.messages"].contains(&it.key)
                && real(it.expected).zip(real(it.actual)).is_some_and(|(expected, actual)| expected == actual)
                && it.expected.and_then(Value::as_array).map(Vec::len)
                    > it.actual.and_then(Value::as_array).map(Vec::len)
        },
    },
    Deviation {
        name: "raw responses",
        of: Of::Both,
        why: "the reference does not read what the application does not parse, and never ends such a span, bugs",
        is: |it| {
            let is_raw = it.case.document["raw_response"] == true;
            is_raw
                && (it.expected.is_none()
                    || matches!(it.place, Place::Count(_))
                    || ["error.type", "status"].contains(&it.key))
        },
    },
    Deviation {
        name: "errors of the SDK's own",
        of: Of::Both,
        why: "the provider answered well; what the SDK thinks of the answer is not on the wire",
        is: |it| {
            let is_parsed = it.case.document["calls"][0]["api"] == "chat.completions.parse";
            is_parsed && (it.expected.is_none() || ["error.type", "status"].contains(&it.key))
        },
    },
    Deviation {
        name: "answers that are no JSON",
        of: Of::Both,
        why: "the reference counts them as success, a bug",
        is: |it| {
            let is_text = |exchange: &Exchange| !exchange.is_events() && exchange.documents().is_empty();
            it.any_exchange(is_text)
                && (it.key == "error.type" && it.adds("malformed_response")
                    || it.key == "status" && it.actual == Some(&json!("ERROR")))
        },
    },
    Deviation {
        name: "streams of nothing",
        of: Of::Both,
        why: "a stream that ends before its first event is no success, as the reference has it, a bug",
        is: |it| {
            it.any_exchange(|exchange| exchange.is_events() && exchange.frames.is_empty())
                && (it.key == "error.type" && it.adds("truncated_response")
                    || it.key == "status" && it.actual == Some(&json!("ERROR")))
        },
    },
    Deviation {
        name: "malformed chunks",
        of: Of::Both,
        why: "a chunk that is no JSON is skipped; the reference has the error that the Python SDK makes of it",
        is: |it| {
            let is_json_error = |class: &str| class.rsplit('.').next() == Some("JSONDecodeError");
            it.any_exchange(Exchange::has_malformed_event)
                && (it.key == "error.type" && it.expected.and_then(Value::as_str).is_some_and(is_json_error)
                    || it.key == "status" && it.actual == Some(&json!("UNSET")))
        },
    },
    Deviation {
        name: "notes",
        of: Of::Both,
        why: "what of an exchange could not be read is said in an attribute of our own",
        is: |it| it.key.starts_with("otel_genai.") && it.expected.is_none(),
    },
    Deviation {
        name: "points that the fingerprint tells apart",
        of: Of::Latest,
        why: "two streams of different fingerprints are one point where the fingerprint is not read",
        is: |it| {
            let fingerprinted = |exchange: &Exchange| {
                let mut documents = exchange.documents().into_iter();
                exchange.is_events() && documents.any(|document| document["system_fingerprint"].is_string())
            };
            matches!(it.place, Place::Metric(_))
                && ["points", "count", "sum"].contains(&it.key)
                && it.case.compared().iter().filter(|exchange| fingerprinted(exchange)).count() > 1
        },
    },
    Deviation {
        name: "descriptions of metrics",
        of: Of::Latest,
        why: "the registry's words; the reference has its own",
        is: |it| it.key == "description" && matches!(it.place, Place::Metric(_)),
    },
    Deviation {
        name: "model of later chunks",
        of: Of::Latest,
        why: "a stream's chunks are measured with the model that was known at the first one",
        is: |it| {
            it.key == "gen_ai.response.model"
                && it.actual.is_none()
                && *it.place == Place::Metric("gen_ai.client.operation.time_per_output_chunk".into())
        },
    },
    Deviation {
        name: "ports of events",
        of: Of::Legacy,
        why: "the recording added them where it had a port of its own; the reference's events have gen_ai.system alone",
        is: |it| {
            matches!(it.place, Place::Event(_))
                && it.key == "server.port"
                && it.actual.is_none()
                && it.expected == Some(&json!(PORT))
        },
    },
    Deviation {
        name: "severity",
        of: Of::First,
        why: "the API for events of that time made every event INFO; the later release leaves it out",
        is: |it| {
            matches!(it.place, Place::Event(_)) && it.key == "severity" && it.actual == Some(&json!(null))
        },
    },
    Deviation {
        name: "metrics",
        of: Of::First,
        why: "the first release had none",
        is: |it| matches!(it.place, Place::Metric(_)) && it.key == "metric" && it.expected.is_none(),
    },
    Deviation {
        name: "later attributes",
        of: Of::First,
        why: "the first release did not know them, or called them otherwise, as conventions 1.28 did",
        is: |it| {
            let later =
                ["seed", "choice.count", "stop_sequences"].map(|name| format!("gen_ai.request.{name}"));
            it.expected.is_none() && (later.contains(&it.key.to_owned()) || it.key == SERVICE_TIER)
                || it.actual.is_none() && it.key == "gen_ai.openai.request.seed"
        },
    },
    Deviation {
        name: "finish reasons of streams",
        of: Of::Legacy,
        why: "the reference tells them in events alone, a bug",
        is: |it| {
            it.key == "gen_ai.response.finish_reasons"
                && it.expected.is_none()
                && it.any_exchange(Exchange::is_events)
        },
    },
    Deviation {
        name: "metrics of streams",
        of: Of::Legacy,
        why: "the reference measures a stream when it opens, when nothing of it is known yet, a bug",
        is: |it| {
            let known_later = [
                "metric",
                "error.type",
                "gen_ai.response.model",
                "gen_ai.openai.response.service_tier",
                "gen_ai.openai.response.system_fingerprint",
            ];
            let streams = it.case.compared().iter().filter(|exchange| exchange.is_events()).count();
            matches!(it.place, Place::Metric(_))
                && (streams > 0 && it.expected.is_none() && known_later.contains(&it.key)
                    || streams > 1 && ["points", "count"].contains(&it.key))
        },
    },
    Deviation {
        name: "spans without an end",
        of: Of::Legacy,
        why: "the reference does not see the end of such a call, a bug",
        is: |it| {
            let never_ended = |why: &str| why.contains("never ended") || why.contains("leaks");
            it.case.bugs(it.reference).any(never_ended)
                && (it.expected.is_none() || matches!(it.place, Place::Count(_)))
        },
    },
    Deviation {
        name: "dimensions of metrics",
        of: Of::Legacy,
        why: "the convention has none there; the reference has those that were asked for",
        is: |it| {
            matches!(it.place, Place::Metric(_))
                && it.key == "gen_ai.embeddings.dimension.count"
                && it.actual.is_none()
                && it.any_exchange(|exchange| it.expected == Some(&exchange.request["dimensions"]))
        },
    },
    Deviation {
        name: "max_completion_tokens",
        of: Of::Legacy,
        why: "the reference knows the older name alone, a bug",
        is: |it| {
            it.key == "gen_ai.request.max_tokens"
                && it.any_exchange(|exchange| it.adds(exchange.request["max_completion_tokens"].clone()))
        },
    },
    Deviation {
        name: "no tokens",
        of: Of::Legacy,
        why: "zero is a count too",
        is: |it| it.key.starts_with("gen_ai.usage.") && it.adds(0),
    },
    Deviation {
        name: "models without a name",
        of: Of::Legacy,
        why: "the reference raises an error into the application, a bug",
        is: |it| {
            it.key == "metric" && it.expected.is_none() && it.any_exchange(|it| it.request["model"] == "")
        },
    },
    Deviation {
        name: "bodies that hold more",
        of: Of::Legacy,
        why: "the reference loses texts beside tool calls, refusals, audio, older function calls, late ids and roles",
        is: |it| {
            let is_allowed = |body: &Value| it.reference.captures() || !tells_content(body);
            it.key == "body" && it.both(has_lost) && it.actual.is_some_and(is_allowed)
        },
    },
    Deviation {
        name: "media as they are kept",
        of: Of::Legacy,
        why: "the reference records the request as it is; names of files, details of images and other ways to write \
              the same are not kept",
        is: |it| it.key == "body" && it.both(|sent, kept| is_media_of(&sent["content"], &kept["content"])),
    },
    Deviation {
        name: "messages of nothing",
        of: Of::Legacy,
        why: "a message without content is none",
        is: |it| {
            let is_nothing =
                |message: &Value| message["content"].is_null() && !message["tool_calls"].is_array();
            let has_nothing = |exchange: &Exchange| {
                exchange.request["messages"]
                    .as_array()
                    .is_some_and(|messages| messages.iter().any(is_nothing))
            };
            matches!(it.place, Place::Event(_) | Place::Count("events"))
                && it.case.compared().iter().any(has_nothing)
        },
    },
    Deviation {
        name: "reasoning level and previous response",
        of: Of::Latest,
        why: "the pin recommends both; the reference has no reasoning level and forgets the previous response, a bug",
        is: |it| {
            let sent = |exchange: &Exchange| match it.key {
                "gen_ai.request.reasoning.level" => it.adds(exchange.request["reasoning"]["effort"].clone()),
                "gen_ai.request.previous_response.id" => {
                    it.adds(exchange.request["previous_response_id"].clone())
                }
                _ => false,
            };
            it.any_exchange(sent)
        },
    },
    Deviation {
        name: "tier of Responses on metrics",
        of: Of::Latest,
        why: "the pin wants it there; the reference has it for chat alone",
        is: |it| {
            it.key == "openai.response.service_tier"
                && it.is_of("responses.")
                && matches!(it.place, Place::Metric(_))
                && it.expected.is_none()
        },
    },
    Deviation {
        name: "ids of unfinished streams",
        of: Of::Latest,
        why: "every event of a stream of Responses tells the id; the reference reads it from the last one alone",
        is: |it| {
            let told = |exchange: &Exchange| {
                let mut documents = exchange.documents().into_iter();
                documents.any(|document| it.adds(document["response"]["id"].clone()))
            };
            it.key == "gen_ai.response.id" && it.any_exchange(told)
        },
    },
    Deviation {
        name: "what unfinished streams have told",
        of: Of::Latest,
        why: "a stream of Responses that was cut or failed has told something; the reference drops it",
        is: |it| {
            let is_cut = it.any_exchange(|exchange| {
                matches!(exchange.fate, Fate::CutAfter(_)) || exchange.is_failed() || !exchange.is_finished()
            });
            let is_unfinished = |message: &Value| message["finish_reason"] == "error";
            let messages = it.actual.and_then(Value::as_array).into_iter().flatten();
            is_cut
                && it.is_of("responses.")
                && it.expected.is_none()
                && (it.key == "gen_ai.response.finish_reasons" && it.adds(json!(["error"]))
                    || it.key == "gen_ai.output.messages" && messages.last().is_some_and(is_unfinished))
        },
    },
    Deviation {
        name: "streams without their last event",
        of: Of::Latest,
        why: "a stream of Responses that does not say that it is over is half an answer; the reference has a success",
        is: |it| {
            it.is_of("responses.")
                && it.any_exchange(|exchange| exchange.fate == Fate::Read && !exchange.is_finished())
                && (it.key == "error.type" && it.adds("truncated_response")
                    || it.key == "status" && it.actual == Some(&json!("ERROR")))
        },
    },
    Deviation {
        name: "chunks of streams that fail",
        of: Of::Latest,
        why: "an event that tells an error is no chunk; chunks are measured when they come, before the failure is known",
        is: |it| {
            *it.place == Place::Metric("gen_ai.client.operation.time_per_output_chunk".into())
                && it.is_of("responses.")
                && it.any_exchange(Exchange::is_failed)
        },
    },
    Deviation {
        name: "chunks that are fetched",
        of: Of::Latest,
        why: "the pin's metrics of chunks are of a model at work, not of what is fetched",
        is: |it| {
            let metrics = [
                "gen_ai.client.operation.time_to_first_chunk",
                "gen_ai.client.operation.time_per_output_chunk",
            ];
            let is_of_chunks = metrics.iter().any(|name| *it.place == Place::Metric((*name).into()));
            is_of_chunks && it.key == "metric" && it.actual.is_none() && it.is_of("responses.retrieve")
        },
    },
    Deviation {
        name: "request.stream of fetches",
        of: Of::Latest,
        why: "the reference leaves it out, a bug",
        is: |it| it.key == "gen_ai.request.stream" && it.adds(true) && it.is_of("responses.retrieve"),
    },
    Deviation {
        name: "reasoning without a status",
        of: Of::Latest,
        why: "the reference drops reasoning of an answer that has no status of its own, as OpenAI writes it",
        is: |it| {
            it.key == "gen_ai.output.messages" && it.is_of("responses.") && it.both(is_without_reasoning)
        },
    },
    Deviation {
        name: "reasons of incomplete items",
        of: Of::Latest,
        why: "the reference says `incomplete`, or that a call is one although half of it is missing; the reason is known",
        is: |it| {
            let is_incomplete = |exchange: &Exchange| {
                exchange.documents().iter().any(|document| {
                    let response =
                        if document["response"].is_object() { &document["response"] } else { document };
                    response["status"] == "incomplete"
                })
            };
            it.key == "gen_ai.output.messages" && it.any_exchange(is_incomplete) && it.both(differs_in_reason)
        },
    },
];

const SERVICE_TIER: &str = "gen_ai.openai.request.service_tier";

pub(crate) fn find(case: &Case, reference: &Reference, difference: &Difference) -> Option<&'static str> {
    let Difference { place, key, expected, actual } = difference;
    let context =
        Context { case, reference, place, key, expected: expected.as_ref(), actual: actual.as_ref() };
    let of = |deviation: &&Deviation| deviation.of.holds(reference) && (deviation.is)(&context);
    DEVIATIONS.iter().find(of).map(|deviation| deviation.name)
}

pub(crate) fn why(name: &str) -> &'static str {
    DEVIATIONS.iter().find(|deviation| deviation.name == name).map_or("", |deviation| deviation.why)
}
