//! The convention `loongsuite`, operation by operation: what its handler's users see at their exporters.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod agents;
mod models;
mod telemetry;
mod tools;

use otel_genai::ConventionName::LoongSuite;
use otel_genai::{Capture, GenAi, InferenceRequest, Message, Part, ToolDefinition, Usage};
use serde_json::{Value as Json, json};

use telemetry::{Told, told};

fn in_mode(mode: Capture, work: impl FnOnce(&GenAi)) -> Told {
    told(LoongSuite, Some(mode), None, work)
}

/// Puts further members into an object.
fn with(mut base: Json, more: Json) -> Json {
    let Json::Object(more) = more else { panic!("{more}") };
    base.as_object_mut().unwrap().extend(more);
    base
}

/// The attributes with the JSON that stands in them as text.
fn opened(attributes: &Json) -> Json {
    let open = |(key, value): (&String, &Json)| {
        let json = value.as_str().filter(|text| text.starts_with(['[', '{']));
        (key.clone(), json.map_or_else(|| value.clone(), |text| serde_json::from_str(text).unwrap()))
    };
    attributes.as_object().unwrap().iter().map(open).collect()
}

/// The JSON that stands in an attribute as text.
fn parsed(attributes: &Json, key: &str) -> Json {
    serde_json::from_str(attributes[key].as_str().unwrap_or_else(|| panic!("{key}: {attributes}"))).unwrap()
}

fn ask(request: &mut InferenceRequest) {
    request.temperature = Some(0.7);
    request.top_p = Some(0.95);
    request.top_k = Some(40);
    request.max_tokens = Some(256);
    request.frequency_penalty = Some(0.1);
    request.presence_penalty = Some(-0.2);
    request.stop_sequences = vec!["END".into()];
    request.seed = Some(42);
    request.choice_count = Some(2);
    request.output_type = Some("text".into());
    request.input_messages = vec![Message::user("Wo ist es?")];
    request.system_instructions = vec![Part::text("Be brief.")];
    let mut tool = ToolDefinition::function("get_weather");
    tool.description = Some("Weather by city".into());
    request.tool_definitions = vec![tool, ToolDefinition::new("web_search", "web")];
}

/// What requests of [`ask`] add to spans and to the event of a model call.
fn asked() -> Json {
    json!({
        "gen_ai.request.temperature": 0.7,
        "gen_ai.request.top_p": 0.95,
        "gen_ai.request.max_tokens": 256,
        "gen_ai.request.frequency_penalty": 0.1,
        "gen_ai.request.presence_penalty": -0.2,
        "gen_ai.request.stop_sequences": ["END"],
        "gen_ai.request.seed": 42,
    })
}

fn usage() -> Usage {
    let mut usage = Usage::new(120, 30);
    usage.cache_write_input_tokens = Some(11);
    usage.cache_read_input_tokens = Some(0);
    usage
}

fn used() -> Json {
    json!({
        "gen_ai.usage.input_tokens": 120,
        "gen_ai.usage.output_tokens": 30,
        "gen_ai.usage.cache_creation.input_tokens": 11,
        "gen_ai.usage.cache_read.input_tokens": 0,
        "gen_ai.usage.total_tokens": 150,
    })
}
