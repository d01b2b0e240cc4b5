//! OTLP over gRPC.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use http::HeaderValue;
use http::header::CONTENT_LENGTH;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{LogsService, LogsServiceServer};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use prost::Message as _;
use prost::bytes::{Bytes, BytesMut};
use tonic::codec::CompressionEncoding::{Deflate, Gzip, Zstd};
use tonic::{Code, Status};

use super::decode::{Encoding, inflate};
use super::http::collect;
use super::refused::{self, Refused};
use super::room::Room;
use super::signal::{Logs, Metrics, Signal, Traces, store};
use super::weigh::{self, Records};
use crate::shared::Shared;

/// In front of a message: whether it is compressed, and its length.
const HEAD: usize = 5;
const ENCODING: &str = "grpc-encoding";
/// A message may be so large, compressed or not.
const MOST: usize = 64 << 20;
/// Longer messages are taken apart where they hold up nobody.
const LONG: usize = 256 << 10;

/// Where OTLP is received over gRPC.
pub(crate) fn grpc(shared: Arc<Shared>) -> Router {
    macro_rules! service {
        ($server:ident) => {
            $server::new(Receiver(Arc::clone(&shared)))
                .accept_compressed(Gzip)
                .accept_compressed(Deflate)
                .accept_compressed(Zstd)
                .max_decoding_message_size(MOST)
        };
    }
    tonic::service::Routes::new(service!(TraceServiceServer))
        .add_service(service!(LogsServiceServer))
        .add_service(service!(MetricsServiceServer))
        .into_axum_router()
        .layer(from_fn_with_state(shared, door))
}

async fn door(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    if let Err(refusal) = shared.guard.sends(request.headers()) {
        return status(&Refused::from(refusal)).into_http();
    }
    let request = match weighed(&shared, request).await {
        Ok(request) => request,
        Err(refused) => return status(&refused).into_http(),
    };
    let mut response = next.run(request).await;
    // tonic says "out of range" of a message that is too large, which asks the sender to send it again for ever.
    if let Some(code) = response.headers_mut().get_mut("grpc-status")
        && code == "11"
    {
        *code = HeaderValue::from_static("8");
    }
    response
}

/// A request whose message is here, plain, and has room for what is made of it, which goes with it: tonic would take it
/// apart before anybody could say that it is too much.
async fn weighed(shared: &Arc<Shared>, request: Request) -> Result<Request, Refused> {
    let records = match request.uri().path().rsplit('/').nth(1).unwrap_or_default() {
        "opentelemetry.proto.collector.trace.v1.TraceService" => Records::Spans,
        "opentelemetry.proto.collector.logs.v1.LogsService" => Records::Logs,
        "opentelemetry.proto.collector.metrics.v1.MetricsService" => Records::Metrics,
        // Nobody reads it.
        _ => return Ok(request),
    };
    let told = request.headers().get(ENCODING).and_then(|told| told.to_str().ok()).unwrap_or_default();
    // Of one that nobody knows tonic says so.
    let Ok(encoding) = Encoding::of(told) else { return Ok(request) };
    let (mut head, body) = request.into_parts();
    let mut room = Room::new(&shared.room);
    let bytes = collect(body, &head.headers, (MOST + HEAD, 1), &mut room).await?;
    let (bytes, room) = if bytes.len() > LONG || encoding != Encoding::Identity {
        let read = tokio::task::spawn_blocking(move || plain(bytes, encoding, records, room));
        read.await.map_err(|_| Refused::malformed("the request could not be read"))??
    } else {
        plain(bytes, encoding, records, room)?
    };
    head.headers.remove(ENCODING);
    head.headers.remove(CONTENT_LENGTH);
    head.extensions.insert(Arc::new(room));
    Ok(Request::from_parts(head, Body::from(bytes)))
}

/// The one message of a request, with the head that says that it is not compressed.
fn plain(
    mut bytes: Bytes,
    encoding: Encoding,
    records: Records,
    mut room: Room,
) -> Result<(Bytes, Room), Refused> {
    let cut = || Refused::malformed("not one whole message");
    let (is_packed, length) = match bytes.get(..HEAD) {
        Some([flag, length @ ..]) => (*flag == 1, length.try_into().map_or(0, u32::from_be_bytes)),
        _ => return Err(cut()),
    };
    if usize::try_from(length).ok() != bytes.len().checked_sub(HEAD) {
        return Err(cut());
    }
    let whole = bytes.clone();
    let message = bytes.split_off(HEAD);
    let packed = if is_packed { message.len() } else { 0 };
    let message = if is_packed { inflate(encoding, message, MOST, &mut room)? } else { message };
    let read = weigh::protobuf(&message, records);
    room.grow(packed + message.len() + read.max(message.len()))?;
    if !is_packed {
        return Ok((whole, room));
    }
    let mut plain = BytesMut::with_capacity(HEAD + message.len());
    plain.extend_from_slice(&[0]);
    plain.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    plain.extend_from_slice(&message);
    Ok((plain.freeze(), room))
}

struct Receiver(Arc<Shared>);

impl Receiver {
    async fn take<S: Signal>(
        &self,
        request: tonic::Request<S::Request>,
    ) -> Result<tonic::Response<S::Answer>, Status> {
        let told = |refused: Refused| status(&refused);
        let room = request.extensions().get::<Arc<Room>>().cloned();
        let request = request.into_inner();
        let length = request.encoded_len();
        let accepted = if length > LONG {
            let read = tokio::task::spawn_blocking(move || S::accept(request));
            read.await.map_err(|_| Status::internal("the request could not be read"))?
        } else {
            S::accept(request)
        };
        let answer = store::<S>(&self.0, accepted).await.map_err(|error| told(error.into()))?;
        drop(room);
        Ok(tonic::Response::new(answer))
    }
}

fn status(refused: &Refused) -> Status {
    let code = match refused.code {
        refused::Code::InvalidArgument => Code::InvalidArgument,
        refused::Code::PermissionDenied => Code::PermissionDenied,
        refused::Code::ResourceExhausted => Code::ResourceExhausted,
        refused::Code::Unimplemented => Code::Unimplemented,
        refused::Code::Internal => Code::Internal,
        refused::Code::Unavailable => Code::Unavailable,
        refused::Code::Unauthenticated => Code::Unauthenticated,
    };
    match refused.retry_after {
        Some(_) => Status::with_details(code, refused.message.clone(), refused.to_protobuf()),
        None => Status::new(code, refused.message.clone()),
    }
}

macro_rules! receives {
    ($($service:ident of $signal:ident)*) => {
        $(#[tonic::async_trait]
        impl $service for Receiver {
            async fn export(
                &self,
                request: tonic::Request<<$signal as Signal>::Request>,
            ) -> Result<tonic::Response<<$signal as Signal>::Answer>, Status> {
                self.take::<$signal>(request).await
            }
        })*
    };
}

receives! {
    TraceService of Traces
    LogsService of Logs
    MetricsService of Metrics
}
