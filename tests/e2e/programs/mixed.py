"""The first program of everybody: a chat, a streamed chat, embeddings, and something that fails."""
import json

import openai

client = openai.OpenAI(max_retries=0)
messages = [{"role": "user", "content": "mixed"}]
seen = {}
seen["chat"] = client.chat.completions.create(model="gpt-4o-mini", messages=messages).choices[0].message.content
seen["stream"] = ""
for chunk in client.chat.completions.create(
    model="gpt-4o", messages=messages, stream=True, stream_options={"include_usage": True}
):
    if chunk.choices:
        seen["stream"] += chunk.choices[0].delta.content or ""
seen["embedding"] = client.embeddings.create(model="text-embedding-3-small", input="hello").data[0].embedding
try:
    client.chat.completions.create(model="no-such-model", messages=messages)
except openai.NotFoundError as problem:
    seen["error"] = [problem.status_code, problem.code]
print(json.dumps(seen))
