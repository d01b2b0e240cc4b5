"""One streamed chat through the async client, with usage."""
import asyncio
import json

from openai import AsyncOpenAI


async def main() -> None:
    async with AsyncOpenAI() as client:
        stream = await client.chat.completions.create(
            model="gpt-4o-mini",
            messages=[{"role": "user", "content": "count my tokens"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        text, usage = "", None
        async for chunk in stream:
            if chunk.choices:
                text += chunk.choices[0].delta.content or ""
            usage = chunk.usage or usage
    print(json.dumps({"text": text, "usage": usage.model_dump()}))


asyncio.run(main())
