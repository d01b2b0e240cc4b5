//! The figures of both sides.

use super::Compared;
use crate::view::{Cost, Figure, Op, Usage};

/// Figures that at least one side has.
pub(super) fn of_both(a: &Compared, b: &Compared) -> Vec<Figure> {
    let both = figures(a).into_iter().zip(figures(b));
    let figure = both.map(|((name, a), (_, b))| Figure { name: name.to_owned(), a, b });
    figure.filter(|figure| figure.a.is_some() || figure.b.is_some()).collect()
}

/// Of a side, whatever it is.
struct Sums {
    duration_ms: f64,
    ttft_ms: Option<f64>,
    spans: u64,
    errors: u64,
    llm_calls: u64,
    tool_calls: u64,
    usage: Usage,
    cost: Option<Cost>,
}

#[expect(clippy::cast_precision_loss, reason = "no trace has more than 2^53 of anything")]
fn figures(side: &Compared) -> [(&'static str, Option<f64>); 13] {
    let sums = Sums::of(side);
    let count = |n: u64| Some(n as f64);
    let tokens = |n: Option<u64>| n.map(|n| n as f64);
    [
        ("duration", Some(sums.duration_ms)),
        ("TTFT", sums.ttft_ms),
        ("spans", count(sums.spans)),
        ("errors", count(sums.errors)),
        ("model calls", count(sums.llm_calls)),
        ("tool calls", count(sums.tool_calls)),
        ("input tokens", tokens(sums.usage.input)),
        ("of them from a cache", tokens(sums.usage.cache_read)),
        ("of them into a cache", tokens(sums.usage.cache_write)),
        ("output tokens", tokens(sums.usage.output)),
        ("of them reasoning", tokens(sums.usage.reasoning)),
        ("cost", sums.cost.map(|cost| cost.amount)),
        ("saved by cache", sums.cost.and_then(|cost| cost.saved)),
    ]
}

impl Sums {
    fn of(side: &Compared) -> Self {
        let summary = &side.trace.summary;
        let rows = side.rows();
        let Some(row) = rows.first().filter(|_| side.span.is_some()) else {
            return Self {
                duration_ms: summary.duration_ms,
                ttft_ms: summary.ttft_ms,
                spans: summary.spans,
                errors: summary.errors,
                llm_calls: summary.llm_calls,
                tool_calls: summary.tool_calls,
                usage: summary.usage,
                cost: summary.cost,
            };
        };
        let total = row.total.as_ref();
        Self {
            duration_ms: row.duration_ms,
            ttft_ms: row.ttft_ms,
            spans: rows.iter().filter(|row| !row.ghost).count() as u64,
            errors: rows.iter().filter(|row| row.error).count() as u64,
            llm_calls: total
                .map_or_else(|| u64::from(row.op.is_some_and(Op::is_of_model)), |total| total.llm_calls),
            tool_calls: total
                .map_or_else(|| u64::from(row.op == Some(Op::ExecuteTool)), |total| total.tool_calls),
            usage: total.map(|total| total.usage).or(row.usage).unwrap_or_default(),
            cost: total.map_or(row.cost, |total| total.cost),
        }
    }
}
