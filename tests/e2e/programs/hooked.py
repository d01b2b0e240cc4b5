"""One chat by an HTTP client that reads no base URL from anywhere: arguments are the client and the address.

Prints JSON: status, the answer's text, and the addresses as the client tells them.
"""

import asyncio
import json
import os
import sys

client, url = sys.argv[1:3]
body = json.dumps({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hooked"}]}).encode()
headers = {"Content-Type": "application/json", "Authorization": "Bearer " + os.environ["OPENAI_API_KEY"]}


def span():
    """With E2E_SPAN, the program is in a trace of its own."""
    from opentelemetry import context, trace

    parent = trace.SpanContext(int("0af7651916cd43dd8448eb211c80319c", 16), int("b7ad6b7169203331", 16), False,
                               trace.TraceFlags(1))
    context.attach(trace.set_span_in_context(trace.NonRecordingSpan(parent)))


if os.environ.get("E2E_SPAN"):
    span()


def told(status, content, *addresses):
    print(json.dumps({"status": status, "content": json.loads(content)["choices"][0]["message"]["content"],
                      "addresses": sorted({str(address) for address in addresses})}))


if client in ("httpx", "httpx2"):
    module = __import__(client)
    answer = module.post(url, content=body, headers=headers)
    told(answer.status_code, answer.content, answer.url, answer.request.url)
elif client == "httpx-async":
    import httpx

    async def main():
        async with httpx.AsyncClient() as session:
            answer = await session.post(url, content=body, headers=headers)
        told(answer.status_code, answer.content, answer.url, answer.request.url)

    asyncio.run(main())
elif client == "requests":
    import requests

    answer = requests.post(url, data=body, headers=headers)
    told(answer.status_code, answer.content, answer.url, answer.request.url)
elif client == "aiohttp":
    import aiohttp

    async def main():
        async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as answer:
            info = answer.request_info
            told(answer.status, await answer.read(), answer.url, info.url, info.real_url)

    asyncio.run(main())
elif client == "botocore":
    from botocore.awsrequest import AWSRequest
    from botocore.httpsession import URLLib3Session

    answer = URLLib3Session().send(AWSRequest("POST", url, data=body, headers=headers).prepare())
    told(answer.status_code, answer.content, answer.url)
elif client == "openai":
    from openai import OpenAI

    answer = OpenAI(base_url=url.removesuffix("/chat/completions")).chat.completions.with_raw_response.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": "hooked"}])
    told(answer.status_code, answer.content, answer.url)
