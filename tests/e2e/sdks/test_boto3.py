"""The AWS SDK `boto3` for Python with Bedrock Runtime: signed requests, binary event streams."""

import base64
import binascii
import json
import re
import struct
import urllib.parse
from dataclasses import replace

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from harness.launcher import python
from harness.model import VECTOR, split_words, tag
from harness.provider import Cut, Reply
from harness.sdk import STREAMED, Sdk, assert_hooked, says, tool_call, tool_response

KEY, SECRET, REGION = "AKIAE2ESECRETSECRET1", "e2e/SECRETSECRET+0123456789abcdefghijklm", "us-east-1"
HOST = f"bedrock-runtime.{REGION}.amazonaws.com"
MODEL, EMBEDDER = "anthropic.claude-3-5-haiku-20241022-v1:0", "amazon.titan-embed-text-v2:0"
WEATHER = {"toolUse": {"toolUseId": "tooluse_e2e_weather", "name": "get_weather", "input": {"city": "Paris"}}}
THOUGHT = "They want a thought."
USAGE = {"inputTokens": 12, "outputTokens": 21, "totalTokens": 68, "cacheReadInputTokens": 30, "cacheWriteInputTokens": 5}
CLAUDES = {"input_tokens": 12, "output_tokens": 21, "cache_read_input_tokens": 30, "cache_creation_input_tokens": 5}


# -- what the server says --------------------------------------------------------------------------------------------------

def headers(request, content_type="application/json"):
    return [("Date", "Wed, 01 Oct 2025 00:00:00 GMT"), ("Content-Type", content_type), ("x-amzn-RequestId", tag(request))]


def answer(request):
    _, model, operation = urllib.parse.unquote(request.path).removeprefix("/").split("/")
    if "busy" in model:
        about = [*headers(request), ("x-amzn-ErrorType", "ThrottlingException:http://internal.amazon.com/coral/")]
        return Reply(429, about, b'{"message":"Too many requests in this minute"}')
    match operation:
        case "converse":
            content, reason = said(request.json)
            return reply(request, {"metrics": {"latencyMs": 812}, "stopReason": reason, "usage": USAGE,
                                   "output": {"message": {"role": "assistant", "content": content}}})
        case "converse-stream":
            return streamed(request, converse_stream(request.json))
        case "invoke-with-response-stream":
            return streamed(request, (frame("chunk", {"bytes": base64.b64encode(json.dumps(event).encode()).decode(),
                                                      "p": "abcdef"}) for event in claude_stream(request)))
    if model == EMBEDDER:
        return reply(request, {"embedding": VECTOR, "inputTextTokenCount": 3, "embeddingsByType": {"float": VECTOR}})
    text = f"You said: {request.json['messages'][0]['content']}"
    return reply(request, {**claude(request), "content": [{"type": "text", "text": text}], "stop_reason": "end_turn",
                           "usage": CLAUDES})


def reply(request, document):
    return Reply(200, headers(request), json.dumps(document).encode())


def streamed(request, frames):
    return Reply(200, headers(request, "application/vnd.amazon.eventstream"), frames, framing="chunked")


def frame(event, document):
    """A message of Amazon's event stream, with both of its checksums."""
    about = b"".join(struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", 7, len(value)) + value.encode()
                     for name, value in ((":event-type", event), (":content-type", "application/json"),
                                         (":message-type", "event")))
    payload = json.dumps(document).encode()
    prelude = struct.pack(">II", 16 + len(about) + len(payload), len(about))
    whole = prelude + struct.pack(">I", binascii.crc32(prelude)) + about + payload
    return whole + struct.pack(">I", binascii.crc32(whole))


def said(body):
    asked = body["messages"][-1]["content"][0]
    if "toolResult" in asked:
        return [{"text": f"The tool said: {asked['toolResult']['content'][0]['text']}"}], "end_turn"
    if body.get("toolConfig"):
        return [{"text": "I look outside."}, WEATHER], "tool_use"
    thought = {"reasoningContent": {"reasoningText": {"text": THOUGHT, "signature": "c2lnbmVkLWJ5LWUyZQ=="}}}
    return [*([thought] if body.get("additionalModelRequestFields") else []), {"text": f"You said: {asked['text']}"}], "end_turn"


def converse_stream(body):
    content, reason = said(body)
    yield frame("messageStart", {"p": "abcd", "role": "assistant"})
    for index, block in enumerate(content):
        def delta(piece, index=index):
            return frame("contentBlockDelta", {"contentBlockIndex": index, "delta": piece, "p": "abcdefghijklm"})

        if "toolUse" in block:
            started = {key: block["toolUse"][key] for key in ("toolUseId", "name")}
            yield frame("contentBlockStart", {"contentBlockIndex": index, "start": {"toolUse": started}, "p": "ab"})
            arguments = json.dumps(block["toolUse"]["input"])
            yield from (delta({"toolUse": {"input": piece}}) for piece in (arguments[:7], arguments[7:]))
        elif "reasoningContent" in block:
            yield from (delta({"reasoningContent": {"text": word}}) for word in split_words(THOUGHT))
            yield delta({"reasoningContent": {"signature": "c2lnbmVkLWJ5LWUyZQ=="}})
        else:
            words = split_words(block["text"])
            yield from (delta({"text": word}) for word in words[:2])
            if "Break off" in block["text"]:
                yield delta({"text": words[2]})[:50]
                yield Cut()
            yield from (delta({"text": word}) for word in words[2:])
        yield frame("contentBlockStop", {"contentBlockIndex": index, "p": "abc"})
    yield frame("messageStop", {"p": "abcdefg", "stopReason": reason})
    yield frame("metadata", {"metrics": {"latencyMs": 812}, "p": "a", "usage": USAGE})


