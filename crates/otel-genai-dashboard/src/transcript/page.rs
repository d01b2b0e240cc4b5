//! The part of a transcript that was asked for, within bounds.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use otel_genai_store::{ContentState, Op, SpanState};

use super::book::{Book, MessageId};
use super::carrier::{Step, failure};
use super::chain::Chains;
use super::collect::{Collected, Node};
use super::conversation::{Conversation, Spoken};
use super::evaluation::Evaluations;
use super::merge::Merged;
use super::tools::{self, Joined};
use super::{Call, Chain, Cut, Evaluation, Failure, Options, Said, Seen, Transcript};
use crate::capture::capture;

/// At most so many messages in an answer.
const MESSAGES: usize = 50_000;
/// At most so many bytes of content in an answer.
const BYTES: usize = 64 << 20;

pub(super) fn page(
    collected: &Collected<'_>,
    chains: &Chains,
    conversation: Conversation,
    joined: &Joined,
    evaluations: Evaluations,
    options: &Options,
) -> Transcript {
    let Conversation { book, calls } = conversation;
    let mut of_chain = vec![0u32; chains.list.len()];
    for call in &calls {
        if let Some(count) = of_chain.get_mut(call.chain) {
            *count += 1;
        }
    }
    let mut page =
        Page { book: &book, joined, transcript: Transcript::default(), here: HashSet::new(), bytes: 0 };
    page.transcript.chains = summed(collected, chains, &book, &calls, joined, &of_chain);
    let mut judged = judged(collected, chains, &calls, evaluations);
    let limit = if options.limit == 0 { usize::MAX } else { options.limit as usize };
    for (ordinal, spoken) in (0u32..).zip(&calls) {
        let wanted = ordinal >= options.after
            && options.chain.is_none_or(|chain| usize::try_from(chain).ok() == Some(spoken.chain));
        let Some(node) = collected.nodes.get(spoken.node).filter(|_| wanted) else { continue };
        if page.transcript.calls.len() >= limit || !page.has_room(spoken) {
            page.transcript.next = Some(ordinal);
            break;
        }
        let mut call = call(collected, &book, node, spoken);
        call.ordinal = ordinal;
        call.of = of_chain.get(spoken.chain).copied().unwrap_or(0);
        call.evaluations = judged.remove(&(ordinal as usize)).unwrap_or_default();
        page.put(&mut call, spoken);
    }
    page.transcript.orphan_tools = joined.orphans.clone();
    page.transcript
}

struct Page<'a> {
    book: &'a Book,
    joined: &'a Joined,
    transcript: Transcript,
    here: HashSet<MessageId>,
    bytes: usize,
}

impl Page<'_> {
    /// Whether a call's messages fit beside what is there. The first call has room always: of it is told what fits.
    fn has_room(&self, spoken: &Spoken) -> bool {
        if self.transcript.calls.is_empty() {
            return true;
        }
        let new: HashSet<MessageId> =
            messages(spoken).filter(|message| !self.here.contains(message)).collect();
        let bytes: usize =
            new.iter().filter_map(|message| self.book.get(*message)).map(|entry| entry.bytes).sum();
        self.here.len() + new.len() <= MESSAGES && self.bytes + bytes <= BYTES
    }

    fn put(&mut self, call: &mut Call, spoken: &Spoken) {
        for message in messages(spoken) {
            self.enter(message);
        }
        let seen = |list: &[Merged], here: &HashSet<MessageId>| -> Vec<Seen> {
            list.iter()
                .filter(|one| here.contains(&one.message))
                .filter_map(|one| self.book.seen(one))
                .collect()
        };
        call.system = seen(&spoken.system, &self.here);
        call.input = seen(&spoken.input, &self.here);
        call.output = seen(&spoken.output, &self.here);
        if let Some((hash, list)) = spoken.tools.and_then(|tools| self.book.tools(tools)) {
            call.tools = Some(*hash);
            if self.transcript.tools.iter().all(|(known, _)| known != hash) {
                self.transcript.tools.push((*hash, list.clone()));
            }
        }
        self.transcript.calls.push(call.clone());
    }

    fn enter(&mut self, id: MessageId) {
        if !self.here.insert(id) {
            return;
        }
        let bytes = self.book.get(id).map_or(0, |entry| entry.bytes);
        if self.here.len() > MESSAGES || self.bytes + bytes > BYTES {
            self.here.remove(&id);
            let cut = self.transcript.cut.get_or_insert(Cut::default());
            cut.messages += 1;
            cut.bytes += bytes as u64;
            return;
        }
        self.bytes += bytes;
        let Some((hash, message)) = self.book.message(id) else { return };
        let mut joins = self.joined.joins.get(&id).cloned().unwrap_or_default();
        joins.sort_by_key(|(part, _)| *part);
        self.transcript.messages.push((hash, Said { message, joins }));
    }
}

/// The messages of a call, other versions included.
fn messages(spoken: &Spoken) -> impl Iterator<Item = MessageId> {
    let all = spoken.system.iter().chain(&spoken.input).chain(&spoken.output);
    all.flat_map(|one| std::iter::once(one.message).chain(one.versions.iter().map(|(version, _)| *version)))
}

impl Book {
    fn seen(&self, one: &Merged) -> Option<Seen> {
        let versions =
            one.versions.iter().filter_map(|(message, source)| Some((self.hash(*message)?, source.clone())));
        Some(Seen {
            message: self.hash(one.message)?,
            sources: one.sources.clone(),
            versions: versions.collect(),
            only_in: one.only_in,
        })
    }
}

