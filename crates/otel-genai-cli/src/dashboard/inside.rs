//! A dashboard within this process, for as long as a command needs one.

use std::net::SocketAddr;
use std::sync::Arc;

use otel_genai_dashboard::Dashboard;
use otel_genai_store::Store;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::api::Api;
use super::found::Found;
use super::settings::{ALLOW_REFERENCE, folder};
use crate::exit::Failure;

/// A dashboard within this process, on ports that the system chose.
pub(crate) struct Inside {
    pub(crate) found: Found,
    store: Arc<dyn Store>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl Inside {
    /// Starts it over what a store keeps. `receives`: OTLP over HTTP as well.
    pub(crate) async fn start(store: Arc<dyn Store>, receives: bool) -> Result<Self, Failure> {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let builder = Dashboard::builder(Arc::clone(&store));
        let mut builder = builder.page(any).http(receives.then_some(any)).grpc(None);
        for place in ALLOW_REFERENCE.or_list(&[], folder) {
            builder = builder.allow_reference(place);
        }
        let dashboard = builder.bind().await.map_err(Failure::ours)?;
        let url = dashboard.url();
        let found = Found {
            api: Api::new(&url, None),
            url,
            otlp: dashboard.http_addr().map(|address| format!("http://{address}")),
            token: None,
        };
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(dashboard.serve(async {
            let _ = stopped.await;
        }));
        Ok(Self { found, store, stop, served })
    }

    /// Ends it, and closes the store.
    pub(crate) async fn end(self) {
        let _ = self.stop.send(());
        // What is still connected is our own, and has got its answers.
        self.served.abort();
        let _ = self.served.await;
        self.store.close().await;
    }
}
