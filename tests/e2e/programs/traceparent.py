"""A program that passes its own trace on."""
import json

from openai import OpenAI

completion = OpenAI().chat.completions.create(
    model="gpt-4o-mini",
    messages=[{"role": "user", "content": "traced"}],
    extra_headers={
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "tracestate": "vendor=opaque",
    },
)
print(json.dumps({"content": completion.choices[0].message.content}))
