//! The dashboard as a process of its own: its start, what is sent to it, what it is asked.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use tempfile::TempDir;

use crate::http::Connection;
use crate::workload::{BATCH, COMMON, RARE, TRACE, Workload, trace_id};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_otel-genai");
const SENDERS: u64 = 8;

pub(crate) struct Server {
    process: Child,
    pub(crate) ready: Duration,
    otlp: SocketAddr,
    folder: TempDir,
}

pub(crate) struct Ingested {
    pub(crate) spans: u64,
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
    /// What a server of its own behind it took.
    pub(crate) behind: Option<Duration>,
    pub(crate) bytes: u64,
    pub(crate) memory: Memory,
}

/// MiB.
pub(crate) struct Memory {
    pub(crate) now: f64,
    pub(crate) most: f64,
}

/// What was asked, and how long each answer took.
pub(crate) type Times = Vec<(&'static str, Vec<Duration>)>;

impl Server {
    /// With data in files, or where the address says.
    pub(crate) fn start(store: Option<&str>) -> Self {
        let folder = TempDir::new().unwrap();
        let otlp = free_port();
        let mut command = Command::new(PROGRAM);
        command.args(["dashboard", "--grpc", "off", "--http", &otlp.to_string(), "--page", "127.0.0.1:0"]);
        match store {
            Some(address) => command.args(["--store", address]),
            None => command.arg("--data-dir").arg(folder.path()),
        };
        let clock = Instant::now();
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while Connection::open(otlp).and_then(|mut to| to.get("/api/v1/about")).is_err() {
            assert!(clock.elapsed() < Duration::from_secs(30), "the dashboard does not answer");
            std::thread::sleep(Duration::from_millis(2));
        }
        Server { process, ready: clock.elapsed(), otlp, folder }
    }

    /// Sends this many spans, and waits until the last can be seen.
    pub(crate) fn ingest(&self, workload: Workload, spans: u64) -> Ingested {
        let (next, now) = (AtomicU64::new(0), SystemTime::now());
        let (clock, before) = (Instant::now(), processor(self.process.id()));
        std::thread::scope(|scope| {
            for _ in 0..SENDERS {
                scope.spawn(|| {
                    let mut to = Connection::open(self.otlp).unwrap();
                    loop {
                        let batch = next.fetch_add(1, Ordering::Relaxed);
                        if batch * BATCH >= spans {
                            return;
                        }
                        let body = workload.request(batch, spans, now);
                        while to.post("/v1/traces", "application/x-protobuf", &body).unwrap().0 != 200 {
                            std::thread::sleep(Duration::from_millis(100));
                        }
                    }
                });
            }
        });
        let last = format!("/api/v1/traces/{}?limit=1", hex(&trace_id((spans - 1) / TRACE)));
        let mut to = Connection::open(self.otlp).unwrap();
        assert_eq!(to.get(&last).unwrap().0, 200, "what was acknowledged is seen");
        Ingested {
            spans,
            wall: clock.elapsed(),
            cpu: processor(self.process.id()) - before,
            behind: None,
            bytes: size(self.folder.path()),
            memory: self.memory(),
        }
    }

    pub(crate) fn memory(&self) -> Memory {
        memory(self.process.id())
    }

    /// How long each takes, so many times, when the index has caught up.
    pub(crate) fn queries(&self, spans: u64, asked: u64) -> Times {
        let mut to = Connection::open(self.otlp).unwrap();
        let deadline = Instant::now() + Duration::from_secs(600);
        while !String::from_utf8_lossy(&to.get(&format!("/api/v1/search?q={RARE}")).unwrap().1)
            .contains(r#""complete":true"#)
        {
            assert!(Instant::now() < deadline, "the index does not catch up");
            std::thread::sleep(Duration::from_millis(200));
        }
        let a_trace = |at: u64| hex(&trace_id(at * 7_919 % (spans / TRACE)));
        let questions: [(&str, &dyn Fn(u64) -> String); 8] = [
            ("newest 50 traces", &|_| "/api/v1/traces?limit=50".to_owned()),
            ("50 traces of a model with errors", &|_| {
                "/api/v1/traces?limit=50&model=gpt-4o&error=1".to_owned()
            }),
            ("a trace", &|at| format!("/api/v1/traces/{}", a_trace(at))),
            ("its transcript", &|at| format!("/api/v1/traces/{}/transcript", a_trace(at))),
            ("models over 24 hours", &|_| "/api/v1/models?from=-24h".to_owned()),
            ("overview of 24 hours", &|_| "/api/v1/overview?from=-24h".to_owned()),
            ("search for a rare word", &|_| format!("/api/v1/search?q={RARE}")),
            ("search for a common word", &|_| format!("/api/v1/search?q={COMMON}")),
        ];
        questions
            .into_iter()
            .map(|(what, path)| {
                let times = (0..asked).map(|at| {
                    let path = path(at);
                    let clock = Instant::now();
                    let (status, body) = to.get(&path).unwrap();
                    assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
                    clock.elapsed()
                });
                (what, times.collect())
            })
            .collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn free_port() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Processor time that a process has had.
pub(crate) fn processor(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields = stat.rsplit(')').next().unwrap().split_whitespace().skip(11).take(2);
    Duration::from_millis(fields.map(|ticks| ticks.parse::<u64>().unwrap()).sum::<u64>() * 10)
}

pub(crate) fn memory(pid: u32) -> Memory {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
    };
    Memory { now: of("VmRSS:"), most: of("VmHWM:") }
}

/// What the files below a folder take.
pub(crate) fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            let what = entry.metadata().unwrap();
            if what.is_dir() { size(&entry.path()) } else { what.len() }
        })
        .sum()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
