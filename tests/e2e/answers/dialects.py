"""What telemetry says of one conversation in each provider's protocol, for the frameworks that speak several.

The conversation: "Hello" under a system prompt; "Say it in pieces", streamed; "Think first"; a question that a tool
answers; a refusal; and a stream that breaks off. Every method gives the spans that one exchange must have; what the
program sets besides comes as `more`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.provider import Request
from harness.sdk import STREAMED, says, text, tool_call, tool_response

from . import anthropic, gemini, openai

Facts = dict[str, Any]
HELLO, BRIEFLY = "Hello – ünïcödé 🦀", "Answer briefly."
PIECES, THINK, FAIL, BREAK = "Say it in pieces", "Think first", "Please fail", "Break off"
QUESTION, OUTSIDE = openai.QUESTION, openai.OUTSIDE


@dataclass(frozen=True)
class Dialect:
    """A protocol of a provider: how its telemetry differs from the others'."""

    asked: Callable[..., Facts]
    """From messages; with `name`, the model's."""
    answered: Callable[..., Facts]
    """From the request and the parts that the model says; with `reason`, why it stopped."""
    reasons: tuple[str, str]
    """Why it stopped: the end, and a tool call."""
    busy: str
    """The model that refuses."""
    refusal: str
    thinker: str
    thought: Callable[[Facts], Facts]
    """From what is known of an answer without a thought, what is known of it with one."""
    call: tuple[Any, ...]
    """What the model says when it wants the tool."""
    call_id: str | None
    result_role: str
    result: str
    """What the model says of the tool's result, before the result."""
    tool: Facts
    """What of the tool is told."""
    system_apart: bool
    """Whether the system prompt has a place of its own."""
    broken: Callable[[Request], Facts]
    response: Any = None
    """The tool's result as part of a message, where it is more than its text."""
    call_again: tuple[Any, ...] = ()
    """What the program says that the model said, where it is not the same."""

    def unary(self, requests: list[Request], **more: Any) -> list[Facts]:
        asked = (self.asked(HELLO, **{"gen_ai.system_instructions": [text(BRIEFLY)]}) if self.system_apart
                 else self.asked(says("system", BRIEFLY), HELLO))
        return [{**asked, **self._said(requests[0], HELLO), **more}]

    def stream(self, requests: list[Request], **more: Any) -> list[Facts]:
        return [{**self.asked(PIECES), **STREAMED, **self._said(requests[0], PIECES), **more}]

    def reasoning(self, requests: list[Request], **more: Any) -> list[Facts]:
        return [{**self.asked(THINK, name=self.thinker), **STREAMED, **self.thought(self._said(requests[0], THINK)),
                 **more}]

    def tools(self, requests: list[Request], **more: Any) -> list[Facts]:
        """The round trip: two requests."""
        response = says(self.result_role, self.response or tool_response(self.call_id, OUTSIDE))
        first = {**self.asked(QUESTION), **self.answered(requests[0], *self.call, reason=self.reasons[1])}
        second = {**self.asked(QUESTION, says("assistant", *(self.call_again or self.call)), response),
                  **self.answered(requests[1], f"{self.result}{OUTSIDE}", reason=self.reasons[0])}
        return [{**one, "gen_ai.tool.definitions": [self.tool], **more} for one in (first, second)]

    def streamed_tool_call(self, requests: list[Request], **more: Any) -> list[Facts]:
        """The first half of the round trip, streamed."""
        return [{**self.asked(QUESTION), **STREAMED, "gen_ai.tool.definitions": [self.tool],
                 **self.answered(requests[0], *self.call, reason=self.reasons[1]), **more}]

    def error(self, **more: Any) -> list[Facts]:
        return [{**self.asked(FAIL, name=self.busy), "error.type": self.refusal, **more}]

    def broken_stream(self, requests: list[Request], **more: Any) -> list[Facts]:
        return [{**self.asked(BREAK), **STREAMED, **self.broken(requests[0]), "error.type": "connection_closed", **more}]

    def _said(self, request: Request, asked: str) -> Facts:
        return self.answered(request, f"You said: {asked}", reason=self.reasons[0])


