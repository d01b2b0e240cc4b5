//! What became of the tool calls that models asked for: the spans of the tools, the answers, the agents that ran as tools.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use otel_genai::{Message, Part};
use otel_genai_dialect::{Slot as Word, names_of};
use otel_genai_store::{Held, Nanos, Op, SpanKey};
use serde_json::Value as Json;

use super::book::MessageId;
use super::canonical::loose_name_of;
use super::chain::Chains;
use super::collect::Collected;
use super::conversation::Conversation;
use super::merge::Merged;
use super::{Carrier, Join, JoinedBy, Matched, OrphanTool, Source, ToolKind};

/// What belongs together.
#[derive(Default)]
pub(super) struct Joined {
    /// By message and the place of the part in it.
    pub(super) joins: HashMap<MessageId, Vec<(usize, Join)>>,
    pub(super) orphans: Vec<OrphanTool>,
    /// For a chain that ran as a tool: the call (by its place) and the tool call that asked for it.
    pub(super) asked: HashMap<usize, (usize, Arc<str>)>,
}

/// A tool call that a message asks for.
struct Ask {
    message: MessageId,
    part: usize,
    call: usize,
    chain: usize,
    at: Nanos,
    id: Option<Arc<str>>,
    name: Arc<str>,
    arguments: Option<[u8; 16]>,
    span: Option<usize>,
    by: JoinedBy,
    answer: Option<(MessageId, usize)>,
    repeats: u32,
}

/// A span of a tool.
struct Tool {
    span: usize,
    key: SpanKey,
    at: Nanos,
    chain: Option<usize>,
    id: Option<Arc<str>>,
    name: Option<Arc<str>>,
    arguments: Option<[u8; 16]>,
    used: bool,
}

pub(super) fn join(collected: &Collected<'_>, chains: &Chains, conversation: &mut Conversation) -> Joined {
    let mut tools = tools(collected, chains);
    let (mut asks, answers) = parts(conversation);
    find_spans(&mut asks, &mut tools);
    find_answers(&mut asks, &answers);
    let agents = agents_of_tools(collected, chains);
    let kinds = kinds(collected);

    let mut joined = Joined::default();
    for ask in &mut asks {
        result_of_span(collected, conversation, ask);
    }
    let book = &conversation.book;
    for ask in &asks {
        let span = ask.span.and_then(|at| collected.spans.get(at));
        let chain = ask.span.and_then(|at| agents.get(&at).copied());
        let kind = match ask.span {
            _ if chain.is_some() => ToolKind::Agent,
            Some(at) => kinds.get(&at).copied().unwrap_or(ToolKind::Tool),
            None => ToolKind::Tool,
        };
        if let Some(chain) = chain {
            let id = ask.id.clone().unwrap_or_else(|| Arc::clone(&ask.name));
            joined.asked.entry(chain).or_insert((ask.call, id));
        }
        if span.is_none() && ask.answer.is_none() && ask.repeats == 0 {
            continue;
        }
        let join = Join {
            span: span.map(|span| span.key),
            by: ask.by,
            duration: span.filter(|span| span.end.0 > 0).and_then(|span| span.end.since(span.start)),
            error: span.and_then(|span| {
                let told = span.facts.error.clone();
                told.or_else(|| span.status.is_error().then(|| "error".into()))
            }),
            kind,
            chain: chain.and_then(|chain| u32::try_from(chain).ok()),
            response: ask.answer.and_then(|(message, _)| book.hash(message)),
            asked: None,
            repeats: ask.repeats,
        };
        if let Some((message, part)) = ask.answer {
            let back = Join { response: None, asked: book.hash(ask.message), repeats: 0, ..join.clone() };
            put(&mut joined.joins, message, part, back);
        }
        put(&mut joined.joins, ask.message, ask.part, join);
    }
    joined.orphans = tools
        .iter()
        .filter(|tool| !tool.used)
        .map(|tool| OrphanTool { span: tool.key, at: tool.at })
        .collect();
    joined
}

fn put(joins: &mut HashMap<MessageId, Vec<(usize, Join)>>, message: MessageId, part: usize, join: Join) {
    let of_message = joins.entry(message).or_default();
    if of_message.iter().all(|(known, _)| *known != part) {
        of_message.push((part, join));
    }
}

