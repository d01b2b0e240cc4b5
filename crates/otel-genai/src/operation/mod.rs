//! Operations as plain data: what is known of a call, without clock, I/O or telemetry.
//!
//! One file an operation. Which attribute each field becomes is the business of a convention.

mod embeddings;
mod inference;

pub use embeddings::Embeddings;
pub use inference::{Inference, InferenceRequest, InferenceResponse, OpenAi, Prompt};

use std::time::Duration;

use crate::convention::{Convention, Describe};

/// Where the provider listens (`server.address`, `server.port`): the provider's own host, never a gateway's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Server {
    /// Host name or IP address, without brackets.
    pub address: String,
    /// TCP port.
    pub port: Option<u16>,
}

impl Server {
    /// A server at this host and port.
    pub fn new(address: impl Into<String>, port: impl Into<Option<u16>>) -> Self {
        Server { address: address.into(), port: port.into() }
    }
}

/// Something that [`GenAi`](crate::GenAi) can start and [`Active`](crate::Active) can run.
///
/// Sealed: the set of operations is that of the conventions.
pub trait Operation: sealed::Sealed + Send + Sized + 'static {
    #[doc(hidden)]
    fn describe(convention: &dyn Convention) -> &dyn Describe<Self>;

    /// The first chunk of a streamed answer arrived this long after the start.
    #[doc(hidden)]
    fn first_chunk(&mut self, _after: Duration) {}
}

pub(crate) mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Inference {}
    impl Sealed for super::Embeddings {}
}
