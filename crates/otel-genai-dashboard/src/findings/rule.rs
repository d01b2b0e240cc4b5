//! All that may be found: what was seen, why it matters, how to fix it.

use otel_genai_store::Dialect;

use crate::capture::capture;
use crate::view::Severity;
use crate::view::Severity::{Error, Info, Warning};

/// A thing that may be found.
pub(super) struct Rule {
    pub(super) code: &'static str,
    pub(super) severity: Severity,
    pub(super) title: &'static str,
    pub(super) why: &'static str,
    pub(super) fix: &'static str,
    pub(super) setting: Option<&'static str>,
}

macro_rules! rules {
    ($($name:ident: $severity:ident, $code:literal, $title:literal, $why:literal, $fix:literal, $setting:expr;)*) => {
        $(pub(super) const $name: Rule = Rule {
            code: $code,
            severity: $severity,
            title: $title,
            why: $why,
            fix: $fix,
            setting: $setting,
        };)*
    };
}

rules! {
    USAGE_MISSING: Warning, "usage_missing", "A model's call tells no tokens",
        "Without tokens it has no cost, and is in no sum.",
        "OpenAI's chat completions tell the tokens of a streamed answer only when they are asked: send \
         `stream_options: {\"include_usage\": true}`. Elsewhere update the instrumentation.",
        Some("stream_options.include_usage");
    PROVIDER_MISSING: Warning, "provider_missing", "A model's call does not tell who runs the model",
        "Prices and statistics go by provider and model.",
        "Set `gen_ai.provider.name` (`openai`, `anthropic`, `aws.bedrock`, …) where the span is made, or update the \
         instrumentation.",
        Some("gen_ai.provider.name");
    DEPRECATED_NAMES: Info, "deprecated_names", "Attributes have old names",
        "They are understood here; tools that know today's names alone show nothing.",
        "Update the instrumentation and let it speak the newest convention. A Rust program may put \
         `GenAiSpanProcessor` of otel-genai-processor before its exporter, which renames them.",
        Some("OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental");
    CONTENT_OFF: Info, "content_off", "What was said is not captured",
        "Prompts and answers are not sent unless one asks for them, so the transcript has only names and numbers.",
        "Where prompts and answers may be stored, switch their capture on where the program is started.",
        Some("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_and_event");
    EVENTS_EXPECTED_NO_LOGS: Warning, "events_expected_no_logs", "Messages are told by log records, and none came",
        "This vocabulary tells what was said by events, which are log records; the program sends spans alone.",
        "Send logs too: give the program a logger provider with an OTLP exporter, to the same address.",
        Some("OTEL_LOGS_EXPORTER=otlp");
    ATTRIBUTE_CUT: Warning, "attribute_cut", "Content was cut before it was sent",
        "What is cut is no JSON any more, and what was behind the cut is lost.",
        "Raise the limit of the length of attributes in the program that sends, or remove it.",
        Some("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT");
    ATTRIBUTE_COUNT_LIMIT: Warning, "attribute_count_limit", "The sender dropped attributes, events or links",
        "A span has at most 128 of each unless one asks for more; conversations that are spread over attributes need \
         more.",
        "Raise the limits in the program that sends; those of events and links are `OTEL_SPAN_EVENT_COUNT_LIMIT` and \
         `OTEL_SPAN_LINK_COUNT_LIMIT`.",
        Some("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT");
    BAD_MESSAGES_JSON: Warning, "bad_messages_json", "Messages are not written as the convention says",
        "They are shown as far as they can be read; other tools show nothing.",
        "Write a JSON array of objects with `role` and `parts`, each part with `type`; or update the instrumentation.",
        None;
    TOOL_CALL_WITHOUT_SPAN: Info, "tool_call_without_span", "A tool ran and no span tells of it",
        "How long it took and whether it failed is not known.",
        "Put a span `execute_tool` around the tool, with `gen_ai.tool.name` and `gen_ai.tool.call.id`.",
        Some("gen_ai.tool.call.id");
    USAGE_ON_PARENT: Info, "usage_on_parent", "Tokens are told twice, by a span and by one below it",
        "Whoever adds up all spans counts them twice. Here the inner ones count.",
        "Nothing needs to be done for this page. If two instrumentations tell of one call, switch one of them off.",
        None;
    WRONG_UNIT: Warning, "wrong_unit", "A number is told in another unit than the convention's",
        "It is counted as told, and sums and statistics are wrong by it.",
        "Tell times in seconds, and input tokens with the cached ones included; or update the instrumentation.",
        None;
    LOST_PARENT: Warning, "lost_parent", "A span's parent never came",
        "The trace falls apart into trees, and an agent's calls are not counted for it.",
        "Keep the context over threads, tasks and awaits; sample parent and child alike; let every program on the way \
         send to this address.",
        None;
    CLOCK_SKEW: Info, "clock_skew", "A span of another service begins before its parent",
        "The clocks of two machines differ, so that times between them are off by as much.",
        "Let both machines ask a time server (NTP).",
        None;
    TWO_DIALECTS: Warning, "two_dialects", "A span speaks two vocabularies",
        "Two instrumentations wrote on it, or one writes everything twice; where they differ nobody knows which is right.",
        "Switch one of them off.",
        None;
    NO_SERVICE_NAME: Warning, "no_service_name", "A program does not tell its name",
        "All programs without a name are one service here.",
        "Name it.",
        Some("OTEL_SERVICE_NAME");
    DUPLICATE_SPAN_ID: Error, "duplicate_span_id", "Two different spans have one id",
        "Which of them a child or a log record belongs to is not known.",
        "Let the SDK make the ids. Processes that are forked need a new generator of random numbers in each.",
        None;
    SKEWED_DAY: Warning, "skewed_day", "A span tells of another time than that in which it came",
        "It is kept under the day on which it was received, and lists by time show it elsewhere.",
        "Set the sender's clock; times are nanoseconds since 1970.",
        None;
    STREAM_WITHOUT_TTFT: Info, "stream_without_ttft", "A streamed answer does not tell when it began",
        "How long a user waits for the first word is not known.",
        "Set `gen_ai.response.time_to_first_chunk` (seconds), or update the instrumentation.",
        Some("gen_ai.response.time_to_first_chunk");
    UNPRICED_MODEL: Info, "unpriced_model", "A model has no price",
        "Its calls are in no sum of costs.",
        "Write its price into a file of your own and start with it.",
        Some("--prices FILE");
    REFERENCE_NOT_RESOLVED: Info, "reference_not_resolved", "What was said lies elsewhere",
        "Telemetry has only the address of what was uploaded; it is not in the transcript unless it may be read.",
        "Open the address on the span, or let the program capture content inline.",
        Some("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_and_event");
}

/// The setting by which senders in this vocabulary, of this instrumentation, capture what is said.
#[must_use]
pub fn content_setting(dialect: Dialect, scope: Option<&str>) -> &'static str {
    capture(Some(dialect), scope).setting
}
