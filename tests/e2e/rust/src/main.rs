//! async-openai: Chat Completions, embeddings and Responses; whole, streamed, with tools, refused and broken off.

use std::error::Error;

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use futures::{Stream, StreamExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

const QUESTION: &str = "How is the weather in Paris?";
const OUTSIDE: &str = "18 degrees and sunny";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let client = Client::new();
    let mut seen = Map::new();
    chat(&client, &mut seen).await?;
    responses(&client, &mut seen).await?;
    println!("{}", Value::Object(seen));
    Ok(())
}

async fn chat(client: &Client<OpenAIConfig>, seen: &mut Map<String, Value>) -> Result<(), Box<dyn Error>> {
    let chat = client.chat();
    let tools = json!([{ "type": "function", "function": about() }]);
    let ask = |words: &str| json!([{ "role": "user", "content": words }]);

    let messages = json!([{ "role": "system", "content": "Answer briefly." }, { "role": "user", "content": "Hello – ünïcödé 🦀" }]);
    let request = json!({ "model": "gpt-4o-mini", "messages": messages, "temperature": 0.2, "max_completion_tokens": 64 });
    let whole = told(chat.create(typed(request)?).await?)?;
    note(seen, "chat unary", &whole["choices"][0]["message"]["content"], &whole);

    let options = json!({ "include_usage": true });
    let request =
        json!({ "model": "gpt-4o-mini", "messages": ask("Say it in pieces"), "stream_options": options });
    let chunks = all(chat.create_stream(typed(request)?).await?).await?;
    let text: String =
        chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect();
    note(seen, "chat stream", &Value::from(text), &Value::from(chunks));

    let request = json!({ "model": "gpt-4o-mini", "messages": ask(QUESTION), "tools": tools });
    let first = told(chat.create(typed(request.clone())?).await?)?;
    let call = &first["choices"][0]["message"]["tool_calls"][0];
    let messages = json!([
        { "role": "user", "content": QUESTION },
        { "role": "assistant", "tool_calls": [call] },
        { "role": "tool", "tool_call_id": call["id"], "content": OUTSIDE },
    ]);
    let second = json!({ "model": "gpt-4o-mini", "messages": messages, "tools": tools });
    let second = told(chat.create(typed(second)?).await?)?;
    note(seen, "chat tools", &second["choices"][0]["message"]["content"], &first);

    let chunks = all(chat.create_stream(typed(request)?).await?).await?;
    let name = chunks
        .iter()
        .find_map(|chunk| chunk.pointer("/choices/0/delta/tool_calls/0/function/name")?.as_str());
    note(seen, "chat streamed tools", &Value::from(name), &Value::from(chunks.clone()));

    let request = json!({ "model": "busy", "messages": ask("Please fail") });
    seen.insert("chat error".to_owned(), refused(chat.create(typed(request)?).await));

    let request = json!({ "model": "gpt-4o-mini", "messages": ask("Break off") });
    let chunks = all(chat.create_stream(typed(request)?).await?).await?;
    seen.insert("chat broken stream".to_owned(), Value::from(chunks));

    let request = json!({ "model": "text-embedding-3-small", "input": ["one", "two"] });
    seen.insert("embeddings".to_owned(), told(client.embeddings().create(typed(request)?).await?)?);
    Ok(())
}

async fn responses(
    client: &Client<OpenAIConfig>,
    seen: &mut Map<String, Value>,
) -> Result<(), Box<dyn Error>> {
    let responses = client.responses();
    let mut tool = about();
    tool["type"] = Value::from("function");
    let tools = json!([tool]);
    let ask = json!([{ "type": "message", "role": "user", "content": QUESTION }]);
    let text = |response: &Value| {
        let items = response["output"].as_array().cloned().unwrap_or_default();
        items.iter().find_map(|item| item.pointer("/content/0/text").cloned()).unwrap_or_default()
    };

    let whole = json!({
        "model": "gpt-4o-mini", "instructions": "Answer briefly.", "input": "Hello – ünïcödé 🦀", "temperature": 0.2,
        "max_output_tokens": 64,
    });
    let whole = told(responses.create(typed(whole)?).await?)?;
    note(seen, "unary", &text(&whole), &whole);

    let request = json!({ "model": "gpt-4o-mini", "input": "Say it in pieces" });
    let events = all(responses.create_stream(typed(request)?).await?).await?;
    let over = events
        .iter()
        .rfind(|event| event["type"] == "response.completed")
        .map(|event| text(&event["response"]));
    note(seen, "stream", &over.unwrap_or_default(), &Value::from(events));

    let request = json!({ "model": "o4-mini", "input": "Think first", "reasoning": { "effort": "low", "summary": "auto" } });
    let events = all(responses.create_stream(typed(request)?).await?).await?;
    let over = events
        .iter()
        .rfind(|event| event["type"] == "response.completed")
        .map(|event| text(&event["response"]));
    note(seen, "reasoning", &over.unwrap_or_default(), &Value::from(events));

    let request = json!({ "model": "gpt-4o-mini", "input": ask, "tools": tools });
    let first = told(responses.create(typed(request.clone())?).await?)?;
    let call = &first["output"][0];
    let result = json!({ "type": "function_call_output", "call_id": call["call_id"], "output": OUTSIDE });
    let second = json!({ "model": "gpt-4o-mini", "input": [ask[0], call, result], "tools": tools });
    let second = told(responses.create(typed(second)?).await?)?;
    note(seen, "tools", &text(&second), &first);

    let events = all(responses.create_stream(typed(request)?).await?).await?;
    let name = events.iter().find_map(|event| event.pointer("/item/name").cloned());
    note(seen, "streamed tools", &name.unwrap_or_default(), &Value::from(events));

    let request = json!({ "model": "busy", "input": "Please fail" });
    seen.insert("error".to_owned(), refused(responses.create(typed(request)?).await));

    let request = json!({ "model": "gpt-4o-mini", "input": "Break off" });
    let events = all(responses.create_stream(typed(request)?).await?).await?;
    seen.insert("broken stream".to_owned(), Value::from(events));
    Ok(())
}

fn about() -> Value {
    json!({
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": { "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] },
    })
}

/// A request of the SDK's own type.
fn typed<T: DeserializeOwned>(request: Value) -> Result<T, serde_json::Error> {
    serde_json::from_value(request)
}

fn told(answer: impl Serialize) -> Result<Value, serde_json::Error> {
    serde_json::to_value(answer)
}

/// What a stream brought, and the error that ended it as a text.
async fn all<T: Serialize>(
    mut stream: impl Stream<Item = Result<T, OpenAIError>> + Unpin,
) -> Result<Vec<Value>, serde_json::Error> {
    let mut items = Vec::new();
    while let Some(item) = stream.next().await {
        match item {
            Ok(item) => items.push(told(item)?),
            Err(_) => {
                items.push(Value::from("broken"));
                break;
            }
        }
    }
    Ok(items)
}

fn refused<T>(answer: Result<T, OpenAIError>) -> Value {
    match answer {
        Err(OpenAIError::ApiError(problem)) => {
            json!(["ApiError", problem.status_code.as_u16(), problem.api_error.message])
        }
        Err(problem) => json!([problem.to_string()]),
        Ok(_) => Value::Null,
    }
}

fn note(seen: &mut Map<String, Value>, name: &str, text: &Value, whole: &Value) {
    seen.insert(name.to_owned(), json!({ "text": text, "whole": whole }));
}
