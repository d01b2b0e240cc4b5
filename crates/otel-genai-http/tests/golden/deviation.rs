//! Every way in which our telemetry is meant to differ from the reference's.
//!
//! "The pin" is the convention `2026-08`; the reference speaks a later one.

use serde_json::{Value, json};

use crate::case::{Case, Exchange, Fate};
use crate::compare::{Difference, Place};

struct Deviation {
    name: &'static str,
    why: &'static str,
    /// Whether the difference is one of this kind.
    is: fn(&Context<'_>) -> bool,
}

/// A difference and what is known of the call that shows it.
struct Context<'a> {
    case: &'a Case,
    mode: &'a str,
    place: &'a Place,
    key: &'a str,
    expected: Option<&'a Value>,
    actual: Option<&'a Value>,
}

const DEVIATIONS: &[Deviation] = &[
    Deviation {
        name: "openai.api.type",
        why: "the pin recommends it; the reference leaves it out for chat",
        is: |it| it.key == "openai.api.type" && it.adds("chat_completions"),
    },
    Deviation {
        name: "default port",
        why: "the pin wants server.port wherever there is server.address; the reference leaves 80 and 443 out",
        is: |it| {
            let default = |exchange: &Exchange| if exchange.url.starts_with("https:") { 443 } else { 80 };
            it.key == "server.port" && it.any_exchange(|exchange| it.adds(default(exchange)))
        },
    },
    Deviation {
        name: "fingerprint and tier of streams",
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
        name: "error.type is the provider's word",
        why: "the reference has the class of the Python SDK's exception",
        is: |it| {
            let is_class =
                it.expected.and_then(Value::as_str).is_some_and(|class| class.starts_with("openai."));
            it.key == "error.type"
                && is_class
                && it.any_exchange(|exchange| it.actual == Some(&failure(exchange)))
        },
    },
    Deviation {
        name: "cancelled",
        why: "on the wire, an application that stops reading is a cancelled call, whatever its reason",
        is: |it| {
            let left = it.any_exchange(|exchange| matches!(exchange.fate, Fate::LeftAfter(_)));
            left && (it.key == "error.type" && it.actual == Some(&json!("cancelled"))
                || it.key == "status" && it.actual == Some(&json!("ERROR")))
        },
    },
    Deviation {
        name: "unfinished choices",
        why: "the reference says `error` for them only where content is captured, a bug",
        is: |it| {
            it.key == "gen_ai.response.finish_reasons" && it.mode == "no_content" && it.adds(json!(["error"]))
        },
    },
    Deviation {
        name: "cache_creation",
        why: "the pin's name of what later became cache_write",
        is: |it| {
            it.key == "gen_ai.usage.cache_write.input_tokens" && it.actual.is_none()
                || it.key == "gen_ai.usage.cache_creation.input_tokens" && it.expected.is_none()
        },
    },
    Deviation {
        name: "tokens by modality",
        why: "the pin does not know them",
        is: |it| {
            let modalities = ["text", "image", "audio"].map(|modality| format!("gen_ai.usage.{modality}."));
            it.actual.is_none() && modalities.iter().any(|prefix| it.key.starts_with(prefix))
        },
    },
    Deviation {
        name: "empty values",
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
        why: "the reference calls Azure OpenAI `openai`, a bug",
        is: |it| {
            it.key == "gen_ai.provider.name"
                && it.actual == Some(&json!("azure.ai.openai"))
                && it.any_exchange(|exchange| exchange.url.contains("/openai/deployments/"))
        },
    },
    Deviation {
        name: "internationalised host",
        why: "the wire knows only its ASCII form",
        is: |it| it.key == "server.address" && it.actual == Some(&json!("xn--bcher-kva.example")),
    },
    Deviation {
        name: "dimensions of base64",
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
        why: "the Python SDK asks for base64 by itself, and that is what goes over the wire",
        is: |it| it.key == "gen_ai.request.encoding_formats" && it.adds(json!(["base64"])),
    },
    Deviation {
        name: "request.stream of failed requests",
        why: "the request asked for a stream, whatever came of it; the reference sets it when a stream begins",
        is: |it| {
            it.key == "gen_ai.request.stream"
                && it.adds(true)
                && it.any_exchange(|exchange| exchange.request["stream"] == true)
        },
    },
    Deviation {
        name: "content that the reference loses",
        why: "reasoning, audio, annotations, the older function calls, custom tool calls, late ids, missing roles",
        is: |it| {
            let is_messages = ["gen_ai.output.messages", "gen_ai.input.messages"].contains(&it.key);
            is_messages
                && it.expected.zip(it.actual).is_some_and(|(expected, actual)| holds_more(expected, actual))
        },
    },
    Deviation {
        name: "phantom choices",
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
        why: "the reference does not read what the application does not parse, and never ends such a span, bugs",
        is: |it| {
            let is_raw = it.case.document["raw_response"] == true;
            is_raw && (it.expected.is_none() || matches!(it.place, Place::Count(_)))
        },
    },
    Deviation {
        name: "errors of the SDK's own",
        why: "the provider answered well; what the SDK thinks of the answer is not on the wire",
        is: |it| {
            let is_parsed = it.case.document["calls"][0]["api"] == "chat.completions.parse";
            is_parsed && (it.expected.is_none() || ["error.type", "status"].contains(&it.key))
        },
    },
    Deviation {
        name: "answers that are no JSON",
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
        why: "a stream that ends before its first event is no success, as the reference has it, a bug",
        is: |it| {
            it.any_exchange(|exchange| exchange.is_events() && exchange.frames.is_empty())
                && (it.key == "error.type" && it.adds("truncated_response")
                    || it.key == "status" && it.actual == Some(&json!("ERROR")))
        },
    },
    Deviation {
        name: "malformed chunks",
        why: "a chunk that is no JSON is skipped; the reference has the error that the Python SDK makes of it",
        is: |it| {
            it.any_exchange(Exchange::has_malformed_event)
                && (it.key == "error.type" && it.expected == Some(&json!("json.decoder.JSONDecodeError"))
                    || it.key == "status" && it.actual == Some(&json!("UNSET")))
        },
    },
    Deviation {
        name: "notes",
        why: "what of an exchange could not be read is said in an attribute of our own",
        is: |it| it.key == "otel_genai.observation" && it.expected.is_none(),
    },
    Deviation {
        name: "points that the fingerprint tells apart",
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
        name: "model of later chunks",
        why: "a stream's chunks are measured with the model that was known at the first one",
        is: |it| {
            it.key == "gen_ai.response.model"
                && it.actual.is_none()
                && *it.place == Place::Metric("gen_ai.client.operation.time_per_output_chunk".into())
        },
    },
];

