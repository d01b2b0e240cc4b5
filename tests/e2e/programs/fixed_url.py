"""Chats with a provider whose address stands in the code; the first argument is the HTTP library, the second the URL."""
import json
import sys

library, url, stream = sys.argv[1], sys.argv[2], "stream" in sys.argv[3:]
body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hello – ünïcödé"}]}
if stream:
    body |= {"stream": True, "stream_options": {"include_usage": True}}
headers = {"Authorization": "Bearer sk-fixed-SECRETSECRET"}

if library == "openai":
    from openai import OpenAI

    answer = OpenAI(base_url=url).chat.completions.create(**body)
    print(json.dumps([chunk.model_dump() for chunk in answer] if stream else answer.model_dump()))
    sys.exit()
if library == "httpx":
    import httpx

    answer = httpx.post(f"{url}/chat/completions", json=body, headers=headers)
else:
    import requests

    answer = requests.post(f"{url}/chat/completions", json=body, headers=headers)
print(json.dumps({"status": answer.status_code, "headers": sorted(answer.headers.items()), "body": answer.text}))
