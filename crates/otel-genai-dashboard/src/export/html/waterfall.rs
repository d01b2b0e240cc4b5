//! What ran, as bars in time.

use std::collections::{HashMap, HashSet};

use super::kind::{glyph, kind};
use super::text::{Safe, count, plural, tokens, took};
use crate::view::{Op, Row, SpanState, Trace, money};

/// Rows of the drawing are at most so many: a browser lays out all of them.
const ROWS: usize = 3_000;
/// Deeper than this, rows are no longer indented.
const DEEPEST: u32 = 20;

/// Draws the rows. `told` has the place in the file where a span is told of.
pub(super) fn draw(out: &mut String, trace: &Trace, told: &HashMap<String, String>, currency: &str) {
    let rows: Vec<&Row> = trace.rows.iter().filter(|row| row.fold.is_none()).collect();
    let axis = Axis::of(&rows, trace.summary.duration_ms);
    let step = axis.step();
    out.push_str(&format!(
        "<div class=\"wf\" style=\"--tick:{:.3}%\"><div class=\"axis\"><span></span><span>",
        axis.share(step)
    ));
    let mut at = 0.0;
    while at <= axis.whole {
        let tick = if at == 0.0 { "0".to_owned() } else { plain(at) };
        out.push_str(&format!("<i style=\"left:{:.2}%\">{tick}</i>", axis.share(at)));
        at += step;
    }
    out.push_str("</span></div>\n<ol>\n");
    let mut named = HashSet::new();
    for row in rows.iter().take(ROWS) {
        let first = named.insert(row.span.as_str());
        line(out, row, &axis, told.get(&row.span).filter(|_| !row.ghost), first, currency);
    }
    out.push_str("</ol></div>\n");
    let folded = trace.rows.len() - rows.len();
    if trace.total_rows > trace.rows.len() as u64 || rows.len() > ROWS {
        let shown = count(rows.len().min(ROWS) as u64);
        let all = plural(trace.total_rows, "span");
        out.push_str(&format!(
            "<p class=\"note\">The first {shown} of {all}: more would make this file slow. The export in OTLP has all of them.</p>\n"
        ));
    } else if folded > 0 {
        let folded = plural(folded as u64, "span");
        out.push_str(&format!(
            "<p class=\"note\">Without {folded} of HTTP, databases and remote calls within calls.</p>\n"
        ));
    }
}

/// What is drawn from left to right.
struct Axis {
    from: f64,
    whole: f64,
}

impl Axis {
    fn of(rows: &[&Row], duration: f64) -> Self {
        let from = rows.iter().map(|row| row.at).fold(0.0, f64::min);
        let to = rows.iter().map(|row| row.at + row.duration_ms).fold(duration, f64::max);
        Self { from, whole: (to - from).max(0.001) }
    }

    fn share(&self, ms: f64) -> f64 {
        (ms / self.whole * 100.0).clamp(0.0, 100.0)
    }

    /// The time between two lines: 1, 2 or 5 of some power of ten, so that there are four to eight of them.
    fn step(&self) -> f64 {
        let about = self.whole / 5.0;
        let power = 10_f64.powf(about.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().find(|step| step * power >= about);
        step.unwrap_or(10.0) * power
    }
}

/// A duration without digits that say nothing: 2 s, 1.5 s, 200 ms.
fn plain(ms: f64) -> String {
    let told = took(ms);
    match told.split_once(' ') {
        Some((number, unit)) if number.contains('.') => {
            format!("{} {unit}", number.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => told,
    }
}

fn line(out: &mut String, row: &Row, axis: &Axis, place: Option<&String>, first: bool, currency: &str) {
    let class = if row.error { "err" } else { kind(row.op).0 };
    let running = row.ghost || row.state == SpanState::Running;
    let id = if first { format!(" id=\"s-{}\"", Safe(&row.span)) } else { String::new() };
    let indent = f64::from(row.depth.min(DEEPEST)) * 0.9;
    let name = format!("<bdi>{}</bdi>", Safe(brief(row)));
    let name = match place {
        Some(place) => format!("<a href=\"#{place}\">{name}</a>"),
        None => name,
    };
    out.push_str(&format!(
        "<li{id} class=\"k-{class}{}\"><div class=\"name\" style=\"padding-left:{indent:.1}em\">{} <span class=\"ell\" title=\"{} · {}\">{name}</span>{}</div>",
        if running { " run" } else { "" },
        glyph(row.op),
        Safe(&row.name),
        Safe(&row.service),
        pills(row, currency),
    ));
    let left = axis.share(row.at - axis.from);
    let width = axis.share(row.duration_ms).min(100.0 - left);
    let first = match row.ttft_ms {
        Some(ms) if row.duration_ms > 0.0 => {
            format!("<u style=\"left:{:.1}%\"></u>", (ms / row.duration_ms * 100.0).clamp(0.0, 100.0))
        }
        _ => String::new(),
    };
    let right = left + width;
    let took = if running { "running".to_owned() } else { took(row.duration_ms) };
    out.push_str(&format!(
        "<div class=\"time\"><i style=\"left:{left:.2}%;width:{width:.2}%\">{first}</i><em style=\"left:{right:.2}%\">{took}</em></div></li>\n"
    ));
}

/// A span's name without the operation that its letter tells already.
fn brief(row: &Row) -> &str {
    if row.name.is_empty() {
        return row.agent.as_deref().unwrap_or(if row.ghost { "not here" } else { kind(row.op).2 });
    }
    let rest = row.op.and_then(|op| row.name.strip_prefix(op.as_str())).map(str::trim);
    rest.filter(|rest| !rest.is_empty()).unwrap_or(&row.name)
}

fn pills(row: &Row, currency: &str) -> String {
    let mut out = String::new();
    let mut pill = |class: &str, text: &str| {
        out.push_str(&format!(" <span class=\"pill{class}\">{}</span>", Safe(text)));
    };
    if row.error {
        pill(" err", row.error_type.as_deref().unwrap_or("error"));
    }
    if let Some(retry) = row.retry.filter(|retry| *retry > 0) {
        pill(" warn", &format!("retry {retry}"));
    }
    if let Some(n) = row.count {
        let what = match row.op {
            Some(Op::Retrieval | Op::Rerank) => plural(n.into(), "doc"),
            Some(Op::Memory) => plural(n.into(), "record"),
            _ => count(n.into()),
        };
        pill("", &what);
    }
    if kind(row.op).0 == "llm"
        && !row.wrapper
        && let Some(used) = row.usage.as_ref().and_then(tokens)
    {
        pill("", &used);
    }
    let cost = row.total.as_ref().and_then(|total| total.cost);
    if let Some(cost) = cost.filter(|cost| cost.amount > 0.0) {
        pill("", &money(cost.amount, currency));
    }
    for (told, text) in [(row.inferred, "inferred"), (row.orphan, "no parent"), (row.cycle, "circle")] {
        if told {
            pill(" warn", text);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stand_at_round_times() {
        let steps = |whole| Axis { from: 0.0, whole }.step();
        assert_eq!([8_390.0, 950.0, 0.4].map(steps), [2_000.0, 200.0, 0.1]);
        assert_eq!([2_000.0, 1_500.0, 200.0, 120_000.0].map(plain), ["2 s", "1.5 s", "200 ms", "2 m 00 s"]);
    }
}
