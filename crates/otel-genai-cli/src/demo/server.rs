//! The scripted model behind a socket of this machine.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Channel, Either, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;

use super::model::{self, Answer, Framing};

/// A model thinks, then speaks a word at a time.
const THINKING: Duration = Duration::from_millis(60);
const WORD: Duration = Duration::from_millis(25);

type Body = Either<Full<Bytes>, Channel<Bytes, Infallible>>;

/// A model that listens.
pub(crate) struct Server {
    listener: TcpListener,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) async fn bind(address: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Answers for ever.
    pub(crate) async fn serve(self) {
        loop {
            let Ok((stream, _)) = self.listener.accept().await else {
                tokio::time::sleep(WORD).await;
                continue;
            };
            let _ = stream.set_nodelay(true);
            tokio::spawn(async move {
                let service = service_fn(|request| async { Ok::<_, Infallible>(respond(request).await) });
                let server = auto::Builder::new(TokioExecutor::new());
                // A client that goes away in the middle is none of our business.
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    }
}

async fn respond(request: Request<Incoming>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let answer = model::answer(head.method.as_str(), head.uri.path(), &body);
    tokio::time::sleep(THINKING).await;
    match answer {
        Answer::Whole(status, document) => {
            let mut response = Response::new(Either::Left(Full::from(document.to_string())));
            *response.status_mut() =
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            if status == 429 {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            response
        }
        Answer::Stream(framing, chunks) => {
            let (mut sender, body) = Channel::new(1);
            tokio::spawn(async move {
                for chunk in chunks {
                    let framed = match framing {
                        Framing::Events => format!("data: {chunk}\n\n"),
                        Framing::Lines => format!("{chunk}\n"),
                    };
                    if sender.send_data(Bytes::from(framed)).await.is_err() {
                        return;
                    }
                    tokio::time::sleep(WORD).await;
                }
                if let Framing::Events = framing {
                    let _ = sender.send_data(Bytes::from_static(b"data: [DONE]\n\n")).await;
                }
            });
            let content_type = match framing {
                Framing::Events => "text/event-stream",
                Framing::Lines => "application/x-ndjson",
            };
            let mut response = Response::new(Either::Right(body));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
            response
        }
    }
}
