"""Prompts and answers as files beside the telemetry."""

import hashlib
import json
from urllib.parse import unquote, urlsplit

import pytest

from harness import cases, model, raw
from harness.cases import CASES

HOOK = {"OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK": "upload"}
BASE = "OTEL_INSTRUMENTATION_GENAI_UPLOAD_BASE_PATH"
FORMAT = "OTEL_INSTRUMENTATION_GENAI_UPLOAD_FORMAT"
# The official hook's references, which the registry does not know.
REFERENCES = r"gen_ai\.[\w.]+_ref\b"


def read(reference):
    """The bytes behind a reference, which are named by their digest."""
    path = unquote(urlsplit(reference).path)
    with open(path, "rb") as file:
        data = file.read()
    assert path.rsplit("/", 1)[1].split("_", 1)[0] == hashlib.sha256(data).hexdigest()
    return data


@pytest.mark.possible_findings(REFERENCES)
@pytest.mark.parametrize("mode", ["NO_CONTENT", "SPAN_AND_EVENT"])
def test_every_reference_leads_to_what_was_said(launcher, tmp_path, mode):
    folder = tmp_path / "prompts of mine"
    run = cases.run(launcher, CASES["tools"], **HOOK, **{
        BASE: str(folder), "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": mode})
    assert len(run.telemetry.spans) == 2
    for span in run.telemetry.spans:
        asked = json.loads(read(span.attributes["gen_ai.input.messages_ref"]))
        assert asked[0] == {"role": "user", "parts": [{"type": "text", "content": "How is the weather in Paris?"}]}
        answer = json.loads(read(span.attributes["gen_ai.output.messages_ref"]))
        assert answer[0]["role"] == "assistant"
        tools = json.loads(read(span.attributes["gen_ai.tool.definitions_ref"]))
        assert tools[0]["name"] == "get_weather"
        if mode == "SPAN_AND_EVENT":
            assert json.loads(span.attributes["gen_ai.input.messages"]) == asked
        else:
            assert "gen_ai.input.messages" not in span.attributes
    files = {file.name.split("_", 1)[1] for file in folder.iterdir()}
    assert files == {"inputs.json", "outputs.json", "tool.definitions.json"}
    assert len(list(folder.iterdir())) == 5, "the tools of both calls are one file"


@pytest.mark.possible_findings(REFERENCES)
def test_lines_and_a_flag(launcher, provider, otlp, tmp_path):
    provider.reset(model.answer)
    result = launcher.wrapped(raw.client(raw.chat(body={"stream": True})), options=("--upload", str(tmp_path / "new")),
                              OPENAI_BASE_URL=provider.base_url, **otlp.env, **{FORMAT: "jsonl"})
    assert result.code == 0
    span = otlp.take().span()
    lines = read(span.attributes["gen_ai.output.messages_ref"]).splitlines()
    assert json.loads(lines[0])["parts"] == [{"type": "text", "content": "You said: hello raw"}]
    assert "\n" not in result.text_err.strip(), "nothing is told but the last line"


def test_what_stands_in_the_way_is_told_and_nothing_else_changes(launcher, provider, otlp, tmp_path):
    (tmp_path / "file").write_text("in the way")
    provider.reset(model.answer)
    for place, word in [(str(tmp_path / "file"), "file"), ("s3://bucket/prompts", "aws"), ("", BASE)]:
        result = launcher.wrapped(raw.client(raw.chat()), OPENAI_BASE_URL=provider.base_url, **otlp.env, **HOOK,
                                  **{BASE: place})
        assert result.code == 0
        told, tally = result.text_err.splitlines()
        assert told.startswith("otel-genai: ") and told.endswith("; nothing is uploaded") and word in told, told
        assert tally.startswith("otel-genai: 1 model call, ")
        assert "gen_ai.input.messages_ref" not in otlp.take().span().attributes
