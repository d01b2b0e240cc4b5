//! The gateway against a bare proxy, on one machine, in one run:
//! `cargo bench -p otel-genai-gateway --bench proxy [-- --quick]`
//!
//! The program starts itself in other roles: a mock provider (which also receives the telemetry), the proxies under
//! test, and the load. Mock, proxy and load share the machine's cores, so only ratios between rows mean something.
//! Rounds are interleaved, and each figure is the median of its rounds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a measurement that fails should say so and stop"
)]

mod child;
mod driver;
mod floor;
mod gateway;
mod load;
mod mock;
mod report;

use std::net::SocketAddr;

use otel_genai::Capture;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |n: usize| arguments.get(n).map(String::as_str);
    match argument(0) {
        Some("mock") => run(Runtime::OneThread, mock::serve()),
        Some("floor") => run(Runtime::AllCores, floor::serve(address(argument(1)))),
        Some("content on spans") => {
            run(Runtime::AllCores, gateway::serve(address(argument(1)), Capture::SpanOnly));
        }
        Some("content on spans and events") => {
            run(Runtime::AllCores, gateway::serve(address(argument(1)), Capture::SpanAndEvent));
        }
        Some("load") => {
            run(Runtime::OneThread, load::drive(address(argument(1)), load::Plan::parse(&arguments[2..])));
        }
        _ => driver::compare(arguments.iter().any(|argument| argument == "--quick")),
    }
}

#[derive(Clone, Copy)]
enum Runtime {
    OneThread,
    AllCores,
}

fn run(runtime: Runtime, role: impl Future<Output = ()>) {
    let mut builder = match runtime {
        Runtime::OneThread => tokio::runtime::Builder::new_current_thread(),
        Runtime::AllCores => tokio::runtime::Builder::new_multi_thread(),
    };
    builder.enable_all().build().unwrap().block_on(role);
}

fn address(argument: Option<&str>) -> SocketAddr {
    argument.expect("an address").parse().expect("an address")
}

/// The line by which a role says that it can be used.
fn announce(address: SocketAddr) {
    println!("ready {address}");
}