fn call(collected: &Collected<'_>, book: &Book, node: &Node<'_>, spoken: &Spoken) -> Call {
    let facts = &node.facts;
    let span = node.span.and_then(|at| collected.spans.get(at));
    let state = span.map_or(SpanState::Ended, |span| span.state);
    let says = !spoken.system.is_empty()
        || !spoken.input.is_empty()
        || !spoken.output.is_empty()
        || spoken.carried > 0;
    let content = match (says, spoken.elsewhere) {
        (true, _) => ContentState::Here,
        (false, true) => ContentState::ByReference,
        (false, false) if state == SpanState::Running => ContentState::Unknown,
        (false, false) => ContentState::Absent,
    };
    let hint = match content {
        ContentState::Absent => {
            let scope = span.map(|span| span.origin.scope.name.as_ref());
            Some(capture(facts.dialect, scope).advice)
        }
        ContentState::ByReference => Some("The content was uploaded: its address is on the span."),
        _ => None,
    };
    let message = span.map(|span| span.status.message.clone()).filter(|message| !message.is_empty());
    let message = message.or_else(|| {
        let mut failed = node.session.iter().filter(|(_, event, _)| event.step == Step::Failure);
        failed.find_map(|(log, ..)| failure(log))
    });
    let failed = facts
        .error
        .clone()
        .or_else(|| span.is_some_and(|span| span.status.is_error()).then(|| Arc::from("error")));
    // An agent's tokens are those of its calls.
    let counts = facts.op.is_some_and(Op::counts_tokens) || span.is_none();
    Call {
        ordinal: 0,
        of: 0,
        chain: u32::try_from(spoken.chain).unwrap_or(u32::MAX),
        span: node.key,
        trace: node.trace,
        op: spoken.op(collected),
        at: node.at,
        duration: tools::took(node.at, node.end),
        first_chunk: facts.first_chunk,
        state,
        provider: facts.provider.clone(),
        model: facts.response_model.clone().or_else(|| facts.request_model.clone()),
        request_model: facts.request_model.clone(),
        usage: if counts { facts.usage } else { otel_genai_store::Usage::default() },
        cost: facts.cost.filter(|_| counts),
        finish: facts.finish.clone(),
        error: failed.map(|kind| Failure { kind, message }),
        system: Vec::new(),
        carried: spoken.carried,
        previous: spoken.previous.and_then(|at| u32::try_from(at).ok()),
        input: Vec::new(),
        output: Vec::new(),
        tools: spoken.tools.and_then(|tools| book.tools(tools)).map(|(hash, _)| *hash),
        tools_changed: spoken.tools_changed,
        rewritten: spoken.rewritten,
        content,
        hint,
        evaluations: Vec::new(),
    }
}

/// The conversations with what their calls amount to.
fn summed(
    collected: &Collected<'_>,
    chains: &Chains,
    book: &Book,
    calls: &[Spoken],
    joined: &Joined,
    of_chain: &[u32],
) -> Vec<Chain> {
    let number = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let chain = |(id, link): (usize, &super::chain::Link)| {
        let span = link.span.and_then(|at| collected.spans.get(at));
        Chain {
            id: number(id),
            agent: link.agent.clone(),
            span: span.map(|span| span.key),
            parent: link.parent.map(number),
            asked: joined.asked.get(&id).map(|(call, tool)| (number(*call), Arc::clone(tool))),
            calls: of_chain.get(id).copied().unwrap_or(0),
            answer: None,
            reported: span.map(|span| span.facts.usage).unwrap_or_default(),
            growth: Vec::new(),
        }
    };
    let mut list: Vec<Chain> = chains.list.iter().enumerate().map(chain).collect();
    for (at, call) in calls.iter().enumerate() {
        let Some(chain) = list.get_mut(call.chain) else { continue };
        chain.growth.push(call.sizes.growth(number(at)));
        let is_answer = |one: &&Merged| book.role(one.message) == "assistant";
        if let Some(answer) = call.output.iter().rev().find(is_answer) {
            chain.answer = book.hash(answer.message);
        }
    }
    list
}

/// Evaluations by the place of the call that they judge. Those of an agent stand with its last call.
fn judged(
    collected: &Collected<'_>,
    chains: &Chains,
    calls: &[Spoken],
    mut evaluations: Evaluations,
) -> HashMap<usize, Vec<Evaluation>> {
    let mut judged: HashMap<usize, Vec<Evaluation>> = HashMap::new();
    let mut last_of_chain: HashMap<usize, usize> = HashMap::new();
    for (at, call) in calls.iter().enumerate() {
        last_of_chain.insert(call.chain, at);
        let Some(node) = collected.nodes.get(call.node) else { continue };
        let of_span = node.key.and_then(|key| evaluations.of_span.remove(&key));
        let of_response = node.facts.response_id.as_ref().and_then(|id| evaluations.of_response.remove(id));
        let all = of_span.into_iter().chain(of_response).flatten();
        judged.entry(at).or_default().extend(all);
    }
    for (key, rest) in evaluations.of_span {
        let span = collected.spans.find(key.trace, key.span);
        let chain = span.and_then(|at| {
            chains.of_span(at).or_else(|| chains.of_span(collected.agent_of.get(at).copied()??))
        });
        if let Some(at) = chain.and_then(|chain| last_of_chain.get(&chain)) {
            judged.entry(*at).or_default().extend(rest);
        }
    }
    for list in judged.values_mut() {
        list.sort_by(|a, b| (a.at, &a.name).cmp(&(b.at, &b.name)));
    }
    judged
}
