"""Gemini: whole, streamed, with a thought, with tools, refused, broken off, asynchronous, and embeddings.

The argument says whose API it is: "gemini" or "vertex".
"""
import asyncio
import json
import sys

from google import genai
from google.genai import errors, types
from google.oauth2.credentials import Credentials

MODEL = "gemini-2.5-flash"
if sys.argv[1] == "vertex":
    where = {"vertexai": True, "project": "e2e-project", "location": "us-central1",
             "credentials": Credentials("ya29.e2e-SECRETSECRET-token")}
else:
    where = {}
client = genai.Client(**where)
seen = {}


def plain(response):
    return response.model_dump(mode="json", exclude_none=True, exclude={"sdk_http_response"})


def get_weather(city: str) -> str:
    """The weather in a city"""
    return "18 degrees and sunny"


seen["unary"] = plain(client.models.generate_content(
    model=MODEL, contents="Say this is a test – ünïcödé 🦀",
    config=types.GenerateContentConfig(
        system_instruction="Answer briefly.", temperature=0.2, top_p=0.9, top_k=5, max_output_tokens=64, seed=42,
        stop_sequences=["END"], presence_penalty=-0.5, frequency_penalty=0.5,
    ),
))
seen["stream"] = [plain(chunk) for chunk in client.models.generate_content_stream(model=MODEL, contents="In pieces")]
seen["thinking"] = [plain(chunk) for chunk in client.models.generate_content_stream(
    model=MODEL, contents="Think first",
    config=types.GenerateContentConfig(thinking_config=types.ThinkingConfig(include_thoughts=True)),
)]
seen["tools"] = plain(client.models.generate_content(
    model=MODEL, contents="How is the weather in Paris?", config=types.GenerateContentConfig(tools=[get_weather]),
))
seen["streamed tools"] = [plain(chunk) for chunk in client.models.generate_content_stream(
    model=MODEL, contents="How is the weather in Paris?",
    config=types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=[types.FunctionDeclaration.from_callable(
            client=client._api_client, callable=get_weather)])]),
)]
try:
    client.models.generate_content(model="gemini-busy", contents="Please fail")
except errors.APIError as problem:
    seen["error"] = [type(problem).__name__, problem.code, problem.status, problem.message]

pieces = []
try:
    for chunk in client.models.generate_content_stream(model=MODEL, contents="Break off"):
        pieces.append(chunk.text)
except Exception as problem:
    pieces.append(f"{type(problem).__name__}: {problem}")
seen["broken stream"] = pieces


async def by_async_client():
    async with genai.Client(**where).aio as other:
        stream = await other.models.generate_content_stream(model=MODEL, contents="In pieces")
        return [chunk.text async for chunk in stream]


seen["async"] = asyncio.run(by_async_client())
seen["embeddings"] = plain(client.models.embed_content(
    model="text-embedding-005", contents=["one", "two"], config=types.EmbedContentConfig(output_dimensionality=4),
))
print(json.dumps(seen))
