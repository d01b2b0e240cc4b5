//! Attributes, wherever they come from: spans have [`opentelemetry::Value`], log records have [`AnyValue`].

use std::borrow::Cow;

use opentelemetry::logs::AnyValue;
use opentelemetry::{Array, Key, KeyValue, Value};
use serde_json::Value as Json;

use super::paint::{Flow, Style};
use super::text::{cut, plain, seconds, thousands};
use super::words;

/// Attributes that can be looked up by name, as JSON.
pub(crate) struct Facts<'a> {
    all: Vec<(Cow<'a, str>, Json)>,
}

impl<'a> Facts<'a> {
    pub(crate) fn of_span(attributes: &'a [KeyValue]) -> Self {
        Self {
            all: attributes.iter().map(|pair| (pair.key.as_str().into(), of_value(&pair.value))).collect(),
        }
    }

    pub(crate) fn of_log<'b>(attributes: impl Iterator<Item = &'b (Key, AnyValue)>) -> Facts<'static> {
        let owned = |(key, value): &(Key, AnyValue)| (key.as_str().to_owned().into(), of_any(value));
        Facts { all: attributes.map(owned).collect() }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Json> {
        // The SDK keeps a key that was set twice; the last one counts.
        self.all.iter().rev().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(one_line).filter(|text| !text.is_empty())
    }

    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.get(name).and_then(Json::as_u64)
    }

    pub(crate) fn real(&self, name: &str) -> Option<f64> {
        self.get(name).and_then(Json::as_f64)
    }

    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.get(name).and_then(Json::as_bool).unwrap_or(false)
    }

    /// What is none of the words that the console reads, and no content.
    pub(crate) fn others(&self) -> impl Iterator<Item = (&str, String)> {
        self.all
            .iter()
            .filter(|(key, _)| !key.starts_with("gen_ai.") && !READ.contains(&key.as_ref()))
            .map(|(key, value)| (key.as_ref(), one_line(value)))
    }

    /// Whether it is of an operation of generative AI, in whichever convention.
    pub(crate) fn is_genai(&self) -> bool {
        [words::OPERATION, words::LOONGSUITE_KIND, words::MCP_METHOD]
            .iter()
            .any(|name| self.get(name).is_some())
    }

    /// What tells operations of one kind apart: the round of a loop, the store of a memory.
    pub(crate) fn write_particulars(&self, line: &mut Flow) {
        if let Some(tries) = self.number(words::RESENDS) {
            line.words(&[(Style::Faint, "retry "), (Style::Plain, &thousands(tries))]);
        }
        if self.is_true(words::INFERRED) {
            line.word(Style::Faint, "inferred");
        }
        const PARTICULARS: [(&str, &str); 14] = [
            (words::ROUND, "round"),
            (words::ROUND_FINISH, "finish"),
            (words::STORE, "store"),
            (words::MEMORY_USER, "user"),
            (words::MEMORY_TYPE, "type"),
            (words::RECORD, "record"),
            (words::RECORD_COUNT, "records"),
            (words::RERANK_COUNT, "documents"),
            (words::TOP_K, "top"),
            (words::RESPONSE_STATUS, "status"),
            (words::RPC_STATUS, "status"),
            (words::MCP_RESOURCE, "resource"),
            (words::MCP_VERSION, "version"),
            (words::SKILL, "skill"),
        ];
        self.write_labelled(&PARTICULARS, line);
    }

    /// Whom it is for and in which conversation: all that happens within is of the same.
    pub(crate) fn write_surroundings(&self, line: &mut Flow) {
        const SURROUNDINGS: [(&str, &str); 3] =
            [(words::SESSION, "session"), (words::USER, "user"), (words::CONVERSATION, "conversation")];
        self.write_labelled(&SURROUNDINGS, line);
    }

    fn write_labelled(&self, labels: &[(&str, &str)], line: &mut Flow) {
        for (name, label) in labels {
            if let Some(value) = self.text(name) {
                line.words(&[(Style::Faint, &format!("{label} ")), (Style::Plain, &cut(&value, 60))]);
            }
        }
    }

    /// Where content was uploaded to, and which.
    pub(crate) fn references(&self) -> Vec<(&str, String)> {
        self.all
            .iter()
            .filter_map(|(key, value)| {
                let what = key.strip_prefix("gen_ai.")?.strip_suffix(words::REFERENCE)?;
                Some((what, one_line(value)))
            })
            .collect()
    }

    /// Time to the first chunk in seconds.
    pub(crate) fn first_chunk(&self) -> Option<f64> {
        self.real(words::FIRST_CHUNK).or_else(|| Some(self.real(words::FIRST_TOKEN_NANOSECONDS)? / 1e9))
    }

    /// Tokens, why it ended, and who answered: shared by spans and events.
    pub(crate) fn write_outcome(&self, line: &mut Flow) {
        if let Some(tokens) = self.tokens() {
            line.words(&[(Style::Faint, "tokens "), (Style::Plain, &tokens)]);
        }
        if let Some(count) = self.number(words::DIMENSIONS) {
            line.words(&[(Style::Faint, "dimensions "), (Style::Plain, &thousands(count))]);
        }
        if let Some(reasons) = self.finish_reasons() {
            line.words(&[(Style::Faint, "finish "), (Style::Plain, &reasons)]);
        }
        if let Some(who) = self.provider() {
            line.word(Style::Faint, &who);
        }
    }

    /// `15 in → 20 out (8 cached, 3 reasoning)`.
    fn tokens(&self) -> Option<String> {
        let input = self.number(words::INPUT_TOKENS);
        let output = self.number(words::OUTPUT_TOKENS);
        let mut tokens = match (input, output) {
            (Some(input), Some(output)) => format!("{} in → {} out", thousands(input), thousands(output)),
            (Some(input), None) => format!("{} in", thousands(input)),
            (None, Some(output)) => format!("{} out", thousands(output)),
            (None, None) => return None,
        };
        let written =
            self.number(words::CACHE_WRITE_TOKENS).or_else(|| self.number(words::CACHE_CREATION_TOKENS));
        let parts: Vec<String> = [
            (self.number(words::CACHED_TOKENS), "cached"),
            (written, "cache written"),
            (self.number(words::IMAGE_TOKENS), "image"),
            (self.number(words::AUDIO_TOKENS), "audio"),
            (self.number(words::REASONING_TOKENS), "reasoning"),
        ]
        .into_iter()
        .filter_map(|(count, what)| Some(format!("{} {what}", thousands(count.filter(|count| *count > 0)?))))
        .collect();
        if !parts.is_empty() {
            tokens.push_str(&format!(" ({})", parts.join(", ")));
        }
        Some(tokens)
    }

    fn finish_reasons(&self) -> Option<String> {
        match self.get(words::FINISH_REASONS)? {
            Json::Array(reasons) if reasons.is_empty() => None,
            Json::Array(reasons) => Some(reasons.iter().map(one_line).collect::<Vec<_>>().join(", ")),
            other => Some(one_line(other)),
        }
    }

    /// `openai api.openai.com`; the port only where it is not the usual one.
    pub(crate) fn provider(&self) -> Option<String> {
        let provider = self.text(words::PROVIDER).or_else(|| self.text(words::SYSTEM));
        let server = self.text(words::SERVER_ADDRESS).map(|address| match self.number(words::SERVER_PORT) {
            Some(port) if port != 443 && port != 80 => format!("{address}:{port}"),
            _ => address,
        });
        match (provider, server) {
            (Some(provider), Some(server)) => Some(format!("{provider} {server}")),
            (provider, server) => provider.or(server),
        }
    }

    pub(crate) fn write_first_chunk(&self, line: &mut Flow) {
        if let Some(first) = self.first_chunk() {
            line.words(&[(Style::Faint, "first chunk "), (Style::Plain, &seconds(first))]);
        } else if self.is_true(words::STREAM) {
            line.word(Style::Faint, "streamed");
        }
    }
}

