"""One streamed chat, without usage."""
import json

from openai import OpenAI

stream = OpenAI().chat.completions.create(
    model="gpt-4o-mini", messages=[{"role": "user", "content": "stream this please"}], stream=True
)
print(json.dumps({"chunks": [chunk.model_dump(exclude_unset=True) for chunk in stream]}))
