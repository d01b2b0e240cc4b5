//! The conventions' tables as Markdown, for `docs/`: made of the tables that the code works by, so that they say what
//! it does. `cargo xtask docs` writes them.

use otel_genai_semconv::metric::{Instrument, Metric};
use otel_genai_semconv::value::OperationName;

use super::{At, ConventionName, Description, Event, Measures, Name, Row, Source, Told, Unless};
use crate::context::Surroundings;
use crate::operation::{
    Command, CreateAgent, Embeddings, Entry, ExecuteTool, Facts, FetchResponse, Field, Inference,
    InvokeAgent, InvokeWorkflow, Kind, McpCall, McpSession, McpSide, Memory, Plan, ReactStep, Rerank,
    Retrieval, Skill,
};

/// Which convention tells which operation, and how the others tell it.
pub fn operations() -> String {
    let mut out = line("operation", &ConventionName::ALL.map(|name| format!("`{name}`")));
    out += &line("---", &ConventionName::ALL.map(|_| "---".to_owned()));
    for kind in Kind::ALL {
        let words = ConventionName::ALL.map(|name| match description(name, kind) {
            Some((_, true)) => "own".to_owned(),
            Some((_, false)) => "LoongSuite's names".to_owned(),
            None => "not told".to_owned(),
        });
        out += &line(kind.as_str(), &words);
    }
    let evaluations = ConventionName::ALL.map(|name| match name.convention().evaluation {
        Some(_) => "own".to_owned(),
        None => "not told".to_owned(),
    });
    out + &line("evaluation", &evaluations)
}

/// All that one convention tells: of itself, and of each operation that it knows.
pub fn convention(name: ConventionName) -> String {
    let convention = name.convention();
    let mut out = String::from("| | |\n|---|---|\n");
    out += &pair("schema URL", &format!("`{}`", convention.schema_url));
    out += &pair("capture mode `true`", &code(convention.capture_by_convention.as_str()));
    let opt_in = "content and events wait for `OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental`";
    out += &pair("opt-in", if convention.needs_opt_in { opt_in } else { "none" });
    out +=
        &pair("events without content", if convention.always_events { "yes" } else { "only if asked for" });
    out += &pair("event of a client's error", &convention.exception.map_or("none".to_owned(), code));
    out += &pair("event of an evaluation", &convention.evaluation.map_or("none".to_owned(), code));
    for kind in Kind::ALL {
        if let Some(description) = convention.describe(kind) {
            out += &format!("\n#### {kind}, `{name}`\n\n{}", one(description, kind));
        }
    }
    out
}

/// How each convention names what it tells of these kinds of operation.
pub fn operation(kinds: &[Kind]) -> String {
    let mut out = line("convention", &["span", "kind", "events", "metrics"].map(str::to_owned));
    out += &line("---", &["---"; 4].map(str::to_owned));
    for name in ConventionName::ALL {
        for kind in kinds {
            let whose = if kinds.len() > 1 { format!("`{name}`, {kind}") } else { format!("`{name}`") };
            out += &match description(name, *kind) {
                Some((description, own)) => {
                    let whose = if own { whose } else { format!("{whose} (LoongSuite's names)") };
                    line(
                        &whose,
                        &[
                            span_names(description, *kind),
                            span_kind(description),
                            event_name(description),
                            metric_names(description),
                        ],
                    )
                }
                None => line(&whose, &["not told".to_owned(), dash(), dash(), dash()]),
            };
        }
    }
    out
}

/// How a convention tells of an operation, and whether in words of its own.
fn description(name: ConventionName, kind: Kind) -> Option<(&'static Description, bool)> {
    let own = name.convention().describe(kind).map(|own| (own, true));
    own.or_else(|| Some((ConventionName::LoongSuite.convention().describe(kind)?, false)))
}

