//! What was said: each message once, tools with their answers, sub-agents where they were asked.

use std::collections::{HashMap, HashSet};

use super::kind::glyph;
use super::part;
use super::text::{Safe, beginning, count, plural, tokens, took};
use crate::view::transcript::{Call, Chain, Message, Part, Seen, Transcript, Why};
use crate::view::{ContentState, Op, SpanState, money};

/// Once the file has so many bytes, further calls are left out.
pub(super) const LIMIT: usize = 24 << 20;
/// Sub-agents of sub-agents stand below each other so deep; deeper ones follow at the end.
const DEEPEST: usize = 12;

/// Writes the conversation.
pub(super) struct Talk<'a> {
    transcript: &'a Transcript,
    currency: &'a str,
    calls: HashMap<u32, Vec<&'a Call>>,
    told: HashSet<u32>,
    noticed: bool,
    left_out: u64,
    pub(super) out: String,
    /// Where in the file a span is told of.
    pub(super) places: HashMap<String, String>,
}

impl<'a> Talk<'a> {
    pub(super) fn new(transcript: &'a Transcript, currency: &'a str) -> Self {
        let mut calls: HashMap<u32, Vec<&Call>> = HashMap::new();
        for call in &transcript.calls {
            calls.entry(call.chain).or_default().push(call);
        }
        Self {
            transcript,
            currency,
            calls,
            told: HashSet::new(),
            noticed: false,
            left_out: 0,
            out: String::new(),
            places: HashMap::new(),
        }
    }

    pub(super) fn write(&mut self) {
        if self.transcript.calls.is_empty() {
            self.out.push_str("<p class=\"note\">No call of a model is in this trace.</p>");
            return;
        }
        let parts = self.transcript.messages.values().flat_map(|message| &message.parts);
        let asked: HashSet<u32> = parts
            .filter_map(|part| match part {
                Part::ToolCall { join: Some(join), .. } => join.chain,
                _ => None,
            })
            .collect();
        // What another one asked for stands there; the rest in the order they began.
        for late in [false, true] {
            for chain in &self.transcript.chains {
                if late || !asked.contains(&chain.id) {
                    self.chain(chain, 0);
                }
            }
        }
        if self.left_out > 0 {
            let calls = plural(self.left_out, "more call");
            self.out.push_str(&format!(
                "<p class=\"note\">{calls} are not in this file, which would be too large to open. The exports in OTLP and JSONL have all of them.</p>\n"
            ));
        }
    }

    fn chain(&mut self, chain: &'a Chain, depth: usize) {
        if depth > DEEPEST || !self.told.insert(chain.id) {
            return;
        }
        let calls = self.calls.remove(&chain.id).unwrap_or_default();
        let headed = depth > 0 || self.transcript.chains.len() > 1;
        if headed {
            let name = chain.agent.clone().unwrap_or_else(|| format!("Conversation {}", chain.id + 1));
            let place = format!("a-{}", chain.id);
            self.out.push_str(&format!(
                "<section class=\"chain{}\" id=\"{place}\"><h3>{} <bdi>{}</bdi> <small>{}{}</small></h3>\n",
                if depth > 0 { " sub" } else { "" },
                glyph(Some(Op::InvokeAgent)),
                Safe(&name),
                plural(calls.len() as u64, "call"),
                if chain.parent.is_some() { " · sub-agent" } else { "" },
            ));
            if let Some(span) = &chain.span {
                self.places.insert(span.clone(), place);
            }
        }
        let mut before: Option<&Call> = None;
        for call in calls {
            if self.out.len() < LIMIT {
                self.call(call, before, depth);
            } else {
                self.left_out += 1;
            }
            before = Some(call);
        }
        if headed {
            self.out.push_str("</section>\n");
        }
    }

