"""The telemetry of each program, attribute by attribute, at a receiver that is not ours (convention 2026-08)."""

import json

import pytest

from harness import cases, model
from harness.match import LOW_CARDINALITY, SECONDS, TEXT, Maybe, assert_same
from harness.otlp import PROTOCOLS
from harness.same import assert_same_program

EXCEPTION = "gen_ai.client.operation.exception"
DETAILS = "gen_ai.client.inference.operation.details"
STREAMED = {"gen_ai.request.stream": True, "gen_ai.response.time_to_first_chunk": SECONDS}
USED = {
    "gen_ai.usage.input_tokens": 19,
    "gen_ai.usage.output_tokens": 10,
    "gen_ai.usage.cache_read.input_tokens": 16,
    "gen_ai.usage.reasoning.output_tokens": 4,
}


def asked(run, request_model, provider="openai"):
    """What is known when a chat begins."""
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": request_model,
        "openai.api.type": "chat_completions",
        "server.address": "127.0.0.1",
        "server.port": run.port,
    }


def answered(request, request_model, reasons=("stop",), usage=True):
    """What the model's answer adds."""
    return {
        "gen_ai.response.id": f"chatcmpl-{model.tag(request)}",
        "gen_ai.response.model": f"{request_model}-2025-01-31",
        "gen_ai.response.finish_reasons": list(reasons),
        "openai.response.service_tier": "default",
        "openai.response.system_fingerprint": "fp_e2e",
        **(USED if usage else {}),
    }


REFUSAL = ("otel_genai.provider_request_id", "otel_genai.retry_after", "otel_genai.rate_limit.")
"""What the heads of refusals tell besides."""


def assert_span(span, name, attributes, error=None):
    assert span.name == name
    assert span.kind == "CLIENT"
    seen = {name: value for name, value in span.attributes.items() if not name.startswith(REFUSAL)}
    assert_same(seen, attributes if error is None else {**attributes, "error.type": error})
    if error is None:
        assert (span.status, span.status_message) == ("UNSET", "")
    else:
        assert span.status == "ERROR"
        assert span.status_message not in ("", error)
    assert span.events == []
    assert span.links == []
    assert span.dropped == 0
    assert span.scope.name == "otel-genai"
    assert 0 < span.start <= span.end


def assert_root(span):
    assert span.parent_id == ""
    assert int(span.trace_id, 16) and int(span.span_id, 16)


def in_request_order(run):
    """Spans sorted as the requests came (each program here calls one after the other)."""
    return sorted(run.telemetry.spans, key=lambda span: span.start)


def test_chat_with_every_parameter(run_of):
    run = run_of("chat_sync")
    span = run.telemetry.span()
    assert_span(span, "chat gpt-4o-mini", {
        **asked(run, "gpt-4o-mini"),
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.request.max_tokens": 64,
        "gen_ai.request.frequency_penalty": 0.5,
        "gen_ai.request.presence_penalty": -0.5,
        "gen_ai.request.seed": 42,
        "gen_ai.request.stop_sequences": ["END", "STOP"],
        "gen_ai.request.choice.count": 2,
        "gen_ai.output.type": "text",
        "openai.request.service_tier": "default",
        **answered(run.wrapped.requests[0], "gpt-4o-mini", reasons=("stop", "stop")),
    })
    assert_root(span)
    assert run.telemetry.logs == []


def test_async_chat(run_of):
    run = run_of("chat_async")
    assert_span(run.telemetry.span(), "chat gpt-4o", {
        **asked(run, "gpt-4o"),
        "gen_ai.request.max_tokens": 32,
        **answered(run.wrapped.requests[0], "gpt-4o"),
    })


def test_stream_without_usage(run_of):
    run = run_of("chat_stream")
    span = run.telemetry.span()
    assert_span(span, "chat gpt-4o-mini", {
        **asked(run, "gpt-4o-mini"), **STREAMED, **answered(run.wrapped.requests[0], "gpt-4o-mini", usage=False),
    })
    assert span.attributes["gen_ai.response.time_to_first_chunk"] <= span.seconds + 0.001


def test_stream_with_usage(run_of):
    run = run_of("chat_stream_usage")
    assert_span(run.telemetry.span(), "chat gpt-4o-mini", {
        **asked(run, "gpt-4o-mini"), **STREAMED, **answered(run.wrapped.requests[0], "gpt-4o-mini"),
    })


@pytest.mark.parametrize("name", ["tools", "node_tools"])
def test_tool_round_trip(run_of, name):
    run = run_of(name)
    first, second = in_request_order(run)
    assert_span(first, "chat gpt-4o", {
        **asked(run, "gpt-4o"), **answered(run.wrapped.requests[0], "gpt-4o", ("tool_calls",)),
    })
    assert_span(second, "chat gpt-4o", {**asked(run, "gpt-4o"), **answered(run.wrapped.requests[1], "gpt-4o")})


def test_streamed_tool_call(run_of):
    run = run_of("tools_stream")
    first, _second = in_request_order(run)
    assert_span(first, "chat gpt-4o", {
        **asked(run, "gpt-4o"), **STREAMED, **answered(run.wrapped.requests[0], "gpt-4o", ("tool_calls",), usage=False),
    })


