//! rotel, a collector that is neither ours nor OpenTelemetry's own, as a writer of the tables.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::engine;

/// The program at `ROTEL`, else where the end-to-end tests install it.
fn program() -> Option<PathBuf> {
    if let Some(told) = std::env::var_os("ROTEL") {
        return Some(told.into());
    }
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).parent()?.join("e2e/venv/lib");
    let found = std::fs::read_dir(venv).ok()?.flatten().map(|python| python.path());
    found.map(|python| python.join("site-packages/rotel/rotel-agent")).find(|program| program.exists())
}

/// A running rotel.
pub(crate) struct Rotel {
    child: Child,
    port: u16,
}

impl Drop for Rotel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Rotel {
    /// Which writes to a database of the engine at this address. Says so and returns `None` where there is none.
    pub(crate) fn start(address: &str, database: &str, options: &[&str]) -> Option<Self> {
        let Some(program) = program() else {
            eprintln!("skipped: no rotel: set ROTEL, or install tests/e2e/requirements.txt");
            return None;
        };
        let [grpc, http] = [engine::free_port(), engine::free_port()];
        let child = Command::new(program)
            .args(["start", "--disable-batching", "--exporter", "clickhouse"])
            .args(["--otlp-grpc-endpoint", &format!("127.0.0.1:{grpc}")])
            .args(["--otlp-http-endpoint", &format!("127.0.0.1:{http}")])
            .args(["--clickhouse-exporter-endpoint", address, "--clickhouse-exporter-database", database])
            .args(["--clickhouse-exporter-async-insert", "false"])
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let rotel = Self { child, port: http };
        let until = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(("127.0.0.1", http)).is_err() {
            assert!(Instant::now() < until, "rotel does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(rotel)
    }

    /// Sends a request in protobuf: of `traces`, `logs` or `metrics`.
    pub(crate) fn send(&self, signal: &str, request: &impl prost::Message) {
        let body = request.encode_to_vec();
        let mut socket = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let head = format!(
            "POST /v1/{signal} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        socket.write_all(head.as_bytes()).unwrap();
        socket.write_all(&body).unwrap();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    }
}
