//! What goes in comes out.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;

use crate::support::{Running, answering, ask, read_body, read_head, read_until, server, soon};

/// Sends `request` through the gateway and returns the bytes that the server sees, up to `end`.
async fn seen_upstream(request: String, end: &'static str) -> String {
    let (seen, mut sees) = mpsc::channel(1);
    let upstream = server(move |mut stream| {
        let seen = seen.clone();
        async move {
            let read = read_until(&mut stream, end).await.unwrap();
            seen.send(read.replace(&stream.local_addr().unwrap().to_string(), "UPSTREAM")).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        }
    })
    .await;
    let gateway = Running::before(upstream).await;
    let mut client = gateway.connect().await;
    client.write_all(request.as_bytes()).await.unwrap();
    soon(sees.recv()).await.unwrap()
}

#[tokio::test]
async fn a_request_arrives_byte_for_byte() {
    let request = |path: &str, host: &str, hop: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nX-UPPER-case: One\r\nx-dup: 1\r\nX-Dup:  2\r\nAccept-Encoding: gzip, \
             br;q=0.5\r\n{hop}X-Empty: \r\nX-Bytes: \u{e9}\u{4e2d}\r\ntraceparent: \
             00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nCONTENT-LENGTH: 9\r\nUser-Agent: \
             OpenAI/Python 2.54\r\n\r\n{{\"a\":\"b\"}}"
        )
    };
    let sent = request(
        "/p/v1//chat%2Fx/%7euser/?q=%20+&b[]=1&u=http://h/?y&&",
        "127.0.0.1:1",
        "Connection: Keep-Alive, X-Hop\r\nX-Hop: no\r\nKeep-Alive: timeout=5\r\n",
    );
    let wanted = request("/v1//chat%2Fx/%7euser/?q=%20+&b[]=1&u=http://h/?y&&", "UPSTREAM", "");
    assert_eq!(
        seen_upstream(sent, "}").await,
        wanted.replace(":  2", ": 2").replace("X-Empty: ", "X-Empty:")
    );
}

#[tokio::test]
async fn a_chunked_request_stays_chunked_with_its_trailers() {
    let rest =
        "Transfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nx-sum: 5\r\n\r\n";
    let sent = format!("POST /p/x HTTP/1.1\r\nHost: here\r\n{rest}");
    let wanted = format!("POST /x HTTP/1.1\r\nHost: UPSTREAM\r\n{rest}");
    assert_eq!(seen_upstream(sent, "x-sum: 5\r\n\r\n").await, wanted);
}

#[tokio::test]
async fn a_request_without_a_body_gets_none_and_no_header_is_added() {
    for method in ["GET", "POST", "DELETE", "OPTIONS", "PURGE"] {
        let sent = format!("{method} /p HTTP/1.1\r\nHost: here\r\n\r\n");
        let wanted = format!("{method} / HTTP/1.1\r\nHost: UPSTREAM\r\n\r\n");
        assert_eq!(seen_upstream(sent, "\r\n\r\n").await, wanted);
    }
    let sent = "POST /p HTTP/1.1\r\nHost: here\r\ncontent-Length: 0\r\n\r\n".to_owned();
    let wanted = "POST / HTTP/1.1\r\nHost: UPSTREAM\r\ncontent-Length: 0\r\n\r\n";
    assert_eq!(seen_upstream(sent, "\r\n\r\n").await, wanted);
}

#[tokio::test]
async fn a_get_with_a_chunked_body_keeps_it() {
    let rest = "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let sent = format!("GET /p/x HTTP/1.1\r\nHost: here\r\n{rest}");
    assert_eq!(
        seen_upstream(sent, "0\r\n\r\n").await,
        format!("GET /x HTTP/1.1\r\nHost: UPSTREAM\r\n{rest}")
    );
}

/// The answer arrives as it is; `Connection: close` on the request is only how the test knows its end.
async fn unchanged(method: &str, answer: &'static str) {
    let gateway = Running::before(answering(answer).await).await;
    let request = format!("{method} /p HTTP/1.1\r\nHost: here\r\nTE: trailers\r\nConnection: close\r\n\r\n");
    let got = ask(&gateway, &request).await;
    assert_eq!(got.replace("connection: close\r\n", ""), answer);
}

#[tokio::test]
async fn an_answer_arrives_byte_for_byte() {
    unchanged(
        "GET",
        "HTTP/1.1 200 OK\r\nX-Request-ID: req_1\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\ncontent-type: \
         application/json\r\nopenai-processing-MS: 12\r\nContent-Length: 2\r\nVia: 1.1 them\r\n\r\n{}",
    )
    .await;
    unchanged("GET", "HTTP/1.1 429 Slow Down Please\r\nRetry-After: 1\r\nContent-Length: 3\r\n\r\nno\n")
        .await;
    unchanged("GET", "HTTP/1.1 200 OK\r\nDate: yesterday\r\nServer: me\r\nContent-Length: 0\r\n\r\n").await;
    unchanged("POST", "HTTP/1.1 599 Odd\r\ncontent-length: 0\r\n\r\n").await;
}

#[tokio::test]
async fn an_answer_without_a_body_stays_without() {
    unchanged("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\nETag: \"x\"\r\n\r\n").await;
    unchanged("HEAD", "HTTP/1.1 200 OK\r\nETag: \"x\"\r\n\r\n").await;
    unchanged("GET", "HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n").await;
    unchanged("GET", "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n").await;
    unchanged("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\nETag: \"x\"\r\n\r\n").await;
}