/// The spans of tools, in the order in which they began. A request to an MCP server is one where no tool's span is around it.
fn tools(collected: &Collected<'_>, chains: &Chains) -> Vec<Tool> {
    let spans = &collected.spans;
    let is_tool = |at: usize| match spans.op(at) {
        Some(Op::ExecuteTool) => true,
        Some(Op::Mcp) => {
            spans.get(at).is_some_and(|span| span.facts.mcp_method.as_deref() == Some("tools/call"))
        }
        _ => false,
    };
    let around = spans.nearest(is_tool, |at| matches!(spans.op(at), Some(Op::InvokeAgent)));
    let of_agent =
        |at: usize| collected.agent_of.get(at).copied().flatten().and_then(|agent| chains.of_span(agent));
    let found = spans.iter().filter(|(at, _)| {
        is_tool(*at) && !(spans.op(*at) == Some(Op::Mcp) && around.get(*at).copied().flatten().is_some())
    });
    found
        .map(|(at, span)| {
            let arguments = names_of(Word::ToolArguments).find_map(|name| span.attributes.json(name));
            Tool {
                span: at,
                key: span.key,
                at: span.start,
                chain: of_agent(at),
                id: span.facts.tool_call.clone(),
                name: span.facts.tool.clone(),
                arguments: arguments.map(|json| loose_name_of(&json)),
                used: false,
            }
        })
        .collect()
}

/// A message and a part of it that answers a tool call: also in which call it is told, and the id of what it answers.
struct Answer {
    message: MessageId,
    part: usize,
    chain: usize,
    call: usize,
    id: Option<Arc<str>>,
    name: Option<Arc<str>>,
}

/// All tool calls and all answers, each where it is told first.
fn parts(conversation: &Conversation) -> (Vec<Ask>, Vec<Answer>) {
    let book = &conversation.book;
    let (mut asks, mut answers) = (Vec::new(), Vec::new());
    let mut seen: HashSet<MessageId> = HashSet::new();
    // By chain, name and arguments.
    type What = (usize, Arc<str>, Option<[u8; 16]>);
    let mut before: HashMap<What, u32> = HashMap::new();
    for (at, call) in conversation.calls.iter().enumerate() {
        for one in call.input.iter().chain(&call.output) {
            if !seen.insert(one.message) {
                continue;
            }
            for (part, told) in book.parts(one.message).iter().enumerate() {
                match told {
                    Part::ToolCall(asked) => {
                        let name: Arc<str> = asked.name.as_str().into();
                        let arguments = asked.arguments.as_ref().map(loose_name_of);
                        let times = before.entry((call.chain, Arc::clone(&name), arguments)).or_default();
                        asks.push(Ask {
                            message: one.message,
                            part,
                            call: at,
                            chain: call.chain,
                            at: call.at(),
                            id: asked.id.as_deref().map(Arc::from),
                            name,
                            arguments,
                            span: None,
                            by: JoinedBy::CallId,
                            answer: None,
                            repeats: *times,
                        });
                        *times += 1;
                    }
                    Part::ToolCallResponse(answer) => answers.push(Answer {
                        message: one.message,
                        part,
                        chain: call.chain,
                        call: at,
                        id: answer.id.as_deref().map(Arc::from),
                        name: book
                            .get(one.message)
                            .and_then(|entry| entry.message.name.as_deref().map(Arc::from)),
                    }),
                    _ => {}
                }
            }
        }
    }
    (asks, answers)
}