def claude(request):
    return {"id": f"msg_bdrk_{tag(request)}", "type": "message", "role": "assistant", "model": "claude-3-5-haiku-20241022",
            "stop_reason": None, "stop_sequence": None}


def claude_stream(request):
    yield {"type": "message_start", "message": {**claude(request), "content": [], "usage": {**CLAUDES, "output_tokens": 1}}}
    yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    for word in split_words(f"You said: {request.json['messages'][0]['content']}"):
        yield {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}}
    yield {"type": "content_block_stop", "index": 0}
    yield {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 21}}
    yield {"type": "message_stop", "amazon-bedrock-invocationMetrics": {
        "inputTokenCount": 12, "outputTokenCount": 21, "invocationLatency": 812, "firstByteLatency": 400,
        "cacheReadInputTokenCount": 30, "cacheWriteInputTokenCount": 5}}


# -- what is told ----------------------------------------------------------------------------------------------------------

SDK = Sdk(
    python("boto3/calls.py"), answer,
    {"unary": 1, "stream": 1, "thinking": 1, "tools": 2, "streamed tools": 1, "error": 1, "broken stream": 1, "invoke": 1,
     "invoke stream": 1, "embeddings": 1},
    env=lambda origin: {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": origin, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET,
                        "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
                        # Its User-Agent lists a set.
                        "PYTHONHASHSEED": "0"},
    # Converse names neither its answer nor the model, and embeddings have no formats.
    findings=(f'"chat {MODEL}": gen_ai.response.(id|model): ',
              f'"embeddings {EMBEDDER}": gen_ai.(response.model|request.encoding_formats): '),
    # These tell the moment, and the signature covers them.
    volatile=("amz-sdk-invocation-id", "x-amz-date", "authorization"),
)
TOOLS = [{"type": "function", "name": "get_weather", "description": "The weather in a city",
          "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}]
REASONS = {"end_turn": "stop", "tool_use": "tool_call", "error": "error"}
USED = {
    "gen_ai.usage.input_tokens": 47, "gen_ai.usage.output_tokens": 21,
    "gen_ai.usage.cache_creation.input_tokens": 5, "gen_ai.usage.cache_read.input_tokens": 30,
}


@pytest.fixture
def ran(launcher):
    return SDK.ran(launcher)


def asked(*messages, model=MODEL):
    return {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "aws.bedrock", "gen_ai.request.model": model,
        "gen_ai.input.messages": [says("user", m) if isinstance(m, str) else m for m in messages],
    }


def answered(*parts, reason="end_turn", used=USED):
    return {
        "gen_ai.response.finish_reasons": [reason],
        "gen_ai.output.messages": [says("assistant", *parts, finish_reason=REASONS[reason])], **used,
    }


def test_signatures_stay_valid(ran):
    assert_signed(ran.wrapped.requests, f"127.0.0.1:{ran['unary'].port}")
    assert {request.header("host") for request in ran.wrapped.requests} == {f"127.0.0.1:{ran['unary'].port}"}


@pytest.mark.proves("boto3 (Bedrock Runtime)", "Python", "by hooks")
def test_signatures_are_for_the_host_that_was_asked(launcher):
    """Without a variable. The scripted server stands in for AWS here; AWS itself would get its own name in `Host`."""
    # The SDK's User-Agent says whether the variable was set.
    hooked = replace(SDK.by_hooks("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", HOST), volatile=(*SDK.volatile, "user-agent"))
    assert_hooked(hooked, launcher, HOST)
    assert_signed(hooked.ran(launcher).wrapped.requests, HOST)


def assert_signed(requests, host):
    """As AWS does: the signature of what arrived is computed anew. The host is signed, too."""
    assert len(requests) == sum(SDK.exchanges.values())
    for request in requests:
        given = dict(re.findall("(SignedHeaders|Signature)=([^, ]*)", request.header("authorization")))
        assert "host" in given["SignedHeaders"].split(";")
        assert signature(request, host, given["SignedHeaders"].split(";")) == given["Signature"]


def signature(request, host, signed):
    sent = AWSRequest(request.method, f"http://{host}{request.target}", data=request.body,
                      headers={name: host if name == "host" else request.header(name) for name in signed})
    sent.context["timestamp"] = request.header("x-amz-date")
    signer = SigV4Auth(Credentials(KEY, SECRET), "bedrock", REGION)
    return signer.signature(signer.string_to_sign(sent, signer.canonical_request(sent)), sent)


@pytest.mark.proves("boto3 (Bedrock Runtime)", "Python", "unary")
def test_converse(ran):
    one = ran["unary"]
    assert one.printed["output"]["message"]["content"][0]["text"] == "You said: Say this is a test – ünïcödé 🦀"
    one.assert_spans({
        **asked("Say this is a test – ünïcödé 🦀"),
        "gen_ai.request.temperature": 0.5, "gen_ai.request.top_p": 0.75, "gen_ai.request.max_tokens": 64,
        "gen_ai.request.stop_sequences": ["END"],
        "gen_ai.system_instructions": [{"type": "text", "content": "Answer briefly."}],
        **answered("You said: Say this is a test – ünïcödé 🦀"),
    })


@pytest.mark.proves("boto3 (Bedrock Runtime)", "Python", "stream")
def test_converse_stream(ran):
    one = ran["stream"]
    assert [*one.printed[-1]] == ["metadata"]
    one.assert_spans({**asked("In pieces"), **STREAMED, **answered("You said: In pieces")})


@pytest.mark.proves("boto3 (Bedrock Runtime)", "Python", "reasoning")
def test_a_streamed_thought(ran):
    thought = {"type": "reasoning", "content": THOUGHT}
    ran["thinking"].assert_spans({**asked("Think first"), **STREAMED, **answered(thought, "You said: Think first")})


@pytest.mark.proves("boto3 (Bedrock Runtime)", "Python", "tools")
def test_a_tools_round_trip(ran):
    one = ran["tools"]
    assert one.printed["answer"] == "The tool said: 18 degrees and sunny"
    call = tool_call("tooluse_e2e_weather", "get_weather", {"city": "Paris"})
    question = "How is the weather in Paris?"
    one.assert_spans({
        **asked(question), "gen_ai.tool.definitions": TOOLS, **answered("I look outside.", call, reason="tool_use"),
    }, {
        **asked(question, says("assistant", "I look outside.", call),
                says("user", tool_response("tooluse_e2e_weather", "18 degrees and sunny"))),
        "gen_ai.tool.definitions": TOOLS, **answered("The tool said: 18 degrees and sunny"),
    })


@pytest.mark.proves("boto3 (Bedrock Runtime)", "Python", "streamed tools")
def test_a_streamed_tool_call(ran):
    call = tool_call("tooluse_e2e_weather", "get_weather", {"city": "Paris"})
    ran["streamed tools"].assert_spans({
        **asked("How is the weather in Paris?"), **STREAMED, "gen_ai.tool.definitions": TOOLS,
        **answered("I look outside.", call, reason="tool_use"),
    })


@pytest.mark.proves("boto3 (Bedrock Runtime)", "Python", "error")
def test_a_refusal(ran):
    one = ran["error"]
    assert (one.printed[0], one.printed[1]["Code"]) == (429, "ThrottlingException")
    one.assert_spans({**asked("Please fail", model="amazon.nova-busy-v1:0"), "error.type": "ThrottlingException"})


@pytest.mark.proves("boto3 (Bedrock Runtime)", "Python", "broken stream")
def test_a_stream_that_breaks_off(ran):
    one = ran["broken stream"]
    assert one.printed[:3] == ["messageStart", "contentBlockDelta", "contentBlockDelta"] and "Error" in one.printed[-1]
    one.assert_spans({
        **asked("Break off"), **STREAMED, **answered("You said:", reason="error", used={}), "error.type": "connection_closed",
    })


def test_invoke_model(ran):
    one = ran["invoke"]
    assert one.printed[1]["content"][0]["text"] == "You said: By its own body"
    one.assert_spans({
        **asked("By its own body"), "gen_ai.request.temperature": 0.5, "gen_ai.request.max_tokens": 64,
        "gen_ai.response.id": f"msg_bdrk_{tag(one.requests[0])}", "gen_ai.response.model": "claude-3-5-haiku-20241022",
        **answered("You said: By its own body"),
    })


def test_invoke_model_with_response_stream(ran):
    one = ran["invoke stream"]
    assert one.printed[-1]["type"] == "message_stop"
    one.assert_spans({
        **asked("In pieces"), "gen_ai.request.temperature": 0.5, "gen_ai.request.max_tokens": 64, **STREAMED,
        "gen_ai.response.id": f"msg_bdrk_{tag(one.requests[0])}", "gen_ai.response.model": "claude-3-5-haiku-20241022",
        **answered("You said: In pieces"),
    })


@pytest.mark.proves("boto3 (Bedrock Runtime)", "Python", "embeddings")
def test_embeddings(ran):
    one = ran["embeddings"]
    assert one.printed["embedding"] == VECTOR
    one.assert_spans({
        "gen_ai.operation.name": "embeddings", "gen_ai.provider.name": "aws.bedrock", "gen_ai.request.model": EMBEDDER,
        "gen_ai.embeddings.dimension.count": 4, "gen_ai.usage.input_tokens": 3,
    })
