//! The dashboard from the outside: OTLP requests in, acknowledged when they are on the disk, seen through its API; the same
//! with its data in ClickHouse; and Arize Phoenix with the same requests, on the same machine, in the same run.
//!
//! `cargo bench -p otel-genai-cli --features clickhouse --bench dashboard [-- --quick | --spans N]`
//!
//! Processor time is that of the servers alone, as `/proc` tells it, so that other work on the machine changes rates and not
//! costs. ClickHouse is measured where its engine is installed, Phoenix where `OTEL_GENAI_PHOENIX` names its program
//! (`cargo xtask bench` installs both).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_precision_loss,
    reason = "a measurement that fails should say so and stop"
)]

#[cfg(feature = "clickhouse")]
mod clickhouse;
mod http;
mod phoenix;
mod server;
mod workload;

use std::time::Duration;

use server::{Ingested, Memory, Server, Times};
use workload::Workload;

const USUAL: &str = "30 attributes, 11 % with content";
const HISTORIES: &str = "a history of 8 KB that grows";

/// How much is sent.
struct Sizes {
    spans: u64,
    histories: u64,
    theirs: u64,
    /// How often each question is asked.
    asked: u64,
}

/// What was asked when all was there.
struct Asked {
    whom: &'static str,
    times: Times,
    memory: Memory,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let after = |flag: &str| arguments.iter().skip_while(|argument| *argument != flag).nth(1)?.parse().ok();
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let sizes = Sizes {
        spans: after("--spans").unwrap_or(if quick { 20_000 } else { 1_000_000 }),
        histories: if quick { 5_000 } else { 100_000 },
        theirs: if quick { 500 } else { 3_000 },
        asked: if quick { 20 } else { 100 },
    };

    let server = Server::start(None);
    println!("binary: {:.1} MB", std::fs::metadata(server::PROGRAM).unwrap().len() as f64 / 1e6);
    println!("start to ready: {:.0} ms", server.ready.as_secs_f64() * 1e3);
    std::thread::sleep(Duration::from_secs(2));
    println!("idle: {:.0} MiB resident\n", server.memory().now);

    println!("| what is sent | to | spans | spans/s | CPU a span | on disk a span | peak resident |");
    println!("|---|---|---|---|---|---|---|");
    let mut notes = Vec::new();
    let mut asked = vec![files(server, &sizes)];
    asked.extend(clickhouse(&sizes, &mut notes));
    beside(&sizes, &mut notes);

    println!();
    for note in notes {
        println!("{note}");
    }
    for Asked { whom, memory, .. } in &asked {
        let Memory { now, most } = memory;
        println!(
            "{whom}, after {} spans and these questions: {now:.0} MiB resident, {most:.0} at most",
            sizes.spans
        );
    }
    questions(&asked, sizes.spans);
}

/// With data in files.
fn files(server: Server, sizes: &Sizes) -> Asked {
    row(USUAL, "otel-genai, files", &server.ingest(Workload::Usual, sizes.spans));
    let asked =
        Asked { whom: "files", times: server.queries(sizes.spans, sizes.asked), memory: server.memory() };
    drop(server);
    let server = Server::start(None);
    row(HISTORIES, "otel-genai, files", &server.ingest(Workload::Histories, sizes.histories));
    asked
}

/// With data in ClickHouse.
#[cfg(feature = "clickhouse")]
fn clickhouse(sizes: &Sizes, notes: &mut Vec<String>) -> Option<Asked> {
    let Some(behind) = clickhouse::ClickHouse::start() else {
        notes.push("ClickHouse: left out, its engine is not installed".to_owned());
        return None;
    };
    let server = Server::start(Some(&behind.address()));
    row(USUAL, "otel-genai, ClickHouse", &behind.ingest(&server, Workload::Usual, sizes.spans));
    let times = server.queries(sizes.spans, sizes.asked);
    let asked = Asked { whom: "ClickHouse", times, memory: server.memory() };
    drop(server);
    let of_usual = behind.memory().most;
    behind.end();
    let behind = clickhouse::ClickHouse::start()?;
    let server = Server::start(Some(&behind.address()));
    row(HISTORIES, "otel-genai, ClickHouse", &behind.ingest(&server, Workload::Histories, sizes.histories));
    drop(server);
    let of_histories = behind.memory().most;
    notes.push(format!("ClickHouse itself: {of_usual:.0} and {of_histories:.0} MiB resident at most"));
    behind.end();
    Some(asked)
}

#[cfg(not(feature = "clickhouse"))]
fn clickhouse(_: &Sizes, notes: &mut Vec<String>) -> Option<Asked> {
    notes.push("ClickHouse: left out, the program was built without it".to_owned());
    None
}

/// Phoenix.
fn beside(sizes: &Sizes, notes: &mut Vec<String>) {
    let Some(program) = phoenix::program() else {
        notes.push("Phoenix: left out, OTEL_GENAI_PHOENIX does not name it".to_owned());
        return;
    };
    for (what, workload) in [(USUAL, Workload::Usual), (HISTORIES, Workload::Histories)] {
        row(what, "Phoenix", &phoenix::Phoenix::start(&program).ingest(workload, sizes.theirs));
    }
}

fn row(what: &str, whom: &str, ingested: &Ingested) {
    let a_span = |time: Duration| time.as_secs_f64() * 1e6 / ingested.spans as f64;
    let behind = ingested.behind.map_or_else(String::new, |time| format!(" + {:.1}", a_span(time)));
    println!(
        "| {what} | {whom} | {} | {:.0} | {:.1}{behind} µs | {:.0} B | {:.0} MiB |",
        ingested.spans,
        ingested.spans as f64 / ingested.wall.as_secs_f64(),
        a_span(ingested.cpu),
        ingested.bytes as f64 / ingested.spans as f64,
        ingested.memory.most
    );
}

/// How long answers took, of each beside the others.
fn questions(asked: &[Asked], spans: u64) {
    let heads: String = asked.iter().map(|Asked { whom, .. }| format!(" {whom}: p50 | p95 |")).collect();
    println!("\n| asked of {spans} spans |{heads}\n|---|{}", "---|---|".repeat(asked.len()));
    for (at, (what, _)) in asked[0].times.iter().enumerate() {
        let cells = asked.iter().map(|Asked { times, .. }| {
            let mut times = times[at].1.clone();
            times.sort_unstable();
            let share =
                |share: usize| times[(times.len() * share / 100).min(times.len() - 1)].as_secs_f64() * 1e3;
            format!(" {:.1} ms | {:.1} ms |", share(50), share(95))
        });
        println!("| {what} |{}", cells.collect::<String>());
    }
}
