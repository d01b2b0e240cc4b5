//! Completions of texts: OpenAI's older API, which servers of open models still have, and fill-in-the-middle.

use std::borrow::Cow;

use otel_genai::{Inference, Message, OperationName, Part, ProviderName};

use super::chat::{Chat, Texts};
use crate::call::Call;
use crate::detect::Route;
use crate::gather::owned;
use crate::json::{self, object};
use crate::protocol::{Answer, Asked, Dialect};
use crate::scan::Want;

object! {
    struct Request<'a> {
        "model" => model: Option<Cow<'a, str>>,
        "stream" => stream: Option<bool>,
        "temperature" => temperature: Option<f64>,
        "top_p" => top_p: Option<f64>,
        // Not OpenAI's, but most compatible servers take it.
        "top_k" => top_k: Option<i64>,
        "max_tokens" => max_tokens: Option<i64>,
        "stop" => stop: Texts,
        "frequency_penalty" => frequency_penalty: Option<f64>,
        "presence_penalty" => presence_penalty: Option<f64>,
        "seed" | "random_seed" => seed: Option<i64>,
        "n" => n: Option<i64>,
        // The content: nothing of it is left in the body where it is not wanted.
        // One text, or several, each of which is completed. Those that are written as tokens say nothing.
        "prompt" => prompt: Texts,
    }
}

static WANT: Want = Want::Fields(&[
    ("model", Want::Keep(1024)),
    ("stream", Want::Keep(16)),
    ("temperature", Want::Keep(64)),
    ("top_p", Want::Keep(64)),
    ("top_k", Want::Keep(64)),
    ("max_tokens", Want::Keep(64)),
    ("stop", Want::Keep(16 << 10)),
    ("frequency_penalty", Want::Keep(64)),
    ("presence_penalty", Want::Keep(64)),
    ("seed", Want::Keep(64)),
    ("random_seed", Want::Keep(64)),
    ("n", Want::Keep(64)),
]);

/// OpenAI's completions. Their answers are those of chats, with a text in place of a message.
#[derive(Debug)]
pub(crate) struct Completions;

impl Dialect for Completions {
    fn provider(&self) -> ProviderName {
        ProviderName::OpenAi
    }

    fn request_want(&self) -> &'static Want {
        &WANT
    }

    fn request(&self, document: &[u8], route: &Route) -> Result<Option<Call>, serde_json::Error> {
        let sent: Request<'_> = json::read(document)?;
        let mut op = Inference::new(OperationName::TextCompletion, route.provider.clone());
        op.server = Some(route.server.clone());
        let request = &mut op.request;
        request.model = owned(sent.model).or_else(|| route.parameter("model").map(str::to_owned));
        request.stream = sent.stream == Some(true);
        request.temperature = sent.temperature;
        request.top_p = sent.top_p;
        request.top_k = sent.top_k;
        request.max_tokens = sent.max_tokens;
        request.stop_sequences = sent.stop.0;
        request.frequency_penalty = sent.frequency_penalty;
        request.presence_penalty = sent.presence_penalty;
        request.seed = sent.seed;
        request.choice_count = sent.n;
        let prompts = sent.prompt.0.into_iter().map(|prompt| Message::new("user", [Part::text(prompt)]));
        request.input_messages = prompts.collect();
        Ok(Some(op.into()))
    }

    fn answer(&self, asked: &Asked<'_>) -> Box<dyn Answer> {
        // As many choices for each of several texts, of which the number may not be known here.
        let wanted = match asked.request {
            Call::Inference(op) => {
                let each = op.request.choice_count.map_or(1, |n| usize::try_from(n).unwrap_or(1));
                each.saturating_mul(op.request.input_messages.len().max(1))
            }
            _ => 1,
        };
        Box::new(Chat::new(wanted, asked.options))
    }
}
