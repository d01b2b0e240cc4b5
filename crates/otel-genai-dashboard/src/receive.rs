//! OTLP at the door: over HTTP and over gRPC.

mod decode;
mod grpc;
mod http;
mod refused;
mod room;
mod signal;
mod weigh;

pub(crate) use decode::Form;
pub(crate) use grpc::grpc;
pub(crate) use http::{collect, http};
pub(crate) use refused::Refused;
pub(crate) use room::{ROOM, Room};
pub(crate) use weigh::{Records, json as weigh_json, protobuf as weigh_protobuf};