    fn call(&mut self, call: &'a Call, before: Option<&Call>, depth: usize) {
        let place = format!("c-{}", call.ordinal);
        self.out.push_str(&format!("<div class=\"call\" id=\"{place}\">\n"));
        if let Some(span) = &call.span {
            self.places.insert(span.clone(), place);
        }
        if let Some(changed) = &call.rewritten {
            self.out.push_str(&format!("<p class=\"break\">{}</p>\n", why(changed.why)));
        }
        let hashes = |call: &Call| call.system.iter().map(|seen| seen.message.clone()).collect::<Vec<_>>();
        if before.is_none_or(|before| hashes(before) != hashes(call)) {
            for seen in &call.system {
                self.system(seen);
            }
        }
        for seen in &call.input {
            self.message(seen, None, depth);
        }
        for seen in &call.output {
            self.message(seen, Some(call), depth);
        }
        if call.output.is_empty() || call.error.is_some() {
            self.without_answer(call);
        }
        for one in &call.evaluations {
            let verdict = one.label.clone().or_else(|| one.score.map(|score| score.to_string()));
            self.out.push_str(&format!(
                "<p class=\"eval\"><b>{}</b> <span class=\"pill\">{}</span> {}</p>\n",
                Safe(&one.name),
                Safe(&verdict.unwrap_or_default()),
                Safe(one.explanation.as_deref().unwrap_or_default()),
            ));
        }
        self.out.push_str("</div>\n");
    }

    fn system(&mut self, seen: &Seen) {
        let Some(message) = self.transcript.messages.get(&seen.message) else { return };
        let text = message.parts.iter().find_map(|part| match part {
            Part::Text(text) => Some(text.content.as_str()),
            _ => None,
        });
        let first = beginning(text.unwrap_or_default(), 120).replace('\n', " ");
        self.out.push_str(&format!(
            "<details class=\"m sys\"><summary><b>system</b> <span class=\"ell\">{}</span></summary><div class=\"body\">",
            Safe(&first)
        ));
        for part in &message.parts {
            part::write(&mut self.out, part, false);
        }
        self.out.push_str("</div></details>\n");
    }

    fn message(&mut self, seen: &Seen, answers: Option<&Call>, depth: usize) {
        let transcript = self.transcript;
        let Some(message) = transcript.messages.get(&seen.message) else { return };
        if given_back(message) {
            self.out.push_str("<details class=\"m tool\"><summary><b>tool</b> <span class=\"ell\">given back to the model, shown with its call</span></summary><div class=\"body\">");
            for part in &message.parts {
                part::write(&mut self.out, part, true);
            }
            self.out.push_str("</div></details>\n");
            return;
        }
        let class = match message.role.as_str() {
            "user" => "user",
            "assistant" => "asst",
            "tool" => "tool",
            "system" | "developer" => "sys",
            _ => "other",
        };
        self.out.push_str(&format!("<article class=\"m {class}\"><header>"));
        if let Some(call) = answers {
            self.out.push_str(&glyph(Some(call.op)));
        }
        self.out.push_str(&format!("<b><bdi>{}</bdi></b>", Safe(&message.role)));
        if let Some(name) = &message.name {
            self.out.push_str(&format!(" <bdi>{}</bdi>", Safe(name)));
        }
        if let Some(call) = answers {
            self.facts(call);
        }
        self.out.push_str("</header><div class=\"body\">");
        for part in &message.parts {
            match part {
                Part::ToolCall { .. } => self.tool(part, depth),
                part => part::write(&mut self.out, part, message.role == "tool"),
            }
        }
        if message.parts.is_empty() {
            self.out.push_str("<p class=\"note\">an empty message</p>");
        }
        self.out.push_str("</div></article>\n");
    }

