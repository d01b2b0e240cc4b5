"""What the scripted server says as Ollama, and what telemetry says of it."""

import json

from harness.model import VECTOR, split_words
from harness.provider import Cut, Reply
from harness.sdk import says

MODEL, EMBEDDER = "qwen3:8b", "nomic-embed-text"
WEATHER = {"function": {"name": "get_weather", "arguments": {"city": "Paris"}}}
THOUGHT = "They want a thought."
DATE = "2025-10-01T00:00:00.123456789Z"
END = {
    "done": True, "done_reason": "stop", "total_duration": 812345678, "load_duration": 12345678,
    "prompt_eval_count": 26, "prompt_eval_duration": 130079000, "eval_count": 17, "eval_duration": 583079000,
}


# -- what the server says --------------------------------------------------------------------------------------------------

def answer(request):
    body = request.json
    if body["model"] == "no-such-model":
        return reply({"error": "model 'no-such-model' not found"}, 404)
    if request.path == "/api/embed":
        return reply({"model": body["model"], "embeddings": [VECTOR for _ in body["input"]], "total_duration": 14143917,
                      "load_duration": 1019500, "prompt_eval_count": 8})
    if request.path == "/api/generate":
        return streamed(request, [{"response": word} for word in split_words(f"You said: {body['prompt']}")])
    message = said(body)
    if body.get("stream"):
        return streamed(request, [{"message": {"role": "assistant", "content": "", **piece}} for piece in pieces(message)])
    return reply({"model": body["model"], "created_at": DATE, "message": message, **END})


def reply(document, status=200):
    return Reply(status, [("Content-Type", "application/json; charset=utf-8")], json.dumps(document).encode())


def said(body):
    last = body["messages"][-1]
    if last["role"] == "tool":
        return {"role": "assistant", "content": f"The tool said: {last['content']}"}
    if body.get("tools"):
        return {"role": "assistant", "content": "", "tool_calls": [WEATHER]}
    return {"role": "assistant", "content": f"You said: {last['content']}", **({"thinking": THOUGHT} if body.get("think") else {})}


def pieces(message):
    return [*({"thinking": word} for word in split_words(message.get("thinking", "")) if word),
            *({"content": word} for word in split_words(message["content"]) if word),
            *({"tool_calls": [call]} for call in message.get("tool_calls", ()))]


def streamed(request, parts):
    def lines():
        shell = {"model": request.json["model"], "created_at": DATE}
        for number, part in enumerate(parts):
            if number == 2 and "Break off" in json.dumps(request.json):
                yield Cut()
            yield json.dumps({**shell, **part, "done": False}).encode() + b"\n"
        empty = {"response": ""} if "response" in parts[0] else {"message": {"role": "assistant", "content": ""}}
        yield json.dumps({**shell, **empty, **END}).encode() + b"\n"

    return Reply(200, [("Content-Type", "application/x-ndjson")], lines(), framing="chunked")


# -- what telemetry says of it ---------------------------------------------------------------------------------------------

TOOLS = [{"type": "function", "name": "get_weather", "description": "The weather in a city", "parameters": {
    "type": "object", "properties": {"city": {"type": "string", "description": "The name of the city"}},
    "required": ["city"]}}]


def asked(*messages, operation="chat", model=MODEL):
    return {
        "gen_ai.operation.name": operation, "gen_ai.provider.name": "ollama", "gen_ai.request.model": model,
        "gen_ai.input.messages": [says("user", m) if isinstance(m, str) else m for m in messages],
    }


def answered(*parts, finish="stop"):
    return {
        "gen_ai.response.model": MODEL, "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.output.messages": [says("assistant", *parts, finish_reason=finish)],
        "gen_ai.usage.input_tokens": 26, "gen_ai.usage.output_tokens": 17,
    }
