//! ClickHouse behind the dashboard: its engine as a library, served by a process of its own, as the tests of the store have it.

use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::http::Connection;
use crate::server::{Ingested, Memory, Server, memory, processor};
use crate::workload::Workload;

#[allow(dead_code, reason = "shared with the store's own tests")]
#[path = "../../../otel-genai-store/tests/engine/mod.rs"]
mod engine;

/// How long nothing may have been merged until it is taken to be over.
const STILL: Duration = Duration::from_secs(3);

pub(crate) struct ClickHouse {
    engine: engine::Engine,
    /// Goes when the engine has ended.
    _folder: TempDir,
}

impl ClickHouse {
    /// None where the engine is not installed.
    pub(crate) fn start() -> Option<Self> {
        let library = engine::library()?;
        let folder = TempDir::new().unwrap();
        let engine = engine::Engine::start(&library, folder.path(), &[]);
        Some(Self { engine, _folder: folder })
    }

    /// Of a database of the dashboard's own.
    pub(crate) fn address(&self) -> String {
        format!("{}/measured", self.engine.address())
    }

    /// Has the dashboard in front of it take so many spans, and waits until what they left to be merged is merged.
    pub(crate) fn ingest(&self, server: &Server, workload: Workload, spans: u64) -> Ingested {
        let before = processor(self.engine.pid());
        let ingested = server.ingest(workload, spans);
        self.settle();
        Ingested {
            behind: Some(processor(self.engine.pid()) - before),
            bytes: self
                .number("SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'measured'"),
            ..ingested
        }
    }

    pub(crate) fn memory(&self) -> Memory {
        memory(self.engine.pid())
    }

    pub(crate) fn end(self) {
        self.engine.kill();
    }

    fn settle(&self) {
        let (clock, mut still) = (Instant::now(), Instant::now());
        while still.elapsed() < STILL {
            assert!(clock.elapsed() < Duration::from_secs(900), "merges do not end");
            std::thread::sleep(Duration::from_millis(100));
            if self.number("SELECT count() FROM system.merges WHERE database = 'measured'") > 0 {
                still = Instant::now();
            }
        }
    }

    fn number(&self, sql: &str) -> u64 {
        let mut to = Connection::open(([127, 0, 0, 1], self.engine.port()).into()).unwrap();
        let (status, answer) = to.post("/", "text/plain", sql.as_bytes()).unwrap();
        let answer = String::from_utf8_lossy(&answer);
        assert_eq!(status, 200, "{answer}");
        answer.trim().parse().unwrap()
    }
}
