"""Messages: whole, streamed, with tools, refused, broken off, and by the async client."""
import asyncio
import json

import anthropic

MODEL = "claude-sonnet-4-5"
WEATHER = {
    "name": "get_weather",
    "description": "The weather in a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
client = anthropic.Anthropic(max_retries=0)
seen = {}


def ask(text):
    return [{"role": "user", "content": text}]


message = client.messages.create(
    model=MODEL, max_tokens=64, stop_sequences=["END"], system="Answer briefly.",
    messages=ask("Say this is a test – ünïcödé 🦀"), extra_body={"temperature": 0.2, "top_k": 5},
)
seen["unary"] = {"message": message.model_dump(mode="json"), "request_id": message._request_id}

stream = client.messages.create(model=MODEL, max_tokens=64, messages=ask("Say it in pieces"), stream=True)
seen["stream"] = [event.model_dump(mode="json", warnings=False) for event in stream]

with client.messages.stream(
    model=MODEL, max_tokens=2048, thinking={"type": "enabled", "budget_tokens": 1024}, messages=ask("Think first"),
) as stream:
    seen["thinking"] = stream.get_final_message().model_dump(mode="json", warnings=False)

messages = ask("How is the weather in Paris?")
first = client.messages.create(model=MODEL, max_tokens=64, tools=[WEATHER], messages=messages)
call = first.content[-1]
messages += [
    {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in first.content]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "18 degrees and sunny"}]},
]
second = client.messages.create(model=MODEL, max_tokens=64, tools=[WEATHER], messages=messages)
seen["tools"] = {"call": call.model_dump(mode="json"), "answer": second.content[0].text}

with client.messages.stream(model=MODEL, max_tokens=64, tools=[WEATHER], messages=messages[:1]) as stream:
    seen["streamed tools"] = stream.get_final_message().model_dump(mode="json", warnings=False)

try:
    client.messages.create(model="claude-busy", max_tokens=64, messages=ask("Please fail"))
except anthropic.APIStatusError as problem:
    seen["error"] = [type(problem).__name__, problem.status_code, problem.message, problem.body, problem.request_id]

pieces = []
try:
    for event in client.messages.create(model=MODEL, max_tokens=64, messages=ask("Break off"), stream=True):
        pieces.append(event.type)
except Exception as problem:
    pieces.append(f"{type(problem).__name__}: {problem}")
seen["broken stream"] = pieces


async def by_async_client():
    async with anthropic.AsyncAnthropic(max_retries=0) as other:
        stream = await other.messages.create(model=MODEL, max_tokens=64, messages=ask("Say it in pieces"), stream=True)
        return [event.type async for event in stream]


seen["async"] = asyncio.run(by_async_client())
print(json.dumps(seen))
