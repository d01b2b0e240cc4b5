"""What the scripted server says: a small deterministic model behind the OpenAI API."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Iterator

from .provider import Hang, Reply, Request, Step

DATE = "Wed, 01 Oct 2025 00:00:00 GMT"
FINGERPRINT = "fp_e2e"
VECTOR = [0.25, -0.5, 0.75, 1.0]


def tag(request: Request) -> str:
    """Stable for a request's body, so that two runs of a program get the same ids."""
    return hashlib.sha256(request.body).hexdigest()[:12]


def headers(request: Request, content_type: str = "application/json") -> list[tuple[str, str]]:
    """Headers as providers send them: mixed case, repeated, empty, and in an order of their own."""
    return [
        ("Date", DATE),
        ("Content-Type", content_type),
        ("X-Request-ID", f"req_{tag(request)}"),
        ("openai-processing-ms", "12"),
        ("Openai-Organization", "e2e-org"),
        ("Set-Cookie", "session=response-cookie-secret; path=/"),
        ("Set-Cookie", "second=2; path=/"),
        ("X-MiXed-CaSe", "Kept, As  Is"),
        ("X-Empty", ""),
        ("x-ratelimit-remaining-tokens", "149984"),
    ]


def answer(request: Request) -> Reply:
    """The model: chat, streamed chat, tools, embeddings, and errors by model name."""
    body = request.json
    model = body.get("model", "gpt-deployment")
    if model == "flaky":
        return flaky(request)
    if model == "no-such-model":
        return error(request, 404, f"The model `{model}` does not exist", "invalid_request_error", "model_not_found")
    if request.path.endswith("/embeddings"):
        return embeddings(request)
    if not request.path.endswith("/chat/completions"):
        return Reply(404, headers(request), b'{"error":{"message":"no such path","type":"invalid_request_error"}}')
    if body.get("stream"):
        return Reply(200, headers(request, "text/event-stream; charset=utf-8"), stream(request), framing="chunked")
    return as_json(request, completion(request))


def as_json(request: Request, body: object, status: int = 200) -> Reply:
    return Reply(status, headers(request), json.dumps(body, indent=2).encode())


def error(request: Request, status: int, message: str, type: str, code: str | None) -> Reply:
    return as_json(request, {"error": {"message": message, "type": type, "param": None, "code": code}}, status)


def message(body: dict) -> tuple[dict, str]:
    """The assistant's message and its finish reason."""
    last = body["messages"][-1]
    if body.get("tools") and last["role"] != "tool":
        call = {"id": "call_weather_1", "type": "function",
                "function": {"name": "get_weather", "arguments": '{"city": "Paris", "unit": "celsius"}'}}
        return {"role": "assistant", "content": None, "tool_calls": [call], "refusal": None}, "tool_calls"
    if last["role"] == "tool":
        return {"role": "assistant", "content": f"Tool said: {last['content']}", "refusal": None}, "stop"
    return {"role": "assistant", "content": f"You said: {last['content']}", "refusal": None}, "stop"


USAGE = {
    "prompt_tokens": 19, "completion_tokens": 10, "total_tokens": 29,
    "prompt_tokens_details": {"cached_tokens": 16, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 4, "audio_tokens": 0,
                                  "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0},
}


def response_model(body: dict) -> str:
    return f"{body.get('model', 'gpt-deployment')}-2025-01-31"


def completion(request: Request) -> dict:
    body = request.json
    reply, reason = message(body)
    choices = [{"index": i, "message": reply, "logprobs": None, "finish_reason": reason}
               for i in range(body.get("n") or 1)]
    return {
        "id": f"chatcmpl-{tag(request)}", "object": "chat.completion", "created": 1759276800,
        "model": response_model(body), "choices": choices, "usage": USAGE,
        "service_tier": "default", "system_fingerprint": FINGERPRINT,
    }


def events(request: Request) -> list[dict]:
    """The stream's chunks, without the terminal marker."""
    body = request.json
    reply, reason = message(body)
    with_usage = bool((body.get("stream_options") or {}).get("include_usage"))
    deltas: list[dict] = []
    if reply.get("tool_calls"):
        call = reply["tool_calls"][0]
        arguments = call["function"]["arguments"]
        deltas.append({"role": "assistant", "content": None})
        deltas.append({"tool_calls": [{"index": 0, "id": call["id"], "type": "function",
                                       "function": {"name": call["function"]["name"], "arguments": ""}}]})
        for piece in (arguments[:9], arguments[9:20], arguments[20:]):
            deltas.append({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
    else:
        deltas.append({"role": "assistant", "content": ""})
        deltas += [{"content": word} for word in split_words(reply["content"])]
    chunks = []
    for delta in deltas:
        chunks.append({"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}]})
    chunks.append({"choices": [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": reason}]})
    if with_usage:
        for chunk in chunks:
            chunk["usage"] = None
        chunks.append({"choices": [], "usage": USAGE})
    shell = {"id": f"chatcmpl-{tag(request)}", "object": "chat.completion.chunk", "created": 1759276800,
             "model": response_model(body), "service_tier": "default", "system_fingerprint": FINGERPRINT}
    return [{**shell, **chunk} for chunk in chunks]


def split_words(text: str) -> list[str]:
    words = text.split(" ")
    return [word if i == 0 else f" {word}" for i, word in enumerate(words)]


def sse(event: object) -> bytes:
    return b"data: " + (event if isinstance(event, bytes) else json.dumps(event).encode()) + b"\n\n"


def stream(request: Request) -> Iterator[Step]:
    """The chunks and the marker; or, asked for a never-ending story, the first pieces and then nothing more."""
    if request.json["messages"][-1]["content"] == "never-ending story":
        yield from (sse(event) for event in events(request)[:4])
        yield Hang()
    for event in events(request):
        yield sse(event)
    yield sse(b"[DONE]")


def flaky(request: Request) -> Reply:
    """Fails with 500, then with 429, then works, by the client's own count of its tries."""
    tries = int(request.header("x-stainless-retry-count") or 0)
    if tries == 0:
        reply = error(request, 500, "The server had an error", "server_error", None)
    elif tries == 1:
        reply = error(request, 429, "Too many requests", "requests", "rate_limit_exceeded")
    else:
        return as_json(request, completion(request))
    reply.headers.append(("Retry-After-Ms", "1"))
    return reply


def embeddings(request: Request) -> Reply:
    body = request.json
    inputs = body["input"] if isinstance(body["input"], list) else [body["input"]]
    vector: object = VECTOR
    if body.get("encoding_format") == "base64":
        vector = base64.b64encode(struct.pack(f"<{len(VECTOR)}f", *VECTOR)).decode()
    data = [{"object": "embedding", "index": i, "embedding": vector} for i in range(len(inputs))]
    return as_json(request, {"object": "list", "data": data, "model": response_model(body),
                             "usage": {"prompt_tokens": 7, "total_tokens": 7}})
