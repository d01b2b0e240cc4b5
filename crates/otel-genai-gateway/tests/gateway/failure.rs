//! Providers that refuse, break off, or talk nonsense.

use std::net::SocketAddr;

use otel_genai_gateway::UpstreamFailure;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use crate::support::{Running, answering, ask, read_head, reset, server, to};

const REQUEST: &str =
    "GET /p/v1/models?key=not-to-be-shown HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n";

async fn refusing() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

async fn resetting() -> SocketAddr {
    server(|mut stream| async move {
        read_head(&mut stream).await;
        reset(stream);
    })
    .await
}

async fn closing() -> SocketAddr {
    server(|mut stream| async move {
        read_head(&mut stream).await;
    })
    .await
}

#[tokio::test]
async fn a_program_sees_a_broken_connection_as_it_would_without_us() {
    for upstream in
        [refusing().await, resetting().await, closing().await, answering("nonsense\r\n\r\n").await]
    {
        let gateway = Running::before(upstream).await;
        assert_eq!(ask(&gateway, REQUEST).await, "");
    }
}

#[tokio::test]
async fn a_gateway_for_teams_says_which_upstream_failed_and_why() {
    for (upstream, code) in [
        (refusing().await, "connection_refused"),
        (resetting().await, "connection_reset"),
        (closing().await, "connection_closed"),
        (answering("nonsense\r\n\r\n").await, "invalid_response"),
    ] {
        let gateway = Running::start(to(upstream).upstream_failure(UpstreamFailure::BadGateway)).await;
        let got = ask(&gateway, REQUEST).await;
        let (head, body) = got.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{head}");
        assert!(head.contains("content-type: application/json"), "{head}");
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["error"]["type"], "upstream_error");
        assert_eq!(body["error"]["code"], code);
        let message = body["error"]["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("http://{upstream} gave no answer: ")), "{message}");
        assert!(!got.contains("not-to-be-shown"), "{got}");
    }
}

#[tokio::test]
async fn an_unknown_name_is_told_from_a_refusal() {
    let route = otel_genai_gateway::Route::new("/n", &"http://name.invalid".parse().unwrap()).unwrap();
    let builder = to(refusing().await).route(route).upstream_failure(UpstreamFailure::BadGateway);
    let gateway = Running::start(builder).await;
    let got = ask(&gateway, "GET /n HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n").await;
    assert!(got.contains("\"code\":\"host_not_found\""), "{got}");
}

#[tokio::test]
async fn a_stream_that_breaks_off_breaks_off_for_the_client() {
    for orderly in [true, false] {
        for mode in [UpstreamFailure::Abort, UpstreamFailure::BadGateway] {
            let upstream = server(move |mut stream| async move {
                read_head(&mut stream).await;
                let half = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n";
                stream.write_all(half).await.unwrap();
                if !orderly {
                    // The reset must not overtake the bytes.
                    read_head(&mut stream).await;
                    reset(stream);
                }
            })
            .await;
            let gateway = Running::start(to(upstream).upstream_failure(mode)).await;
            let mut client = gateway.connect().await;
            client.write_all(b"POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n").await.unwrap();
            let head = read_head(&mut client).await.unwrap();
            assert!(head.starts_with("HTTP/1.1 200 OK\r\n"));
            assert_eq!(crate::support::read_until(&mut client, "half\r\n").await.unwrap(), "4\r\nhalf\r\n");
            let _ = client.write_all(b"\r\n\r\n").await;
            // No last chunk: the client can tell that this is not all.
            assert_eq!(crate::support::read_rest(&mut client).await, "");
        }
    }
}

#[tokio::test]
async fn a_sized_answer_that_breaks_off_breaks_off_for_the_client() {
    let upstream = answering("HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nhalf").await;
    let upstream = {
        // `answering` waits for the next request; one more layer closes instead.
        let inner = upstream;
        server(move |mut stream| async move {
            let mut up = tokio::net::TcpStream::connect(inner).await.unwrap();
            let head = read_head(&mut stream).await.unwrap();
            up.write_all(head.as_bytes()).await.unwrap();
            let answer = crate::support::read_until(&mut up, "half").await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
        })
        .await
    };
    let gateway = Running::before(upstream).await;
    let got = ask(&gateway, REQUEST).await;
    assert!(got.contains("Content-Length: 100\r\n") && got.ends_with("\r\n\r\nhalf"), "{got}");
}

#[tokio::test]
async fn a_connection_that_the_upstream_closed_while_idle_costs_no_call() {
    let upstream = server(|mut stream| async move {
        // Answers one call as if more could follow, then closes.
        if read_head(&mut stream).await.is_some() {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
        }
    })
    .await;
    let gateway = Running::before(upstream).await;
    for _ in 0..20 {
        let got = ask(&gateway, REQUEST).await;
        assert!(got.ends_with("\r\n\r\nok"), "{got:?}");
    }
}
