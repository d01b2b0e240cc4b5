//! Raw servers, raw clients, and a deadline on everything that waits.

use std::net::SocketAddr;
use std::time::Duration;

use otel_genai_gateway::{Drained, Gateway, GatewayBuilder, Route, UpstreamProxy};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Long enough for the slowest machine; a test that gets here has failed.
const DEADLINE: Duration = Duration::from_secs(60);

/// Waits, but not for ever.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.expect("it should have happened by now")
}

/// A gateway in the background.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Drained>,
}

impl Running {
    pub(crate) async fn start(builder: GatewayBuilder) -> Self {
        let gateway = builder.bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = gateway.local_addr();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(gateway.serve(async {
            let _ = stopped.await;
        }));
        Self { address, stop, served }
    }

    /// A gateway with one route, `/p`.
    pub(crate) async fn before(upstream: SocketAddr) -> Self {
        Self::start(to(upstream)).await
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    pub(crate) fn stop(self) -> JoinHandle<Drained> {
        self.stop.send(()).unwrap();
        self.served
    }
}

pub(crate) fn to(upstream: SocketAddr) -> GatewayBuilder {
    let upstream = format!("http://{upstream}").parse().unwrap();
    Gateway::builder(None).route(Route::new("/p", &upstream).unwrap()).upstream_proxy(UpstreamProxy::Direct)
}

/// A scripted server: each connection is handed to `script`.
pub(crate) async fn server<F>(script: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            tokio::spawn(script(stream));
        }
    });
    address
}

/// A server which answers each request's head (and `content-length` body) with the same bytes.
pub(crate) async fn answering(answer: &'static str) -> SocketAddr {
    server(move |mut stream| async move {
        while let Some(head) = read_head(&mut stream).await {
            read_body(&mut stream, &head).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    })
    .await
}

/// Reads up to and including the empty line; `None` at the end of the connection.
pub(crate) async fn read_head(stream: &mut TcpStream) -> Option<String> {
    read_until(stream, "\r\n\r\n").await
}

/// Reads, not one byte too many, until what was read ends with `end`.
pub(crate) async fn read_until(stream: &mut TcpStream, end: &str) -> Option<String> {
    let mut read = Vec::new();
    while !read.ends_with(end.as_bytes()) {
        match soon(stream.read_u8()).await {
            Ok(byte) => read.push(byte),
            Err(_) => return None,
        }
    }
    Some(String::from_utf8(read).unwrap())
}

/// Reads the body that the head announces.
pub(crate) async fn read_body(stream: &mut TcpStream, head: &str) -> Vec<u8> {
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, value)| value.trim().parse().unwrap());
    let mut body = vec![0; length];
    soon(stream.read_exact(&mut body)).await.unwrap();
    body
}

/// Sends `request` and reads all until the gateway closes.
pub(crate) async fn ask(gateway: &Running, request: &str) -> String {
    let mut stream = gateway.connect().await;
    stream.write_all(request.as_bytes()).await.unwrap();
    read_rest(&mut stream).await
}

pub(crate) async fn read_rest(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match soon(stream.read(&mut buffer)).await {
            Ok(0) | Err(_) => return String::from_utf8(read).unwrap(),
            Ok(n) => read.extend_from_slice(&buffer[..n]),
        }
    }
}

/// Waits until the other end is gone.
pub(crate) async fn wait_for_end(stream: &mut TcpStream) {
    let mut buffer = [0; 4096];
    while !matches!(soon(stream.read(&mut buffer)).await, Ok(0) | Err(_)) {}
}

/// Closes with a reset instead of an orderly end.
pub(crate) fn reset(stream: TcpStream) {
    stream.set_zero_linger().unwrap();
    drop(stream);
}
