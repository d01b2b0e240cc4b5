//! One connector for both transports. TLS is only set up when the first https connection is made.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use super::tls;
use crate::config::Credentials;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What is spoken once the connection stands.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Speak {
    Http1,
    Http2,
}

#[derive(Clone, Debug)]
pub(crate) struct Connector {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    credentials: Credentials,
    speak: Speak,
    https: bool,
    ready: OnceLock<Result<HttpsConnector<HttpConnector>, String>>,
}

impl Connector {
    pub(crate) fn new(https: bool, credentials: &Credentials, speak: Speak) -> Self {
        let credentials = credentials.clone();
        Self { shared: Arc::new(Shared { credentials, speak, https, ready: OnceLock::new() }) }
    }
}

impl Shared {
    fn connector(&self) -> Result<HttpsConnector<HttpConnector>, String> {
        self.ready.get_or_init(|| self.make()).clone()
    }

    fn make(&self) -> Result<HttpsConnector<HttpConnector>, String> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let config = if self.https { tls::client_config(&self.credentials)? } else { tls::no_config()? };
        let builder = HttpsConnectorBuilder::new().with_tls_config(config).https_or_http();
        Ok(match self.speak {
            Speak::Http1 => builder.enable_http1().wrap_connector(tcp),
            Speak::Http2 => builder.enable_http2().wrap_connector(tcp),
        })
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move { shared.connector()?.call(uri).await })
    }
}
