//! What all requests share.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use otel_genai_store::{Nanos, PriceTable, Store};
use tokio::sync::{Mutex, Semaphore, watch};

use crate::api::Lately;
use crate::changes::Changeable;
use crate::findings::Seen;
use crate::http::Guard;
use crate::live::Live;
use crate::receive::ROOM;
use crate::references::Folders;
use crate::serve::{Doors, Phase};
use crate::view::{Durability, Variable};

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
    pub(crate) live: Arc<Live>,
    /// For those who watch.
    pub(crate) watchers: Arc<Semaphore>,
    /// Whether the store was away when something was to be stored last.
    pub(crate) away: AtomicBool,
    /// How the store was lately.
    pub(crate) status: Mutex<Lately>,
    /// What was found in traces.
    pub(crate) seen: std::sync::Mutex<Seen>,
    pub(crate) settings: Settings,
    pub(crate) prices: Arc<PriceTable>,
    pub(crate) references: Arc<Folders>,
}

/// What the builder was told, to be shown and changed.
#[derive(Default)]
pub(crate) struct Settings {
    pub(crate) durability: Durability,
    pub(crate) max_content: Option<u64>,
    pub(crate) variables: std::sync::Mutex<Vec<Variable>>,
    pub(crate) changeable: Changeable,
    /// One change at a time.
    pub(crate) changing: Mutex<()>,
}

/// So many may watch at a time.
const WATCHERS: usize = 32;

impl Shared {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        guard: Guard,
        doors: Doors,
        settings: Settings,
        (prices, references): (Arc<PriceTable>, Folders),
    ) -> Arc<Self> {
        let started = Nanos::now();
        Arc::new(Self {
            store,
            guard,
            doors,
            epoch: format!("{:x}", started.0 / 1000),
            started,
            room: Arc::new(Semaphore::new(ROOM)),
            phase: watch::Sender::new(Phase::Serving),
            live: Arc::new(Live::new()),
            watchers: Arc::new(Semaphore::new(WATCHERS)),
            away: AtomicBool::new(false),
            status: Mutex::default(),
            seen: std::sync::Mutex::default(),
            settings,
            prices,
            references: Arc::new(references),
        })
    }
}
