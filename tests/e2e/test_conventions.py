"""The other vocabularies, and two at once: the programs with the real SDK, and what a receiver gets of their calls."""

import json

import pytest

from harness import cases, model, raw
from harness.cases import CASES
from harness.same import assert_same_program, assert_same_requests

CAPTURE = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true"}
DETAILS = "gen_ai.client.inference.operation.details"
EXAMPLES = ["chat_sync", "chat_stream_usage", "tools_stream", "embeddings", "api_error"]


def run(launcher, name, convention, **env):
    """A case both ways; the program must notice nothing, whatever the convention is."""
    seen = cases.run(launcher, CASES[name], OTEL_GENAI_CONVENTION=convention, **env)
    assert_same_program(seen.direct.result, seen.wrapped.result)
    assert_same_requests(seen.direct, seen.wrapped)
    return seen.telemetry


def bodies(telemetry, *names):
    return [log.body for log in telemetry.logs if log.event_name in names]


@pytest.mark.parametrize("convention", ["2026-10", "loongsuite", "v1.30", "2026-08,v1.30"])
@pytest.mark.convention(None)
def test_the_last_line_counts_in_every_convention(launcher, provider, otlp, convention):
    provider.reset(model.answer)
    result = launcher.wrapped(raw.client(raw.chat(), raw.chat(model="no-such-model")), OTEL_GENAI_CONVENTION=convention,
                              OPENAI_BASE_URL=provider.base_url, **otlp.env)
    assert result.text_err == f"otel-genai: 2 model calls, 19 tokens in, 10 out, 1 error, sent to {otlp.endpoint}\n"


# -- 2026-10 -----------------------------------------------------------------------------------------------------------------

@pytest.mark.convention("2026-10")
@pytest.mark.parametrize("name", EXAMPLES)
def test_2026_10_has_no_findings(launcher, name):
    telemetry = run(launcher, name, "2026-10", **CAPTURE)
    if name == "embeddings":
        assert "gen_ai.client.operation.duration" in telemetry.metric_names
        return
    assert "gen_ai.client.inference.duration" in telemetry.metric_names
    assert "gen_ai.client.token.usage" not in telemetry.metric_names
    answered = [span for span in telemetry.spans if "gen_ai.usage.input_tokens" in span.attributes]
    counted = telemetry.series("gen_ai.client.inference.usage.input_tokens")
    assert sum(point.value for point in counted) == sum(s.attributes["gen_ai.usage.input_tokens"] for s in answered)
    assert all("gen_ai.input.messages" in span.attributes for span in telemetry.spans)


# -- v1.30 -------------------------------------------------------------------------------------------------------------------

@pytest.mark.convention(None)
def test_v1_30_has_an_event_for_each_message(launcher):
    telemetry = run(launcher, "chat_sync", "v1.30", **CAPTURE)
    span = telemetry.span()
    assert span.attributes["gen_ai.system"] == "openai"
    assert not any(name.startswith(("gen_ai.provider", "gen_ai.input", "gen_ai.output")) for name in span.attributes)
    assert {log.event_name for log in telemetry.logs} == {"gen_ai.system.message", "gen_ai.user.message", "gen_ai.choice"}
    assert bodies(telemetry, "gen_ai.system.message") == [{"content": "Answer briefly."}]
    assert bodies(telemetry, "gen_ai.user.message") == [{"content": "Say this is a test – ünïcödé 🦀"}]
    choices = bodies(telemetry, "gen_ai.choice")
    assert [choice["index"] for choice in choices] == [0, 1]
    for choice in choices:
        assert choice["finish_reason"] == "stop"
        assert choice["message"]["role"] == "assistant" and "ünïcödé 🦀" in choice["message"]["content"]
    for log in telemetry.logs:
        assert log.attributes == {"gen_ai.system": "openai"}
        assert (log.trace_id, log.span_id) == (span.trace_id, span.span_id)
    assert telemetry.metric_names == {"gen_ai.client.operation.duration", "gen_ai.client.token.usage"}


@pytest.mark.convention(None)
def test_v1_30_tells_of_tools_and_keeps_content_back(launcher):
    for env, told in [({}, False), (CAPTURE, True)]:
        telemetry = run(launcher, "tools", "v1.30", **env)
        first = bodies(telemetry, "gen_ai.choice")[0]
        call = first["message"]["tool_calls"][0]
        assert (call["type"], call["function"]["name"]) == ("function", "get_weather")
        assert ("arguments" in call["function"]) == told
        assert first["finish_reason"] == "tool_calls"
        answer = bodies(telemetry, "gen_ai.tool.message")[0]
        assert answer["id"] == call["id"] and ("content" in answer) == told
        if not told:
            assert all(b"Paris" not in raw for raw in telemetry.raw)


# -- LoongSuite --------------------------------------------------------------------------------------------------------------

