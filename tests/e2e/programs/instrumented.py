"""One conversation with a tool, told by an instrumentation of others: `instrumented.py NAME`.

A weather agent asks a model twice (the tool is called between), then for a stream; all within one span of the program.
"""
import json
import os
import sys

NAME = sys.argv[1]
if NAME in ("genai-openai", "loongsuite"):
    os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "gen_ai_latest_experimental"
    os.environ.setdefault("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_AND_EVENT")
if NAME == "openai-v2":
    os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "true"

from openai import OpenAI
from opentelemetry import _logs, metrics, trace
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

MODEL = "gpt-4o-mini"
SYSTEM, QUESTION, OUTSIDE, PIECES = "You are brief.", "How is the weather in Paris?", "18 degrees and sunny", "Say it in pieces"
WEATHER = {
    "name": "get_weather",
    "description": "The weather in a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}

resource = Resource.create({"service.name": NAME})
tracers, loggers = TracerProvider(resource=resource), LoggerProvider(resource=resource)
tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
loggers.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
meters = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())], resource=resource)
trace.set_tracer_provider(tracers)
_logs.set_logger_provider(loggers)
metrics.set_meter_provider(meters)


def told_by_hand(client):
    """LoongSuite's handler, as its own instrumentations call it."""
    from opentelemetry.util.genai.extended_handler import ExtendedTelemetryHandler
    from opentelemetry.util.genai.types import FunctionToolDefinition, InputMessage, LLMInvocation, OutputMessage, Text, ToolCall, ToolCallResponse

    handler = ExtendedTelemetryHandler(tracer_provider=tracers, meter_provider=meters, logger_provider=loggers)

    def parts(message):
        if message["role"] == "tool":
            return [ToolCallResponse(id=message["tool_call_id"], response=message["content"])]
        calls = [ToolCall(id=call["id"], name=call["function"]["name"], arguments=json.loads(call["function"]["arguments"]))
                 for call in message.get("tool_calls", [])]
        return ([Text(content=message["content"])] if message.get("content") else []) + calls

    def told(messages, stream, tools):
        invocation = LLMInvocation(request_model=MODEL, provider="openai")
        handler.start_llm(invocation)
        invocation.input_messages = [InputMessage(role=m["role"], parts=parts(m)) for m in messages]
        if tools:
            invocation.tool_definitions = [FunctionToolDefinition(**WEATHER)]
        answer, reason, response = ask(client, messages, stream, tools)
        invocation.response_id, invocation.response_model_name = response.id, response.model
        invocation.finish_reasons = [reason]
        invocation.output_messages = [OutputMessage(role="assistant", parts=parts(answer), finish_reason=reason)]
        invocation.input_tokens, invocation.output_tokens = 19, 10
        handler.stop_llm(invocation)
        return answer

    return told


def instrument():
    if NAME == "openai-v2":
        # Its events go through an interface of their own.
        from opentelemetry._events import set_event_logger_provider
        from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
        from opentelemetry.sdk._events import EventLoggerProvider

        set_event_logger_provider(EventLoggerProvider(loggers))
    elif NAME == "genai-openai":
        from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
    elif NAME == "openllmetry":
        from opentelemetry.instrumentation.openai import OpenAIInstrumentor
    else:
        from openinference.instrumentation.openai import OpenAIInstrumentor
    OpenAIInstrumentor().instrument(tracer_provider=tracers)


def ask(client, messages, stream, tools):
    """The answer as a message, why it ended, and the response (of a stream: its last chunk)."""
    more = {"tools": [{"type": "function", "function": WEATHER}]} if tools else {}
    if stream:
        text, last = "", None
        for chunk in client.chat.completions.create(model=MODEL, messages=messages, stream=True,
                                                    stream_options={"include_usage": True}, **more):
            last = chunk
            text += (chunk.choices[0].delta.content or "") if chunk.choices else ""
        return {"role": "assistant", "content": text}, "stop", last
    response = client.chat.completions.create(model=MODEL, messages=messages, **more)
    choice = response.choices[0]
    return choice.message.model_dump(exclude_none=True, exclude={"refusal"}), choice.finish_reason, response


client = OpenAI()
if NAME == "loongsuite":
    tell = told_by_hand(client)
else:
    instrument()

    def tell(messages, stream, tools):
        return ask(client, messages, stream, tools)[0]

with trace.get_tracer("program").start_as_current_span("weather"):
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]
    wanted = tell(messages, False, True)
    messages.append(wanted)
    messages.append({"role": "tool", "tool_call_id": wanted["tool_calls"][0]["id"], "content": OUTSIDE})
    messages.append(tell(messages, False, True))
    messages.append({"role": "user", "content": PIECES})
    last = tell(messages, True, False)
for provider in (tracers, loggers, meters):
    provider.shutdown()
print(json.dumps({"answer": last["content"]}))
