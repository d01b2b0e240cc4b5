//! One export over `http/protobuf`: packed, sent, and sent again where the protocol says so.

use std::io::Write as _;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderValue, Request, Response, Uri};
use opentelemetry_http::HttpClient as _;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};

use crate::config::Destination;
use crate::health::Health;
use crate::transport::http::Sender;

const AGENT: HeaderValue = HeaderValue::from_static(concat!(
    "OTel-OTLP-Exporter-Rust/0.33 otel-genai-sdk/",
    env!("CARGO_PKG_VERSION")
));
/// As the SDK's exporters do: so often in all, after pauses that double.
const ATTEMPTS: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const JITTER: u32 = 100;
/// However long a receiver asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Where the batches of one signal go.
#[derive(Debug)]
pub(crate) struct Delivery {
    sender: Sender,
    url: Uri,
    gzip: bool,
    timeout: Duration,
    health: Arc<Health>,
}

impl Delivery {
    pub(crate) fn new(sender: Sender, to: &Destination, health: Arc<Health>) -> Self {
        Self { sender, url: to.url.clone(), gzip: to.gzip, timeout: to.timeout, health }
    }

    /// Blocks until the receiver has taken the request, or it is given up.
    pub(crate) fn export(&self, body: Vec<u8>, records: usize) -> OTelSdkResult {
        self.health.begin();
        let outcome = self.deliver(body);
        self.health.end(u64::try_from(records).unwrap_or(u64::MAX), &outcome);
        outcome
    }

    fn deliver(&self, body: Vec<u8>) -> OTelSdkResult {
        let body = Bytes::from(if self.gzip { packed(&body)? } else { body });
        let deadline = Instant::now() + self.timeout;
        let mut pause = FIRST_PAUSE;
        let mut attempt = 1;
        loop {
            let answer = self.sender.runtime().block_on(self.sender.send_bytes(self.request(body.clone())));
            let (failure, wanted) = match answer {
                Ok(answer) if answer.status().is_success() => return Ok(()),
                Ok(answer) => (format!("the receiver answered {}", answer.status()), again(&answer)),
                Err(error) => (error.to_string(), Some(Duration::ZERO)),
            };
            let failure = || OTelSdkError::InternalFailure(failure);
            let Some(wanted) = wanted.filter(|_| attempt < ATTEMPTS) else { return Err(failure()) };
            pause = pause.max(wanted.min(LONGEST_PAUSE));
            let wait = pause + jitter();
            if Instant::now() + wait >= deadline {
                return Err(failure());
            }
            thread::sleep(wait);
            pause *= 2;
            attempt += 1;
        }
    }

    fn request(&self, body: Bytes) -> Request<Bytes> {
        let mut request = Request::new(body);
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = self.url.clone();
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        headers.insert(USER_AGENT, AGENT);
        if self.gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        request
    }
}

/// How long to wait before the same request is sent again; `None`: it never is.
fn again(answer: &Response<Bytes>) -> Option<Duration> {
    match answer.status().as_u16() {
        429 | 503 => {
            let asked =
                answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
            Some(Duration::from_secs(asked.unwrap_or(0)))
        }
        502 | 504 => Some(Duration::ZERO),
        _ => None,
    }
}

/// So that many programs whose receiver was away do not come back in one moment.
fn jitter() -> Duration {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Duration::from_millis(u64::from(now.subsec_micros() % JITTER))
}

fn packed(body: &[u8]) -> Result<Vec<u8>, OTelSdkError> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    let written = packer.write_all(body).and_then(|()| packer.finish());
    written.map_err(|error| OTelSdkError::InternalFailure(error.to_string()))
}
