//! A gateway that itself has to go through a proxy.

use otel_genai_gateway::UpstreamProxy;
use tokio::io::{AsyncWriteExt as _, copy_bidirectional};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::support::{Running, answering, ask, read_head, server, soon, to};
use crate::tls::Secure;

#[tokio::test]
async fn https_goes_through_a_tunnel() {
    let provider = Secure::start().await;
    let (asked, mut asks) = mpsc::unbounded_channel();
    let target = provider.address;
    let proxy = server(move |mut stream| {
        let asked = asked.clone();
        async move {
            asked.send(read_head(&mut stream).await.unwrap()).unwrap();
            stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await.unwrap();
            let mut upstream = TcpStream::connect(target).await.unwrap();
            let _ = copy_bidirectional(&mut stream, &mut upstream).await;
        }
    })
    .await;
    let url = UpstreamProxy::Url(format!("http://user:word@{proxy}"));
    let gateway = Running::start(provider.gateway().upstream_proxy(url)).await;
    let got = ask(&gateway, "GET /s/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(got.contains("\r\n\r\nHTTP/2.0 GET /x "), "{got}");
    let asked = soon(asks.recv()).await.unwrap();
    assert!(asked.starts_with(&format!("CONNECT localhost:{} HTTP/1.1\r\n", target.port())), "{asked}");
    assert!(asked.to_ascii_lowercase().contains("\r\nproxy-authorization: basic "), "{asked}");
}

#[tokio::test]
async fn plain_http_is_asked_of_the_proxy_in_absolute_form() {
    let upstream = answering("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ndirect").await;
    let (asked, mut asks) = mpsc::unbounded_channel();
    let proxy = server(move |mut stream| {
        let asked = asked.clone();
        async move {
            asked.send(read_head(&mut stream).await.unwrap()).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nvia").await.unwrap();
        }
    })
    .await;
    let url = UpstreamProxy::Url(format!("http://user:word@{proxy}"));
    let gateway = Running::start(to(upstream).upstream_proxy(url)).await;
    let got = ask(&gateway, "GET /p/x?y HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(got.ends_with("\r\n\r\nvia"), "{got}");
    let asked = soon(asks.recv()).await.unwrap();
    assert!(
        asked.starts_with(&format!("GET http://{upstream}/x?y HTTP/1.1\r\nHost: {upstream}\r\n")),
        "{asked}"
    );
    assert!(asked.to_ascii_lowercase().contains("\r\nproxy-authorization: basic "), "{asked}");
}
