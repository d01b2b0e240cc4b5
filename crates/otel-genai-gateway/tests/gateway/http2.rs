//! Clients that speak HTTP/2 without TLS.

use bytes::Bytes;
use http::{Request, Version};
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;

use crate::support::{Running, read_head, read_until, server, soon};

type Sender<B> = hyper::client::conn::http2::SendRequest<B>;

async fn http2<B>(gateway: &Running) -> Sender<B>
where
    B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    let io = TokioIo::new(gateway.connect().await);
    let (sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    sender
}

#[tokio::test]
async fn an_http2_client_reaches_an_http1_provider() {
    let (seen, mut sees) = mpsc::unbounded_channel();
    let upstream = server(move |mut stream| {
        let seen = seen.clone();
        async move {
            seen.send(read_until(&mut stream, "hello").await.unwrap()).unwrap();
            let answer = "HTTP/1.1 201 Created\r\nConnection: keep-alive\r\nKeep-Alive: \
                          timeout=5\r\nTransfer-Encoding: chunked\r\nX-Up: Yes\r\nTrailer: \
                          x-end\r\n\r\n2\r\nok\r\n0\r\nx-end: 1\r\n\r\n";
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    })
    .await;
    let gateway = Running::before(upstream).await;
    let mut client = http2(&gateway).await;
    let request = Request::post(format!("http://{}/p/v1/x?y=%20", gateway.address))
        .header("x-a", "1")
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .header("content-length", "5")
        .body(Full::new(Bytes::from_static(b"hello")))
        .unwrap();
    let response = soon(client.send_request(request)).await.unwrap();
    assert_eq!(response.status(), 201);
    assert_eq!(response.version(), Version::HTTP_2);
    let mut names: Vec<_> = response.headers().keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["trailer", "x-up"]);
    let body = soon(response.into_body().collect()).await.unwrap();
    assert_eq!(body.trailers().unwrap()["x-end"], "1");
    assert_eq!(body.to_bytes(), "ok");
    assert_eq!(
        soon(sees.recv()).await.unwrap(),
        format!(
            "POST /v1/x?y=%20 HTTP/1.1\r\nx-a: 1\r\ncookie: a=1; b=2\r\ncontent-length: 5\r\nhost: {upstream}\r\n\r\nhello"
        )
    );
}

#[tokio::test]
async fn a_body_of_unknown_length_is_framed_even_where_none_is_usual() {
    let (seen, mut sees) = mpsc::unbounded_channel();
    let upstream = server(move |mut stream| {
        let seen = seen.clone();
        async move {
            seen.send(read_until(&mut stream, "0\r\n\r\n").await.unwrap()).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        }
    })
    .await;
    let gateway = Running::before(upstream).await;
    let mut client = http2(&gateway).await;
    for method in ["GET", "POST"] {
        let (pieces, body) = mpsc::channel::<Result<_, std::io::Error>>(1);
        let body = StreamBody::new(futures_stream(body));
        let request = Request::builder()
            .method(method)
            .uri(format!("http://{}/p", gateway.address))
            .body(Box::pin(body))
            .unwrap();
        let answer = client.send_request(request);
        pieces.send(Ok(http_body::Frame::data(Bytes::from_static(b"abc")))).await.unwrap();
        drop(pieces);
        assert_eq!(soon(answer).await.unwrap().status(), 200);
        let seen = soon(sees.recv()).await.unwrap();
        assert!(seen.contains("\r\ntransfer-encoding: chunked\r\n"), "{seen}");
        assert!(seen.ends_with("\r\n\r\n3\r\nabc\r\n0\r\n\r\n"), "{seen}");
    }
}

fn futures_stream<T>(mut receiver: mpsc::Receiver<T>) -> impl futures_util::Stream<Item = T> {
    futures_util::stream::poll_fn(move |cx| receiver.poll_recv(cx))
}

#[tokio::test]
async fn a_cancelled_http2_call_ends_upstream_and_others_on_the_connection_go_on() {
    let (hand, mut handed) = mpsc::unbounded_channel();
    let upstream = server(move |stream| {
        hand.send(stream).unwrap();
        async {}
    })
    .await;
    let gateway = Running::before(upstream).await;
    let mut client = http2(&gateway).await;
    let request =
        || Request::get(format!("http://{}/p", gateway.address)).body(Full::<Bytes>::default()).unwrap();
    let cancelled = tokio::spawn(client.send_request(request()));
    let mut first = soon(handed.recv()).await.unwrap();
    read_head(&mut first).await.unwrap();
    let other = client.send_request(request());
    let other = tokio::spawn(other);
    let mut second = soon(handed.recv()).await.unwrap();
    read_head(&mut second).await.unwrap();
    cancelled.abort();
    crate::support::wait_for_end(&mut first).await;
    second.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
    let response = soon(other).await.unwrap().unwrap();
    assert_eq!(soon(response.into_body().collect()).await.unwrap().to_bytes(), "ok");
}

#[tokio::test]
async fn an_aborted_http2_call_is_reset() {
    let upstream = server(|mut stream| async move {
        read_head(&mut stream).await;
    })
    .await;
    let gateway = Running::before(upstream).await;
    let mut client = http2(&gateway).await;
    let request =
        Request::get(format!("http://{}/p", gateway.address)).body(Full::<Bytes>::default()).unwrap();
    assert!(soon(client.send_request(request)).await.is_err());
    let request = Request::get(format!("http://{}/none", gateway.address)).body(Full::default()).unwrap();
    let response = soon(client.send_request(request)).await.unwrap();
    assert_eq!(response.status(), 404);
    let names: Vec<_> = response.headers().keys().map(http::HeaderName::as_str).collect();
    assert_eq!(names, ["content-type", "content-length"]);
}
