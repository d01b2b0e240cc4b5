//! The dashboard from the outside: OTLP requests in, acknowledged when they are on the disk, seen through its API; and
//! Arize Phoenix with the same requests, on the same machine, in the same run.
//!
//! `cargo bench -p otel-genai-cli --bench dashboard [-- --quick | --spans N]`
//!
//! Processor time is the server's alone, as `/proc` tells it, so that other work on the machine changes rates and not
//! costs. Phoenix runs where `OTEL_GENAI_PHOENIX` names its program (`cargo xtask bench` installs it).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_precision_loss,
    reason = "a measurement that fails should say so and stop"
)]

mod http;
mod phoenix;
mod server;
mod workload;

use std::time::Duration;

use server::{Ingested, Server};
use workload::Workload;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let after = |flag: &str| arguments.iter().skip_while(|argument| *argument != flag).nth(1)?.parse().ok();
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let spans = after("--spans").unwrap_or(if quick { 20_000 } else { 1_000_000 });
    let histories = if quick { 5_000 } else { 100_000 };
    let theirs = if quick { 500 } else { 3_000 };

    let server = Server::start();
    println!("binary: {:.1} MB", std::fs::metadata(server::PROGRAM).unwrap().len() as f64 / 1e6);
    println!("start to ready: {:.0} ms", server.ready.as_secs_f64() * 1e3);
    std::thread::sleep(Duration::from_secs(2));
    println!("idle: {:.0} MiB resident\n", server.memory().now);

    println!("| what is sent | to | spans | spans/s | CPU a span | on disk a span | peak resident |");
    println!("|---|---|---|---|---|---|---|");
    let ours = server.ingest(Workload::Usual, spans);
    row("30 attributes, 11 % with content", "otel-genai", &ours);
    let queries = server.queries(spans);
    let full = server.memory();
    drop(server);
    let server = Server::start();
    row("a history of 8 KB that grows", "otel-genai", &server.ingest(Workload::Histories, histories));
    drop(server);
    match phoenix::program() {
        Some(program) => {
            for (what, workload) in [
                ("30 attributes, 11 % with content", Workload::Usual),
                ("a history of 8 KB that grows", Workload::Histories),
            ] {
                let phoenix = phoenix::Phoenix::start(&program);
                row(what, "Phoenix", &phoenix.ingest(workload, theirs));
            }
        }
        None => println!("\nPhoenix: left out, OTEL_GENAI_PHOENIX does not name it"),
    }

    println!(
        "\nafter {spans} spans and these questions: {:.0} MiB resident, {:.0} at most",
        full.now, full.most
    );
    println!("\n| asked of {spans} spans | p50 | p95 |\n|---|---|---|");
    for (what, mut times) in queries {
        times.sort_unstable();
        let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)].as_secs_f64() * 1e3;
        println!("| {what} | {:.1} ms | {:.1} ms |", at(50), at(95));
    }
}

fn row(what: &str, whom: &str, ingested: &Ingested) {
    println!(
        "| {what} | {whom} | {} | {:.0} | {:.1} µs | {:.0} B | {:.0} MiB |",
        ingested.spans,
        ingested.spans as f64 / ingested.wall.as_secs_f64(),
        ingested.cpu.as_secs_f64() * 1e6 / ingested.spans as f64,
        ingested.bytes as f64 / ingested.spans as f64,
        ingested.memory.most
    );
}
