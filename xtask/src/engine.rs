//! A ClickHouse for the tests of the store: its engine as a library from npm, served once for all of them.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::suite::PYTHON;
use crate::{Result, program, workspace};

/// What is installed, and what serves it.
const SOURCE: &str = "crates/otel-genai-store/tests/engine";
const LIBRARY: &str = "node_modules/@chdb/lib-linux-x64-gnu/libchdb.so";
const FILES: [&str; 3] = ["package.json", "package-lock.json", ".npmrc"];
/// Where a server of the tests' own is told.
pub(crate) const URL: &str = "CLICKHOUSE_URL";

/// A running engine; it ends with this.
pub(crate) struct Engine {
    child: Child,
    port: u16,
}

impl Drop for Engine {
    fn drop(&mut self) {
        // It ends itself when its standard input is closed, and takes its folder with it.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Why there can be none here; none if there can.
pub(crate) fn missing() -> Option<String> {
    if std::env::var_os(URL).is_some() {
        return Some(format!("{URL} tells of a server"));
    }
    if !cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")) {
        return Some("there is one for Linux on x86-64 alone".to_owned());
    }
    let has = |name: &str| {
        let mut command = program::command(name, &["--version"]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    ["npm", PYTHON].into_iter().find(|name| !has(name)).map(|name| format!("{name} is not installed"))
}

/// Installs it beside the build, where it is not there already. What could not be installed is no failure of the change
/// under test: who calls says so.
pub(crate) fn install() -> Result<()> {
    let (from, to) = (workspace::root().join(SOURCE), folder());
    let same = |name: &str| fs::read(from.join(name)).ok() == fs::read(to.join(name)).ok();
    if to.join(LIBRARY).is_file() && FILES.iter().all(|name| same(name)) {
        return Ok(());
    }
    let told = |error: std::io::Error| format!("cannot write to {}: {error}", to.display());
    fs::create_dir_all(&to).map_err(told)?;
    for name in FILES {
        fs::copy(from.join(name), to.join(name)).map_err(told)?;
    }
    program::run(program::command("npm", &["ci", "--ignore-scripts"]).current_dir(&to))
}

/// Starts it, and waits until it answers.
pub(crate) fn start() -> Result<Engine> {
    let data = folder().join(format!("data-{}", std::process::id()));
    let told = |error: std::io::Error| format!("cannot start ClickHouse in {}: {error}", data.display());
    fs::create_dir_all(&data).map_err(told)?;
    fs::write(data.join("temporary"), "").map_err(told)?;
    let errors = data.join("errors.txt");
    let ports = [free_port().map_err(told)?, free_port().map_err(told)?];
    let child = program::command(PYTHON, &[])
        .arg(workspace::root().join(SOURCE).join("serve.py"))
        .args([&folder().join(LIBRARY), &data])
        .args(ports.map(|port| port.to_string()))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(fs::File::create(&errors).map_err(told)?)
        .spawn()
        .map_err(told)?;
    let mut engine = Engine { child, port: ports[0] };
    let until = Instant::now() + Duration::from_secs(60);
    while !engine.answers() {
        let ended = engine.child.try_wait().map_err(told)?.is_some();
        if ended || Instant::now() > until {
            return Err(format!("ClickHouse does not answer; {} says why", kept(&errors).display()));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(engine)
}

impl Engine {
    pub(crate) fn url(&self) -> String {
        format!("clickhouse://127.0.0.1:{}", self.port)
    }

    fn answers(&self) -> bool {
        let ask = || -> std::io::Result<String> {
            let mut socket = TcpStream::connect(("127.0.0.1", self.port))?;
            socket.set_read_timeout(Some(Duration::from_secs(5)))?;
            socket.write_all(b"GET /ping HTTP/1.0\r\n\r\n")?;
            let mut answer = String::new();
            socket.read_to_string(&mut answer)?;
            Ok(answer)
        };
        ask().is_ok_and(|answer| answer.ends_with("Ok.\n"))
    }
}

fn folder() -> PathBuf {
    workspace::target().join("chdb")
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// What the engine said, beside its folder, which goes with it.
fn kept(errors: &Path) -> PathBuf {
    let to = folder().join("errors.txt");
    let _ = fs::copy(errors, &to);
    to
}
