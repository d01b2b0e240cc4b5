"""What the scripted server says as Gemini, in its own API and in Vertex AI's, and what telemetry says of it."""

import json

from harness.model import VECTOR, split_words, tag
from harness.provider import Cut, Reply
from harness.sdk import says

KEY = "AIza-e2e-SECRETSECRET-0123456789"
MODEL, ANSWERED, EMBEDDER = "gemini-2.5-flash", "gemini-2.5-flash-001", "text-embedding-005"
WEATHER = {"functionCall": {"name": "get_weather", "args": {"city": "Paris"}}, "thoughtSignature": "c2lnbmVkLWJ5LWUyZQ=="}
THOUGHT = {"text": "They want a thought.", "thought": True}
USAGE = {
    "promptTokenCount": 40, "candidatesTokenCount": 9, "totalTokenCount": 61,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 40}],
    "cachedContentTokenCount": 32, "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": 32}],
    "candidatesTokensDetails": [{"modality": "TEXT", "tokenCount": 9}], "thoughtsTokenCount": 12,
}


# -- what the server says --------------------------------------------------------------------------------------------------

def headers(content_type="application/json; charset=UTF-8"):
    return [("Content-Type", content_type), ("Vary", "Origin"), ("Vary", "X-Origin"), ("Server-Timing", "gfet4t7; dur=12")]


def answer(request):
    method = request.path.rsplit(":", 1)[1]
    if "gemini-busy" in request.path:
        error = {"error": {"code": 429, "message": "Too many requests in this minute", "status": "RESOURCE_EXHAUSTED"}}
        return Reply(429, headers(), json.dumps(error).encode())
    if method == "streamGenerateContent":
        return Reply(200, headers("text/event-stream"), stream(request), framing="chunked")
    return Reply(200, headers(), json.dumps(ANSWERS[method](request), indent=2).encode())


def generated(request, parts=None, last=True):
    candidate = {"content": {"parts": parts or said(request.json), "role": "model"}, "index": 0}
    return {
        "candidates": [{**candidate, **({"finishReason": "STOP"} if last else {})}],
        "usageMetadata": USAGE if last else {"promptTokenCount": 40, "candidatesTokenCount": 2, "totalTokenCount": 42},
        "modelVersion": ANSWERED, "responseId": f"resp_{tag(request)}",
    }


def said(body):
    asked = body["contents"][-1]["parts"][0]
    if "functionResponse" in asked:
        response = asked["functionResponse"]["response"]
        return [{"text": f"The tool said: {response.get('result') or response.get('content')}"}]
    if body.get("tools"):
        return [WEATHER]
    return [*([THOUGHT] if body.get("generationConfig", {}).get("thinkingConfig") else []),
            {"text": f"You said: {asked['text']}"}]


def stream(request):
    pieces = [{**part, "text": piece} if "text" in part else part
              for part in said(request.json) for piece in split_words(part.get("text", ""))]
    for number, piece in enumerate(pieces, 1):
        if number == 3 and "Break off" in json.dumps(request.json):
            yield Cut()
        yield b"data: " + json.dumps(generated(request, [piece], number == len(pieces))).encode() + b"\r\n\r\n"


def embedded(request):
    return {"embeddings": [{"values": VECTOR} for _ in request.json["requests"]]}


def predicted(request):
    one = {"embeddings": {"statistics": {"token_count": 3, "truncated": False}, "values": VECTOR}}
    return {"predictions": [one for _ in request.json["instances"]], "metadata": {"billableCharacterCount": 6}}


ANSWERS = {"generateContent": generated, "batchEmbedContents": embedded, "predict": predicted}


# -- what telemetry says of it ---------------------------------------------------------------------------------------------

USED = {
    "gen_ai.usage.input_tokens": 40, "gen_ai.usage.output_tokens": 21,
    "gen_ai.usage.cache_read.input_tokens": 32, "gen_ai.usage.reasoning.output_tokens": 12,
}
USED_BEFORE_THE_END = {"gen_ai.usage.input_tokens": 40, "gen_ai.usage.output_tokens": 2}


def asked(*messages, model=MODEL, provider="gcp.gen_ai"):
    return {
        "gen_ai.operation.name": "generate_content", "gen_ai.provider.name": provider, "gen_ai.request.model": model,
        "gen_ai.input.messages": [says("user", m) if isinstance(m, str) else m for m in messages],
    }


def answered(request, *parts, reason="stop", used=USED):
    return {
        "gen_ai.response.id": f"resp_{tag(request)}", "gen_ai.response.model": ANSWERED,
        "gen_ai.response.finish_reasons": ["error" if reason == "error" else "STOP"],
        "gen_ai.output.messages": [says("assistant", *parts, finish_reason=reason)], **used,
    }
