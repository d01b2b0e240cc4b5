//! Connections that become something else.

use tokio::io::AsyncWriteExt as _;

use crate::support::{Running, ask, read_head, read_until, server, wait_for_end};

const UPGRADE: &str = "GET /p/v1/realtime?model=x HTTP/1.1\r\nHost: here\r\nConnection: keep-alive, Upgrade\r\nUpgrade: \
                       websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n";

#[tokio::test]
async fn a_websocket_is_carried_both_ways() {
    let upstream = server(|mut stream| async move {
        let head = read_head(&mut stream).await.unwrap();
        let wanted = UPGRADE
            .replace("/p/", "/")
            .replace("Host: here", &format!("Host: {}", stream.local_addr().unwrap()));
        assert_eq!(head, wanted);
        // The first frame comes right behind the answer.
        stream
            .write_all(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: \
                  Upgrade\r\nSec-WebSocket-Accept: abc\r\n\r\nhello.",
            )
            .await
            .unwrap();
        while let Some(line) = read_until(&mut stream, ".").await {
            stream.write_all(line.to_uppercase().as_bytes()).await.unwrap();
        }
    })
    .await;
    let gateway = Running::before(upstream).await;
    let mut client = gateway.connect().await;
    client.write_all(UPGRADE.as_bytes()).await.unwrap();
    assert_eq!(
        read_head(&mut client).await.unwrap(),
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: \
         abc\r\n\r\n"
    );
    assert_eq!(read_until(&mut client, ".").await.unwrap(), "hello.");
    for n in 0..20 {
        client.write_all(format!("frame {n}.").as_bytes()).await.unwrap();
        assert_eq!(read_until(&mut client, ".").await.unwrap(), format!("FRAME {n}."));
    }
}

#[tokio::test]
async fn the_end_of_one_side_is_the_end_of_both() {
    for client_leaves in [true, false] {
        let (hand, mut handed) = tokio::sync::mpsc::unbounded_channel();
        let upstream = server(move |mut stream| {
            let hand = hand.clone();
            async move {
                read_head(&mut stream).await.unwrap();
                let answer =
                    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
                stream.write_all(answer).await.unwrap();
                hand.send(stream).unwrap();
            }
        })
        .await;
        let gateway = Running::before(upstream).await;
        let mut client = gateway.connect().await;
        client.write_all(UPGRADE.as_bytes()).await.unwrap();
        read_head(&mut client).await.unwrap();
        let mut upstream = handed.recv().await.unwrap();
        if client_leaves {
            drop(client);
            wait_for_end(&mut upstream).await;
        } else {
            drop(upstream);
            wait_for_end(&mut client).await;
        }
    }
}

#[tokio::test]
async fn a_refused_upgrade_is_an_ordinary_answer() {
    let upstream =
        crate::support::answering("HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\n\r\nkey?").await;
    let gateway = Running::before(upstream).await;
    let got = ask(&gateway, &UPGRADE.replace("keep-alive, Upgrade", "close, Upgrade")).await;
    assert!(got.starts_with("HTTP/1.1 401 Unauthorized\r\n") && got.ends_with("\r\n\r\nkey?"), "{got}");
}

#[tokio::test]
async fn an_offer_of_h2c_is_declined_and_the_request_answered() {
    let upstream = server(|mut stream| async move {
        let head = read_head(&mut stream).await.unwrap().to_ascii_lowercase();
        assert!(!head.contains("upgrade") && !head.contains("http2-settings"), "{head}");
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
    })
    .await;
    let gateway = Running::before(upstream).await;
    let mut client = gateway.connect().await;
    client
        .write_all(
            b"GET /p HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nHost: here\r\nHTTP2-Settings: \
              AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\nUpgrade: h2c\r\nUser-Agent: Java-http-client/21\r\n\r\n",
        )
        .await
        .unwrap();
    assert_eq!(
        read_until(&mut client, "ok").await.unwrap(),
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    );
}
