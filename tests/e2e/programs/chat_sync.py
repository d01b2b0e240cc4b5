"""One chat with every common parameter."""
import json

from openai import OpenAI

completion = OpenAI().chat.completions.create(
    model="gpt-4o-mini",
    messages=[
        {"role": "system", "content": "Answer briefly."},
        {"role": "user", "content": "Say this is a test – ünïcödé 🦀"},
    ],
    temperature=0.2,
    top_p=0.9,
    max_tokens=64,
    frequency_penalty=0.5,
    presence_penalty=-0.5,
    seed=42,
    stop=["END", "STOP"],
    n=2,
    response_format={"type": "text"},
    service_tier="default",
    user="user-17",
)
print(json.dumps({
    "contents": [choice.message.content for choice in completion.choices],
    "reasons": [choice.finish_reason for choice in completion.choices],
    "usage": completion.usage.model_dump(),
    "id": completion.id,
    "request_id": completion._request_id,
}))