#[tokio::test]
async fn chunks_and_trailers_arrive_as_sent() {
    unchanged(
        "GET",
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nTrailer: x-end\r\n\r\n\
         9\r\ndata: a\n\n\r\nE\r\ndata: [DONE]\n\n\r\n0\r\nx-end: yes\r\n\r\n",
    )
    .await;
}

#[tokio::test]
async fn a_body_that_ends_with_its_connection_arrives_whole() {
    let upstream = server(|mut stream| async move {
        read_head(&mut stream).await.unwrap();
        stream.write_all(b"HTTP/1.0 200 OK\r\nX-Old: yes\r\n\r\nall of it").await.unwrap();
    })
    .await;
    let gateway = Running::before(upstream).await;
    let got = ask(&gateway, "GET /p HTTP/1.0\r\nHost: here\r\n\r\n").await;
    assert!(got.ends_with("X-Old: yes\r\n\r\nall of it"), "{got}");
    let got = ask(&gateway, "GET /p HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n").await;
    assert!(got.ends_with("\r\n9\r\nall of it\r\n0\r\n\r\n"), "{got}");
}

#[tokio::test]
async fn compressed_and_binary_bodies_are_not_touched() {
    // Every byte value, and something that looks like gzip but is not.
    let body: Vec<u8> = [0x1f, 0x8b, 8, 0].into_iter().chain(0..=255).chain([0x1f, 0x8b]).collect();
    let echoed = body.clone();
    let upstream = server(move |mut stream| {
        let echoed = echoed.clone();
        async move {
            let head = read_head(&mut stream).await.unwrap();
            assert!(head.contains("\r\nContent-Encoding: gzip\r\n"), "{head}");
            assert_eq!(read_body(&mut stream, &head).await, echoed);
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
                echoed.len()
            );
            stream.write_all(&[head.as_bytes(), &echoed].concat()).await.unwrap();
        }
    })
    .await;
    let gateway = Running::before(upstream).await;
    let mut client = gateway.connect().await;
    let head = format!(
        "POST /p HTTP/1.1\r\nHost: here\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    client.write_all(&[head.as_bytes(), &body].concat()).await.unwrap();
    let head = read_head(&mut client).await.unwrap();
    assert!(head.contains("\r\nContent-Encoding: gzip\r\n"), "{head}");
    assert_eq!(read_body(&mut client, &head).await, body);
}

#[tokio::test]
async fn large_headers_pass() {
    let upstream = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let gateway = Running::before(upstream).await;
    let many: String = (0..90).map(|n| format!("X-{n}: {n}\r\n")).collect();
    let request = format!(
        "GET /p HTTP/1.1\r\nHost: here\r\nCookie: {}\r\n{many}Connection: close\r\n\r\n",
        "c".repeat(100_000)
    );
    let got = ask(&gateway, &request).await;
    assert!(got.starts_with("HTTP/1.1 200 OK"), "{got}");
}

#[tokio::test]
async fn connections_are_reused_on_both_sides() {
    let (connected, mut connections) = mpsc::unbounded_channel();
    let upstream = server(move |mut stream| {
        connected.send(()).unwrap();
        async move {
            while let Some(head) = read_head(&mut stream).await {
                let body = read_body(&mut stream, &head).await;
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                stream.write_all(&[head.as_bytes(), &body].concat()).await.unwrap();
            }
        }
    })
    .await;
    let gateway = Running::before(upstream).await;
    let mut client = gateway.connect().await;
    for n in 0..50 {
        let body = format!("call {n}");
        let request =
            format!("POST /p HTTP/1.1\r\nHost: here\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        client.write_all(request.as_bytes()).await.unwrap();
        let head = read_head(&mut client).await.unwrap();
        assert_eq!(read_body(&mut client, &head).await, body.as_bytes());
    }
    let mut count = 0;
    while connections.try_recv().is_ok() {
        count += 1;
    }
    // A second one may be opened while the first is on its way back into the pool.
    assert!(count <= 5, "{count} connections for 50 calls in a row");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_calls_at_once_keep_their_answers() {
    let upstream = server(|mut stream| async move {
        while let Some(head) = read_head(&mut stream).await {
            let body = read_body(&mut stream, &head).await;
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            stream.write_all(&[head.as_bytes(), &body].concat()).await.unwrap();
        }
    })
    .await;
    let gateway = Running::before(upstream).await;
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..200 {
        let mut client = gateway.connect().await;
        calls.spawn(async move {
            let body = format!("{n}").repeat(n + 1);
            let request =
                format!("POST /p HTTP/1.1\r\nHost: here\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            client.write_all(request.as_bytes()).await.unwrap();
            let head = read_head(&mut client).await.unwrap();
            assert_eq!(read_body(&mut client, &head).await, body.as_bytes());
        });
    }
    while let Some(done) = soon(calls.join_next()).await {
        done.unwrap();
    }
}

#[tokio::test]
async fn requests_sent_ahead_are_answered_in_order() {
    let upstream = server(|mut stream| async move {
        while let Some(head) = read_head(&mut stream).await {
            let path = head.split(' ').nth(1).unwrap();
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{path}", path.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    })
    .await;
    let gateway = Running::before(upstream).await;
    let mut client = gateway.connect().await;
    client
        .write_all(b"GET /p/a HTTP/1.1\r\nHost: x\r\n\r\nGET /p/b HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    for wanted in ["/a", "/b"] {
        let head = read_head(&mut client).await.unwrap();
        assert_eq!(read_body(&mut client, &head).await, wanted.as_bytes());
    }
    let mut buffer = [0; 1];
    client.shutdown().await.unwrap();
    assert_eq!(soon(client.read(&mut buffer)).await.unwrap(), 0);
}
