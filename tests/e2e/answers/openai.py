"""What the scripted server says as OpenAI: Chat Completions and embeddings as in `harness/model.py`, and Responses.

Asked to "Break off", a stream does; asked to "Please fail", the model has no time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

from harness import model
from harness.provider import Cut, Reply, Request, Step
from harness.sdk import says

KEY = "sk-e2e-SECRETSECRET-0123456789abcdef"
QUESTION = "How is the weather in Paris?"
OUTSIDE = "18 degrees and sunny"
CALL_ID = "call_weather_1"
ARGUMENTS = {"city": "Paris", "unit": "celsius"}
SUMMARY = "They want a thought. Here is one."
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"type": "function", "name": "get_weather", "description": "The weather in a city", "parameters": PARAMETERS}
"""The tool of all programs, as content attributes have it."""


def answer(request: Request) -> Reply:
    body = request.json
    if body["model"] == "busy" or "Please fail" in json.dumps(body):
        return model.error(request, 429, "Too many requests in this minute", "requests", "rate_limit_exceeded")
    if request.path.endswith("/responses"):
        if not body.get("stream"):
            return model.as_json(request, response(request))
        return streamed(request, response_events(request))
    if body.get("stream") and "Break off" in json.dumps(body):
        return streamed(request, broken([model.sse(event) for event in model.events(request)]))
    return model.answer(request)


def streamed(request: Request, body: Iterator[Step]) -> Reply:
    return Reply(200, model.headers(request, "text/event-stream; charset=utf-8"), body, framing="chunked")


def broken(events: list[bytes]) -> Iterator[Step]:
    """The first events, and the end of the connection."""
    yield from events[:3]
    yield Cut()


# -- Responses -------------------------------------------------------------------------------------------------------------

RESPONSES_USAGE = {
    "input_tokens": 33, "input_tokens_details": {"cached_tokens": 24},
    "output_tokens": 17, "output_tokens_details": {"reasoning_tokens": 6}, "total_tokens": 50,
}


def items(body: dict[str, Any], tag: str) -> list[dict[str, Any]]:
    """What the model says, as output items."""
    asked = body["input"]
    last = asked if isinstance(asked, str) else asked[-1]
    if isinstance(last, dict) and last.get("type") == "function_call_output":
        return [_message(f"The tool said: {last['output']}", tag)]
    if body.get("tools"):
        return [{"type": "function_call", "id": f"fc_{tag}", "call_id": CALL_ID, "name": "get_weather",
                 "arguments": json.dumps(ARGUMENTS), "status": "completed"}]
    words = last if isinstance(last, str) else last["content"]
    words = words if isinstance(words, str) else words[0]["text"]
    thought = {"type": "reasoning", "id": f"rs_{tag}", "summary": [{"type": "summary_text", "text": SUMMARY}]}
    return [*([thought] if body.get("reasoning") else []), _message(f"You said: {words}", tag)]


def _message(words: str, tag: str) -> dict[str, Any]:
    text = {"type": "output_text", "annotations": [], "logprobs": [], "text": words}
    return {"type": "message", "id": f"msg_{tag}", "status": "completed", "role": "assistant", "content": [text]}


def response(request: Request, status: str = "completed") -> dict[str, Any]:
    body, over = request.json, status == "completed"
    tag = model.tag(request)
    return {
        "id": f"resp_{tag}", "object": "response", "created_at": 1759276800, "status": status, "background": False,
        "error": None, "incomplete_details": None, "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"), "metadata": {}, "model": model.response_model(body),
        "output": items(body, tag) if over else [], "parallel_tool_calls": True, "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None, **(body.get("reasoning") or {})},
        "service_tier": "default" if over else "auto", "store": True, "temperature": body.get("temperature") or 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"}, "tool_choice": "auto",
        "tools": body.get("tools") or [], "top_logprobs": 0, "top_p": 1.0, "truncation": "disabled",
        "usage": RESPONSES_USAGE if over else None, "user": None,
    }


def response_events(request: Request) -> Iterator[Step]:
    numbers = count()

    def event(type: str, **more: Any) -> bytes:
        data = {"type": type, "sequence_number": next(numbers), **more}
        return f"event: {type}\ndata: {json.dumps(data)}\n\n".encode()

    yield event("response.created", response=response(request, "in_progress"))
    yield event("response.in_progress", response=response(request, "in_progress"))
    if "Break off" in json.dumps(request.json):
        yield Cut()
    for index, item in enumerate(items(request.json, model.tag(request))):
        at = {"item_id": item["id"], "output_index": index}
        match item["type"]:
            case "message":
                text = item["content"][0]
                part = {**at, "content_index": 0}
                yield event("response.output_item.added", output_index=index,
                            item={**item, "status": "in_progress", "content": []})
                yield event("response.content_part.added", **part, part={**text, "text": ""})
                for word in model.split_words(text["text"]):
                    yield event("response.output_text.delta", **part, delta=word, logprobs=[])
                yield event("response.output_text.done", **part, text=text["text"], logprobs=[])
                yield event("response.content_part.done", **part, part=text)
            case "reasoning":
                part = {**at, "summary_index": 0}
                yield event("response.output_item.added", output_index=index, item={**item, "summary": []})
                yield event("response.reasoning_summary_part.added", **part, part={**item["summary"][0], "text": ""})
                for word in model.split_words(SUMMARY):
                    yield event("response.reasoning_summary_text.delta", **part, delta=word)
                yield event("response.reasoning_summary_text.done", **part, text=SUMMARY)
                yield event("response.reasoning_summary_part.done", **part, part=item["summary"][0])
            case "function_call":
                yield event("response.output_item.added", output_index=index,
                            item={**item, "status": "in_progress", "arguments": ""})
                for piece in (item["arguments"][:9], item["arguments"][9:]):
                    yield event("response.function_call_arguments.delta", **at, delta=piece)
                yield event("response.function_call_arguments.done", **at, arguments=item["arguments"])
        yield event("response.output_item.done", output_index=index, item=item)
    yield event("response.completed", response=response(request))


# -- what telemetry says of it ---------------------------------------------------------------------------------------------

APIS = {"chat": "chat_completions", "responses": "responses"}
USED = {
    "chat": {"gen_ai.usage.input_tokens": 19, "gen_ai.usage.output_tokens": 10,
             "gen_ai.usage.cache_read.input_tokens": 16, "gen_ai.usage.reasoning.output_tokens": 4},
    "responses": {"gen_ai.usage.input_tokens": 33, "gen_ai.usage.output_tokens": 17,
                  "gen_ai.usage.cache_read.input_tokens": 24, "gen_ai.usage.reasoning.output_tokens": 6},
}


def asked(api: str, *messages: Any, name: str = "gpt-4o-mini", **more: Any) -> dict[str, Any]:
    """What is known when a call begins; a message that is a string is the user's."""
    return {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": name,
        "openai.api.type": APIS[api],
        "gen_ai.input.messages": [says("user", m) if isinstance(m, str) else m for m in messages], **more,
    }


def answered(api: str, request: Request, *parts: Any, reason: str = "stop", usage: bool = True) -> dict[str, Any]:
    """What the answer adds."""
    native = {"tool_call": "tool_calls"}.get(reason, reason)
    return {
        "gen_ai.response.id": f"{'chatcmpl' if api == 'chat' else 'resp'}-{model.tag(request)}".replace("resp-", "resp_"),
        "gen_ai.response.model": model.response_model(request.json),
        "gen_ai.response.finish_reasons": [native],
        "gen_ai.output.messages": [says("assistant", *parts, finish_reason=reason)],
        "openai.response.service_tier": "default",
        **({"openai.response.system_fingerprint": model.FINGERPRINT} if api == "chat" else {}),
        **(USED[api] if usage else {}),
    }


def embedded() -> dict[str, Any]:
    """A call for embeddings of `text-embedding-3-small`."""
    return {
        "gen_ai.operation.name": "embeddings", "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "text-embedding-3-small",
        "gen_ai.response.model": "text-embedding-3-small-2025-01-31", "gen_ai.embeddings.dimension.count": 4,
        "gen_ai.usage.input_tokens": 7,
    }
