//! Nothing is held, merged or piled up, and nobody waits for somebody who is gone.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::support::{Running, read_head, read_until, reset, server, soon, wait_for_end};

const STREAM: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// A server that hands its first connection to the test.
async fn handed_over() -> (std::net::SocketAddr, mpsc::UnboundedReceiver<TcpStream>) {
    let (hand, handed) = mpsc::unbounded_channel();
    let address = server(move |stream| {
        hand.send(stream).unwrap();
        async {}
    })
    .await;
    (address, handed)
}

#[tokio::test]
async fn each_chunk_reaches_the_client_before_the_next_is_sent() {
    let (address, mut handed) = handed_over().await;
    let gateway = Running::before(address).await;
    let mut client = gateway.connect().await;
    client.write_all(b"GET /p HTTP/1.1\r\nHost: here\r\n\r\n").await.unwrap();
    let mut upstream = soon(handed.recv()).await.unwrap();
    read_head(&mut upstream).await.unwrap();
    upstream.write_all(STREAM).await.unwrap();
    read_head(&mut client).await.unwrap();
    for n in 10..60 {
        let event = format!("data: {n}\n\n");
        let chunk = format!("{:X}\r\n{event}\r\n", event.len());
        upstream.write_all(chunk.as_bytes()).await.unwrap();
        // One read for one chunk: neither more nor less has arrived.
        let mut buffer = [0; 256];
        let read = soon(client.read(&mut buffer)).await.unwrap();
        assert_eq!(std::str::from_utf8(&buffer[..read]).unwrap(), chunk);
    }
    upstream.write_all(b"0\r\n\r\n").await.unwrap();
    assert_eq!(read_until(&mut client, "0\r\n\r\n").await.unwrap(), "0\r\n\r\n");
}

#[tokio::test]
async fn each_piece_of_a_request_reaches_the_upstream_before_the_next_is_sent() {
    let (address, mut handed) = handed_over().await;
    let gateway = Running::before(address).await;
    let mut client = gateway.connect().await;
    client.write_all(b"POST /p HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n").await.unwrap();
    let mut upstream = soon(handed.recv()).await.unwrap();
    read_head(&mut upstream).await.unwrap();
    for n in 10..60 {
        let chunk = format!("2\r\n{n}\r\n");
        client.write_all(chunk.as_bytes()).await.unwrap();
        assert_eq!(read_until(&mut upstream, &format!("{n}\r\n")).await.unwrap(), chunk);
    }
    client.write_all(b"0\r\n\r\n").await.unwrap();
    assert_eq!(read_until(&mut upstream, "0\r\n\r\n").await.unwrap(), "0\r\n\r\n");
    upstream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    assert!(read_head(&mut client).await.unwrap().starts_with("HTTP/1.1 200 OK\r\n"));
}

#[tokio::test]
async fn a_client_that_leaves_before_the_answer_ends_the_call() {
    let (address, mut handed) = handed_over().await;
    let gateway = Running::before(address).await;
    let mut client = gateway.connect().await;
    client.write_all(b"GET /p HTTP/1.1\r\nHost: here\r\n\r\n").await.unwrap();
    let mut upstream = soon(handed.recv()).await.unwrap();
    read_head(&mut upstream).await.unwrap();
    drop(client);
    wait_for_end(&mut upstream).await;
}

#[tokio::test]
async fn a_client_that_leaves_while_it_sends_ends_the_call() {
    let (address, mut handed) = handed_over().await;
    let gateway = Running::before(address).await;
    let mut client = gateway.connect().await;
    client.write_all(b"POST /p HTTP/1.1\r\nHost: here\r\nContent-Length: 1000\r\n\r\nhalf").await.unwrap();
    let mut upstream = soon(handed.recv()).await.unwrap();
    read_until(&mut upstream, "half").await.unwrap();
    reset(client);
    wait_for_end(&mut upstream).await;
}

#[tokio::test]
async fn a_client_that_leaves_in_mid_stream_ends_the_call() {
    for orderly in [true, false] {
        let (address, mut handed) = handed_over().await;
        let gateway = Running::before(address).await;
        let mut client = gateway.connect().await;
        client.write_all(b"GET /p HTTP/1.1\r\nHost: here\r\n\r\n").await.unwrap();
        let mut upstream = soon(handed.recv()).await.unwrap();
        read_head(&mut upstream).await.unwrap();
        upstream.write_all(STREAM).await.unwrap();
        upstream.write_all(b"1\r\na\r\n").await.unwrap();
        read_until(&mut client, "1\r\na\r\n").await.unwrap();
        // No further chunk is sent: the end must be noticed without one.
        if orderly {
            drop(client);
        } else {
            reset(client);
        }
        wait_for_end(&mut upstream).await;
    }
}

const HUNDRED_MEGABYTES: usize = 100 << 20;
/// Far more than all socket buffers and windows on the way together.
const MOST_IN_FLIGHT: usize = 40 << 20;

/// Writes until the other end takes no more for a while, and returns how much it took.
async fn write_until_stuck(stream: &mut TcpStream, piece: &[u8]) -> usize {
    let mut taken = 0;
    while taken < HUNDRED_MEGABYTES {
        match tokio::time::timeout(Duration::from_millis(500), stream.write(piece)).await {
            Ok(wrote) => taken += wrote.unwrap(),
            Err(_) => break,
        }
    }
    taken
}

async fn drain(stream: &mut TcpStream, mut wanted: usize) {
    let mut buffer = vec![0; 1 << 16];
    while wanted > 0 {
        let room = wanted.min(buffer.len());
        let read = soon(stream.read(&mut buffer[..room])).await.unwrap();
        assert!(read > 0 && buffer[..read].iter().all(|byte| *byte == b'x'));
        wanted -= read;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_slows_the_sender_and_a_hundred_megabytes_pass() {
    let (address, mut handed) = handed_over().await;
    let gateway = Running::before(address).await;
    let mut client = gateway.connect().await;
    let piece = vec![b'x'; 1 << 16];

    let head = format!("POST /p HTTP/1.1\r\nHost: here\r\nContent-Length: {HUNDRED_MEGABYTES}\r\n\r\n");
    client.write_all(head.as_bytes()).await.unwrap();
    let mut upstream = soon(handed.recv()).await.unwrap();
    read_head(&mut upstream).await.unwrap();
    let taken = write_until_stuck(&mut client, &piece).await;
    assert!(taken < MOST_IN_FLIGHT, "{taken} bytes were taken although nobody reads them");
    let sending = tokio::spawn(async move {
        let mut left = HUNDRED_MEGABYTES - taken;
        while left > 0 {
            left -= client.write(&piece[..left.min(piece.len())]).await.unwrap();
        }
        (client, piece)
    });
    drain(&mut upstream, HUNDRED_MEGABYTES).await;
    let (mut client, piece) = soon(sending).await.unwrap();

    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {HUNDRED_MEGABYTES}\r\n\r\n");
    upstream.write_all(head.as_bytes()).await.unwrap();
    read_head(&mut client).await.unwrap();
    let taken = write_until_stuck(&mut upstream, &piece).await;
    assert!(taken < MOST_IN_FLIGHT, "{taken} bytes were taken although nobody reads them");
    let sending = tokio::spawn(async move {
        let mut left = HUNDRED_MEGABYTES - taken;
        while left > 0 {
            left -= upstream.write(&piece[..left.min(piece.len())]).await.unwrap();
        }
    });
    drain(&mut client, HUNDRED_MEGABYTES).await;
    soon(sending).await.unwrap();
}