OPENAI_CALL = tool_call(openai.CALL_ID, "get_weather", openai.ARGUMENTS)


def _thought_as_message(told: Facts) -> Facts:
    thought = says("assistant", {"type": "reasoning", "content": openai.SUMMARY}, finish_reason="stop")
    return {**told, "gen_ai.request.reasoning.level": "low",
            "gen_ai.output.messages": [thought, *told["gen_ai.output.messages"]]}


def _thought_as_part(thought: str) -> Callable[[Facts], Facts]:
    def told_with(told: Facts) -> Facts:
        (said,) = told["gen_ai.output.messages"]
        parts = [{"type": "reasoning", "content": thought}, *said["parts"]]
        return {**told, "gen_ai.output.messages": [{**said, "parts": parts}]}

    return told_with


def _begun(told: Facts) -> Facts:
    return {name: told[name] for name in ("gen_ai.response.id", "gen_ai.response.model")}


CHAT = Dialect(
    asked=lambda *messages, **more: openai.asked("chat", *messages, **more),
    answered=lambda request, *parts, **more: openai.answered("chat", request, *parts, **more),
    reasons=("stop", "tool_call"), busy="busy", refusal="rate_limit_exceeded", thinker="", thought=lambda told: told,
    call=(OPENAI_CALL,), call_id=openai.CALL_ID, result_role="tool", result="Tool said: ", tool=openai.WEATHER,
    system_apart=False,
    broken=lambda request: openai.answered("chat", request, "You said:", reason="error", usage=False),
)
RESPONSES = Dialect(
    asked=lambda *messages, **more: openai.asked("responses", *messages, **more),
    answered=lambda request, *parts, **more: openai.answered("responses", request, *parts, **more),
    reasons=("stop", "tool_call"), busy="busy", refusal="rate_limit_exceeded",
    thinker="o4-mini", thought=_thought_as_message,
    call=(OPENAI_CALL,), call_id=openai.CALL_ID, result_role="tool", result="The tool said: ", tool=openai.WEATHER,
    system_apart=False, broken=lambda request: _begun(openai.answered("responses", request)),
)
ANTHROPIC = Dialect(
    asked=lambda *messages, name=anthropic.MODEL, **more: {**anthropic.asked(*messages, model=name), **more},
    answered=anthropic.answered,
    reasons=("end_turn", "tool_use"), busy="claude-busy", refusal="rate_limit_error",
    thinker=anthropic.MODEL, thought=_thought_as_part(anthropic.THOUGHT["thinking"]),
    call=("I look outside.", tool_call(anthropic.WEATHER["id"], "get_weather", {"city": "Paris"})),
    call_id=anthropic.WEATHER["id"], result_role="user", result="The tool said: ", tool=anthropic.TOOLS[0],
    system_apart=True,
    broken=lambda request: {**anthropic.answered(request, f"You said: {BREAK}", reason="error"),
                            "gen_ai.usage.output_tokens": 1},
)
GEMINI = Dialect(
    asked=lambda *messages, name=gemini.MODEL, **more: {**gemini.asked(*messages, model=name), **more},
    answered=gemini.answered,
    reasons=("stop", "tool_call"), busy="gemini-busy", refusal="RESOURCE_EXHAUSTED",
    thinker=gemini.MODEL, thought=_thought_as_part(gemini.THOUGHT["text"]),
    call=(tool_call(None, "get_weather", {"city": "Paris"}),), call_id=None, result_role="user",
    result="The tool said: ", tool=openai.WEATHER, system_apart=True,
    broken=lambda request: gemini.answered(request, "You said:", reason="error", used=gemini.USED_BEFORE_THE_END),
    response=tool_response(None, {"result": OUTSIDE}, name="get_weather"),
)
