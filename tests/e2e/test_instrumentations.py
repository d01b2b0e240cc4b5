"""What others' instrumentations tell of one conversation is the same transcript."""

from __future__ import annotations

import json

import pytest

from harness.conversation import ANSWERS, ASKED, CONVERSATION, GIVEN, QUESTION, SYSTEM, WANTED, WITH, said, tell, text
from harness.dashboard import Dashboard


@pytest.fixture(params=WITH)
def told(request, provider, launcher):
    """The transcript of the conversation, as the dashboard has it of this instrumentation."""
    with Dashboard(launcher.binary) as dashboard:
        trace = tell(request.param, dashboard, provider)
        yield trace, dashboard.get(f"/api/v1/traces/{trace['id']}/transcript")


def test_the_transcript_is_the_conversation(told):
    trace, transcript = told
    calls = transcript["calls"]
    found = [(said(transcript, call["input"]), said(transcript, call["output"])) for call in calls]
    if trace["service"] == "vercel":
        # Each of its turns is an agent's run, which begins with what was said before.
        assert [call["carried"] for call in calls] == [0, 2, 0]
        before = [*ASKED, WANTED, GIVEN, *CONVERSATION[1][1]]
        assert found == [*CONVERSATION[:2], (before + CONVERSATION[2][0], CONVERSATION[2][1])]
    else:
        assert [call["carried"] for call in calls] == [0, 2, 4]
        assert found == CONVERSATION
    assert said(transcript, calls[0]["system"]) == [text("system", SYSTEM)]
    assert not any("break" in call for call in calls)
    for call in calls:
        # OpenInference tells one model, that of the answer.
        assert call["provider"] == "openai" and call["requestModel"].startswith("gpt-4o-mini")
        assert call["usage"]["input"] == 19 and call["usage"]["output"] == 10
        for seen in (*call["system"], *call["input"], *call["output"]):
            assert not seen.get("versions"), json.dumps(seen)


def test_the_list_counts_it(told):
    trace, _transcript = told
    assert trace["llmCalls"] == 3 and trace["errors"] == 0 and trace["spans"] >= 4
    assert trace["usage"]["input"] == 57 and trace["usage"]["output"] == 30
    assert trace["title"] == QUESTION and trace["content"] == "here"
