//! The request of a call, read from its body.

use otel_genai::{Embeddings, Inference, OperationName};

use crate::body::Body;
use crate::call::Call;
use crate::detect::{Protocol, Route};
use crate::openai;
use crate::options::Options;

/// Reads the body of a request as it comes.
#[derive(Debug)]
pub struct RequestReader {
    route: Route,
    body: Body,
}

impl RequestReader {
    /// A reader of the request that goes this way.
    #[must_use]
    pub fn new(route: &Route, options: Options) -> Self {
        let body = match route.protocol {
            Protocol::OpenAiChat if options.content => Body::held(&openai::CHAT_REQUEST, options.limit),
            Protocol::OpenAiChat => Body::scanned(&openai::CHAT_REQUEST),
            Protocol::OpenAiEmbeddings => Body::scanned(&openai::EMBEDDINGS_REQUEST),
        };
        RequestReader { route: route.clone(), body }
    }

    /// The next bytes of the body, in pieces of any size.
    pub fn push(&mut self, bytes: &[u8]) {
        self.body.push(bytes);
    }

    /// The body is over: what could be known of the call. Never fails; a body that is no JSON leaves who is asked.
    #[must_use]
    pub fn finish(self) -> Call {
        let Route { protocol, provider, server, deployment } = self.route;
        match protocol {
            Protocol::OpenAiChat => {
                let mut op = Inference::new(OperationName::Chat, provider);
                op.server = Some(server);
                self.body.read(|body| openai::read_chat_request(body, &mut op));
                op.request.model = op.request.model.or(deployment);
                Call::Inference(Box::new(op))
            }
            Protocol::OpenAiEmbeddings => {
                let mut op = Embeddings::new(provider);
                op.server = Some(server);
                self.body.read(|body| openai::read_embeddings_request(body, &mut op));
                op.model = op.model.or(deployment);
                Call::Embeddings(Box::new(op))
            }
        }
    }
}