/// Words outside `gen_ai.` that have their place in a line.
const READ: [&str; 8] = [
    words::RESENDS,
    words::INFERRED,
    words::OBSERVATION,
    words::ERROR_TYPE,
    words::SERVER_ADDRESS,
    words::SERVER_PORT,
    words::EXCEPTION_TYPE,
    words::EXCEPTION_MESSAGE,
];

/// A value on one line, harmless.
pub(crate) fn one_line(value: &Json) -> String {
    match value {
        Json::String(text) => plain(text),
        other => plain(&other.to_string()),
    }
}

fn of_value(value: &Value) -> Json {
    match value {
        Value::Bool(value) => (*value).into(),
        Value::I64(value) => (*value).into(),
        Value::F64(value) => (*value).into(),
        Value::String(value) => value.as_str().into(),
        Value::Array(Array::Bool(values)) => values.clone().into(),
        Value::Array(Array::I64(values)) => values.clone().into(),
        Value::Array(Array::F64(values)) => values.clone().into(),
        Value::Array(Array::String(values)) => {
            values.iter().map(opentelemetry::StringValue::as_str).collect()
        }
        other => other.to_string().into(),
    }
}

pub(crate) fn of_any(value: &AnyValue) -> Json {
    match value {
        AnyValue::Int(value) => (*value).into(),
        AnyValue::Double(value) => (*value).into(),
        AnyValue::String(value) => value.as_str().into(),
        AnyValue::Boolean(value) => (*value).into(),
        AnyValue::Bytes(value) => format!("{} bytes", value.len()).into(),
        AnyValue::ListAny(values) => values.iter().map(of_any).collect(),
        AnyValue::Map(values) => {
            Json::Object(values.iter().map(|(key, value)| (key.as_str().to_owned(), of_any(value))).collect())
        }
        _ => Json::Null,
    }
}
