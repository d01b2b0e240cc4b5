"""Content: off by default, on the span as JSON, in the event as structure; secrets nowhere."""

import json

import pytest

from harness import model, raw
from harness.launcher import API_KEY
from harness.match import Maybe, assert_same, without_nulls

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
EMIT = "OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT"
DETAILS = "gen_ai.client.inference.operation.details"
CONTENT = {"gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.tool.definitions"}

TOOL = {"type": "function", "function": {
    "name": "get_weather", "description": "The weather in a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}}
MESSAGES = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "name": "ada", "content": [
        {"type": "text", "text": "What is in these? 🦀"},
        {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
    ]},
    {"role": "assistant", "content": "One moment.", "tool_calls": [
        {"id": "call_0", "type": "function", "function": {"name": "look", "arguments": '{"at": ["cat", 2]}'}},
    ]},
    {"role": "tool", "tool_call_id": "call_0", "content": "a cat"},
    {"role": "user", "content": "And the weather in Paris?"},
]
INPUT = [
    {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
    {"role": "user", "name": "ada", "parts": [
        {"type": "text", "content": "What is in these? 🦀"},
        {"type": "uri", "modality": "image", "uri": "https://example.com/cat.png"},
        {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "iVBORw0KGgo="},
    ]},
    {"role": "assistant", "parts": [
        {"type": "text", "content": "One moment."},
        {"type": "tool_call", "id": "call_0", "name": "look", "arguments": {"at": ["cat", 2]}},
    ]},
    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_0", "response": "a cat"}]},
    {"role": "user", "parts": [{"type": "text", "content": "And the weather in Paris?"}]},
]
OUTPUT = [{"role": "assistant", "finish_reason": "tool_call", "parts": [
    {"type": "tool_call", "id": "call_weather_1", "name": "get_weather",
     "arguments": {"city": "Paris", "unit": "celsius"}},
]}]
DEFINITIONS = [{"type": "function", "name": "get_weather", "description": Maybe("The weather in a city"),
                "parameters": Maybe(TOOL["function"]["parameters"])}]
CAPTURED = {"gen_ai.input.messages": INPUT, "gen_ai.output.messages": OUTPUT, "gen_ai.tool.definitions": DEFINITIONS}

MODES = [
    # value, on the span, an event, content in the event
    (None, False, False),
    ("", False, False),
    ("NO_CONTENT", False, False),
    ("false", False, False),
    ("SPAN_ONLY", True, False),
    ("EVENT_ONLY", False, True),
    ("SPAN_AND_EVENT", True, True),
    ("span_and_event", True, True),
    ("true", True, True),
    ("TRUE", True, True),
]


def converse(launcher, provider, otlp, **env):
    request = raw.chat(body={"messages": MESSAGES, "tools": [TOOL]})
    raw.run(launcher, provider, otlp, model.answer, request, **env)
    return otlp.take()


def assert_no_content(attributes):
    assert not CONTENT & set(attributes) - {"gen_ai.tool.definitions"}
    for tool in json.loads(attributes.get("gen_ai.tool.definitions", "[]")):
        assert set(tool) <= {"type", "name"}
    assert "gen_ai.system_instructions" not in attributes


@pytest.mark.parametrize(("mode", "on_span", "in_event"), MODES, ids=[str(m[0]) for m in MODES])
def test_capture_modes(launcher, provider, otlp, mode, on_span, in_event):
    telemetry = converse(launcher, provider, otlp, **({} if mode is None else {CAPTURE: mode}))
    span = telemetry.span()
    if on_span:
        found = {name: span.attributes[name] for name in CONTENT}
        assert all(type(item) is str for item in found.values()), "span attributes cannot hold structure"
        assert_same(without_nulls({name: json.loads(item) for name, item in found.items()}), CAPTURED)
    else:
        assert_no_content(span.attributes)
    assert "gen_ai.system_instructions" not in span.attributes
    if not in_event:
        assert telemetry.logs == []
        return
    event = telemetry.event(DETAILS)
    assert_same(without_nulls({name: event.attributes[name] for name in CONTENT}), CAPTURED)
    rest = {name: item for name, item in event.attributes.items() if name not in CONTENT}
    assert_same(rest, {name: item for name, item in span.attributes.items() if name not in CONTENT})
    assert event.body is None
    assert (event.trace_id, event.span_id) == (span.trace_id, span.span_id)
    assert event.time > 0
    assert event.scope.name == "otel-genai"


def test_an_event_without_content(launcher, provider, otlp):
    telemetry = converse(launcher, provider, otlp, **{CAPTURE: "NO_CONTENT", EMIT: "true"})
    event = telemetry.event(DETAILS)
    assert not CONTENT & set(event.attributes) - {"gen_ai.tool.definitions"}
    assert_same(event.attributes, telemetry.span().attributes)


def test_content_without_an_event(launcher, provider, otlp):
    telemetry = converse(launcher, provider, otlp, **{CAPTURE: "SPAN_AND_EVENT", EMIT: "false"})
    assert telemetry.logs == []
    assert "gen_ai.input.messages" in telemetry.span().attributes


@pytest.mark.parametrize("words", ["a streamed answer – with ünïcödé 🦀 in it", "\u2028 \t\\ \" </script> \u0000"])
def test_a_streams_text_is_put_together(launcher, provider, otlp, words):
    request = raw.chat(words, body={"stream": True})
    raw.run(launcher, provider, otlp, model.answer, request, **{CAPTURE: "SPAN_AND_EVENT"})
    telemetry = otlp.take()
    output = [{"role": "assistant", "finish_reason": "stop",
               "parts": [{"type": "text", "content": f"You said: {words}"}]}]
    assert_same(without_nulls(json.loads(telemetry.span().attributes["gen_ai.output.messages"])), output)
    assert_same(without_nulls(telemetry.event(DETAILS).attributes["gen_ai.output.messages"]), output)


def test_a_streamed_tool_call_is_put_together(launcher, provider, otlp):
    request = raw.chat("How is the weather in Paris?", body={"stream": True, "tools": [TOOL]})
    raw.run(launcher, provider, otlp, model.answer, request, **{CAPTURE: "SPAN_AND_EVENT"})
    span = otlp.take().span()
    assert_same(without_nulls(json.loads(span.attributes["gen_ai.output.messages"])), OUTPUT)
    assert span.attributes["gen_ai.response.finish_reasons"] == ["tool_calls"]


def test_a_failed_calls_question_is_kept(launcher, provider, otlp):
    raw.run(launcher, provider, otlp, model.answer, raw.chat("why?", model="no-such-model"),
            **{CAPTURE: "SPAN_AND_EVENT"})
    telemetry = otlp.take()
    asked = [{"role": "user", "parts": [{"type": "text", "content": "why?"}]}]
    assert_same(without_nulls(json.loads(telemetry.span().attributes["gen_ai.input.messages"])), asked)
    event = telemetry.event(DETAILS)
    assert_same(without_nulls(event.attributes["gen_ai.input.messages"]), asked)
    assert event.attributes["error.type"] == "model_not_found"
    assert "gen_ai.output.messages" not in event.attributes


# -- secrets ---------------------------------------------------------------------------------------------------------------

SECRETS = {name: f"SECRET-{number:02}-do-not-tell" for number, name in enumerate((
    "api-key", "x-api-key", "x-goog-api-key", "Proxy-Authorization", "X-Amz-Security-Token", "query", "otlp",
))}


def assert_secrets_kept(secrets, telemetry, *outputs):
    haystacks = [*telemetry.raw, *outputs]
    assert telemetry.raw
    for secret in secrets:
        for haystack in haystacks:
            assert secret.encode() not in haystack


@pytest.mark.parametrize("exporter", ["otlp", "otlp,console"])
def test_secrets_are_never_told(launcher, provider, otlp, exporter):
    headers = [[name, SECRETS[name]] for name in
               ("api-key", "x-api-key", "x-goog-api-key", "Proxy-Authorization", "X-Amz-Security-Token")]
    headers.append(["Cookie", "session=request-cookie-secret"])
    requests = [
        raw.chat(headers=headers, path=f"/chat/completions?api-key={SECRETS['query']}&sig={SECRETS['query']}", model=m)
        for m in ("gpt-4o-mini", "no-such-model")
    ]
    provider.reset(model.answer)
    result = launcher.wrapped(raw.client(*requests), **{
        "OPENAI_BASE_URL": provider.base_url, **otlp.env, CAPTURE: "SPAN_AND_EVENT",
        "OTEL_TRACES_EXPORTER": exporter, "OTEL_LOGS_EXPORTER": exporter, "OTEL_METRICS_EXPORTER": exporter,
        "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer {SECRETS['otlp']}",
    })
    assert result.code == 0
    telemetry = otlp.take()
    assert len(telemetry.spans) == 2
    told = [*SECRETS.values(), raw.KEY, "request-cookie-secret", "response-cookie-secret"]
    assert_secrets_kept(told, telemetry, result.err)
    assert all(metadata["authorization"] == f"Bearer {SECRETS['otlp']}" for _, metadata in telemetry.calls)


def test_a_key_in_the_base_url_is_never_told(launcher, provider, otlp):
    provider.reset(model.answer)
    base_url = f"http://user:{SECRETS['query']}@127.0.0.1:{provider.port}/v1"
    result = launcher.wrapped(raw.client(raw.chat()), OPENAI_BASE_URL=base_url, **otlp.env)
    telemetry = otlp.take()
    span = telemetry.span()
    assert (span.attributes["server.address"], span.attributes["server.port"]) == ("127.0.0.1", provider.port)
    assert_secrets_kept([SECRETS["query"]], telemetry, result.err)


def test_a_key_that_the_provider_repeats_is_never_told(launcher, provider, otlp):
    def refuse(request):
        message = f"Incorrect API key provided: {raw.KEY}. You can find your API key in your account."
        return model.error(request, 401, message, "invalid_request_error", "invalid_api_key")

    raw.run(launcher, provider, otlp, refuse, raw.chat(), **{CAPTURE: "SPAN_AND_EVENT"})
    telemetry = otlp.take()
    assert telemetry.span().attributes["error.type"] == "invalid_api_key"
    assert_secrets_kept([raw.KEY], telemetry)


def test_the_real_clients_key_is_never_told(run_of):
    for name in ("chat_sync", "azure", "api_error", "node_chat"):
        run = run_of(name)
        key = API_KEY if name != "azure" else "azure-e2e-SECRETSECRET"
        assert any(key in line.decode() for line in run.wrapped.requests[0].header_lines)
        assert_secrets_kept([key, "response-cookie-secret"], run.telemetry, run.wrapped.result.err)
