//! OTLP over gRPC.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use http::HeaderValue;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{LogsService, LogsServiceServer};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use prost::Message as _;
use tonic::codec::CompressionEncoding::{Deflate, Gzip, Zstd};
use tonic::{Code, Status};

use super::refused::{self, Refused};
use super::room::Room;
use super::signal::{Logs, Metrics, Signal, Traces, store};
use crate::shared::Shared;

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
    let mut response = next.run(request).await;
    // tonic says "out of range" of a message that is too large, which asks the sender to send it again for ever.
    if let Some(code) = response.headers_mut().get_mut("grpc-status")
        && code == "11"
    {
        *code = HeaderValue::from_static("8");
    }
    response
}

struct Receiver(Arc<Shared>);

impl Receiver {
    async fn take<S: Signal>(
        &self,
        request: tonic::Request<S::Request>,
    ) -> Result<tonic::Response<S::Answer>, Status> {
        let told = |refused: Refused| status(&refused);
        let request = request.into_inner();
        let length = request.encoded_len();
        let mut room = Room::new(&self.0.room);
        room.grow(2 * length).map_err(told)?;
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
