"""An agent with two tools: two calls of the model, and both tools between them."""
import json

from openai import OpenAI

TOOLS = [{"type": "function", "function": {"name": name, "description": about, "parameters": {"type": "object"}}}
         for name, about in (("weather", "The weather in a city"), ("clock", "The time in a city"))]
RUN = {"weather": lambda city: f"snow in {city}", "clock": lambda city: f"noon in {city}"}

client = OpenAI()
messages = [{"role": "user", "content": "Weather and time in Oslo?"}]
while True:
    answer = client.chat.completions.create(model="gpt-4o", messages=messages, tools=TOOLS).choices[0].message
    if not answer.tool_calls:
        break
    messages.append(answer)
    for call in answer.tool_calls:
        result = RUN[call.function.name](**json.loads(call.function.arguments))
        messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
print(json.dumps({"answer": answer.content}))
