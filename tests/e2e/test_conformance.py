"""Content on spans and events, held against the conventions.

Everything that receivers get in any test is judged by the fixture `everything_is_judged`; what these tests add is
content, and a look at what the judge is asked to excuse.
"""

import pytest

from harness import cases, conformance
from harness.cases import CASES

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


@pytest.mark.parametrize("name", CASES)
def test_only_what_no_answer_brought_is_excused(run_of, name):
    telemetry = run_of(name).telemetry
    assert telemetry.spans
    assert conformance.judge(telemetry, conformance.EXCUSE) == []
    excused = [line.split(": ")[:3] for line in conformance.judge(telemetry)]
    unanswered = {f'span "{span.name}"' for span in telemetry.spans
                  if "error.type" in span.attributes or span.attributes.get("gen_ai.request.stream")}
    assert {rule for rule, *_ in excused} <= {"genai_expected_attribute_missing"}
    assert {where for _, where, _ in excused} <= unanswered


@pytest.mark.parametrize("name", ["tools", "tools_stream", "chat_sync", "early_break"])
def test_no_findings_with_content(launcher, name):
    run = cases.run(launcher, CASES[name], **{CAPTURE: "SPAN_AND_EVENT"})
    assert run.telemetry.spans[0].attributes["gen_ai.input.messages"]
    assert conformance.judge(run.telemetry, conformance.EXCUSE) == []
