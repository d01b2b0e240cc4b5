"""Ollama: chats whole, streamed, with a thought, with tools, refused, broken off, asynchronous; generation; embeddings."""
import asyncio
import json

import ollama

MODEL = "qwen3:8b"
client = ollama.Client()
seen = {}


def ask(text):
    return [{"role": "user", "content": text}]


def get_weather(city: str) -> str:
    """
    The weather in a city

    Args:
      city: The name of the city
    """
    return "18 degrees and sunny"


seen["unary"] = client.chat(
    MODEL, [{"role": "system", "content": "Answer briefly."}, *ask("Say this is a test – ünïcödé 🦀")],
    options={"temperature": 0.25, "top_p": 0.5, "top_k": 5, "num_predict": 64, "seed": 42, "stop": ["END"]},
).model_dump()
seen["stream"] = [part.model_dump() for part in client.chat(MODEL, ask("In pieces"), stream=True)]
seen["thinking"] = [part.model_dump() for part in client.chat(MODEL, ask("Think first"), stream=True, think=True)]

messages = ask("How is the weather in Paris?")
first = client.chat(MODEL, messages, tools=[get_weather])
call = first.message.tool_calls[0].function
messages += [first.message, {"role": "tool", "tool_name": call.name, "content": get_weather(**call.arguments)}]
second = client.chat(MODEL, messages, tools=[get_weather])
seen["tools"] = {"call": call.model_dump(), "answer": second.message.content}
seen["streamed tools"] = [part.model_dump() for part in client.chat(MODEL, messages[:1], tools=[get_weather], stream=True)]

try:
    client.chat("no-such-model", ask("Please fail"))
except ollama.ResponseError as problem:
    seen["error"] = [problem.status_code, problem.error]

pieces = []
try:
    for part in client.chat(MODEL, ask("Break off"), stream=True):
        pieces.append(part.message.content)
except Exception as problem:
    pieces.append(f"{type(problem).__name__}: {problem}")
seen["broken stream"] = pieces


async def by_async_client():
    return [part.message.content async for part in await ollama.AsyncClient().chat(MODEL, ask("In pieces"), stream=True)]


seen["async"] = asyncio.run(by_async_client())
seen["generate"] = [part.model_dump() for part in client.generate(MODEL, "Go on", system="Be brief.", stream=True)]
seen["embeddings"] = client.embed("nomic-embed-text", ["one", "two"], dimensions=4).model_dump()
print(json.dumps(seen))
