//! The table.

use std::fmt::Write as _;
use std::time::Duration;

use crate::load::{Kind, Outcome, Plan};
use crate::mock::CHUNKS;

/// One load on one subject.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    per_second: f64,
    p50: f64,
    p99: f64,
    p999: f64,
    cpu: f64,
    reads: f64,
    /// The share of calls that were not recorded; `None`: nothing is.
    unrecorded: Option<f64>,
}

impl Figures {
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    pub(crate) fn new(outcome: &Outcome, cpu: Duration, unrecorded: Option<u64>) -> Self {
        let calls = outcome.calls as f64;
        Self {
            per_second: calls / outcome.seconds,
            p50: outcome.p50,
            p99: outcome.p99,
            p999: outcome.p999,
            cpu: cpu.as_secs_f64() * 1e6 / calls,
            reads: outcome.reads,
            unrecorded: unrecorded.map(|unrecorded| unrecorded as f64 / calls),
        }
    }
}

pub(crate) fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

#[derive(Default)]
pub(crate) struct Report {
    calls: String,
    processes: String,
}

impl Report {
    /// The second subject is the floor, against which the later ones are measured.
    pub(crate) fn scenario(&mut self, plan: Plan, names: [&str; 4], figures: &[Vec<Figures>; 4]) {
        let what = match plan.kind {
            Kind::Unary => "1 KB answer".to_owned(),
            Kind::Burst => format!("{CHUNKS}-chunk stream at once"),
            Kind::Paced => format!("{CHUNKS}-chunk stream, paced"),
        };
        let floor = of(&figures[1], |f| f.cpu);
        let floor_rate = of(&figures[1], |f| f.per_second);
        for (name, figures) in names.iter().zip(figures) {
            let (rate, cpu) = (of(figures, |f| f.per_second), of(figures, |f| f.cpu));
            let _ = writeln!(
                self.calls,
                "| {what} | {} | {name} | {rate:.0} | {:.2} | {:.0} | {:.0} | {:.0} | {} | {} | {:.1} | {} |",
                plan.connections,
                rate / floor_rate,
                of(figures, |f| f.p50),
                of(figures, |f| f.p99),
                of(figures, |f| f.p999),
                // The mock's own processor time is not the price of a proxy.
                if *name == "direct" { "-".to_owned() } else { format!("{cpu:.1}") },
                if *name == "direct" { "-".to_owned() } else { format!("{:.2}", cpu / floor) },
                of(figures, |f| f.reads),
                match figures.first() {
                    Some(Figures { unrecorded: Some(_), .. }) => {
                        format!("{:.0} %", 100.0 * of(figures, |f| f.unrecorded.unwrap_or(0.0)))
                    }
                    _ => "-".to_owned(),
                },
            );
        }
        eprintln!("measured: {what}, {} connections", plan.connections);
    }

    pub(crate) fn process(&mut self, name: &str, calls: usize, kib: [u64; 5], ready: f64) {
        #[expect(clippy::cast_precision_loss, reason = "figures for people")]
        let [start, half, now, highest, loaded] = kib.map(|kib| kib as f64 / 1024.0);
        let _ = writeln!(
            self.processes,
            "| {name} | {ready:.1} | {start:.1} | {half:.1} ({calls} calls) | {now:.1} ({} calls) | {highest:.1} | \
             {loaded:.1} |",
            2 * calls
        );
    }

    pub(crate) fn print(&self) {
        println!(
            "| load | connections | subject | calls/s | × floor | p50 µs | p99 µs | p99.9 µs | CPU µs/call | × floor | reads/call | not recorded |"
        );
        println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
        println!("{}", self.calls);
        println!(
            "| subject | ready after ms | RSS MiB at start | after | after | highest | highest of the process measured above |"
        );
        println!("|---|---|---|---|---|---|---|");
        println!("{}", self.processes);
    }
}

fn of(figures: &[Figures], field: impl Fn(&Figures) -> f64) -> f64 {
    median(&figures.iter().map(field).collect::<Vec<_>>())
}