@pytest.mark.convention(None)
def test_loongsuite_speaks_its_own_words(launcher):
    telemetry = run(launcher, "chat_stream_usage", "loongsuite", **CAPTURE,
                    OTEL_SEMCONV_STABILITY_OPT_IN="gen_ai_latest_experimental")
    for span in telemetry.spans:
        attributes = span.attributes
        assert attributes["gen_ai.span.kind"] == "LLM"
        total = attributes["gen_ai.usage.input_tokens"] + attributes["gen_ai.usage.output_tokens"]
        assert attributes["gen_ai.usage.total_tokens"] == total
        assert json.loads(attributes["gen_ai.input.messages"])
    assert len(telemetry.events(DETAILS)) == len(telemetry.spans)


@pytest.mark.convention(None)
def test_loongsuite_waits_for_the_opt_in(launcher, provider, otlp):
    provider.reset(model.answer)
    result = launcher.wrapped(raw.client(raw.chat()), OPENAI_BASE_URL=provider.base_url, **otlp.env, **CAPTURE,
                              OTEL_GENAI_CONVENTION="loongsuite")
    assert "OTEL_SEMCONV_STABILITY_OPT_IN" in result.text_err
    telemetry = otlp.take()
    assert telemetry.span().attributes["gen_ai.span.kind"] == "LLM"
    assert all(b"hello raw" not in body for body in telemetry.raw)


# -- two at once -------------------------------------------------------------------------------------------------------------

@pytest.mark.convention(None)
@pytest.mark.parametrize("name", ["chat_sync", "tools_stream", "node_chat"])
def test_two_vocabularies_at_once(launcher, name):
    # An agent's event has the same name in both, and is told once.
    env = {**CAPTURE, "OTEL_GENAI_INFER": "false"}
    alone, old, both = (run(launcher, name, convention, **env) for convention in ("2026-08", "v1.30", "2026-08,v1.30"))
    assert [span.name for span in both.spans] == [span.name for span in alone.spans]
    for span, first, second in zip(both.spans, alone.spans, old.spans, strict=True):
        assert set(span.attributes) == set(first.attributes) | set(second.attributes)
        assert span.attributes["gen_ai.system"] == span.attributes["gen_ai.provider.name"] == "openai"
    counted = lambda telemetry: sorted(log.event_name for log in telemetry.logs)
    assert counted(both) == sorted(counted(alone) + counted(old))
    assert both.metric_names == alone.metric_names | old.metric_names
    for metric in ("gen_ai.client.operation.duration", "gen_ai.client.token.usage"):
        assert sum(p.count for p in both.series(metric)) == sum(p.count for p in alone.series(metric)), "each once"


# -- what is taken out and what is cut ---------------------------------------------------------------------------------------

ADDRESS = "ada.lovelace@example.com"


@pytest.mark.convention(None)
@pytest.mark.parametrize("convention", ["2026-08", "2026-10", "v1.30"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_no_address_leaves_but_to_the_provider(launcher, provider, otlp, tmp_path, convention, stream):
    words = f"Write to {ADDRESS} of the crab."
    raw.run(launcher, provider, otlp, model.answer, raw.chat(words, body={"stream": stream}), **CAPTURE,
            OTEL_GENAI_REDACT="email", OTEL_GENAI_CONVENTION=convention,
            OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK="upload", OTEL_INSTRUMENTATION_GENAI_UPLOAD_BASE_PATH=str(tmp_path))
    telemetry = otlp.take()
    left = [*telemetry.raw, *(file.read_bytes() for file in tmp_path.iterdir())]
    assert not any(ADDRESS.encode() in body for body in left)
    assert sum(body.count(b"[email]") + body.count(b"of the crab") for body in left) >= 4, "the rest is there"
    assert ADDRESS.encode() in provider.requests[0].body


def test_content_is_cut_where_it_is_long_and_stays_json(launcher, provider, otlp):
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "iVBORw0KGgo=" * 500}}
    content = [{"type": "text", "text": "begin " + "x" * 100_000}, picture]
    request = raw.chat(body={"messages": [{"role": "user", "content": content}]})
    raw.run(launcher, provider, otlp, model.answer, request, **CAPTURE,
            OTEL_GENAI_MAX_PART_BYTES="1KiB", OTEL_GENAI_MAX_ATTRIBUTE_BYTES="4KiB", OTEL_GENAI_BLOBS="omit")
    telemetry = otlp.take()
    told = telemetry.span().attributes["gen_ai.input.messages"]
    assert len(told.encode()) <= 4096 and "iVBOR" not in told
    assert json.loads(told)[0]["parts"][0]["content"].startswith("begin xxx")
    event = telemetry.event(DETAILS).attributes["gen_ai.input.messages"]
    assert len(json.dumps(event)) <= 8192
    assert len(provider.requests[0].body) > 100_000
