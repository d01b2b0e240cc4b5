//! Arize Phoenix, as it starts out of the box: SQLite in a folder, one process.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use tempfile::TempDir;

use crate::http::Connection;
use crate::server::{Ingested, free_port, memory, processor, size};
use crate::workload::{BATCH, Workload};

pub(crate) fn program() -> Option<PathBuf> {
    std::env::var_os("OTEL_GENAI_PHOENIX").map(PathBuf::from).filter(|path| path.is_file())
}

pub(crate) struct Phoenix {
    process: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl Phoenix {
    pub(crate) fn start(program: &Path) -> Self {
        let (folder, address) = (TempDir::new().unwrap(), free_port());
        let process = Command::new(program)
            .arg("serve")
            .env("PHOENIX_WORKING_DIR", folder.path())
            .env("PHOENIX_HOST", "127.0.0.1")
            .env("PHOENIX_PORT", address.port().to_string())
            .env("PHOENIX_GRPC_PORT", free_port().port().to_string())
            .env("PHOENIX_TELEMETRY_ENABLED", "false")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let phoenix = Phoenix { process, address, folder };
        let deadline = Instant::now() + Duration::from_secs(180);
        while Connection::open(address).and_then(|mut to| to.get("/healthz")).is_err() {
            assert!(Instant::now() < deadline, "Phoenix does not answer");
            std::thread::sleep(Duration::from_millis(100));
        }
        phoenix
    }

    /// Sends this many spans, and waits until all are counted: it answers before it stores.
    pub(crate) fn ingest(&self, workload: Workload, spans: u64) -> Ingested {
        let now = SystemTime::now();
        let pid = self.process.id();
        let (clock, before) = (Instant::now(), processor(pid));
        let mut to = Connection::open(self.address).unwrap();
        for batch in 0..spans.div_ceil(BATCH) {
            let body = workload.request(batch, spans, now);
            while to.post("/v1/traces", "application/x-protobuf", &body).unwrap().0 != 200 {
                std::thread::sleep(Duration::from_millis(100));
            }
        }
        let deadline = Instant::now() + Duration::from_secs(900);
        while self.stored() < spans {
            assert!(Instant::now() < deadline, "Phoenix stored {} of {spans}", self.stored());
            std::thread::sleep(Duration::from_millis(500));
        }
        Ingested {
            spans,
            wall: clock.elapsed(),
            cpu: processor(pid) - before,
            behind: None,
            bytes: size(self.folder.path()),
            memory: memory(pid),
        }
    }

    fn stored(&self) -> u64 {
        let query = br#"{"query":"{ projects { edges { node { recordCount } } } }"}"#;
        let mut to = Connection::open(self.address).unwrap();
        let (_, answer) = to.post("/graphql", "application/json", query).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let count = answer.split(r#""recordCount":"#).nth(1).unwrap_or_default();
        count.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0)
    }
}

impl Drop for Phoenix {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
