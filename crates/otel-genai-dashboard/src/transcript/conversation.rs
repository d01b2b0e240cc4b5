//! What was said in each call, and what of it is new.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use otel_genai::Part;
use otel_genai_store::{Nanos, Op, SpanKey};

use super::book::{Book, MessageId, ToolsId};
use super::carrier;
use super::chain::Chains;
use super::collect::{Collected, Kind, Node, Side};
use super::merge::{self, Merged};
use super::telling::{From, Line, Slot, Told};
use super::{Break, Carrier, Evidence, Growth, Matched, Source, Why};

/// So many calls back a call may go on with.
const BACK: usize = 8;
/// Two calls of which the second waited for the first may overlap by so much, in nanoseconds.
const TICKS: u64 = 20_000_000;

/// What was said in all calls.
pub(super) struct Conversation {
    pub(super) book: Book,
    /// In the order in which they began.
    pub(super) calls: Vec<Spoken>,
}

/// What was said in a call.
pub(super) struct Spoken {
    /// Its node.
    pub(super) node: usize,
    pub(super) chain: usize,
    at: Nanos,
    key: Option<SpanKey>,
    pub(super) system: Vec<Merged>,
    pub(super) carried: u32,
    /// By its place among the calls.
    pub(super) previous: Option<usize>,
    pub(super) input: Vec<Merged>,
    pub(super) output: Vec<Merged>,
    pub(super) tools: Option<ToolsId>,
    pub(super) tools_changed: bool,
    pub(super) rewritten: Option<Break>,
    pub(super) elsewhere: bool,
    pub(super) sizes: Sizes,
    /// All of the input.
    full: Vec<MessageId>,
    end: Option<Nanos>,
}

/// What a call's context is made of, in bytes.
#[derive(Clone, Copy, Default)]
pub(super) struct Sizes {
    pub(super) system: u64,
    pub(super) tools: u64,
    pub(super) user: u64,
    pub(super) assistant: u64,
    pub(super) tool_results: u64,
}

impl Sizes {
    pub(super) fn growth(&self, call: u32) -> Growth {
        let Self { system, tools, user, assistant, tool_results } = *self;
        Growth { call, system, tools, user, assistant, tool_results }
    }
}

pub(super) fn tell(
    evidence: &Evidence<'_>,
    collected: &Collected<'_>,
    chains: &Chains,
    is_awaited: &dyn Fn() -> bool,
) -> Conversation {
    let mut book = Book::default();
    let mut calls: Vec<Spoken> = Vec::new();
    let mut of_chain: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut around: Vec<Spoken> = Vec::new();
    // What is read here is what takes time.
    for (at, node) in collected.nodes.iter().enumerate().take_while(|_| is_awaited()) {
        let chain = chains.of_node.get(at).copied().unwrap_or(0);
        let mut told = read(&mut book, evidence, collected, node);
        let mut spoken = speak(&mut book, node, at, chain, &mut told);
        match node.kind {
            Kind::Call => {
                let before = of_chain.entry(chain).or_default();
                go_on(&book, collected, &calls, before, &mut spoken);
                before.push(calls.len());
                calls.push(spoken);
            }
            Kind::Around => around.push(spoken),
        }
    }
    tell_around(&book, collected, &mut calls, around);
    Conversation { book, calls }.in_order()
}

impl Conversation {
    /// Calls that were made of what stands around others take their place.
    fn in_order(mut self) -> Self {
        let mut order: Vec<usize> = (0..self.calls.len()).collect();
        order.sort_by_key(|at| self.calls.get(*at).map(|call| (call.at, call.key, *at)));
        let mut place = vec![0; order.len()];
        for (new, old) in order.iter().enumerate() {
            if let Some(slot) = place.get_mut(*old) {
                *slot = new;
            }
        }
        let mut calls: Vec<Option<Spoken>> = self.calls.into_iter().map(Some).collect();
        self.calls = order.iter().filter_map(|old| calls.get_mut(*old)?.take()).collect();
        for call in &mut self.calls {
            call.previous = call.previous.and_then(|old| place.get(old).copied());
        }
        self
    }
}

