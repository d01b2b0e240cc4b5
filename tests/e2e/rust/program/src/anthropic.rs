//! Anthropic's Messages as JSON.

use serde_json::{Value, json};

use crate::{Answer, Error, HELLO, PIECES, QUESTION, agent, weather};

pub const MODEL: &str = "claude-sonnet-4-5";

pub fn hello() -> Value {
    json!({ "model": MODEL, "max_tokens": 64, "messages": [{ "role": "user", "content": HELLO }] })
}

pub fn pieces() -> Value {
    let messages = json!([{ "role": "user", "content": PIECES }]);
    json!({ "model": MODEL, "max_tokens": 64, "messages": messages, "stream": true })
}

/// What a whole answer says.
pub fn text(answer: &Value) -> Result<String, Error> {
    let text = answer.pointer("/content/0/text").and_then(Value::as_str);
    Ok(text.ok_or_else(|| format!("no text in {answer}"))?.to_owned())
}

/// What an event of a stream adds.
pub fn piece(event: &Value) -> Option<&str> {
    event.pointer("/delta/text")?.as_str()
}

/// The agent's loop: the model asks for a tool, and says what the tool said.
pub async fn tools(ask: impl AsyncFn(Value) -> Result<Value, Error>) -> Result<Value, Error> {
    let schema =
        json!({ "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] });
    let tools =
        json!([{ "name": "get_weather", "description": "The weather in a city", "input_schema": schema }]);
    let question = json!({ "role": "user", "content": QUESTION });
    agent("anthropic", MODEL, async || {
        let mut answer = Answer::default();
        let mut ask = async |messages| {
            let request = json!({ "model": MODEL, "max_tokens": 64, "messages": messages, "tools": tools });
            let said = ask(request).await?;
            let used = |name| said["usage"][name].as_u64().unwrap_or_default();
            let cached = used("cache_creation_input_tokens") + used("cache_read_input_tokens");
            answer.used(used("input_tokens") + cached, used("output_tokens"));
            Ok::<_, Error>(said)
        };
        let first = ask(json!([question])).await?;
        let call = &first["content"][1];
        let seen = weather(call["id"].as_str(), call["input"].clone()).await?;
        let result = json!({ "type": "tool_result", "tool_use_id": call["id"], "content": seen });
        let messages = json!([
            question,
            { "role": "assistant", "content": first["content"] },
            { "role": "user", "content": [result] },
        ]);
        let text = text(&ask(messages).await?)?;
        Ok(Answer { text, ..answer })
    })
    .await
}
