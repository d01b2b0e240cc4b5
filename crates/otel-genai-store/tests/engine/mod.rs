//! A ClickHouse to test with: the server at `CLICKHOUSE_URL`, else the engine as a library, served by `serve.py`.
//!
//! The library is installed beside the build, outside the repository: see `README.md` here.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use otel_genai_store::{ClickHouseOptions, Nanos};

/// Says so and returns `None` where there is no engine; `cargo xtask test` tells in its summary why there is none.
pub(crate) fn address() -> Option<&'static str> {
    static ADDRESS: OnceLock<Option<String>> = OnceLock::new();
    ADDRESS
        .get_or_init(|| {
            if let Ok(url) = std::env::var("CLICKHOUSE_URL") {
                return Some(url.trim_end_matches('/').to_owned());
            }
            let Some(library) = library() else {
                eprintln!(
                    "skipped: no ClickHouse: set CLICKHOUSE_URL, or install the engine as tests/engine/README.md says"
                );
                return None;
            };
            let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!(
                "clickhouse-{}-{}",
                std::process::id(),
                Nanos::now().0
            ));
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("temporary"), "").unwrap();
            let engine = Engine::start(&library, &folder, &[]);
            let address = engine.address();
            // It ends when this process does.
            std::mem::forget(engine);
            Some(address)
        })
        .as_deref()
}

/// A database of its own for a test.
pub(crate) fn database() -> Option<ClickHouseOptions> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("test_{}_{}_{number}", std::process::id(), Nanos::now().0);
    address().map(|address| ClickHouseOptions::new(&format!("{address}/{name}")).unwrap())
}

/// Where the library is, if it is installed.
pub(crate) fn library() -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent()?;
    let library = target.join("chdb/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so");
    library.exists().then_some(library)
}

/// A running engine.
pub(crate) struct Engine {
    child: Child,
    port: u16,
}

impl Engine {
    /// Serves what is in the folder, with options of `clickhouse local`, and waits until it answers.
    pub(crate) fn start(library: &Path, folder: &Path, options: &[&str]) -> Self {
        Self::start_at(library, folder, free_port(), options)
    }

    /// The same, for users as a file in XML tells them.
    #[allow(dead_code, reason = "not every test needs all of it")]
    pub(crate) fn start_with_users(library: &Path, folder: &Path, users: &str) -> Self {
        let (config, file) = (folder.join("config.xml"), folder.join("users.xml"));
        std::fs::write(&file, users).unwrap();
        let refers = format!("<clickhouse><users_config>{}</users_config></clickhouse>", file.display());
        std::fs::write(&config, refers).unwrap();
        Self::start(library, folder, &["--config-file", config.to_str().unwrap()])
    }

    /// The same as `start`, at a port of before.
    pub(crate) fn start_at(library: &Path, folder: &Path, port: u16, options: &[&str]) -> Self {
        Self::start_at_both(library, folder, [port, free_port()], options)
    }

    /// The same, with the port of ClickHouse's own protocol, by which servers talk to each other.
    pub(crate) fn start_at_both(library: &Path, folder: &Path, ports: [u16; 2], options: &[&str]) -> Self {
        let mut child = Command::new("python3")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../otel-genai-store/tests/engine/serve.py"))
            .args([library, folder])
            .args(ports.map(|port| port.to_string()))
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.join("errors.txt")).unwrap())
            .spawn()
            .expect("python3 is there");
        let until = Instant::now() + Duration::from_secs(60);
        while !answers(ports[0]) {
            let ended = child.try_wait().unwrap().is_some();
            if ended || Instant::now() > until {
                let errors = std::fs::read_to_string(folder.join("errors.txt")).unwrap_or_default();
                panic!("the engine did not start: {errors}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Self { child, port: ports[0] }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    #[allow(dead_code, reason = "what is measured, and not tested")]
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn address(&self) -> String {
        format!("clickhouse://127.0.0.1:{}", self.port)
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn answers(port: u16) -> bool {
    use std::io::{Read as _, Write as _};
    let ask = || -> std::io::Result<String> {
        let mut socket = std::net::TcpStream::connect(("127.0.0.1", port))?;
        socket.set_read_timeout(Some(Duration::from_secs(5)))?;
        socket.write_all(b"GET /ping HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.ends_with("Ok.\n"))
}
