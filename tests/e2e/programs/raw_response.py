"""with_raw_response: status, headers and body as they came, plain and streamed."""
import json

from openai import OpenAI

client = OpenAI()
seen = []
for stream in (False, True):
    extra = {"stream": True} if stream else {}
    raw = client.chat.completions.with_raw_response.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": "raw please"}], **extra
    )
    if stream:
        parsed = [chunk.choices[0].delta.content for chunk in raw.parse()]
    else:
        parsed = raw.parse().choices[0].message.content
    seen.append({
        "status": raw.status_code,
        "reason": raw.http_response.reason_phrase,
        "version": raw.http_response.http_version,
        "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in raw.http_response.headers.raw],
        "request_id": raw.request_id,
        "parsed": parsed,
        "body": None if stream else raw.http_response.content.decode(),
    })
print(json.dumps(seen))
