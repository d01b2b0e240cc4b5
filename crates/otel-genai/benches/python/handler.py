"""What the Python handlers cost: the chat call of benches/handler.rs, content on span and event, nothing exported.

    python handler.py loongsuite|upstream

Prints one number: the median time of a call in microseconds. The two packages share a module name, so each has its
own environment (requirements-*.txt). `cargo xtask bench` makes both and prints all in one table.
"""

import os
import statistics
import sys
import time

os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "SPAN_AND_EVENT"
os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "gen_ai_latest_experimental"
os.environ["OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT"] = "true"

from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

# Short rounds, and many: on a busy machine most of them are not interrupted, and the median is one of those.
CALLS = 2
ROUNDS = 1_001

SYSTEM = "You are a support agent. Answer in one sentence."
QUESTION = "Where is my order? I bought a bicycle on Monday, and nobody has called me since."
ANSWER = "Your bicycle left our warehouse this morning and will be with you on Thursday."


class Spans(SpanProcessor):
    """Takes what is exported and does nothing with it."""

    last = None

    def on_end(self, span):
        Spans.last = span


class Events(LogRecordProcessor):
    """Likewise."""

    last = None

    def on_emit(self, log_record):
        Events.last = log_record

    def shutdown(self):
        pass

    def force_flush(self, timeout_millis=30000):
        return True


def providers():
    tracers, loggers = TracerProvider(), LoggerProvider()
    tracers.add_span_processor(Spans())
    loggers.add_log_record_processor(Events())
    return dict(
        tracer_provider=tracers,
        logger_provider=loggers,
        meter_provider=MeterProvider(metric_readers=[InMemoryMetricReader()]),
    )


def loongsuite():
    from opentelemetry.util.genai.extended_handler import ExtendedTelemetryHandler
    from opentelemetry.util.genai.types import InputMessage, LLMInvocation, OutputMessage, Text

    handler = ExtendedTelemetryHandler(**providers())

    def call():
        invocation = LLMInvocation(request_model="gpt-4o-mini", provider="openai")
        invocation.server_address, invocation.server_port = "api.openai.com", 443
        invocation.temperature, invocation.max_tokens = 0.2, 500
        handler.start_llm(invocation)
        invocation.input_messages = [
            InputMessage(role="system", parts=[Text(content=SYSTEM)]),
            InputMessage(role="user", parts=[Text(content=QUESTION)]),
        ]
        invocation.response_id = "chatcmpl-1"
        invocation.response_model_name = "gpt-4o-mini-2024-07-18"
        invocation.finish_reasons = ["stop"]
        invocation.output_messages = [
            OutputMessage(role="assistant", parts=[Text(content=ANSWER)], finish_reason="stop")
        ]
        invocation.input_tokens, invocation.output_tokens = 15, 20
        handler.stop_llm(invocation)

    return call


def upstream():
    from opentelemetry.util.genai.handler import TelemetryHandler
    from opentelemetry.util.genai.types import InputMessage, OutputMessage, TextPart

    handler = TelemetryHandler(**providers())

    def call():
        invocation = handler.inference(
            "openai", request_model="gpt-4o-mini", server_address="api.openai.com", server_port=443
        )
        invocation.temperature, invocation.max_tokens = 0.2, 500
        invocation.input_messages = [
            InputMessage(role="system", parts=[TextPart(content=SYSTEM)]),
            InputMessage(role="user", parts=[TextPart(content=QUESTION)]),
        ]
        invocation.response_id = "chatcmpl-1"
        invocation.response_model_name = "gpt-4o-mini-2024-07-18"
        invocation.finish_reasons = ["stop"]
        invocation.output_messages = [
            OutputMessage(role="assistant", parts=[TextPart(content=ANSWER)], finish_reason="stop")
        ]
        invocation.input_tokens, invocation.output_tokens = 15, 20
        invocation.stop()

    return call


def check():
    """A call that records nothing would be fast, and no comparison."""
    span, event = Spans.last, Events.last
    attributes = dict(span.attributes)
    for key in ("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.usage.output_tokens"):
        assert key in attributes, f"the span has no {key}: {attributes}"
    assert event is not None, "there is no event"
    record = event.log_record
    assert "gen_ai.input.messages" in record.attributes, f"the event has no content: {record}"


def main():
    call = {"loongsuite": loongsuite, "upstream": upstream}[sys.argv[1]]()
    call()
    check()
    rounds = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(CALLS):
            call()
        rounds.append((time.perf_counter() - began) / CALLS * 1e6)
    print(f"{statistics.median(rounds):.2f}")


main()
