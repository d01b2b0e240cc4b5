//! Why a request was not taken, as `google.rpc.Status`.

use std::time::Duration;

use http::StatusCode;
use otel_genai_store::StoreError;
use prost::Message as _;
use prost::bytes::Bytes;

use crate::http::Refusal;

/// Why a request was not taken.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) retry_after: Option<Duration>,
}

/// When to send again what could not be stored for a reason that may pass.
const LATER: Duration = Duration::from_secs(5);

/// Those of gRPC's codes that are told here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub(crate) enum Code {
    InvalidArgument = 3,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    Unauthenticated = 16,
}

impl Refused {
    pub(crate) fn new(status: StatusCode, code: Code, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_after: None }
    }

    /// Not what it should be: sending it again is of no use.
    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::InvalidArgument, message)
    }

    pub(crate) fn too_large(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, Code::ResourceExhausted, message)
    }

    /// Too much at a time: the sender comes again.
    pub(crate) fn busy() -> Self {
        Self::later("more is being received than fits; try again in a second", Duration::from_secs(1))
    }

    /// What passes. OTLP lets senders try again on few codes, and this is the one that all of them know.
    pub(crate) fn later(message: impl Into<String>, after: Duration) -> Self {
        Self {
            retry_after: Some(after),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, message)
        }
    }

    /// In protobuf, as both kinds of answers carry it.
    pub(crate) fn to_protobuf(&self) -> Bytes {
        let retry = self.retry_after.map(|after| {
            let delay = ProtoDuration {
                seconds: i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
                nanos: i32::try_from(after.subsec_nanos()).unwrap_or(0),
            };
            Any {
                type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(),
                value: RetryInfo { retry_delay: Some(delay) }.encode_to_vec(),
            }
        });
        let details = retry.into_iter().collect();
        RpcStatus { code: self.code as i32, message: self.message.clone(), details }.encode_to_vec().into()
    }

    /// In JSON.
    pub(crate) fn to_json(&self) -> Bytes {
        serde_json::json!({ "code": self.code as i32, "message": self.message }).to_string().into()
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        match error {
            StoreError::Busy { retry_after }
            | StoreError::Full { retry_after, .. }
            | StoreError::Away { retry_after, .. } => Self::later(message, retry_after),
            // It stops; the next one takes what is sent again.
            StoreError::Closed => Self::later(message, LATER),
            // A disk that failed, too many open files: nobody can tell whether that passes, and what is sent again is
            // not stored twice.
            StoreError::Backend { .. } | StoreError::Timeout(_) => {
                tracing::warn!(target: "otel_genai_dashboard", "what was received could not be stored: {message}");
                Self::later(message, LATER)
            }
            StoreError::ReadOnly(_) => Self::new(
                StatusCode::FORBIDDEN,
                Code::PermissionDenied,
                format!(
                    "{message}: this dashboard only shows what is there; send to one without --read-only"
                ),
            ),
            StoreError::Unwritable { .. } | StoreError::Denied { .. } => {
                Self::new(StatusCode::FORBIDDEN, Code::PermissionDenied, message)
            }
            StoreError::Unsupported(_) => {
                Self::new(StatusCode::NOT_IMPLEMENTED, Code::Unimplemented, message)
            }
            _ => {
                tracing::warn!(target: "otel_genai_dashboard", "what was received could not be stored: {message}");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, message)
            }
        }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let token = "Set OTEL_EXPORTER_OTLP_HEADERS to what otel-genai printed when it started.";
        match refusal {
            Refusal::NoToken => Self::new(
                StatusCode::UNAUTHORIZED,
                Code::Unauthenticated,
                format!("this dashboard asks for its token. {token}"),
            ),
            Refusal::WrongToken => Self::new(
                StatusCode::UNAUTHORIZED,
                Code::Unauthenticated,
                format!("this is not the token of this dashboard. {token}"),
            ),
            Refusal::WrongOrigin | Refusal::WrongHost(_) | Refusal::NoChangeHeader => Self::new(
                StatusCode::FORBIDDEN,
                Code::PermissionDenied,
                "pages of this origin may not send here; start otel-genai with --cors-origin ORIGIN to let them",
            ),
        }
    }
}

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, prost::Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, prost::Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, prost::Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<ProtoDuration>,
}

/// `google.protobuf.Duration`.
#[derive(Clone, Copy, PartialEq, prost::Message)]
struct ProtoDuration {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}
