//! What a conversation becomes: files whose names are the digests of what is in them.

use bytes::Bytes;
use ring::digest::{SHA256, digest};
use serde::Serialize;
use serde_json::Value;

use crate::settings::Format;

/// Where what was asked is (`gen_ai.input.messages`).
pub const INPUT_MESSAGES_REF: &str = "gen_ai.input.messages_ref";
/// Where what was answered is (`gen_ai.output.messages`).
pub const OUTPUT_MESSAGES_REF: &str = "gen_ai.output.messages_ref";
/// Where the system instructions are (`gen_ai.system_instructions`).
pub const SYSTEM_INSTRUCTIONS_REF: &str = "gen_ai.system_instructions_ref";
/// Where the definitions of tools are (`gen_ai.tool.definitions`).
pub const TOOL_DEFINITIONS_REF: &str = "gen_ai.tool.definitions_ref";

/// Which part of a conversation a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Inputs,
    Outputs,
    SystemInstructions,
    ToolDefinitions,
}

impl Kind {
    /// The attribute that refers to the file.
    pub(crate) fn attribute(self) -> &'static str {
        match self {
            Kind::Inputs => INPUT_MESSAGES_REF,
            Kind::Outputs => OUTPUT_MESSAGES_REF,
            Kind::SystemInstructions => SYSTEM_INSTRUCTIONS_REF,
            Kind::ToolDefinitions => TOOL_DEFINITIONS_REF,
        }
    }

    /// How file names end, as the official uploader has it: readers choose by it.
    fn suffix(self) -> &'static str {
        match self {
            Kind::Inputs => "inputs",
            Kind::Outputs => "outputs",
            Kind::SystemInstructions => "system_instruction",
            Kind::ToolDefinitions => "tool.definitions",
        }
    }
}

/// What tells one content from another.
pub(crate) type Key = (Kind, [u8; 32]);

/// A file to be stored.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) key: Key,
    /// `<SHA-256 of the bytes, in hex>_<kind>.<format>`.
    pub(crate) name: String,
    pub(crate) bytes: Bytes,
}

impl File {
    /// Writes the items. The name needs a pass over all the content anyway, so that this pass yields the bytes too:
    /// it costs less than a copy of the messages for another thread would.
    pub(crate) fn new<T: Serialize>(kind: Kind, format: Format, items: &[T]) -> serde_json::Result<Self> {
        let mut bytes = Vec::new();
        match format {
            Format::Json => {
                serde_json::to_writer(&mut bytes, items)?;
                bytes.push(b'\n');
            }
            Format::Jsonl => {
                for (index, item) in items.iter().enumerate() {
                    let mut line = serde_json::to_value(item)?;
                    if let Value::Object(properties) = &mut line {
                        properties.insert("index".to_owned(), index.into());
                    }
                    serde_json::to_writer(&mut bytes, &line)?;
                    bytes.push(b'\n');
                }
            }
        }
        let mut sum = [0; 32];
        for (to, from) in sum.iter_mut().zip(digest(&SHA256, &bytes).as_ref()) {
            *to = *from;
        }
        let name = format!("{}_{}.{}", hex(&sum), kind.suffix(), format.as_str());
        Ok(File { key: (kind, sum), name, bytes: bytes.into() })
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use otel_genai::{Message, Part};

    use super::*;

    #[test]
    fn a_name_is_the_digest_of_the_bytes() {
        let file = File::new(Kind::SystemInstructions, Format::Json, &[Part::text("Be kind.")]).unwrap();
        assert_eq!(file.bytes, "[{\"type\":\"text\",\"content\":\"Be kind.\"}]\n");
        // printf '[{"type":"text","content":"Be kind."}]\n' | sha256sum
        let sum = "15c8d8076e6dc3ff90e8e26ac3a2d4a3cbc6f3afb8a7a1b31f6b2dd2ee5af292";
        assert!(file.name.starts_with(sum), "{}", file.name);
        assert!(file.name.ends_with("_system_instruction.json"), "{}", file.name);
    }

    #[test]
    fn lines_say_their_position_whatever_else_they_hold() {
        let mut message = Message::user("one");
        message.extra.insert("index".into(), "mine".into());
        let file = File::new(Kind::Inputs, Format::Jsonl, &[message, Message::user("two")]).unwrap();
        let lines: Vec<Value> = file
            .bytes
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 2);
        assert_eq!((&lines[0]["index"], &lines[1]["index"]), (&Value::from(0), &Value::from(1)));
        assert_eq!(lines[1]["parts"][0]["content"], "two");
    }
}