/// The table of one operation.
fn one(description: &Description, kind: Kind) -> String {
    let mut out = String::from("| | |\n|---|---|\n");
    out += &pair("span", &span(description, kind));
    for (at, when) in [
        (At::Start, "from the start"),
        (At::End, "at the end"),
        (At::Content, "content"),
        (At::NoContent, "instead of content"),
    ] {
        out += &pair(when, &attributes(description.span, |row| row.at == at));
    }
    match &description.event {
        Event::None => {}
        Event::Details { name, severity, rows, custom } => {
            let severity =
                severity.map_or(String::new(), |severity| format!("severity {}; ", severity.name()));
            let of_whom = if *custom { ", and further attributes" } else { "" };
            let what = match rows {
                None => "the attributes of the span".to_owned(),
                Some(rows) => attributes(rows, |_| true),
            };
            out += &pair(&format!("event `{name}`"), &format!("{severity}{what}{of_whom}"));
        }
        Event::Custom(_) => out += &pair("events", "one a message, see above"),
    }
    for measures in description.measures {
        out += &metrics(measures);
    }
    if let Some(chunks) = &description.chunks {
        let attributes = attributes(chunks.attributes, |_| true);
        out += &metric(chunks.first, &format!("at the first chunk: {attributes}"));
        out += &metric(chunks.following, &format!("at each further chunk: {attributes}"));
    }
    out
}

fn metrics(measures: &Measures) -> String {
    let mut out = String::new();
    let mut known: Vec<&str> = Vec::new();
    for point in measures.points {
        let name = point.metric.name;
        if known.contains(&name) {
            continue;
        }
        known.push(name);
        let same = || measures.points.iter().filter(|other| other.metric.name == name);
        let mut all = vec![attributes(measures.attributes, |_| true)];
        if let Some((key, _)) = point.own {
            let values: Vec<String> = same().filter_map(|point| Some(code(point.own?.1))).collect();
            all.push(format!("{} = {}", code(key), values.join(" / ")));
        }
        if same().any(|point| point.error) {
            all.push(code("error.type"));
        }
        all.retain(|text| !text.is_empty());
        out += &metric(point.metric, &all.join(", "));
    }
    out
}

fn metric(metric: &Metric, text: &str) -> String {
    let instrument = match metric.instrument {
        Instrument::Counter => "counter",
        Instrument::Histogram => "histogram",
        _ => "metric",
    };
    let text = if text.is_empty() { "no attributes" } else { text };
    pair(&format!("{instrument} `{}` ({})", metric.name, metric.unit), text)
}

