//! AWS Bedrock Runtime: Converse, which is the same for all models, and InvokeModel, of which each vendor's bodies are
//! its own. Both stream in Amazon's binary event stream.

mod answer;
mod block;
mod blocks;
mod invoke;
mod request;
mod usage;

pub(crate) use invoke::Invoke;

use std::borrow::Cow;

use http::HeaderMap;
use otel_genai::{Failure, Inference, OperationName, ProviderName};

use crate::call::Call;
use crate::detect::Route;
use crate::error;
use crate::json::{self, object};
use crate::protocol::{Answer, Asked, Dialect};
use crate::scan::Want;

/// The header that names the guardrail where the body does not.
pub(crate) const GUARDRAIL: &str = "x-amzn-bedrock-guardrailidentifier";

/// Converse and ConverseStream.
#[derive(Debug)]
pub(crate) struct Converse;

impl Dialect for Converse {
    fn provider(&self) -> ProviderName {
        ProviderName::AwsBedrock
    }

    fn request_want(&self) -> &'static Want {
        &request::WANT
    }

    fn request(&self, document: &[u8], route: &Route) -> Result<Option<Call>, serde_json::Error> {
        let Some(mut op) = started(OperationName::Chat, route) else { return Ok(None) };
        request::read(document, &mut op)?;
        Ok(Some(op.into()))
    }

    fn answer(&self, asked: &Asked<'_>) -> Box<dyn Answer> {
        Box::new(answer::Message::new(asked.options))
    }

    fn error(&self, status: u16, headers: &HeaderMap, body: &[u8]) -> Failure {
        failure(status, headers, body)
    }
}

/// What the path and the headers say of a call of a model.
fn started(operation: OperationName, route: &Route) -> Option<Inference> {
    let mut op = Inference::new(operation, route.provider.clone());
    op.server = Some(route.server.clone());
    op.request.model = model(route)?;
    op.request.stream = route.is_stream;
    op.aws.guardrail_id = route.parameter(GUARDRAIL).map(str::to_owned);
    Some(op)
}

/// The model that the path names. `None`: it is no path of Bedrock's.
///
/// A resource name (ARN) may hold a slash; SDKs escape it, others write it as it is.
fn model(route: &Route) -> Option<Option<String>> {
    let model = route.parameter("model");
    match route.parameter("arn") {
        Some(arn) if arn.starts_with("arn:") => Some(Some(format!("{arn}/{}", model.unwrap_or_default()))),
        Some(_) => None,
        None => Some(model.map(str::to_owned)),
    }
}

object! {
    struct Kind<'a> {
        "__type" | "code" => kind: Option<Cow<'a, str>>,
        "Message" => message: Option<Cow<'a, str>>,
    }
}

/// The error of AWS: its kind is in a header, or else in the body.
fn failure(status: u16, headers: &HeaderMap, body: &[u8]) -> Failure {
    let mut failure = error::of_body(status, body);
    let told: Kind<'_> = json::read(body).unwrap_or_default();
    let header = headers.get("x-amzn-errortype").and_then(|kind| kind.to_str().ok());
    if let Some(kind) = header.or(told.kind.as_deref()).and_then(exception) {
        failure.error_type = kind.to_owned().into();
    }
    if let Some(message) = told.message {
        failure.message = Some(json::prefix(&message, 1024).to_owned());
    }
    failure
}

/// `ValidationException` of `com.amazon.coral#ValidationException` and of `ValidationException:http://internal/`.
fn exception(kind: &str) -> Option<&str> {
    let kind = kind.split(':').next()?.rsplit('#').next()?.trim();
    let is_word =
        !kind.is_empty() && kind.len() <= 100 && kind.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_word.then_some(kind)
}

/// A reason in the conventions' words, where they have one.
fn meant(reason: &str) -> otel_genai::FinishReason {
    use otel_genai::FinishReason;
    match reason.to_ascii_lowercase().as_str() {
        "end_turn" | "stop_sequence" | "stop" | "finish" | "complete" | "stop_criteria_met" | "endoftext" => {
            FinishReason::Stop
        }
        "max_tokens" | "length" | "model_context_window_exceeded" => FinishReason::Length,
        "tool_use" | "tool_calls" => FinishReason::ToolCall,
        "guardrail_intervened" | "content_filtered" | "content_filter" | "error_toxic" => {
            FinishReason::ContentFilter
        }
        _ => reason.into(),
    }
}
