"""LlamaIndex's OpenAI models, by Chat Completions and by Responses."""
import asyncio
import json

import openai
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai import OpenAI, OpenAIResponses

QUESTION = "How is the weather in Paris?"
seen = {}


def get_weather(city: str, unit: str) -> str:
    return "18 degrees and sunny"


weather = FunctionTool.from_defaults(fn=get_weather, name="get_weather", description="The weather in a city")


def ask(text):
    return [ChatMessage(role="user", content=text)]


def read(stream):
    """What a stream brought, and the error that ended it."""
    last, error, count = None, None, 0
    try:
        for last in stream:
            count += 1
    except Exception as problem:
        error = f"{type(problem).__name__}: {problem}"
    return {"text": last and last.message.content, "pieces": count, "error": error}


async def pieces(model, prompt):
    stream = await model.astream_chat(ask(prompt))
    return {"text": [piece async for piece in stream][-1].message.content}


def converse(api, kind):
    model = kind(model="gpt-4o-mini", max_retries=0, temperature=0.2)
    greeting = [ChatMessage(role="system", content="Answer briefly."), *ask("Hello – ünïcödé 🦀")]
    seen[f"{api} unary"] = {"text": model.chat(greeting).message.content}
    seen[f"{api} stream"] = read(model.stream_chat(ask("Say it in pieces")))

    first = model.chat_with_tools([weather], user_msg=QUESTION)
    (call,) = model.get_tool_calls_from_response(first)
    result = ChatMessage(role="tool", content=str(weather.call(**call.tool_kwargs)),
                         additional_kwargs={"tool_call_id": call.tool_id, "call_id": call.tool_id})
    second = model.chat_with_tools([weather], chat_history=[*ask(QUESTION), first.message, result])
    seen[f"{api} tools"] = {"text": second.message.content, "call": [call.tool_name, call.tool_kwargs]}
    seen[f"{api} streamed tools"] = read(model.stream_chat_with_tools([weather], user_msg=QUESTION))

    try:
        model.chat(ask("Please fail"))
    except openai.APIStatusError as problem:
        seen[f"{api} error"] = [type(problem).__name__, problem.status_code, problem.body]

    seen[f"{api} broken stream"] = read(model.stream_chat(ask("Break off")))
    seen[f"{api} async"] = asyncio.run(pieces(model, "Say it in pieces"))


converse("chat", OpenAI)
converse("responses", OpenAIResponses)
print(json.dumps(seen))