/// Everything that was told of a node.
fn read(book: &mut Book, evidence: &Evidence<'_>, collected: &Collected<'_>, node: &Node<'_>) -> Told {
    let mut all = Told::default();
    for record in &node.records {
        let mut told = Told::default();
        if let Some(span) = record.span.and_then(|at| collected.spans.get(at)) {
            carrier::read_span(book, span, evidence.references, &mut told);
        }
        carrier::read_logs(book, &record.logs, evidence.references, &mut told);
        told.tellings.retain(|telling| match telling.slot {
            Slot::System | Slot::Input => record.input,
            Slot::Output => record.output,
        });
        all.tellings.append(&mut told.tellings);
        if record.input {
            all.tools.append(&mut told.tools);
        }
        all.elsewhere |= told.elsewhere;
    }
    read_session(book, node, &mut all);
    all
}

/// The steps of a coding agent's session.
fn read_session(book: &mut Book, node: &Node<'_>, all: &mut Told) {
    let from = From {
        carrier: Carrier::CodingAgent,
        span: node.key,
        matched: if node.key.is_some() { Matched::Span } else { Matched::None },
        is_log: true,
        part: "".into(),
        log: None,
    };
    let (asked, answered) = read_bodies(book, node, &from, all);
    // What a failed or open call heard and the model had said before it are one history.
    let (mut input, mut output) = (Vec::new(), Vec::new());
    let answer = node
        .session
        .iter()
        .position(|(_, event, _)| matches!(event.step, carrier::Step::Answer | carrier::Step::Failure));
    for (at, (log, event, side)) in node.session.iter().enumerate() {
        let (said, heard) = carrier::said(log, event.step);
        let message = if *side == Side::Said { said } else { heard };
        let Some(message) = message.and_then(|message| book.enter(message)) else { continue };
        let name: Arc<str> = log.event.clone().unwrap_or_else(|| "log".into());
        let line = Line { message, name, index: None, log: Some(log.id), partial: false };
        if *side == Side::Said && answer.is_some_and(|answer| at >= answer) {
            output.push(line);
        } else {
            input.push(line);
        }
    }
    // Bodies tell all of it, and more.
    if !asked {
        all.add(book, Slot::Input, &from, input);
    }
    if !answered {
        all.add(book, Slot::Output, &from, output);
    }
}

/// What a call was sent and answered in full, where the session has it. Whether there was either.
fn read_bodies(book: &mut Book, node: &Node<'_>, from: &From, all: &mut Told) -> (bool, bool) {
    let (mut asked, mut answered) = (false, false);
    for (log, event, _) in &node.session {
        let is_request = event.step == carrier::Step::RequestBody;
        if !is_request && event.step != carrier::Step::ResponseBody {
            continue;
        }
        let Some(mut body) = carrier::body(log) else { continue };
        let from = From { log: Some(log.id), ..from.clone() };
        let name: Arc<str> = "body".into();
        let mut take = |key: &str| body.remove(key).filter(|told| !told.is_null());
        if is_request {
            let Some(messages) = take("messages") else { continue };
            if let Some(system) = take("system") {
                all.add_json(book, Slot::System, &from, &name, &system);
            }
            if let Some(tools) = take("tools") {
                all.add_tools(&from, super::read::tools(&tools));
            }
            all.add_json(book, Slot::Input, &from, &name, &messages);
            asked = true;
        } else if let Some(content) = take("content") {
            let message = serde_json::json!({ "role": "assistant", "content": content });
            all.add_json(book, Slot::Output, &from, &name, &message);
            answered = true;
        }
    }
    (asked, answered)
}

fn speak(book: &mut Book, node: &Node<'_>, at: usize, chain: usize, told: &mut Told) -> Spoken {
    let merged = |slot| merge::merge(book, slot, &told.tellings);
    let (system, input, output) = (merged(Slot::System), merged(Slot::Input), merged(Slot::Output));
    let elsewhere = told.elsewhere && told.is_empty();
    let tools = book.enter_tools(merge::merge_tools(std::mem::take(&mut told.tools)));
    let full: Vec<MessageId> = input.iter().map(|one| one.message).collect();
    let mut spoken = Spoken {
        node: at,
        chain,
        at: node.at,
        key: node.key,
        system,
        carried: 0,
        previous: None,
        input,
        output,
        tools,
        tools_changed: false,
        rewritten: None,
        elsewhere,
        sizes: Sizes::default(),
        full,
        end: node.end,
    };
    spoken.sizes = sizes(book, &spoken);
    spoken
}

