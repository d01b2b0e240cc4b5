//! Answers before the answer.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::oneshot;

use crate::support::{Running, ask, read_body, read_head, server, soon, wait_for_end};

const EXPECTING: &[u8] =
    b"POST /p HTTP/1.1\r\nHost: here\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";

#[tokio::test]
async fn the_upstream_decides_when_the_body_may_come() {
    let upstream = server(|mut stream| async move {
        let head = read_head(&mut stream).await.unwrap();
        assert!(head.contains("\r\nExpect: 100-continue\r\n"), "{head}");
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
        assert_eq!(read_body(&mut stream, &head).await, b"hello");
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
    })
    .await;
    let gateway = Running::before(upstream).await;
    let mut client = gateway.connect().await;
    client.write_all(EXPECTING).await.unwrap();
    assert_eq!(read_head(&mut client).await.unwrap(), "HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(b"hello").await.unwrap();
    let head = read_head(&mut client).await.unwrap();
    assert_eq!(head, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
    assert_eq!(read_body(&mut client, &head).await, b"ok");
}

#[tokio::test]
async fn an_upstream_may_refuse_before_the_body_is_sent() {
    let (done, is_done) = oneshot::channel();
    let done = std::sync::Mutex::new(Some(done));
    let upstream = server(move |mut stream| {
        let done = done.lock().unwrap().take();
        async move {
            read_head(&mut stream).await.unwrap();
            stream.write_all(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno").await.unwrap();
            // The connection on which the body is missing is given up.
            wait_for_end(&mut stream).await;
            done.unwrap().send(()).unwrap();
        }
    })
    .await;
    let gateway = Running::before(upstream).await;
    let mut client = gateway.connect().await;
    client.write_all(EXPECTING).await.unwrap();
    let head = read_head(&mut client).await.unwrap();
    assert!(head.starts_with("HTTP/1.1 401 Unauthorized\r\n"), "{head}");
    assert_eq!(read_body(&mut client, &head).await, b"no");
    soon(is_done).await.unwrap();
}

#[tokio::test]
async fn a_body_that_does_not_wait_is_forwarded_although_the_upstream_never_says_continue() {
    let upstream = server(|mut stream| async move {
        let head = read_head(&mut stream).await.unwrap();
        assert_eq!(read_body(&mut stream, &head).await, b"hello");
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
    })
    .await;
    let gateway = Running::before(upstream).await;
    let mut client = gateway.connect().await;
    client.write_all(&[EXPECTING, b"hello"].concat()).await.unwrap();
    let mut head = read_head(&mut client).await.unwrap();
    if head.starts_with("HTTP/1.1 100 ") {
        head = read_head(&mut client).await.unwrap();
    }
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    let mut body = [0; 2];
    soon(client.read_exact(&mut body)).await.unwrap();
    assert_eq!(&body, b"ok");
}

#[tokio::test]
async fn the_final_answer_passes_after_early_hints() {
    let upstream = server(|mut stream| async move {
        read_head(&mut stream).await.unwrap();
        stream
            .write_all(
                b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 \
                  OK\r\nContent-Length: 2\r\n\r\nok",
            )
            .await
            .unwrap();
    })
    .await;
    let gateway = Running::before(upstream).await;
    let got = ask(&gateway, "GET /p HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n").await;
    assert!(got.starts_with("HTTP/1.1 200 OK\r\n") && got.ends_with("\r\n\r\nok"), "{got}");
}