@pytest.mark.parametrize("name", ["raw_response", "node_as_response"])
def test_raw_responses(run_of, name):
    run = run_of(name)
    plain, streamed = in_request_order(run)
    assert_span(plain, "chat gpt-4o-mini", {
        **asked(run, "gpt-4o-mini"), **answered(run.wrapped.requests[0], "gpt-4o-mini"),
    })
    assert_span(streamed, "chat gpt-4o-mini", {
        **asked(run, "gpt-4o-mini"), **STREAMED, **answered(run.wrapped.requests[1], "gpt-4o-mini", usage=False),
    })


def test_streaming_response(run_of):
    run = run_of("streaming_response")
    assert_span(run.telemetry.span(), "chat gpt-4o-mini", {
        **asked(run, "gpt-4o-mini"), **STREAMED, **answered(run.wrapped.requests[0], "gpt-4o-mini", usage=False),
    })


def test_a_stream_left_early_is_cancelled(run_of):
    run = run_of("early_break")
    left, after = in_request_order(run)
    known = answered(run.wrapped.requests[0], "gpt-4o-mini", usage=False)
    del known["gen_ai.response.finish_reasons"]
    assert_span(left, "chat gpt-4o-mini", {
        **asked(run, "gpt-4o-mini"), **STREAMED, **known, "gen_ai.response.finish_reasons": Maybe(["error"]),
    }, error="cancelled")
    assert_span(after, "chat gpt-4o-mini", {
        **asked(run, "gpt-4o-mini"), **answered(run.wrapped.requests[1], "gpt-4o-mini"),
    })


@pytest.mark.parametrize("name", ["api_error", "crash"])
def test_a_refused_call_has_the_providers_error_code(run_of, name):
    run = run_of(name)
    span = run.telemetry.span()
    assert_span(span, "chat no-such-model", asked(run, "no-such-model"), error="model_not_found")
    assert "does not exist" in span.status_message


@pytest.mark.parametrize("name", ["api_error", "crash"])
def test_a_failed_call_gives_an_exception_event(run_of, name):
    run = run_of(name)
    span, event = run.telemetry.span(), run.telemetry.event(EXCEPTION)
    assert event.severity == 13
    assert event.body is None
    assert_same(event.attributes, {
        "exception.type": Maybe(LOW_CARDINALITY), "exception.message": TEXT, "exception.stacktrace": Maybe(TEXT),
    })
    assert (event.trace_id, event.span_id) == (span.trace_id, span.span_id)
    assert event.time > 0
    assert event.scope.name == "otel-genai"
    assert len(run.telemetry.logs) == 1


def test_every_try_is_seen(run_of):
    run = run_of("retries")
    one, two, three = in_request_order(run)
    assert_span(one, "chat flaky", asked(run, "flaky"), error="server_error")
    assert_span(two, "chat flaky", {**asked(run, "flaky"), "http.request.resend_count": 1}, error="rate_limit_exceeded")
    assert_span(three, "chat flaky", {**asked(run, "flaky"), **answered(run.wrapped.requests[2], "flaky"),
                                      "http.request.resend_count": 2})
    assert two.attributes["otel_genai.provider_request_id"].startswith("req_")
    assert two.attributes["otel_genai.rate_limit.remaining_tokens"] == 149984
    assert not any(name.startswith(REFUSAL) for name in three.attributes)


def embedded(run, request_model, formats):
    return {
        "gen_ai.operation.name": "embeddings",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": request_model,
        "gen_ai.request.encoding_formats": formats,
        "gen_ai.embeddings.dimension.count": 4,
        "gen_ai.response.model": f"{request_model}-2025-01-31",
        "gen_ai.usage.input_tokens": 7,
        "server.address": "127.0.0.1",
        "server.port": run.port,
    }


def test_embeddings(run_of):
    run = run_of("embeddings")
    one, two = in_request_order(run)
    assert_span(one, "embeddings text-embedding-3-small", embedded(run, "text-embedding-3-small", ["base64"]))
    assert_span(two, "embeddings text-embedding-3-large", embedded(run, "text-embedding-3-large", ["float"]))
    assert run.telemetry.logs == []


def test_node_embeddings(run_of):
    run = run_of("node_embeddings")
    assert_span(run.telemetry.span(), "embeddings text-embedding-3-small",
                embedded(run, "text-embedding-3-small", ["base64"]))


def test_azure(run_of):
    run = run_of("azure")
    request = run.wrapped.requests[0]
    assert request.path == "/openai/deployments/my-deployment/chat/completions"
    assert_span(run.telemetry.span(), "chat my-deployment", {
        **asked(run, "my-deployment", provider="azure.ai.openai"), **answered(request, "my-deployment"),
    })


