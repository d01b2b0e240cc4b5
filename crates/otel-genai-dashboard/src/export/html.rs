//! One file that opens in any browser, offline: what ran and what was said, without a script in it.

mod kind;
mod part;
mod talk;
pub(super) mod text;
mod waterfall;

use otel_genai_store::Nanos;
use talk::Talk;
use text::{Safe, count, took, when};

use crate::view::transcript::Transcript;
use crate::view::{Trace, TraceRow, TraceState, money};

/// Nothing is loaded, and nothing runs: pictures and sounds are in the file itself.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:; base-uri 'none'; form-action 'none'";
const STYLE: &str = include_str!("html/style.css");

/// What ran in a trace, and what was said. Costs are in `currency`.
#[must_use]
pub fn html(trace: &Trace, transcript: &Transcript, currency: &str) -> String {
    let summary = &trace.summary;
    let mut talk = Talk::new(transcript, currency);
    talk.write();
    let name = name(summary);
    let ran = match summary.name.as_str() {
        ran if ran.is_empty() || ran == name => String::new(),
        ran => format!("<bdi>{}</bdi> · ", Safe(ran)),
    };
    let start = Nanos(trace.start_ns.parse().unwrap_or_default());
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\
         <meta name=\"referrer\" content=\"no-referrer\">\
         <title>{name}</title><style>{STYLE}</style></head>\n<body><header class=\"top\"><h1><bdi>{name}</bdi></h1>\
         <p class=\"mut\">{ran}<bdi>{service}</bdi> · {when} · <code>{id}</code></p><dl>",
        name = Safe(name),
        service = Safe(&summary.service),
        when = when(start),
        id = Safe(&summary.id),
    );
    for (name, value) in figures(trace, currency) {
        out.push_str(&format!("<div><dt>{name}</dt><dd>{}</dd></div>", Safe(&value)));
    }
    out.push_str("</dl></header>\n<main>\n");
    if !trace.rows.is_empty() {
        out.push_str("<section class=\"ran\" aria-label=\"What ran\" tabindex=\"0\"><h2>What ran</h2>\n");
        waterfall::draw(&mut out, trace, &talk.places, currency);
        out.push_str("</section>\n");
    }
    out.push_str("<section class=\"said\" aria-label=\"What was said\"><h2>What was said</h2>\n");
    out.push_str(&talk.out);
    out.push_str(&format!(
        "</section></main>\n<footer>Made by otel-genai {} of what was recorded. Nothing in this file runs, and nothing is loaded from elsewhere.</footer></body></html>\n",
        env!("CARGO_PKG_VERSION")
    ));
    out
}

/// What a run is called: by what was asked, else by its first span, else by its id.
fn name(summary: &TraceRow) -> &str {
    let told = [summary.title.as_deref(), Some(summary.name.as_str()), Some(&summary.id)];
    told.into_iter().flatten().find(|name| !name.is_empty()).unwrap_or_default()
}

/// The run in numbers, as at the head of its page.
fn figures(trace: &Trace, currency: &str) -> Vec<(&'static str, String)> {
    let summary = &trace.summary;
    let of = |all: u64, failed: u64| match failed {
        0 => count(all),
        failed => format!("{} ({} failed)", count(all), count(failed)),
    };
    let running = if summary.state == TraceState::Running { ", and running" } else { "" };
    let mut out = vec![("Duration", format!("{}{running}", took(summary.duration_ms)))];
    out.extend(summary.ttft_ms.map(|ms| ("First token", took(ms))));
    out.push(("Model calls", of(summary.llm_calls, summary.llm_errors)));
    out.extend((summary.tool_calls > 0).then(|| ("Tools", of(summary.tool_calls, summary.tool_errors))));
    out.extend(summary.usage.input.map(|n| ("Tokens in", count(n))));
    out.extend(summary.usage.output.map(|n| ("Tokens out", count(n))));
    out.extend(summary.cost.map(|cost| ("Cost", money(cost.amount, currency))));
    out.push(("Spans", count(summary.spans)));
    out.extend((summary.errors > 0).then(|| ("Errors", count(summary.errors))));
    out
}
