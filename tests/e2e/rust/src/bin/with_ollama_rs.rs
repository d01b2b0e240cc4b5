//! ollama-rs, which takes an address and nothing else: a gateway inside the program.

use futures::StreamExt as _;
use ollama_rs::Ollama;
use ollama_rs::error::OllamaError;
use ollama_rs::generation::chat::ChatMessage;
use ollama_rs::generation::chat::request::ChatMessageRequest;
use ollama_rs::generation::tools::ToolInfo;
use otel_genai::opentelemetry::Context;
use otel_genai_gateway::Local;
use program::{Answer, Error, HELLO, PATIENCE, PIECES, QUESTION, Scene, agent, left, run, weather};
use serde_json::{Value, json};

const MODEL: &str = "qwen3:8b";

#[tokio::main]
async fn main() -> Result<(), Error> {
    let _telemetry = otel_genai::init()?;
    run(async |scene| {
        let gateway = Local::start(&scene.server)?;
        play(scene, &gateway).await
    })
    .await
}

async fn play(scene: &Scene, gateway: &Local) -> Result<Value, Error> {
    let here = gateway.within(&Context::current());
    let client = Ollama::try_new(here.url())?;
    match scene.name.as_str() {
        "unary" | "refused" => told(client.send_chat_messages(hello()).await),
        "attempts" => loop {
            match told(client.send_chat_messages(hello()).await)? {
                refused if refused["message"] == "too many requests" => {}
                answer => return Ok(answer),
            }
        },
        "stream" => {
            let mut stream = client.send_chat_messages_stream(pieces()).await?;
            let mut text = String::new();
            while let Some(piece) = stream.next().await {
                text += &piece.map_err(|()| "the stream broke")?.message.content;
            }
            Ok(json!({ "text": text }))
        }
        "dropped" => {
            let mut stream = client.send_chat_messages_stream(pieces()).await?;
            let mut text = String::new();
            while text != "You said:" {
                let piece = stream.next().await.ok_or("the stream is over too soon")?;
                text += &piece.map_err(|()| "the stream broke")?.message.content;
            }
            drop(stream);
            left(scene).await?;
            Ok(json!({ "text": text }))
        }
        "timeout" => match tokio::time::timeout(PATIENCE, client.send_chat_messages(hello())).await {
            Err(_) => {
                left(scene).await?;
                Ok(json!({ "error": "timeout" }))
            }
            Ok(other) => Err(format!("no timeout, but {other:?}").into()),
        },
        "tools" => tools(gateway).await,
        _ => Err("no such scene".into()),
    }
}

fn hello() -> ChatMessageRequest {
    ChatMessageRequest::new(MODEL.to_owned(), vec![ChatMessage::user(HELLO.to_owned())])
}

fn pieces() -> ChatMessageRequest {
    ChatMessageRequest::new(MODEL.to_owned(), vec![ChatMessage::user(PIECES.to_owned())])
}

/// The agent has a client of its own, whose calls are below its span.
async fn tools(gateway: &Local) -> Result<Value, Error> {
    let schema =
        json!({ "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] });
    let about =
        json!({ "name": "get_weather", "description": "The weather in a city", "parameters": schema });
    let tools: Vec<ToolInfo> = serde_json::from_value(json!([{ "type": "function", "function": about }]))?;
    agent("ollama", MODEL, async || {
        let here = gateway.within(&Context::current());
        let client = Ollama::try_new(here.url())?;
        let mut answer = Answer::default();
        let mut ask = async |messages| {
            let request = ChatMessageRequest::new(MODEL.to_owned(), messages).tools(tools.clone());
            let said = client.send_chat_messages(request).await?;
            if let Some(last) = &said.final_data {
                answer.used(last.prompt_eval_count, last.eval_count);
            }
            Ok::<_, Error>(said.message)
        };
        let mut messages = vec![ChatMessage::user(QUESTION.to_owned())];
        let first = ask(messages.clone()).await?;
        let call = first.tool_calls.first().ok_or("the model asks for no tool")?;
        let seen = weather(None, call.function.arguments.clone()).await?;
        messages.extend([first, ChatMessage::tool(seen)]);
        Ok(Answer { text: ask(messages).await?.content, ..answer })
    })
    .await
}

fn told(
    result: Result<ollama_rs::generation::chat::ChatMessageResponse, OllamaError>,
) -> Result<Value, Error> {
    match result {
        Ok(answer) => Ok(json!({ "text": answer.message.content })),
        Err(OllamaError::Other(body)) => {
            let refusal: Value = serde_json::from_str(&body)?;
            Ok(json!({ "message": refusal["error"] }))
        }
        Err(error) => Err(error.into()),
    }
}