def test_parallel_calls_do_not_mix(run_of):
    run = run_of("parallel")
    spans = {span.attributes["gen_ai.response.id"]: span for span in run.telemetry.spans}
    assert len(spans) == len(run.telemetry.spans) == 8
    for request in run.wrapped.requests:
        streamed = request.json.get("stream", False)
        assert_span(spans[f"chatcmpl-{model.tag(request)}"], "chat gpt-4o-mini", {
            **asked(run, "gpt-4o-mini"), **(STREAMED if streamed else {}),
            **answered(request, "gpt-4o-mini", usage=not streamed),
        })
    assert len({span.span_id for span in run.telemetry.spans}) == 8


def test_the_programs_own_trace_is_continued(run_of):
    span = run_of("traceparent").telemetry.span()
    assert span.trace_id == "0af7651916cd43dd8448eb211c80319c"
    assert span.parent_id == "b7ad6b7169203331"
    assert span.trace_state == "vendor=opaque"


def test_the_launchers_trace_is_continued(launcher):
    traceparent = "00-11112222333344445555666677778888-9999aaaabbbbcccc-01"
    run = cases.run(launcher, cases.CASES["chat_async"], TRACEPARENT=traceparent)
    span = run.telemetry.span()
    assert (span.trace_id, span.parent_id) == ("11112222333344445555666677778888", "9999aaaabbbbcccc")


def test_node_chat(run_of):
    run = run_of("node_chat")
    good, bad = in_request_order(run)
    assert_span(good, "chat gpt-4o-mini", {
        **asked(run, "gpt-4o-mini"),
        "gen_ai.request.temperature": 1.0,
        "gen_ai.request.max_tokens": 20,
        **answered(run.wrapped.requests[0], "gpt-4o-mini"),
    })
    assert_span(bad, "chat no-such-model", asked(run, "no-such-model"), error="model_not_found")


def test_node_stream(run_of):
    run = run_of("node_stream")
    whole, left = in_request_order(run)
    assert_span(whole, "chat gpt-4o-mini", {
        **asked(run, "gpt-4o-mini"), **STREAMED, **answered(run.wrapped.requests[0], "gpt-4o-mini"),
    })
    assert left.attributes["error.type"] == "cancelled"


def test_the_resource_says_who_and_nothing_more(run_of):
    resource = run_of("chat_sync").telemetry.span().resource
    assert set(resource) - {"service.instance.id"} == {
        "service.name", "telemetry.sdk.language", "telemetry.sdk.name", "telemetry.sdk.version",
    }
    assert resource["telemetry.sdk.language"] == "rust"
    assert resource["telemetry.sdk.name"] == "opentelemetry"


@pytest.mark.findings(r"^missing_attribute: resource: deployment\.environment\.name: ")
def test_the_users_resource_is_kept(launcher):
    run = cases.run(launcher, cases.CASES["chat_async"], OTEL_SERVICE_NAME="my app",
                    OTEL_RESOURCE_ATTRIBUTES="service.name=loses,deployment.environment.name=test%20bed")
    for record in (run.telemetry.span(), *run.telemetry.points):
        assert record.resource["service.name"] == "my app"
        assert record.resource["deployment.environment.name"] == "test bed"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_protocol_carries_everything(launcher, protocol):
    case = cases.Case("mixed", cases.python("mixed.py"))
    run = cases.run(launcher, case, protocol, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_AND_EVENT")
    assert_same_program(run.direct.result, run.wrapped.result)
    requests = run.wrapped.requests
    messages = [{"role": "user", "parts": [{"type": "text", "content": "mixed"}]}]
    said = [{"role": "assistant", "parts": [{"type": "text", "content": "You said: mixed"}], "finish_reason": "stop"}]
    chat, streamed, embedding, failed = in_request_order(run)
    chat_attributes = {**asked(run, "gpt-4o-mini"), **answered(requests[0], "gpt-4o-mini")}
    stream_attributes = {**asked(run, "gpt-4o"), **STREAMED, **answered(requests[1], "gpt-4o")}
    for span, attributes, output, error in (
        (chat, chat_attributes, said, None),
        (streamed, stream_attributes, said, None),
        (failed, asked(run, "no-such-model"), None, "model_not_found"),
    ):
        content = {"gen_ai.input.messages": messages, **({"gen_ai.output.messages": output} if output else {})}
        for name in content:
            span.attributes[name] = json.loads(span.attributes[name])
        assert_span(span, f"chat {attributes['gen_ai.request.model']}", {**attributes, **content}, error)
        event = next(e for e in run.telemetry.events(DETAILS) if e.span_id == span.span_id)
        assert_same(event.attributes, {**attributes, **content, **({"error.type": error} if error else {})})
        assert event.trace_id == span.trace_id
    assert_span(embedding, "embeddings text-embedding-3-small", embedded(run, "text-embedding-3-small", ["base64"]))
    assert len(run.telemetry.events(DETAILS)) == 3
    assert run.telemetry.event(EXCEPTION).span_id == failed.span_id
    assert run.telemetry.metric_names == {
        "gen_ai.client.operation.duration", "gen_ai.client.token.usage",
        "gen_ai.client.operation.time_to_first_chunk", "gen_ai.client.operation.time_per_output_chunk",
    }
    assert {path for path, _ in run.telemetry.calls} == (
        {"traces", "logs", "metrics"} if protocol == "grpc" else {"/v1/traces", "/v1/logs", "/v1/metrics"})