    /// A tool that was asked for, with its answer, and the sub-agent that it was.
    fn tool(&mut self, asked: &Part, depth: usize) {
        let transcript = self.transcript;
        let Part::ToolCall { id, join, .. } = asked else { return };
        let message = join.as_ref().and_then(|join| join.response.as_ref());
        let message = message.and_then(|hash| transcript.messages.get(hash));
        let answer = message.and_then(|message| {
            message.parts.iter().find(|part| match part {
                Part::ToolCallResponse { id: of, .. } => of == id || message.parts.len() == 1,
                _ => false,
            })
        });
        let span = join.as_ref().and_then(|join| join.span.clone());
        let place = span.map(|span| {
            let place = format!("t-{span}");
            self.places.entry(span).or_insert_with(|| place.clone());
            place
        });
        part::tool(&mut self.out, asked, answer, place.as_deref());
        let chain = join.as_ref().and_then(|join| join.chain);
        if let Some(chain) = chain.and_then(|id| transcript.chains.iter().find(|chain| chain.id == id)) {
            self.chain(chain, depth + 1);
        }
    }

    /// A call of which no answer is shown: it runs, it failed, or its content was not captured.
    fn without_answer(&mut self, call: &Call) {
        let over = call.state == SpanState::Ended;
        if over && call.error.is_none() && call.content != ContentState::Here {
            let hint = call.hint.as_ref().filter(|_| !self.noticed);
            if let Some(hint) = hint {
                self.noticed = true;
                self.out.push_str(&format!(
                    "<p class=\"absent\"><b>Messages were not captured.</b> To see them next time, set <code>{}</code></p>\n",
                    Safe(hint)
                ));
            }
        }
        let failed = if call.error.is_some() { " failed" } else { "" };
        let what = match () {
            () if call.error.is_some() => "failed",
            () if !over => "running",
            () => "assistant",
        };
        self.out.push_str(&format!(
            "<article class=\"m asst{failed}\"><header>{}<b>{what}</b>",
            glyph(Some(call.op))
        ));
        self.facts(call);
        self.out.push_str("</header>");
        if let Some(error) = &call.error {
            self.out.push_str(&format!(
                "<div class=\"body\"><p class=\"t-err\"><b>{}</b></p>",
                Safe(&error.kind)
            ));
            if let Some(message) = &error.message {
                part::text(&mut self.out, message, true);
            }
            self.out.push_str("</div>");
        }
        self.out.push_str("</article>\n");
    }

    fn facts(&mut self, call: &Call) {
        let mut facts: Vec<String> = Vec::new();
        facts.extend(call.model.clone().or_else(|| call.request_model.clone()));
        facts.push(format!("call {}", count(u64::from(call.ordinal) + 1)));
        facts.extend(call.duration_ms.map(took));
        facts.extend(call.ttft_ms.map(|ms| format!("ttft {}", took(ms))));
        facts.extend(call.usage.as_ref().and_then(tokens));
        facts.extend(call.cost.map(|cost| money(cost.amount, self.currency)));
        let said = ["stop", "end_turn", "tool_call", "tool_calls", "tool_use", "function_call"];
        facts.extend(call.finish.clone().filter(|reason| !said.contains(&reason.as_str())));
        self.out.push_str(&format!(" <span class=\"facts\"><bdi>{}</bdi></span>", Safe(&facts.join(" · "))));
        if let Some(span) = &call.span {
            self.out.push_str(&format!(" <a class=\"go\" href=\"#s-{}\">span</a>", Safe(span)));
        }
    }
}

/// Whether a message is only answers of tools that stand with their calls.
fn given_back(message: &Message) -> bool {
    !message.parts.is_empty()
        && message.parts.iter().all(|part| match part {
            Part::ToolCallResponse { join: Some(join), .. } => join.asked.is_some(),
            _ => false,
        })
}

fn why(why: Why) -> &'static str {
    match why {
        Why::SystemChanged => "From here on with another system prompt.",
        Why::ToolsChanged => "From here on with other tools.",
        Why::MessageChanged => "A message from before was changed here.",
        Why::MessageRemoved => "A message from before was taken out here.",
        Why::Compaction => "The history was summed up here.",
    }
}
