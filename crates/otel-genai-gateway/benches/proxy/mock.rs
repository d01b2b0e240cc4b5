//! A provider that costs as little as possible, and an OTLP receiver that throws away.

use std::fmt::Write as _;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const CHUNKS: usize = 100;
/// Between two chunks of a paced stream.
const PACE: Duration = Duration::from_millis(5);

pub(crate) async fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    crate::announce(listener.local_addr().unwrap());
    let (unary, stream) = (unary(), stream());
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        socket.set_nodelay(true).unwrap();
        // A broken connection is the other side's business.
        tokio::spawn(answer(socket, unary.clone(), stream.clone()));
    }
}

async fn answer(mut socket: TcpStream, unary: String, stream: Vec<String>) -> std::io::Result<()> {
    let mut read = Vec::with_capacity(1 << 16);
    loop {
        let (head, length) = loop {
            if let Some(found) = complete(&read) {
                break found;
            }
            if socket.read_buf(&mut read).await? == 0 {
                return Ok(());
            }
        };
        let request = &read[..head + length];
        let has = |needle: &[u8]| request.windows(needle.len()).any(|window| window == needle);
        if !has(b"/chat/completions ") {
            socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await?;
        } else if has(b"\"paced\"") {
            for piece in &stream {
                socket.write_all(piece.as_bytes()).await?;
                tokio::time::sleep(PACE).await;
            }
        } else if has(b"\"stream\":true") {
            socket.write_all(stream.concat().as_bytes()).await?;
        } else {
            socket.write_all(unary.as_bytes()).await?;
        }
        read.drain(..head + length);
    }
}

/// Lengths of head and body, once both are there.
fn complete(read: &[u8]) -> Option<(usize, usize)> {
    let head = read.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&read[..head]).unwrap();
    let length = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, value)| value.trim().parse().unwrap());
    (read.len() >= head + length).then_some((head, length))
}

fn unary() -> String {
    let said = "The weather in Paris is mild today, with a light breeze from the west. ".repeat(8);
    let body = format!(
        r#"{{"id":"chatcmpl-BkA1","object":"chat.completion","created":1780000000,"model":"gpt-4o-mini-2024-07-18","choices":[{{"index":0,"message":{{"role":"assistant","content":"{said}","refusal":null,"annotations":[]}},"logprobs":null,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":24,"completion_tokens":130,"total_tokens":154,"prompt_tokens_details":{{"cached_tokens":0,"audio_tokens":0}},"completion_tokens_details":{{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}},"service_tier":"default","system_fingerprint":"fp_34a54ae93c"}}"#
    );
    format!(
        "HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 00:00:00 GMT\r\nContent-Type: application/json\r\nContent-Length: \
         {}\r\nConnection: keep-alive\r\nopenai-processing-ms: 312\r\nx-request-id: req_0123456789\r\n\r\n{body}",
        body.len()
    )
}

/// The head, then one piece for each chunk.
fn stream() -> Vec<String> {
    let event = |choices: &str, usage: &str| {
        format!(
            r#"data: {{"id":"chatcmpl-BkA2","object":"chat.completion.chunk","created":1780000000,"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_34a54ae93c","choices":[{choices}],"usage":{usage}}}"#
        ) + "\n\n"
    };
    let mut events: Vec<String> = (0..CHUNKS)
        .map(|n| {
            let mut delta = String::new();
            let _ = write!(
                delta,
                r#"{{"index":0,"delta":{{"content":" token{n}"}},"logprobs":null,"finish_reason":null}}"#
            );
            event(&delta, "null")
        })
        .collect();
    events[CHUNKS - 1] = event(r#"{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}"#, "null");
    events.push(event("", r#"{"prompt_tokens":24,"completion_tokens":100,"total_tokens":124}"#));
    events.push("data: [DONE]\n\n".to_owned());
    let mut pieces = vec![
        "HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 00:00:00 GMT\r\nContent-Type: text/event-stream; \
         charset=utf-8\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\nx-request-id: req_0123456789\r\n\r\n"
            .to_owned(),
    ];
    pieces.extend(events.iter().map(|event| format!("{:X}\r\n{event}\r\n", event.len())));
    pieces.push("0\r\n\r\n".to_owned());
    pieces
}
