//! Calls under way finish; nobody waits for ever.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;

use crate::support::{Running, read_head, read_until, server, soon, to, wait_for_end};

#[tokio::test]
async fn a_stream_under_way_is_finished_and_an_idle_connection_closed() {
    let (hand, mut handed) = mpsc::unbounded_channel();
    let upstream = server(move |stream| {
        hand.send(stream).unwrap();
        async {}
    })
    .await;
    let gateway = Running::before(upstream).await;
    let mut idle = gateway.connect().await;
    idle.write_all(b"GET /none HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    read_until(&mut idle, "}}").await.unwrap();
    let mut client = gateway.connect().await;
    client.write_all(b"GET /p HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut upstream = soon(handed.recv()).await.unwrap();
    read_head(&mut upstream).await.unwrap();
    upstream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n").await.unwrap();
    read_until(&mut client, "1\r\na\r\n").await.unwrap();

    let stopped = gateway.stop();
    wait_for_end(&mut idle).await;
    upstream.write_all(b"1\r\nb\r\n0\r\n\r\n").await.unwrap();
    assert_eq!(read_until(&mut client, "0\r\n\r\n").await.unwrap(), "1\r\nb\r\n0\r\n\r\n");
    assert_eq!(soon(stopped).await.unwrap().cut, 0);
}

#[tokio::test]
async fn what_does_not_end_is_cut_and_counted() {
    let upstream = server(|mut stream| async move {
        let head = read_head(&mut stream).await.unwrap();
        if head.contains("websocket") {
            let answer =
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
            stream.write_all(answer).await.unwrap();
        }
        wait_for_end(&mut stream).await;
    })
    .await;
    let gateway = Running::start(to(upstream).drain(Duration::from_millis(50))).await;
    let mut socket = gateway.connect().await;
    socket
        .write_all(b"GET /p HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        .await
        .unwrap();
    read_head(&mut socket).await.unwrap();
    let mut hanging = gateway.connect().await;
    hanging.write_all(b"GET /p HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    // Served once the connection before it has been.
    let mut after = gateway.connect().await;
    after.write_all(b"GET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    wait_for_end(&mut after).await;

    let drained = soon(gateway.stop()).await.unwrap();
    assert_eq!(drained.cut, 2);
    wait_for_end(&mut socket).await;
    wait_for_end(&mut hanging).await;
}
