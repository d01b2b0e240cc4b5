"""LiteLLM with OpenAI and Anthropic: whole, streamed, with tools, refused, broken off, and by the async function."""
import asyncio
import json

import litellm

litellm.suppress_debug_info = True
TOOLS = [{
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}]
USAGE = {"stream_options": {"include_usage": True}}
seen = {}


def ask(text):
    return [{"role": "user", "content": text}]


def complete(model, messages, **more):
    return litellm.completion(model=model, messages=messages, **{"max_tokens": 64, "num_retries": 0, **more})


def read(stream):
    """What a stream brought, and the error that ended it."""
    text, usage, calls = "", None, ""
    try:
        for chunk in stream:
            delta = chunk.choices[0].delta if chunk.choices else None
            text += (delta and delta.content) or ""
            calls += "".join(call.function.arguments or "" for call in (delta and delta.tool_calls) or [])
            usage = getattr(chunk, "usage", None) or usage
    except Exception as problem:
        return {"text": text, "error": type(problem).__name__}
    return {"text": text, "calls": calls, "usage": usage and usage.model_dump(mode="json")}


def told(answer):
    return {"text": answer.choices[0].message.content, "usage": answer.usage.model_dump(mode="json"),
            "reason": answer.choices[0].finish_reason}


async def by_async_function(model):
    stream = await litellm.acompletion(model=model, messages=ask("Say it in pieces"), max_tokens=64, stream=True, **USAGE)
    return {"text": "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])}


def converse(provider, model, busy):
    system = [{"role": "system", "content": "Answer briefly."}]
    seen[f"{provider} unary"] = told(complete(model, [*system, *ask("Hello – ünïcödé 🦀")], temperature=0.2))
    seen[f"{provider} stream"] = read(complete(model, ask("Say it in pieces"), stream=True, **USAGE))

    messages = ask("How is the weather in Paris?")
    first = complete(model, messages, tools=TOOLS).choices[0].message
    call = first.tool_calls[0]
    messages += [first.model_dump(exclude_none=True),
                 {"role": "tool", "tool_call_id": call.id, "content": "18 degrees and sunny"}]
    second = complete(model, messages, tools=TOOLS)
    seen[f"{provider} tools"] = {**told(second), "call": [call.function.name, call.function.arguments]}
    seen[f"{provider} streamed tools"] = read(complete(model, messages[:1], tools=TOOLS, stream=True, **USAGE))

    try:
        complete(busy, ask("Please fail"))
    except litellm.RateLimitError as problem:
        seen[f"{provider} error"] = [type(problem).__name__, problem.status_code, problem.message]

    seen[f"{provider} broken stream"] = read(complete(model, ask("Break off"), stream=True, **USAGE))
    seen[f"{provider} async"] = asyncio.run(by_async_function(model))


converse("OpenAI", "openai/gpt-4o-mini", "openai/busy")
converse("Anthropic", "anthropic/claude-sonnet-4-5", "anthropic/claude-busy")
thinking = {"type": "enabled", "budget_tokens": 1024}
seen["Anthropic reasoning"] = read(complete("anthropic/claude-sonnet-4-5", ask("Think first"), stream=True,
                                            thinking=thinking, max_tokens=2048))
print(json.dumps(seen))
