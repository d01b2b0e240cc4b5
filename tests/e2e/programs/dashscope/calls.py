"""DashScope: generations whole, streamed, with a thought, with tools, refused, broken off, asynchronous; embeddings;
reranking.
"""
import asyncio
import json

import dashscope
from dashscope.aigc.generation import AioGeneration

MODEL = "qwen-plus"
WEATHER = {"type": "function", "function": {
    "name": "get_weather", "description": "The weather in a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}
seen = {}


def ask(text):
    return [{"role": "user", "content": text}]


def plain(answer):
    """An answer, as the dictionary that it is."""
    return json.loads(str(answer))


def call(text, **more):
    return dashscope.Generation.call(MODEL, messages=ask(text), result_format="message", **more)


seen["unary"] = plain(dashscope.Generation.call(
    MODEL, messages=[{"role": "system", "content": "Answer briefly."}, *ask("Say this is a test – ünïcödé 🦀")],
    result_format="message", temperature=0.2, top_p=0.9, top_k=5, max_tokens=64, seed=42, stop=["END"],
))
seen["stream"] = [plain(part) for part in call("In pieces", stream=True, incremental_output=True)]
seen["thinking"] = [plain(part) for part in call("Think first", stream=True, incremental_output=True, enable_thinking=True)]

messages = ask("How is the weather in Paris?")
first = dashscope.Generation.call(MODEL, messages=messages, tools=[WEATHER], result_format="message")
message = first.output.choices[0].message
called = message["tool_calls"][0]
messages += [dict(message), {"role": "tool", "tool_call_id": called["id"], "content": "18 degrees and sunny"}]
second = dashscope.Generation.call(MODEL, messages=messages, tools=[WEATHER], result_format="message")
seen["tools"] = {"call": called, "answer": second.output.choices[0].message.content}
seen["streamed tools"] = [plain(part) for part in call(
    "How is the weather in Paris?", tools=[WEATHER], stream=True, incremental_output=True)]

seen["error"] = plain(dashscope.Generation.call("qwen-busy", messages=ask("Please fail"), result_format="message"))

pieces = []
try:
    for part in call("Break off", stream=True, incremental_output=True):
        pieces.append(part.output.choices[0].message.content)
except Exception as problem:
    pieces.append(type(problem).__name__)
seen["broken stream"] = pieces


async def by_async_client():
    parts = await AioGeneration.call(MODEL, messages=ask("In pieces"), result_format="message", stream=True,
                                     incremental_output=True)
    pieces = [part.output.choices[0].message.content async for part in parts]
    await dashscope.close_shared_aio_session()
    return pieces


seen["async"] = asyncio.run(by_async_client())
seen["embeddings"] = plain(dashscope.TextEmbedding.call("text-embedding-v4", ["one", "two"], dimension=64))
seen["rerank"] = plain(dashscope.TextReRank.call(
    "gte-rerank-v2", query="Which is a city?", documents=["A river", "Paris"], top_n=1, return_documents=True))
print(json.dumps(seen))