fn metric_names(description: &Description) -> String {
    let points = description.measures.iter().flat_map(|measures| measures.points);
    let chunks = description.chunks.iter().flat_map(|chunks| [chunks.first, chunks.following]);
    let mut names: Vec<String> = Vec::new();
    for metric in points.map(|point| point.metric).chain(chunks) {
        let name = code(metric.name);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() { dash() } else { names.join(", ") }
}

fn event_name(description: &Description) -> String {
    match &description.event {
        Event::None => dash(),
        Event::Details { name, .. } => code(name),
        Event::Custom(_) => "one a message".to_owned(),
    }
}

fn span(description: &Description, kind: Kind) -> String {
    match description.name {
        Name::None => "none".to_owned(),
        _ => format!("{}, {}", span_names(description, kind), span_kind(description)),
    }
}

fn span_kind(description: &Description) -> String {
    match description.name {
        Name::None => dash(),
        _ => format!("{:?}", description.kind).to_uppercase(),
    }
}

/// The names that a span may have, with the attributes that they are made of in braces.
fn span_names(description: &Description, kind: Kind) -> String {
    let mut names: Vec<String> = Vec::new();
    for sample in samples(kind) {
        let told = Told {
            op: &*sample,
            surroundings: &Surroundings::default(),
            operation: description.operation,
            failed: false,
        };
        let name = code(told.span_name(&description.name));
        if name != "``" && !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() { "none".to_owned() } else { names.join(" or ") }
}

/// Operations whose texts are the names of the attributes that they become.
fn samples(kind: Kind) -> Vec<Box<dyn Facts>> {
    fn braced(attribute: &str) -> String {
        format!("{{{attribute}}}")
    }
    let name = || Some(braced("gen_ai.agent.name"));
    let model = || Some(braced("gen_ai.request.model"));
    let operation = || OperationName::from(braced("gen_ai.operation.name"));
    match kind {
        Kind::Inference => {
            let mut op = Inference::new(operation(), "");
            op.request.model = model();
            vec![Box::new(op)]
        }
        Kind::Embeddings => {
            let mut op = Embeddings::new("");
            op.model = model();
            vec![Box::new(op)]
        }
        Kind::CreateAgent => vec![Box::new(CreateAgent { name: name(), ..CreateAgent::default() })],
        Kind::InvokeAgentInternal => vec![Box::new(InvokeAgent { name: name(), ..InvokeAgent::default() })],
        Kind::InvokeAgentClient => {
            vec![Box::new(InvokeAgent { name: name(), remote: true, ..InvokeAgent::default() })]
        }
        Kind::ExecuteTool => {
            let plain = ExecuteTool::new(braced("gen_ai.tool.name"));
            let skill = Skill::new(braced("gen_ai.skill.name"));
            let resource = Some(braced("gen_ai.skill.resource.name"));
            let command = Command::new(braced("process.executable.name"));
            vec![
                Box::new(plain.clone()),
                Box::new(ExecuteTool { skill: Some(skill.clone()), ..plain.clone() }),
                Box::new(ExecuteTool {
                    skill: Some(Skill { resource_name: resource, ..skill }),
                    ..plain.clone()
                }),
                Box::new(ExecuteTool { command: Some(command), ..plain }),
            ]
        }
        Kind::Retrieval => vec![Box::new(Retrieval {
            data_source_id: Some(braced("gen_ai.data_source.id")),
            ..Retrieval::default()
        })],
        Kind::Rerank => vec![Box::new(Rerank { model: model(), ..Rerank::default() })],
        Kind::InvokeWorkflow => vec![Box::new(InvokeWorkflow {
            name: Some(braced("gen_ai.workflow.name")),
            ..InvokeWorkflow::default()
        })],
        Kind::Plan => vec![Box::new(Plan { agent_name: name(), ..Plan::default() })],
        Kind::FetchResponse => vec![Box::new(FetchResponse::new("", ""))],
        Kind::Memory => {
            let mut op = Memory::new(operation());
            op.loongsuite.operation = Some(braced("gen_ai.memory.operation"));
            vec![Box::new(op)]
        }
        Kind::McpClient | Kind::McpServer => {
            let side = if kind == Kind::McpClient { McpSide::Client } else { McpSide::Server };
            let call = McpCall::new(side, braced("mcp.method.name"));
            let mut tool = call.clone();
            tool.tool_name = Some(braced("gen_ai.tool.name"));
            let mut prompt = call.clone();
            prompt.prompt_name = Some(braced("gen_ai.prompt.name"));
            vec![Box::new(call), Box::new(tool), Box::new(prompt)]
        }
        Kind::McpClientSession => vec![Box::new(McpSession::new(McpSide::Client))],
        Kind::McpServerSession => vec![Box::new(McpSession::new(McpSide::Server))],
        Kind::Entry => vec![Box::new(Entry::default())],
        Kind::ReactStep => vec![Box::new(ReactStep::default())],
    }
}

/// The attributes that are wanted, each once.
fn attributes(groups: &[&[Row]], wanted: impl Fn(&Row) -> bool) -> String {
    let mut all: Vec<String> = Vec::new();
    for row in groups.iter().copied().flatten().filter(|row| wanted(row)) {
        let text = attribute(row);
        if !all.contains(&text) {
            all.push(text);
        }
    }
    all.join(", ")
}

fn attribute(row: &Row) -> String {
    let name = match row.source {
        Source::Field(Field::PromptVariables) => format!("{}.<name>", row.name),
        _ => row.name.to_owned(),
    };
    let value = match row.source {
        Source::Always(value) => format!(" = {}", code(value)),
        Source::Field(_) | Source::Json(_) => String::new(),
    };
    let unless = match row.unless {
        Unless::Empty => "",
        Unless::Blank => " (unless blank)",
        Unless::Never => " (even if empty)",
        Unless::Zero => " (unless 0)",
        Unless::One => " (unless 1)",
        Unless::DefaultPort => " (unless 443)",
        Unless::Auto => " (unless `auto`)",
        Unless::NoAddress => " (with an address only)",
    };
    format!("{}{value}{unless}", code(&name))
}

fn line<const N: usize>(first: &str, others: &[String; N]) -> String {
    format!("| {first} | {} |\n", others.join(" | "))
}

/// A line of a table of two columns. What is empty is left out.
fn pair(what: &str, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("| {what} | {text} |\n") }
}

fn code(text: impl AsRef<str>) -> String {
    format!("`{}`", text.as_ref())
}

fn dash() -> String {
    "–".to_owned()
}
