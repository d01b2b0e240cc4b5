"""with_streaming_response: the body read line by line, headers as they came."""
import json

from openai import OpenAI

with OpenAI().chat.completions.with_streaming_response.create(
    model="gpt-4o-mini", messages=[{"role": "user", "content": "lines please"}], stream=True
) as response:
    headers = [[n.decode("latin-1"), v.decode("latin-1")] for n, v in response.http_response.headers.raw]
    lines = list(response.iter_lines())
print(json.dumps({"status": response.status_code, "headers": headers, "lines": lines}))
