"""A call that the client retries until it works."""
import json

from openai import OpenAI

completion = OpenAI(max_retries=3).chat.completions.create(
    model="flaky", messages=[{"role": "user", "content": "try again"}]
)
print(json.dumps({"content": completion.choices[0].message.content}))