fn sizes(book: &Book, spoken: &Spoken) -> Sizes {
    let mut sizes = Sizes::default();
    for one in &spoken.system {
        sizes.system += book.get(one.message).map_or(0, |entry| entry.bytes as u64);
    }
    if let Some((_, list)) = spoken.tools.and_then(|tools| book.tools(tools)) {
        sizes.tools = list.iter().map(super::book::tool_size).sum::<usize>() as u64;
    }
    for message in &spoken.full {
        let Some(entry) = book.get(*message) else { continue };
        let sum = match entry.message.role.as_str() {
            "assistant" => &mut sizes.assistant,
            "tool" => &mut sizes.tool_results,
            "system" | "developer" => &mut sizes.system,
            _ if entry.message.parts.iter().any(|part| matches!(part, Part::ToolCallResponse(_))) => {
                &mut sizes.tool_results
            }
            _ => &mut sizes.user,
        };
        *sum += entry.bytes as u64;
    }
    sizes
}

/// Finds the call that this one goes on with, and takes away what was told there.
fn go_on(book: &Book, collected: &Collected<'_>, calls: &[Spoken], before: &[usize], spoken: &mut Spoken) {
    let server_side = collected
        .nodes
        .get(spoken.node)
        .and_then(|node| collected.spans.get(node.span?))
        .is_some_and(|span| span.attributes.get("gen_ai.request.previous_response.id").is_some());
    let carried = |at: usize| calls.get(at).map_or((0, 0), |call| carried(book, call, &spoken.full));
    // Calls that ran side by side know nothing of each other. Clocks that tick in milliseconds let two overlap that did not:
    // then the second carries the answer of the first.
    let had_ended = |at: usize| {
        let Some(call) = calls.get(at) else { return false };
        let Some(end) = call.end else { return true };
        end <= spoken.at
            || end < call.at
            || (end.0 <= spoken.at.0.saturating_add(TICKS) && {
                let (all, inputs) = carried(at);
                all > inputs
            })
    };
    let ended: Vec<usize> = before.iter().rev().copied().filter(|at| had_ended(*at)).take(BACK).collect();
    let Some(latest) = ended.first().copied() else { return };
    let mut best = (latest, carried(latest));
    // Where several conversations take turns, the one that was left is found again.
    if best.1.0 == 0 {
        let longest = ended.iter().map(|at| (*at, carried(*at))).max_by_key(|(at, carried)| (carried.0, *at));
        best = longest.filter(|(_, carried)| carried.0 > 0).unwrap_or(best);
    }
    let (at, (carried, inputs)) = best;
    let Some(previous) = calls.get(at) else { return };
    spoken.previous = (carried > 0).then_some(at);
    spoken.tools_changed = spoken.tools.zip(previous.tools).is_some_and(|(now, before)| now != before);
    if !server_side && !spoken.full.is_empty() {
        spoken.rewritten = rewritten(book, collected, previous, spoken, carried, inputs);
    }
    if spoken.rewritten.is_some() {
        spoken.previous = Some(at);
    }
    let new = spoken.input.split_off(carried.min(spoken.input.len()));
    spoken.carried = u32::try_from(carried).unwrap_or(u32::MAX);
    spoken.input = new;
}

/// How many messages of an input are those of an earlier call and its answer; and how many of that call's input.
fn carried(book: &Book, earlier: &Spoken, full: &[MessageId]) -> (usize, usize) {
    let same = |a: &MessageId, b: &MessageId| a == b || book.loose(*a) == book.loose(*b);
    let inputs = earlier.full.iter().zip(full).take_while(|(a, b)| same(a, b)).count();
    if inputs < earlier.full.len() {
        return (inputs, inputs);
    }
    let rest = full.get(inputs..).unwrap_or_default();
    let outputs = earlier
        .output
        .iter()
        .zip(rest)
        .take_while(|(a, b)| same(&a.message, b) || book.is_echo(**b, a.message))
        .count();
    (inputs + outputs, inputs)
}

fn rewritten(
    book: &Book,
    collected: &Collected<'_>,
    previous: &Spoken,
    spoken: &Spoken,
    carried: usize,
    inputs: usize,
) -> Option<Break> {
    if previous.full.is_empty() {
        return None;
    }
    let loose = |id: &MessageId| book.loose(*id);
    // A history that has nothing of the one before is another conversation.
    if carried == 0 {
        let known: HashSet<_> = previous.full.iter().map(loose).collect();
        if !spoken.full.iter().any(|message| known.contains(&loose(message))) {
            return None;
        }
    }
    let names = |list: &[Merged]| list.iter().map(|one| book.loose(one.message)).collect::<Vec<_>>();
    let (why, at) = if inputs < previous.full.len() {
        (why(book, previous.full.get(inputs..)?, spoken.full.get(inputs..).unwrap_or_default()), inputs)
    } else if !previous.system.is_empty()
        && !spoken.system.is_empty()
        && names(&previous.system) != names(&spoken.system)
    {
        (Why::SystemChanged, 0)
    } else if spoken.tools_changed {
        (Why::ToolsChanged, 0)
    } else {
        return None;
    };
    let cached =
        |spoken: &Spoken| collected.nodes.get(spoken.node).and_then(|node| node.facts.usage.cache_read);
    Some(Break {
        at: u32::try_from(at).unwrap_or(u32::MAX),
        why,
        cached_before: cached(previous),
        cached_now: cached(spoken),
    })
}

