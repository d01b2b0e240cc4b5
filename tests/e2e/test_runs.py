"""Agent runs: recovered from the calls of a program that has no instrumentation at all."""

import json

import pytest

from harness import otlp as receivers
from harness.launcher import API_KEY, python
from harness.provider import Provider, Reply

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
CALLS = [("call_1", "weather"), ("call_2", "clock")]


def script(request):
    """Asks for both tools, then says what they said."""
    results = [message["content"] for message in request.json["messages"] if message["role"] == "tool"]
    if results:
        message, reason = {"role": "assistant", "content": ", ".join(results)}, "stop"
    else:
        calls = [{"id": id, "type": "function", "function": {"name": name, "arguments": '{"city": "Oslo"}'}}
                 for id, name in CALLS]
        message, reason = {"role": "assistant", "content": None, "tool_calls": calls}, "tool_calls"
    answer = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o",
              "choices": [{"index": 0, "message": message, "finish_reason": reason}],
              "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}}
    return Reply(200, [("content-type", "application/json")], json.dumps(answer).encode())


def run(launcher, *options, **env):
    with Provider() as provider, receivers.receiver("http/protobuf") as otlp:
        provider.reset(script)
        env = {**otlp.env, "OPENAI_BASE_URL": provider.base_url, "OPENAI_API_KEY": API_KEY, **env}
        result = launcher.wrapped(python("two_tools.py"), options=options, **env)
        assert result.json == {"answer": "snow in Oslo, noon in Oslo"}
        return otlp.take()


def by_start(telemetry):
    return sorted(telemetry.spans, key=lambda span: span.start)


@pytest.mark.parametrize("content", ["NO_CONTENT", "SPAN_ONLY"])
def test_a_loop_with_two_tools_is_one_trace(launcher, content):
    telemetry = run(launcher, **{CAPTURE: content})
    first, last = by_start(telemetry)
    agent, *tools = sorted(telemetry.inferred, key=lambda span: (span.name != "invoke_agent", span.attributes.get("gen_ai.tool.call.id")))
    assert [agent.name, first.name, *[tool.name for tool in tools], last.name] == [
        "invoke_agent", "chat gpt-4o", "execute_tool weather", "execute_tool clock", "chat gpt-4o"]
    assert {span.trace_id for span in (first, last, *telemetry.inferred)} == {agent.trace_id}
    assert agent.parent_id == ""
    assert {span.parent_id for span in (first, last, *tools)} == {agent.span_id}
    assert agent.start == first.start and agent.end == last.end
    for tool, (id, name) in zip(tools, CALLS, strict=True):
        assert first.end <= tool.start <= tool.end <= last.start
        assert tool.attributes["gen_ai.tool.call.id"] == id
        seen = {key: tool.attributes.get(f"gen_ai.tool.call.{key}") for key in ("arguments", "result")}
        if content == "NO_CONTENT":
            assert seen == {"arguments": None, "result": None}
        else:
            assert json.loads(seen["arguments"]) == {"city": "Oslo"} and "in Oslo" in seen["result"]
    assert "gen_ai.conversation.id" not in agent.attributes and "gen_ai.agent.id" not in agent.attributes
    for name in ("gen_ai.invoke_agent.duration", "gen_ai.execute_tool.duration"):
        assert all(point.attributes["otel_genai.inferred"] is True for point in telemetry.series(name))
    assert sum(point.count for point in telemetry.series("gen_ai.client.operation.duration")) == 2


def test_the_run_belongs_to_the_trace_that_the_launcher_is_in(launcher):
    telemetry = run(launcher, TRACEPARENT="00-11112222333344445555666677778888-9999aaaabbbbcccc-01")
    agent = next(span for span in telemetry.inferred if span.name == "invoke_agent")
    assert (agent.trace_id, agent.parent_id) == ("11112222333344445555666677778888", "9999aaaabbbbcccc")
    assert {span.parent_id for span in telemetry.spans} == {agent.span_id}


@pytest.mark.parametrize("off", ["flag", "variable"])
def test_it_can_be_turned_off(launcher, off):
    telemetry = run(launcher, *(["--no-infer"] if off == "flag" else []),
                    **({"OTEL_GENAI_INFER": "false"} if off == "variable" else {}))
    assert telemetry.inferred == []
    first, last = by_start(telemetry)
    assert first.trace_id != last.trace_id
