//! The request of a call, read from its body.

use otel_genai::{Embeddings, Inference, OperationName};

use crate::call::Call;
use crate::detect::{Protocol, Route};
use crate::options::Options;

/// Reads the body of a request as it comes.
#[derive(Debug)]
pub struct RequestReader {
    route: Route,
    _options: Options,
}

impl RequestReader {
    /// A reader of the request that goes this way.
    #[must_use]
    pub fn new(route: &Route, options: Options) -> Self {
        RequestReader { route: route.clone(), _options: options }
    }

    /// The next bytes of the body, in pieces of any size.
    pub fn push(&mut self, _bytes: &[u8]) {}

    /// The body is over: what could be known of the call. Never fails; a body that is no JSON leaves who is asked.
    #[must_use]
    pub fn finish(self) -> Call {
        let Route { protocol, provider, server, .. } = self.route;
        match protocol {
            Protocol::OpenAiChat => {
                let mut op = Inference::new(OperationName::Chat, provider);
                op.server = Some(server);
                Call::Inference(Box::new(op))
            }
            Protocol::OpenAiEmbeddings => {
                let mut op = Embeddings::new(provider);
                op.server = Some(server);
                Call::Embeddings(Box::new(op))
            }
        }
    }
}
