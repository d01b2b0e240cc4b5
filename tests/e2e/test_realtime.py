"""Realtime over WebSocket: each answer of a session is a call, and the session is none the wiser."""

import json

import pytest

from harness.launcher import python
from harness.otlp import receiver
from harness.realtime import CONVERSATION, MODEL, RealtimeProvider
from harness.same import assert_same_program

KEY = "sk-realtime-0123456789"


@pytest.fixture(params=["plain", "packed"])
def ran(launcher, request):
    """The program alone and under `run`; what the server saw of both, and the telemetry of the second."""
    program = python("realtime.py", *(["--packed"] if request.param == "packed" else []))
    with RealtimeProvider() as provider, receiver("http/protobuf") as otlp:
        env = {**otlp.env, "OPENAI_BASE_URL": provider.base_url, "OPENAI_API_KEY": KEY,
               "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"}
        direct = launcher.direct(program, **env)
        assert direct.code == 0, direct.text_err
        wrapped = launcher.wrapped(program, **env)
        assert all(("permessage-deflate" in talk.extensions) == (request.param == "packed") for talk in provider.talks)
        yield direct, wrapped, provider, otlp.take()


def told(span, name):
    return json.loads(span.attributes[name])


def test_a_session(ran):
    direct, wrapped, provider, telemetry = ran
    assert_same_program(direct, wrapped)
    alone, observed = provider.talks
    assert observed == alone

    spans = sorted(telemetry.spans, key=lambda span: span.start)
    assert [span.name for span in spans] == ["chat gpt-realtime"] * 6
    hello, call, result, voice, refusal, dropped = spans
    for span in spans:
        for name, value in {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
                            "gen_ai.request.model": "gpt-realtime", "gen_ai.request.stream": True,
                            "server.address": "127.0.0.1", "server.port": provider.port,
                            "gen_ai.response.model": MODEL}.items():
            assert span.attributes[name] == value, name
        assert told(span, "gen_ai.system_instructions") == [{"type": "text", "content": "Answer briefly."}]
        assert told(span, "gen_ai.tool.definitions")[0]["name"] == "get_weather"
    for nth, span in enumerate((hello, call, result, voice), 1):
        assert (span.status, span.kind) == ("UNSET", "CLIENT")
        assert span.attributes["gen_ai.response.id"] == f"resp_{nth}"
        assert span.attributes["gen_ai.conversation.id"] == CONVERSATION
        assert span.attributes["gen_ai.response.time_to_first_chunk"] >= 0

    assert told(hello, "gen_ai.input.messages")[0]["parts"] == [{"type": "text", "content": "Hello – ünïcödé 🦀"}]
    assert told(hello, "gen_ai.output.messages")[0]["parts"][0]["content"] == "You said: Hello – ünïcödé 🦀"
    assert hello.attributes["gen_ai.output.type"] == "text"
    assert hello.attributes["gen_ai.response.finish_reasons"] == ["stop"]

    assert told(call, "gen_ai.output.messages")[0]["parts"] == [
        {"type": "tool_call", "id": "call_1", "name": "get_weather", "arguments": {"city": "Paris"}}]
    assert call.attributes["gen_ai.response.finish_reasons"] == ["tool_calls"]
    assert told(result, "gen_ai.input.messages")[0]["parts"] == [
        {"type": "tool_call_response", "id": "call_1", "response": "18 degrees"}]
    assert result.attributes["gen_ai.request.max_tokens"] == 64

    heard, said = told(voice, "gen_ai.input.messages")[0]["parts"]
    assert (heard["type"], heard["modality"], heard["mime_type"]) == ("blob", "audio", "audio/pcm")
    assert said["content"] == "Good morning"
    assert told(voice, "gen_ai.output.messages")[0]["parts"] == [{"type": "text", "content": "Good morning to you."}]
    assert voice.attributes["gen_ai.output.type"] == "speech"
    assert voice.attributes["gen_ai.usage.input_tokens"] == 132
    assert voice.attributes["gen_ai.usage.output_tokens"] == 121
    assert voice.attributes["gen_ai.usage.cache_read.input_tokens"] == 64

    assert (refusal.status, refusal.attributes["error.type"]) == ("ERROR", "integer_below_min_value")
    assert "Expected a value" in refusal.status_message
    assert (dropped.status, dropped.attributes["error.type"]) == ("ERROR", "connection_closed")
    assert told(dropped, "gen_ai.output.messages")[0]["parts"][0]["content"] == "I am go"
    assert KEY not in repr(telemetry)
