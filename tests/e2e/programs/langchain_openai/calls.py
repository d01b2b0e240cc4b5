"""LangChain's OpenAI models, by Chat Completions and by Responses, and its embeddings."""
import asyncio
import json

import openai
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

seen = {}


@tool
def get_weather(city: str) -> str:
    """The weather in a city"""
    return "18 degrees and sunny"


def told(message):
    return {"text": message.text, "usage": message.usage_metadata, "metadata": message.response_metadata,
            "calls": [[call["name"], call["args"]] for call in message.tool_calls]}


def read(model, prompt):
    """What a stream brought, and the error that ended it."""
    whole, error = None, None
    try:
        for chunk in model.stream(prompt):
            whole = chunk if whole is None else whole + chunk
    except Exception as problem:
        error = f"{type(problem).__name__}: {problem}"
    return {**(told(whole) if whole else {}), "error": error}


async def pieces(model, prompt):
    return {"text": "".join([chunk.text async for chunk in model.astream(prompt)])}


def converse(api):
    def chat(model="gpt-4o-mini", **more):
        return ChatOpenAI(model=model, max_retries=0, use_responses_api=api == "responses", stream_usage=True, **more)

    model = chat(temperature=0.2, max_tokens=64)
    seen[f"{api} unary"] = told(model.invoke([SystemMessage("Answer briefly."), HumanMessage("Hello – ünïcödé 🦀")]))
    seen[f"{api} stream"] = read(chat(), "Say it in pieces")
    if api == "responses":
        seen[f"{api} reasoning"] = read(chat("o4-mini", reasoning={"effort": "low", "summary": "auto"}), "Think first")

    able = chat().bind_tools([get_weather])
    messages = [HumanMessage("How is the weather in Paris?")]
    first = able.invoke(messages)
    messages += [first, get_weather.invoke(first.tool_calls[0])]
    seen[f"{api} tools"] = {**told(able.invoke(messages)), "first": told(first)}
    seen[f"{api} streamed tools"] = read(able, messages[0].content)

    try:
        chat("busy").invoke("Please fail")
    except openai.APIStatusError as problem:
        seen[f"{api} error"] = [type(problem).__name__, problem.status_code, problem.body]

    seen[f"{api} broken stream"] = read(chat(), "Break off")
    seen[f"{api} async"] = asyncio.run(pieces(chat(), "Say it in pieces"))


converse("chat")
converse("responses")
maker = OpenAIEmbeddings(model="text-embedding-3-small", check_embedding_ctx_length=False, max_retries=0)
seen["embeddings"] = maker.embed_documents(["one", "two"])
print(json.dumps(seen, default=str))
