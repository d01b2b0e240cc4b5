"""A tool call, streamed or not, and a second request with the tool's result."""
import json
import sys

from openai import OpenAI

TOOLS = [{
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}]
client = OpenAI()
messages = [{"role": "user", "content": "How is the weather in Paris?"}]
if "--stream" in sys.argv:
    calls = {}
    for chunk in client.chat.completions.create(model="gpt-4o", messages=messages, tools=TOOLS, stream=True):
        for delta in chunk.choices[0].delta.tool_calls or []:
            call = calls.setdefault(delta.index, {"id": "", "name": "", "arguments": ""})
            call["id"] += delta.id or ""
            call["name"] += delta.function.name or ""
            call["arguments"] += delta.function.arguments or ""
    call = calls[0]
else:
    first = client.chat.completions.create(model="gpt-4o", messages=messages, tools=TOOLS)
    found = first.choices[0].message.tool_calls[0]
    call = {"id": found.id, "name": found.function.name, "arguments": found.function.arguments}
messages.append({
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": call["id"], "type": "function",
                    "function": {"name": call["name"], "arguments": call["arguments"]}}],
})
messages.append({"role": "tool", "tool_call_id": call["id"], "content": "18 degrees and sunny"})
second = client.chat.completions.create(model="gpt-4o", messages=messages, tools=TOOLS)
print(json.dumps({"call": call, "answer": second.choices[0].message.content}))