/// Which span ran which tool call: by the id of the call, else by name, arguments and order. Each span once.
fn find_spans(asks: &mut [Ask], tools: &mut [Tool]) {
    let mut by_id: HashMap<Arc<str>, Vec<usize>> = HashMap::new();
    let mut by_name: HashMap<Arc<str>, Vec<usize>> = HashMap::new();
    for (at, tool) in tools.iter().enumerate() {
        match (&tool.id, &tool.name) {
            (Some(id), _) => by_id.entry(Arc::clone(id)).or_default().push(at),
            (None, Some(name)) => by_name.entry(Arc::clone(name)).or_default().push(at),
            (None, None) => {}
        }
    }
    // Ids that a provider gives again and again are told apart by who asks, and when.
    for ask in asks.iter_mut() {
        let Some(candidates) = ask.id.as_ref().and_then(|id| by_id.get_mut(id)) else { continue };
        let fit = |at: &usize| {
            let tool = tools.get(*at)?;
            let same_name = tool.name.as_ref().is_none_or(|name| *name == ask.name);
            let same_chain = tool.chain.is_none_or(|chain| chain == ask.chain);
            Some((same_chain, same_name, tool.at >= ask.at))
        };
        let at = |index: &usize| candidates.get(*index).and_then(fit);
        let perfect = (0..candidates.len()).find(|index| at(index) == Some((true, true, true)));
        let best =
            perfect.or_else(|| (0..candidates.len()).max_by_key(|index| (at(index), usize::MAX - index)));
        if let Some(tool) = best.map(|index| candidates.remove(index)) {
            ask.span = tools.get(tool).map(|tool| tool.span);
            if let Some(tool) = tools.get_mut(tool) {
                tool.used = true;
            }
        }
    }
    // The program may have called a tool without telling the id, or the model without giving one.
    let asked: HashSet<Arc<str>> = asks.iter().filter_map(|ask| ask.id.clone()).collect();
    for (_, rest) in by_id.into_iter().filter(|(id, _)| !asked.contains(id)) {
        for at in rest {
            let name = tools.get(at).filter(|tool| !tool.used).and_then(|tool| tool.name.clone());
            if let Some(name) = name {
                by_name.entry(name).or_default().push(at);
            }
        }
    }
    by_name.values_mut().for_each(|list| list.sort_unstable());
    for ask in asks.iter_mut().filter(|ask| ask.span.is_none()) {
        let Some(candidates) = by_name.get_mut(&ask.name) else { continue };
        let fits = |at: &usize| {
            tools.get(*at).is_some_and(|tool| {
                tool.at >= ask.at
                    && tool.chain.is_none_or(|chain| chain == ask.chain)
                    && tool
                        .arguments
                        .is_none_or(|arguments| ask.arguments.is_none_or(|asked| asked == arguments))
                    && (tool.id.is_none() || ask.id.is_none())
            })
        };
        let Some(index) = candidates.iter().position(fits) else { continue };
        let tool = candidates.remove(index);
        if let Some(tool) = tools.get_mut(tool) {
            ask.span = Some(tool.span);
            ask.by = JoinedBy::NameArguments;
            tool.used = true;
        }
    }
}

/// Which answer is to which tool call: by the id, in the same chain if it can be; else in the order in which they were asked.
fn find_answers(asks: &mut [Ask], answers: &[Answer]) {
    let mut by_id: HashMap<Arc<str>, Vec<usize>> = HashMap::new();
    let mut unnamed: HashMap<usize, Vec<usize>> = HashMap::new();
    for (at, ask) in asks.iter().enumerate() {
        match &ask.id {
            Some(id) => by_id.entry(Arc::clone(id)).or_default().push(at),
            None => unnamed.entry(ask.chain).or_default().push(at),
        }
    }
    // Of those without an id, how many have their answer, from the first on.
    let mut answered: HashMap<usize, usize> = HashMap::new();
    for answer in answers {
        let ask = match &answer.id {
            Some(id) => {
                let candidates = by_id.get(id).map(Vec::as_slice).unwrap_or_default();
                let fit = |at: &&usize| {
                    asks.get(**at)
                        .map(|ask| (ask.answer.is_none(), ask.chain == answer.chain, ask.call <= answer.call))
                };
                let before =
                    candidates.partition_point(|at| asks.get(*at).is_some_and(|ask| ask.call <= answer.call));
                let before = candidates.get(..before).unwrap_or_default();
                let perfect = before.iter().rev().find(|at| fit(at) == Some((true, true, true)));
                perfect.or_else(|| candidates.iter().max_by_key(fit)).copied()
            }
            None => {
                let candidates = unnamed.get(&answer.chain).map(Vec::as_slice).unwrap_or_default();
                let first = answered.entry(answer.chain).or_default();
                let is_answered = |at: &usize| asks.get(*at).is_some_and(|ask: &Ask| ask.answer.is_some());
                while candidates.get(*first).is_some_and(is_answered) {
                    *first += 1;
                }
                let candidates = candidates.get(*first..).unwrap_or_default();
                let fits = |at: &&usize| {
                    asks.get(**at).is_some_and(|ask| {
                        ask.answer.is_none()
                            && ask.call <= answer.call
                            && answer.name.as_ref().is_none_or(|name| *name == ask.name)
                    })
                };
                candidates.iter().find(fits).copied()
            }
        };
        if let Some(ask) = ask.and_then(|at| asks.get_mut(at)).filter(|ask| ask.answer.is_none()) {
            ask.answer = Some((answer.message, answer.part));
            if ask.span.is_none() && (ask.id.is_none() || answer.id.is_none()) {
                ask.by = JoinedBy::NameArguments;
            }
        }
    }
}

