//! OTLP over gRPC: a channel on our runtime and over our TLS, and the headers of each call.

use std::sync::Arc;

use http::HeaderMap;
use http::header::USER_AGENT;
use tonic::metadata::MetadataMap;
use tonic::service::Interceptor;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use super::Transport;
use crate::config::Destination;
use crate::health::Health;

/// Connects at the first export, not before.
pub(crate) fn channel(transport: &Transport, to: &Destination) -> Result<Channel, String> {
    // The channel's worker is spawned here, and must live on our runtime.
    let _entered = transport.handle().enter();
    let endpoint = Endpoint::from_shared(to.url.to_string())
        .map_err(|error| error.to_string())?
        .timeout(to.timeout)
        .connect_timeout(to.timeout);
    Ok(endpoint.connect_with_connector_lazy(transport.connector(to)))
}

/// Puts our headers in place of those that the exporter read from the process environment.
#[derive(Clone)]
pub(crate) struct Headers {
    pub(crate) headers: HeaderMap,
    pub(crate) health: Arc<Health>,
}

impl Interceptor for Headers {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if self.health.gives_up() {
            // The exporter does not try this one again.
            return Err(Status::failed_precondition("shutting down"));
        }
        let mut headers = HeaderMap::with_capacity(self.headers.len() + 1);
        if let Some(agent) = request.metadata().get(USER_AGENT.as_str()).and_then(|agent| agent.to_str().ok())
            && let Ok(agent) = agent.parse()
        {
            headers.insert(USER_AGENT, agent);
        }
        headers.extend(self.headers.clone());
        *request.metadata_mut() = MetadataMap::from_headers(headers);
        Ok(request)
    }
}
