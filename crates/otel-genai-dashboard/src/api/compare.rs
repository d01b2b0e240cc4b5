//! Two traces, or two spans of them, side by side.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use otel_genai_store::{Span, SpanId, TraceId, Which};

use super::export::{drawn, each_part};
use super::traces::summary;
use super::transcript::{CUT, Reading, records, work, work_while_awaited};
use crate::compare::{Compared, compare};
use crate::http::{Answer, Ask, Failure, json};
use crate::shared::Shared;
use crate::view::Op;
use crate::view::transcript::{Shown, Transcript};

/// So many rows of a trace are looked through.
const ROWS: u32 = 50_000;
/// Values of attributes are told up to here, in characters.
const VALUE: usize = 2_000;

pub(crate) async fn two(State(shared): State<Arc<Shared>>, mut ask: Ask) -> Answer {
    let (a, b) = (ask.needed("a")?, ask.needed("b")?);
    ask.done()?;
    let (a, b) = (side(&shared, "a", &a).await?, side(&shared, "b", &b).await?);
    work(move || json(&compare(a, b))).await
}

/// `TRACE`, or `TRACE.SPAN`.
async fn side(shared: &Shared, name: &str, text: &str) -> Result<Compared, Failure> {
    let wrong = || Failure::parameter(name, format!("{name} is the id of a trace, or TRACE.SPAN"));
    let (trace, span) = match text.split_once('.') {
        Some((trace, span)) => (trace, Some(span.parse::<SpanId>().map_err(|_| wrong())?)),
        None => (text, None),
    };
    let trace: TraceId = trace.parse().map_err(|_| wrong())?;
    let summary = summary(shared, trace).await?;
    let drawing = drawn(shared, &summary, ROWS).await?;
    let chosen = span.or(summary.root.as_ref().map(|root| root.span));
    let attributes_of = match chosen {
        Some(chosen) => shared.store.spans(trace, Which::Only(vec![chosen])).await?.into_iter().next(),
        None => None,
    };
    if let Some(span) = span
        && attributes_of.is_none()
    {
        return Err(Failure::not_found(format!("the trace {trace} has no span {span}")));
    }
    let span = span.map(|span| span.to_string());
    if span.as_ref().is_some_and(|span| !drawing.rows.iter().any(|row| row.span == *span)) {
        return Err(Failure::parameter(
            name,
            format!("{text} is behind the first {ROWS} spans of its trace"),
        )
        .hint("Of longer traces, whole traces can be compared and spans that began early."));
    }
    let (spans, logs) = records(shared, &summary).await?;
    let references = Arc::clone(&shared.references);
    work_while_awaited(move |is_awaited| {
        let mut attributes = attributes_of.as_ref().map(attributes).unwrap_or_default();
        if span.is_none() {
            settings_of_calls(&spans, &mut attributes);
        }
        let more = |message: &str, part: usize| {
            format!("/api/v1/traces/{trace}/transcript/part?message={message}&part={part}")
        };
        let mut transcript: Option<Transcript> = None;
        let mut shown = BTreeMap::new();
        each_part(&spans, &logs, &Reading { references: &references, is_awaited }, |part| {
            let told = |cut| {
                let shown = Shown { cut, more: &more, trace: Some(summary.id) };
                Transcript::of(part, summary.updated, &shown)
            };
            shown.extend(told(CUT).messages);
            let part = told(0);
            match &mut transcript {
                Some(whole) => whole.append(part),
                None => transcript = Some(part),
            }
        });
        let transcript = transcript.unwrap_or_default();
        Compared { trace: drawing, transcript, shown, span, attributes }
    })
    .await
}

/// What a span tells of how it was made, and by which version of what. What was said stands in the messages, and tokens among
/// the figures.
fn attributes(span: &Span) -> BTreeMap<String, String> {
    let figures =
        |key: &str| key.starts_with("gen_ai.usage.") || key == "gen_ai.response.time_to_first_chunk";
    let versions = |key: &str| {
        ["service.", "deployment.", "telemetry."].iter().any(|prefix| key.starts_with(prefix))
            && key != "service.instance.id"
    };
    let own = span.attributes.0.iter().map(|told| &told.key);
    let own = own.filter(|key| !otel_genai_dialect::is_content(key) && !figures(key));
    let own = own.filter_map(|key| Some((key.as_ref().to_owned(), shown(&span.attributes, key)?)));
    let resource = &span.origin.resource.attributes;
    let made_by = resource.0.iter().map(|told| &told.key).filter(|key| versions(key));
    let made_by = made_by.filter_map(|key| Some((key.as_ref().to_owned(), shown(resource, key)?)));
    made_by.chain(own).collect()
}

/// How models were asked: each setting with the values that it had, in the order in which they came up.
fn settings_of_calls(spans: &[Span], attributes: &mut BTreeMap<String, String>) {
    const SETTINGS: [&str; 3] = ["llm.invocation_parameters", "ai.settings", "gen_ai.output.type"];
    let is_setting = |key: &str| key.starts_with("gen_ai.request.") || SETTINGS.contains(&key);
    let mut values: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for span in spans.iter().filter(|span| span.facts.op.and_then(Op::of).is_some_and(Op::is_call)) {
        for told in span.attributes.0.iter().filter(|told| is_setting(&told.key)) {
            let values = values.entry(&told.key).or_default();
            // Of a setting that is another one in each call nobody reads more.
            if let Some(value) = shown(&span.attributes, &told.key)
                && values.len() < 20
                && !values.contains(&value)
            {
                values.push(value);
            }
        }
    }
    attributes.extend(values.into_iter().map(|(key, values)| (key.to_owned(), values.join(", "))));
}

fn shown(attributes: &otel_genai_store::Attributes, key: &str) -> Option<String> {
    let value = attributes.text(key).map(std::borrow::Cow::into_owned);
    let value = value.or_else(|| attributes.json(key).map(|value| value.to_string()))?;
    Some(value.chars().take(VALUE).collect())
}
