"""One chat through the async client."""
import asyncio
import json

from openai import AsyncOpenAI


async def main() -> None:
    async with AsyncOpenAI() as client:
        completion = await client.chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": "async hello"}], max_completion_tokens=32
        )
    print(json.dumps({
        "content": completion.choices[0].message.content,
        "usage": completion.usage.model_dump(),
        "request_id": completion._request_id,
    }))


asyncio.run(main())
