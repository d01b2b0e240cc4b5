"""A stream that is left after two pieces, then an ordinary call."""
import json

from openai import OpenAI

client = OpenAI()
pieces = []
with client.chat.completions.create(
    model="gpt-4o-mini", messages=[{"role": "user", "content": "never-ending story"}], stream=True
) as stream:
    for chunk in stream:
        pieces.append(chunk.choices[0].delta.content)
        if len(pieces) == 2:
            break
after = client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "and now"}])
print(json.dumps({"pieces": pieces, "after": after.choices[0].message.content}))
