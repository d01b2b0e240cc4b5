//! This program again, in another role, and what the kernel says about it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use crate::load::{Outcome, Plan};

/// A role that runs until it is dropped.
pub(crate) struct Role {
    process: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
    pub(crate) address: SocketAddr,
    /// From the start of the process to its word that it listens.
    pub(crate) ready_after: Duration,
}

impl Role {
    pub(crate) fn start(role: &str, upstream: Option<SocketAddr>) -> Self {
        let start = Instant::now();
        let mut process = Command::new(std::env::current_exe().unwrap())
            .arg(role)
            .args(upstream.map(|address| address.to_string()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let asks = process.stdin.take().unwrap();
        let mut answers = BufReader::new(process.stdout.take().unwrap());
        answers.read_line(&mut line).unwrap();
        let ready_after = start.elapsed();
        let address = line.strip_prefix("ready ").expect("the role should be ready").trim().parse().unwrap();
        Self { process, asks, answers, address, ready_after }
    }

    /// Has a gateway finish what it has begun to record. Returns how many calls it has not recorded since it started.
    pub(crate) fn settle(&mut self) -> u64 {
        writeln!(self.asks, "settle").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line.strip_prefix("unrecorded ").expect("an answer").trim().parse().unwrap()
    }

    /// Time on a processor, over all threads that live.
    pub(crate) fn cpu(&self) -> Duration {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.process.id())).unwrap();
        let nanoseconds = tasks.filter_map(|task| {
            let path = task.ok()?.path().join("schedstat");
            std::fs::read_to_string(path).ok()?.split_whitespace().next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(nanoseconds.sum())
    }

    /// Resident memory in KiB: now, and at its highest.
    pub(crate) fn resident(&self) -> (u64, u64) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        (field("VmRSS:"), field("VmHWM:"))
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs a load to its end.
pub(crate) fn load(address: SocketAddr, plan: Plan) -> Outcome {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["load", &address.to_string()])
        .args(plan.arguments())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "the load failed: {}", output.status);
    Outcome::parse(std::str::from_utf8(&output.stdout).unwrap())
}
