//! What reading costs, for each protocol: a request with a long history, a whole answer and a streamed one, beside
//! parsing the same JSON into a `serde_json::Value`. Best of many runs, which take turns.
//!
//! `cargo bench -p otel-genai-wire`, or with a word after `--` the protocols whose name has it in it.
#![allow(clippy::expect_used, reason = "a benchmark that reads nothing measures nothing")]

mod exchange;
mod protocols;

use std::hint::black_box;
use std::time::{Duration, Instant};

use otel_genai_wire::{Call, Options, RequestReader, ResponseReader};
use serde_json::Value;

use exchange::Exchange;

/// How long each row is measured.
const LONG: Duration = Duration::from_millis(600);
/// Bodies come in pieces of this size, in bytes.
const PIECE: usize = 16 << 10;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --benches` runs this too, to see that it works.
    let time = if arguments.iter().any(|argument| argument == "--bench") { LONG } else { Duration::ZERO };
    let words: Vec<String> =
        arguments.iter().filter(|word| !word.starts_with('-')).map(|word| word.to_lowercase()).collect();
    println!("| read | bytes | `Value` | no content | tools | content |");
    println!("|---|---|---|---|---|---|");
    for exchange in protocols::all() {
        let name = exchange.name.to_lowercase();
        if words.is_empty() || words.iter().any(|word| name.contains(word)) {
            request(&exchange, time);
            answer(&exchange, time);
            stream(&exchange, time);
        }
    }
}

fn request(exchange: &Exchange, time: Duration) {
    let read = |options: Options| {
        move || {
            let mut reader = RequestReader::new(&exchange.route, options);
            for piece in exchange.request.chunks(PIECE) {
                reader.push(piece);
            }
            black_box(reader.finish().expect("a call"));
        }
    };
    let best = in_turns(
        time,
        &mut [
            &mut || parse(&exchange.request),
            &mut read(Options::new(false)),
            &mut read(Options::new(false).tools(true)),
            &mut read(Options::new(true)),
        ],
    );
    row(&format!("{}, request", exchange.name), exchange.request.len(), 1, &best);
}

fn answer(exchange: &Exchange, time: Duration) {
    let call = exchange.asked(&exchange.route);
    let headers = &exchange::json();
    let read = |options: Options| {
        let call = call.clone();
        move || {
            let mut call: Call = call.clone();
            let mut reader = ResponseReader::new(&exchange.route, 200, headers, &call, options);
            for piece in exchange.answer.chunks(PIECE) {
                reader.push(piece);
            }
            assert_eq!(reader.finish(&mut call), None, "{}", exchange.name);
            black_box(call);
        }
    };
    let mut value = || parse(&exchange.answer);
    let best =
        in_turns(time, &mut [&mut value, &mut read(Options::new(false)), &mut read(Options::new(true))]);
    row(&format!("{}, answer", exchange.name), exchange.answer.len(), 1, &with_gap(&best));
}

fn stream(exchange: &Exchange, time: Duration) {
    let Some(stream) = &exchange.stream else { return };
    let call = exchange.asked(&stream.route);
    let read = |options: Options| {
        let call = call.clone();
        move || {
            let mut call: Call = call.clone();
            let mut reader = ResponseReader::new(&stream.route, 200, &stream.headers, &call, options);
            for chunk in &stream.chunks {
                black_box(reader.push(chunk));
            }
            assert_eq!(reader.finish(&mut call), None, "{}", exchange.name);
            assert_eq!(reader.skipped(), 0, "{}", exchange.name);
            black_box(call);
        }
    };
    let mut value = || stream.documents.iter().for_each(|document| parse(document));
    let best =
        in_turns(time, &mut [&mut value, &mut read(Options::new(false)), &mut read(Options::new(true))]);
    let bytes = stream.documents.iter().map(Vec::len).sum();
    row(&format!("{}, chunk", exchange.name), bytes, stream.documents.len(), &with_gap(&best));
}

fn parse(json: &[u8]) {
    black_box(serde_json::from_slice::<Value>(json).expect("JSON"));
}

/// Nanoseconds of the fastest run of each.
fn in_turns(time: Duration, runs: &mut [&mut dyn FnMut()]) -> Vec<Option<f64>> {
    let mut best = vec![None; runs.len()];
    let start = Instant::now();
    loop {
        for (run, best) in runs.iter_mut().zip(&mut best) {
            let start = Instant::now();
            run();
            let took = start.elapsed().as_secs_f64() * 1e9;
            *best = Some(best.map_or(took, |best: f64| best.min(took)));
        }
        if start.elapsed() >= time {
            return best;
        }
    }
}

/// Answers are read in the same way whether the tools are wanted or not.
fn with_gap(best: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut cells = best.to_vec();
    cells.insert(2, None);
    cells
}

/// Prints nanoseconds, megabytes a second and the ratio to the first.
fn row(name: &str, bytes: usize, documents: usize, best: &[Option<f64>]) {
    let value = best.first().copied().flatten().unwrap_or(f64::NAN);
    let cell = |nanoseconds: &Option<f64>| match nanoseconds {
        Some(took) => format!(
            "{:.0} ns, {:.0} MB/s, {:.2} ×",
            took / documents as f64,
            bytes as f64 / took * 1e3,
            took / value
        ),
        None => "-".to_owned(),
    };
    let cells: Vec<String> = best.iter().map(cell).collect();
    println!("| {name} | {} | {} |", bytes / documents, cells.join(" | "));
}
