"""Mistral: chats whole, streamed, with a thought, with tools, refused, broken off, asynchronous; completion; embeddings."""
import asyncio
import json
import os

from mistralai.client import Mistral
from mistralai.client.errors import SDKError

MODEL = "mistral-small-latest"
WEATHER = {"type": "function", "function": {
    "name": "get_weather", "description": "The weather in a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}
# No variable leads this SDK elsewhere: alone it is told here, under `otel-genai run` it asks for its usual address.
where = {"api_key": os.environ["MISTRAL_API_KEY"], "server_url": os.environ.get("E2E_MISTRAL_URL")}
client = Mistral(**where)
seen = {}


def ask(text):
    return [{"role": "user", "content": text}]


def plain(answer):
    return answer.model_dump(mode="json")


seen["unary"] = plain(client.chat.complete(
    model=MODEL, messages=[{"role": "system", "content": "Answer briefly."}, *ask("Say this is a test – ünïcödé 🦀")],
    temperature=0.2, top_p=0.9, max_tokens=64, random_seed=42, stop=["END"], presence_penalty=0.5, frequency_penalty=0.25,
))
with client.chat.stream(model=MODEL, messages=ask("In pieces")) as stream:
    seen["stream"] = [plain(event.data) for event in stream]
with client.chat.stream(model="magistral-small-latest", messages=ask("Think first")) as stream:
    seen["thinking"] = [plain(event.data) for event in stream]

messages = ask("How is the weather in Paris?")
first = client.chat.complete(model=MODEL, messages=messages, tools=[WEATHER])
call = first.choices[0].message.tool_calls[0]
messages += [first.choices[0].message, {
    "role": "tool", "name": call.function.name, "tool_call_id": call.id, "content": "18 degrees and sunny"}]
second = client.chat.complete(model=MODEL, messages=messages, tools=[WEATHER])
seen["tools"] = {"call": plain(call), "answer": second.choices[0].message.content}
with client.chat.stream(model=MODEL, messages=messages[:1], tools=[WEATHER]) as stream:
    seen["streamed tools"] = [plain(event.data) for event in stream]

try:
    client.chat.complete(model="mistral-busy", messages=ask("Please fail"))
except SDKError as problem:
    seen["error"] = [type(problem).__name__, problem.status_code, problem.body]

pieces = []
try:
    with client.chat.stream(model=MODEL, messages=ask("Break off")) as stream:
        for event in stream:
            pieces.append(event.data.choices[0].delta.content)
except Exception as problem:
    pieces.append(f"{type(problem).__name__}: {problem}")
seen["broken stream"] = pieces


async def by_async_client():
    async with Mistral(**where) as other:
        async with await other.chat.stream_async(model=MODEL, messages=ask("In pieces")) as stream:
            return [event.data.choices[0].delta.content async for event in stream]


seen["async"] = asyncio.run(by_async_client())
seen["embeddings"] = plain(client.embeddings.create(model="mistral-embed", inputs=["one", "two"]))
print(json.dumps(seen))
