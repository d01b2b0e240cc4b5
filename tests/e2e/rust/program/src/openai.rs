//! OpenAI's Chat Completions as JSON.

use serde_json::{Value, json};

use crate::{Answer, Error, HELLO, PIECES, QUESTION, agent, weather};

pub const MODEL: &str = "gpt-4o-mini";

pub fn hello() -> Value {
    json!({ "model": MODEL, "messages": [{ "role": "user", "content": HELLO }], "temperature": 0.2 })
}

pub fn pieces() -> Value {
    let messages = json!([{ "role": "user", "content": PIECES }]);
    json!({ "model": MODEL, "messages": messages, "stream": true, "stream_options": { "include_usage": true } })
}

/// What a whole answer says.
pub fn text(answer: &Value) -> Result<String, Error> {
    let text = answer.pointer("/choices/0/message/content").and_then(Value::as_str);
    Ok(text.ok_or_else(|| format!("no text in {answer}"))?.to_owned())
}

/// What an event of a stream adds.
pub fn piece(event: &Value) -> Option<&str> {
    event.pointer("/choices/0/delta/content")?.as_str()
}

/// The tools that are offered.
fn offered() -> Value {
    let about = json!({
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": { "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] },
    });
    json!([{ "type": "function", "function": about }])
}

/// Runs the tool that the model asks for, the first of them.
async fn ran(call: &Value) -> Result<String, Error> {
    let arguments = serde_json::from_str(call["function"]["arguments"].as_str().unwrap_or_default())?;
    weather(call["id"].as_str(), arguments).await
}

/// One conversation in three calls: a tool is asked for, what it said is told, and the last answer comes in pieces.
pub async fn conversation(
    ask: impl AsyncFn(Value) -> Result<Value, Error>,
    stream: impl AsyncFn(Value) -> Result<String, Error>,
) -> Result<Value, Error> {
    let ask = async |messages: &[Value]| ask(json!({ "model": MODEL, "messages": messages, "tools": offered() })).await;
    let mut messages =
        vec![json!({ "role": "system", "content": "You are brief." }), json!({ "role": "user", "content": QUESTION })];
    let wanted = ask(&messages).await?;
    let call = &wanted["choices"][0]["message"]["tool_calls"][0];
    messages.push(json!({ "role": "assistant", "tool_calls": [call] }));
    messages.push(json!({ "role": "tool", "tool_call_id": call["id"], "content": ran(call).await? }));
    messages.push(json!({ "role": "assistant", "content": text(&ask(&messages).await?)? }));
    messages.push(json!({ "role": "user", "content": PIECES }));
    let options = json!({ "include_usage": true });
    let last = json!({ "model": MODEL, "messages": messages, "stream": true, "stream_options": options });
    Ok(json!({ "answer": stream(last).await? }))
}

/// The agent's loop: the model asks for a tool, and says what the tool said.
pub async fn tools(ask: impl AsyncFn(Value) -> Result<Value, Error>) -> Result<Value, Error> {
    let tools = offered();
    let question = json!({ "role": "user", "content": QUESTION });
    agent("openai", MODEL, async || {
        let mut answer = Answer::default();
        let mut ask = async |messages| {
            let said = ask(json!({ "model": MODEL, "messages": messages, "tools": tools })).await?;
            let used = |name| said["usage"][name].as_u64().unwrap_or_default();
            answer.used(used("prompt_tokens"), used("completion_tokens"));
            Ok::<_, Error>(said)
        };
        let first = ask(json!([question])).await?;
        let call = &first["choices"][0]["message"]["tool_calls"][0];
        let seen = ran(call).await?;
        let messages = json!([
            question,
            { "role": "assistant", "tool_calls": [call] },
            { "role": "tool", "tool_call_id": call["id"], "content": seen },
        ]);
        let text = text(&ask(messages).await?)?;
        Ok(Answer { text, ..answer })
    })
    .await
}
