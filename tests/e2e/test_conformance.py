"""Everything that the programs make us emit, held against the conventions' registry."""

import pytest

from harness import cases
from harness.cases import CASES
from harness.conformance import Finding

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


def unavoidable(telemetry) -> set[tuple[str, str]]:
    """What an honest span cannot carry: what the provider never sent."""
    allowed = set()
    for span in telemetry.spans:
        where = f"span {span.name!r}"
        if "error.type" in span.attributes:
            allowed |= {(where, f"gen_ai.response.{name}") for name in ("id", "model", "finish_reasons")}
        if "error.type" in span.attributes or span.attributes.get("gen_ai.request.stream"):
            allowed |= {(where, f"gen_ai.usage.{name}_tokens") for name in ("input", "output")}
    return allowed


def findings(registry, telemetry) -> list[Finding]:
    allowed = unavoidable(telemetry)
    return [f for f in registry.judge(telemetry)
            if not (f.rule == "genai_expected_attribute_missing" and (f.where, f.detail) in allowed)]


@pytest.mark.parametrize("name", CASES)
def test_no_findings(run_of, registry, name):
    telemetry = run_of(name).telemetry
    assert telemetry.spans
    assert findings(registry, telemetry) == []


@pytest.mark.parametrize("name", ["tools", "tools_stream", "chat_sync", "early_break"])
def test_no_findings_with_content(launcher, registry, name):
    run = cases.run(launcher, CASES[name], **{CAPTURE: "SPAN_AND_EVENT"})
    assert run.telemetry.spans[0].attributes["gen_ai.input.messages"]
    assert findings(registry, run.telemetry) == []