/// What a tool's span tells of its result: another source of the answer, another version of it, or the only one.
fn result_of_span(collected: &Collected<'_>, conversation: &mut Conversation, ask: &mut Ask) {
    let Some(span) = ask.span.and_then(|at| collected.spans.get(at)) else { return };
    let told = names_of(Word::ToolResult).find_map(|name| Some((name, span.attributes.get(name)?)));
    let Some((name, result)) = told else { return };
    let result = match result.text() {
        // The Vercel AI SDK writes every result as JSON, a text in quotes.
        Some(text) if name == "ai.toolCall.result" => {
            serde_json::from_str(&text).unwrap_or_else(|_| Json::String(text.into_owned()))
        }
        Some(text) => Json::String(text.into_owned()),
        None => Held::json(result).unwrap_or_default(),
    };
    let source = |loose| Source {
        carrier: Carrier::ToolSpan,
        name: name.into(),
        index: None,
        span: Some(span.key),
        log: None,
        matched: Matched::Span,
        partial: false,
        loose,
    };
    let Some((message, part)) = ask.answer else {
        let answer = Message::tool(ask.id.as_deref().unwrap_or_default(), result);
        if let Some(message) = conversation.book.enter(answer)
            && let Some(call) = conversation.calls.get_mut(ask.call)
        {
            call.output.push(Merged::alone(message, source(false)));
            ask.answer = Some((message, 0));
        }
        return;
    };
    let Some(Part::ToolCallResponse(known)) = conversation.book.parts(message).get(part) else { return };
    let same = known.response == result;
    let loosely = loose_name_of(&known.response) == loose_name_of(&result);
    let version = (!loosely)
        .then(|| conversation.book.enter(Message::tool(ask.id.as_deref().unwrap_or_default(), result)))
        .flatten();
    let told = conversation.calls.get_mut(ask.call..).unwrap_or_default().iter_mut();
    let seen = told
        .flat_map(|call| call.input.iter_mut().chain(&mut call.output))
        .find(|one| one.message == message);
    if let Some(seen) = seen {
        match version {
            Some(version) => seen.versions.push((version, source(false))),
            None => seen.sources.push(source(!same)),
        }
    }
}

/// For each tool's span the chain of the agent that ran in it.
fn agents_of_tools(collected: &Collected<'_>, chains: &Chains) -> HashMap<usize, usize> {
    let spans = &collected.spans;
    let is_tool = |at: usize| spans.op(at) == Some(Op::ExecuteTool);
    let around = spans.nearest(is_tool, |at| spans.op(at) == Some(Op::InvokeAgent));
    let mut found = HashMap::new();
    for (at, _) in spans.iter().filter(|(at, _)| spans.op(*at) == Some(Op::InvokeAgent)) {
        if let (Some(tool), Some(chain)) = (around.get(at).copied().flatten(), chains.of_span(at)) {
            found.entry(tool).or_insert(chain);
        }
    }
    found
}

/// What ran as each tool, where its span does not say it.
fn kinds(collected: &Collected<'_>) -> HashMap<usize, ToolKind> {
    let spans = &collected.spans;
    let around =
        spans.nearest(|at| spans.op(at) == Some(Op::ExecuteTool), |at| spans.op(at) == Some(Op::InvokeAgent));
    let mut found = HashMap::new();
    for (at, _) in spans.iter() {
        let kind = match spans.op(at) {
            Some(Op::Mcp) => ToolKind::Mcp,
            Some(Op::Retrieval) => ToolKind::Retrieval,
            _ => continue,
        };
        let tool = around.get(at).copied().flatten();
        if let Some(tool) = tool.or((kind == ToolKind::Mcp).then_some(at)) {
            found.entry(tool).or_insert(kind);
        }
    }
    found
}

/// How long something took that has ended.
pub(super) fn took(start: Nanos, end: Option<Nanos>) -> Option<Duration> {
    end?.since(start)
}