/// What became of a history, from the first message on that differs.
fn why(book: &Book, before: &[MessageId], now: &[MessageId]) -> Why {
    let compacts = |id: &MessageId| book.parts(*id).iter().any(|part| matches!(part, Part::Compaction(_)));
    if now.iter().any(compacts) && !before.iter().any(compacts) {
        return Why::Compaction;
    }
    let loose = |id: &MessageId| book.loose(*id);
    let known: HashSet<_> = before.iter().map(loose).collect();
    match now.first() {
        None => Why::MessageRemoved,
        Some(first) if known.contains(&loose(first)) => Why::MessageRemoved,
        // One message in the place of several: they were summarised.
        Some(_) => {
            let after = now.get(1).map(loose);
            let gone = before.iter().position(|id| Some(loose(id)) == after).unwrap_or(before.len());
            let shorter = now.len() < before.len() && gone > 2;
            if shorter { Why::Compaction } else { Why::MessageChanged }
        }
    }
}

/// Agents, workflows and entries tell again what their calls tell: those say where else it was told. What no call tells is
/// a call of its own.
fn tell_around(book: &Book, collected: &Collected<'_>, calls: &mut Vec<Spoken>, around: Vec<Spoken>) {
    let mut places: HashMap<[u8; 16], Vec<(usize, Slot, usize)>> = HashMap::new();
    let enter = |places: &mut HashMap<_, Vec<_>>, at: usize, call: &Spoken| {
        for (slot, list) in
            [(Slot::System, &call.system), (Slot::Input, &call.input), (Slot::Output, &call.output)]
        {
            for (index, one) in list.iter().enumerate() {
                places.entry(book.loose(one.message)).or_default().push((at, slot, index));
            }
        }
    };
    if around.is_empty() {
        return;
    }
    for (at, call) in calls.iter().enumerate() {
        enter(&mut places, at, call);
    }
    for mut spoken in around {
        let Some(own) = collected.nodes.get(spoken.node).and_then(|node| node.span) else { continue };
        let is_inside = |call: &Spoken| {
            let span = collected.nodes.get(call.node).and_then(|node| node.span);
            span.is_some_and(|span| collected.spans.is_above(own, span))
        };
        let leave = |list: &mut Vec<Merged>, is_output: bool, calls: &mut Vec<Spoken>| {
            list.retain(|one| {
                let Some(told) = places.get(&book.loose(one.message)) else { return true };
                let fits = |place: &&(usize, Slot, usize)| calls.get(place.0).is_some_and(is_inside);
                // What was asked is told first where it began, an answer where it came last.
                let place = if is_output { told.iter().rev().find(fits) } else { told.iter().find(fits) };
                let Some((at, slot, index)) = place.copied() else { return true };
                let Some(call) = calls.get_mut(at) else { return true };
                let list = match slot {
                    Slot::System => &mut call.system,
                    Slot::Input => &mut call.input,
                    Slot::Output => &mut call.output,
                };
                let Some(known) = list.get_mut(index) else { return true };
                let differs = known.message != one.message;
                known.sources.extend(
                    one.sources
                        .iter()
                        .cloned()
                        .map(|source| Source { loose: source.loose || differs, ..source }),
                );
                known.versions.extend(one.versions.iter().cloned());
                false
            });
        };
        leave(&mut spoken.system, false, calls);
        leave(&mut spoken.input, false, calls);
        leave(&mut spoken.output, true, calls);
        let nothing = spoken.system.is_empty() && spoken.input.is_empty() && spoken.output.is_empty();
        if nothing && (spoken.tools.is_none() || calls.iter().any(is_inside)) {
            continue;
        }
        enter(&mut places, calls.len(), &spoken);
        calls.push(spoken);
    }
}

impl Spoken {
    pub(super) fn at(&self) -> Nanos {
        self.at
    }

    pub(super) fn op(&self, collected: &Collected<'_>) -> Op {
        collected.nodes.get(self.node).and_then(|node| node.facts.op).unwrap_or(Op::Chat)
    }
}
