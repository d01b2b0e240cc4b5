//! What all requests share.

use std::sync::Arc;

use otel_genai_store::{Nanos, Store};
use tokio::sync::{Semaphore, watch};

use crate::http::Guard;
use crate::receive::ROOM;
use crate::serve::{Doors, Phase};

/// What all requests share.
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) guard: Guard,
    pub(crate) doors: Doors,
    /// Another one for each process: numbers of changes count within it.
    pub(crate) epoch: String,
    pub(crate) started: Nanos,
    /// For requests under way, in KiB.
    pub(crate) room: Arc<Semaphore>,
    pub(crate) phase: watch::Sender<Phase>,
}

impl Shared {
    pub(crate) fn new(store: Arc<dyn Store>, guard: Guard, doors: Doors) -> Arc<Self> {
        let started = Nanos::now();
        Arc::new(Self {
            store,
            guard,
            doors,
            epoch: format!("{:x}", started.0 / 1000),
            started,
            room: Arc::new(Semaphore::new(ROOM)),
            phase: watch::Sender::new(Phase::Serving),
        })
    }
}
