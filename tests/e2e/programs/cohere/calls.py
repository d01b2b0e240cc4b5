"""Cohere: chats whole, streamed, with a thought, with tools, refused, broken off, asynchronous; embeddings; reranking."""
import asyncio
import json

import cohere

MODEL = "command-a-03-2025"
WEATHER = {"type": "function", "function": {
    "name": "get_weather", "description": "The weather in a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}
client = cohere.ClientV2(max_retries=0)
seen = {}


def ask(text):
    return [{"role": "user", "content": text}]


def plain(answer):
    return answer.model_dump(mode="json", warnings=False)


seen["unary"] = plain(client.chat(
    model=MODEL, messages=[{"role": "system", "content": "Answer briefly."}, *ask("Say this is a test – ünïcödé 🦀")],
    temperature=0.2, max_tokens=64, p=0.9, k=5, seed=42, stop_sequences=["END"], frequency_penalty=0.5,
    presence_penalty=0.25,
))
seen["stream"] = [plain(event) for event in client.chat_stream(model=MODEL, messages=ask("In pieces"))]
seen["thinking"] = [plain(event) for event in client.chat_stream(
    model=MODEL, messages=ask("Think first"), thinking={"type": "enabled", "token_budget": 100})]

messages = ask("How is the weather in Paris?")
first = client.chat(model=MODEL, messages=messages, tools=[WEATHER])
call = first.message.tool_calls[0]
messages += [first.message, {"role": "tool", "tool_call_id": call.id, "content": "18 degrees and sunny"}]
second = client.chat(model=MODEL, messages=messages, tools=[WEATHER])
seen["tools"] = {"call": plain(call), "answer": second.message.content[0].text}
seen["streamed tools"] = [plain(event) for event in client.chat_stream(
    model=MODEL, messages=messages[:1], tools=[WEATHER])]

try:
    client.chat(model="command-busy", messages=ask("Please fail"))
except cohere.errors.TooManyRequestsError as problem:
    seen["error"] = [problem.status_code, problem.body]

pieces = []
try:
    for event in client.chat_stream(model=MODEL, messages=ask("Break off")):
        pieces.append(event.type)
except Exception as problem:
    pieces.append(f"{type(problem).__name__}: {problem}")
seen["broken stream"] = pieces


async def by_async_client():
    other = cohere.AsyncClientV2(max_retries=0)
    return [event.type async for event in other.chat_stream(model=MODEL, messages=ask("In pieces"))]


seen["async"] = asyncio.run(by_async_client())
seen["embeddings"] = plain(client.embed(
    model="embed-v4.0", texts=["one", "two"], input_type="search_document", embedding_types=["float"], output_dimension=256))
seen["rerank"] = plain(client.rerank(
    model="rerank-v3.5", query="Which is a city?", documents=["A river", "Paris"], top_n=1))
print(json.dumps(seen))
