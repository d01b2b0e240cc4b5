"""Chat Completions, embeddings and Responses: whole, streamed, with tools, refused, broken off, and by the async client."""
import asyncio
import json

import openai

MODEL = "gpt-4o-mini"
ABOUT = {
    "name": "get_weather",
    "description": "The weather in a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
CHAT_TOOL = {"type": "function", "function": ABOUT}
TOOL = {"type": "function", **ABOUT}
QUESTION = "How is the weather in Paris?"
client = openai.OpenAI(max_retries=0)
chat, responses = client.chat.completions, client.responses
seen = {}


def ask(text):
    return [{"role": "user", "content": text}]


def told(item):
    return item.model_dump(mode="json", warnings=False)


def refused(call):
    try:
        call()
    except openai.APIStatusError as problem:
        return [type(problem).__name__, problem.status_code, problem.body, problem.request_id]


def broken(stream):
    pieces = []
    try:
        for event in stream:
            pieces.append(told(event))
    except Exception as problem:
        pieces.append(f"{type(problem).__name__}: {problem}")
    return pieces


answer = chat.create(model=MODEL, messages=[{"role": "system", "content": "Answer briefly."}, *ask("Hello – ünïcödé 🦀")],
                     temperature=0.2, max_tokens=64)
seen["chat unary"] = {"text": answer.choices[0].message.content, "whole": told(answer)}

chunks = list(chat.create(model=MODEL, messages=ask("Say it in pieces"), stream=True,
                          stream_options={"include_usage": True}))
seen["chat stream"] = {"text": "".join(c.choices[0].delta.content or "" for c in chunks if c.choices),
                       "whole": [told(chunk) for chunk in chunks]}

messages = ask(QUESTION)
first = chat.create(model=MODEL, messages=messages, tools=[CHAT_TOOL])
call = first.choices[0].message.tool_calls[0]
messages += [{"role": "assistant", "tool_calls": [told(call)]},
             {"role": "tool", "tool_call_id": call.id, "content": "18 degrees and sunny"}]
second = chat.create(model=MODEL, messages=messages, tools=[CHAT_TOOL])
seen["chat tools"] = {"text": second.choices[0].message.content, "whole": told(first)}

with chat.stream(model=MODEL, messages=ask(QUESTION), tools=[CHAT_TOOL]) as stream:
    final = stream.get_final_completion()
seen["chat streamed tools"] = {"text": final.choices[0].message.tool_calls[0].function.name, "whole": told(final)}

seen["chat error"] = refused(lambda: chat.create(model="busy", messages=ask("Please fail")))
seen["chat broken stream"] = broken(chat.create(model=MODEL, messages=ask("Break off"), stream=True))
seen["embeddings"] = told(client.embeddings.create(model="text-embedding-3-small", input=["one", "two"]))

answer = responses.create(model=MODEL, instructions="Answer briefly.", input="Hello – ünïcödé 🦀", temperature=0.2,
                          max_output_tokens=64)
seen["unary"] = {"text": answer.output_text, "whole": told(answer)}

events = list(responses.create(model=MODEL, input=ask("Say it in pieces"), stream=True))
seen["stream"] = {"text": events[-1].response.output_text, "whole": [told(event) for event in events]}

with responses.stream(model="o4-mini", input="Think first", reasoning={"effort": "low", "summary": "auto"}) as stream:
    final = stream.get_final_response()
seen["reasoning"] = {"text": final.output_text, "whole": told(final)}

first = responses.create(model=MODEL, input=ask(QUESTION), tools=[TOOL])
call = first.output[0]
result = {"type": "function_call_output", "call_id": call.call_id, "output": "18 degrees and sunny"}
second = responses.create(model=MODEL, input=[*ask(QUESTION), told(call), result], tools=[TOOL])
seen["tools"] = {"text": second.output_text, "whole": told(first)}

events = list(responses.create(model=MODEL, input=QUESTION, tools=[TOOL], stream=True))
seen["streamed tools"] = {"text": events[-1].response.output[0].name, "whole": [told(event) for event in events]}

seen["error"] = refused(lambda: responses.create(model="busy", input="Please fail"))
seen["broken stream"] = broken(responses.create(model=MODEL, input="Break off", stream=True))


async def by_async_client():
    async with openai.AsyncOpenAI(max_retries=0) as other:
        stream = await other.responses.create(model=MODEL, input="Say it in pieces", stream=True)
        return {"text": [told(event) async for event in stream][-1]["response"]["output"][0]["content"][0]["text"]}


seen["async"] = asyncio.run(by_async_client())
print(json.dumps(seen))