/// Whether the second list of messages is the first one and more: parts and properties that the reference drops.
fn holds_more(expected: &Value, actual: &Value) -> bool {
    let (Some(expected), Some(actual)) = (expected.as_array(), actual.as_array()) else { return false };
    expected.len() == actual.len()
        && expected.iter().zip(actual).all(|(expected, actual)| {
            let (said, all) = (expected["parts"].as_array().unwrap(), actual["parts"].as_array().unwrap());
            let has_audio = all.iter().any(|part| part["type"] == "blob");
            let mut left = said.iter().peekable();
            let explained = all.iter().all(|part| {
                if left.peek().is_some_and(|said| is_said_by(said, part)) {
                    left.next();
                    return true;
                }
                match part["type"].as_str().unwrap() {
                    // The transcript of the audio.
                    "text" => has_audio,
                    kind => ["reasoning", "blob", "tool_call"].contains(&kind),
                }
            });
            let same_role = expected["role"] == actual["role"] || expected["role"] == "";
            explained
                && left.next().is_none()
                && same_role
                && expected["finish_reason"] == actual["finish_reason"]
        })
}

/// Whether the second part says all that the first one says.
fn is_said_by(said: &Value, part: &Value) -> bool {
    said.as_object().unwrap().iter().all(|(property, value)| {
        let is_beginning = |value: &Value| {
            let name = part["name"].as_str().unwrap_or_default();
            property == "name" && name.starts_with(value.as_str().unwrap_or_default())
        };
        part[property] == *value || is_beginning(value)
    })
}

impl Context<'_> {
    /// Whether the difference is this value, which the reference does not have.
    fn adds(&self, value: impl Into<Value>) -> bool {
        let value = value.into();
        self.expected.is_none() && !value.is_null() && self.actual == Some(&value)
    }

    /// Whether it holds for an exchange at the difference's place.
    fn any_exchange(&self, holds: impl Fn(&Exchange) -> bool) -> bool {
        match self.place {
            Place::Span(at) | Place::Event(at) => self.case.compared().get(*at).is_some_and(holds),
            Place::Metric(_) | Place::Count(_) => self.case.compared().iter().any(holds),
        }
    }
}

/// What the failure of an exchange is to be called: the provider's code, or its type, or the status; else what became
/// of the connection.
fn failure(exchange: &Exchange) -> Value {
    match exchange.fate {
        Fate::Refused => return json!("connection_refused"),
        Fate::CutAfter(_) => return json!("connection_closed"),
        Fate::GivenUp | Fate::LeftAfter(_) => return json!("cancelled"),
        Fate::Read => {}
    }
    let document = exchange.documents().pop().unwrap_or_default();
    let error = if document["error"].is_object() { &document["error"] } else { &document };
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_word = |text: &&str| !text.is_empty() && !is_number(text) && !text.contains(' ');
    let word = |value: &Value| value.as_str().filter(is_word).map(|text| json!(text));
    word(&error["code"])
        .or_else(|| word(&error["type"]))
        .or_else(|| error["code"].as_u64().map(|code| json!(code.to_string())))
        .unwrap_or_else(|| json!(exchange.status.to_string()))
}

pub(crate) fn find(case: &Case, mode: &str, difference: &Difference) -> Option<&'static str> {
    let Difference { place, key, expected, actual } = difference;
    let context = Context { case, mode, place, key, expected: expected.as_ref(), actual: actual.as_ref() };
    DEVIATIONS.iter().find(|deviation| (deviation.is)(&context)).map(|deviation| deviation.name)
}

pub(crate) fn why(name: &str) -> &'static str {
    DEVIATIONS.iter().find(|deviation| deviation.name == name).map_or("", |deviation| deviation.why)
}
