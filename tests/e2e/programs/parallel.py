"""Eight calls at once, half of them streamed."""
import asyncio
import json

from openai import AsyncOpenAI


async def call(client: AsyncOpenAI, number: int) -> str:
    messages = [{"role": "user", "content": f"call number {number}"}]
    if number % 2:
        answer = await client.chat.completions.create(model="gpt-4o-mini", messages=messages)
        return answer.choices[0].message.content
    text = ""
    async for chunk in await client.chat.completions.create(model="gpt-4o-mini", messages=messages, stream=True):
        text += chunk.choices[0].delta.content or ""
    return text


async def main() -> None:
    async with AsyncOpenAI() as client:
        print(json.dumps(await asyncio.gather(*(call(client, number) for number in range(8)))))


asyncio.run(main())
