//! OTLP over gRPC: a channel on our runtime and over our TLS, and the headers of each call.

use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::USER_AGENT;
use http::{HeaderMap, Uri};
use tonic::metadata::MetadataMap;
use tonic::service::Interceptor;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tower_service::Service;

use super::Transport;
use super::connect::Connector;
use super::http::reason;
use crate::config::Destination;
use crate::health::Health;

/// Connects at the first export, not before.
pub(crate) fn channel(
    transport: &Transport,
    to: &Destination,
    health: &Arc<Health>,
) -> Result<Channel, String> {
    // The channel's worker is spawned here, and must live on our runtime.
    let _entered = transport.handle().enter();
    let endpoint = Endpoint::from_shared(to.url.to_string())
        .map_err(|error| error.to_string())?
        .timeout(to.timeout)
        .connect_timeout(to.timeout);
    let connector = Noting { connector: transport.connector(to), health: Arc::clone(health) };
    Ok(endpoint.connect_with_connector_lazy(connector))
}

/// Keeps why no connection came about: the exporter only tells the code of its last attempt.
struct Noting {
    connector: Connector,
    health: Arc<Health>,
}

impl Service<Uri> for Noting {
    type Response = <Connector as Service<Uri>>::Response;
    type Error = <Connector as Service<Uri>>::Error;
    type Future = <Connector as Service<Uri>>::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let health = Arc::clone(&self.health);
        let connecting = self.connector.call(uri);
        Box::pin(async move {
            let connected = connecting.await;
            if let Err(error) = &connected {
                health.note(reason(error.as_ref()));
            }
            connected
        })
    }
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
