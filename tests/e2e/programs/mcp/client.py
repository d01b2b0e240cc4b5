"""Talks to an MCP server with the official SDK, and prints what came of it.

`client.py stdio WHAT COMMAND...`, `client.py http WHAT URL`. What: `all`, `calls` (nothing is cancelled) or `die`.
"""

import asyncio
import json
import os
import sys
from datetime import timedelta

from mcp import ClientSession, McpError, StdioServerParameters, types
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamablehttp_client

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
seen = {}


async def sample(context, params):
    content = types.TextContent(type="text", text="a private answer")
    return types.CreateMessageResult(role="assistant", model="m", content=content)


async def text(call):
    result = await call
    return [result.isError, result.content[0].text]


async def failure(call):
    try:
        await call
    except McpError as error:
        return [error.error.code, error.error.message]


async def talk(read, write, what):
    async with ClientSession(read, write, sampling_callback=sample) as session:
        first = await session.initialize()
        seen["version"], seen["server"] = first.protocolVersion, first.serverInfo.name
        if what == "die":
            seen["die"] = await failure(session.call_tool("die", read_timeout_seconds=timedelta(seconds=20)))
            return
        seen["tools"] = sorted(tool.name for tool in (await session.list_tools()).tools)
        sums = (text(session.call_tool("add", {"a": a, "b": 1})) for a in range(8))
        seen["sums"] = await asyncio.gather(*sums)
        seen["fail"] = await text(session.call_tool("fail"))
        seen["unknown tool"] = await text(session.call_tool("no_such_tool"))
        seen["ask"] = await text(session.call_tool("ask", progress_callback=progress))
        seen["prompt"] = (await session.get_prompt("greet", {"who": "Ann"})).messages[0].content.text
        seen["resource"] = (await session.read_resource("notes://today")).contents[0].text
        seen["no prompt"] = await failure(session.get_prompt("no_such_prompt"))
        await session.send_ping()
        request = types.CallToolRequest(params=types.CallToolRequestParams.model_validate(
            {"name": "add", "arguments": {"a": 1, "b": 2}, "_meta": {"traceparent": TRACEPARENT}}))
        seen["traced"] = await text(session.send_request(types.ClientRequest(request), types.CallToolResult))
        if what == "all":
            await cancel(session)


async def progress(done, total, message):
    seen["progress"] = [done, total]


async def cancel(session):
    """Gives a slow call up, and tells the server."""
    request_id = session._request_id
    call = asyncio.create_task(session.call_tool("wait"))
    while session._request_id == request_id:
        await asyncio.sleep(0)
    cancelled = types.CancelledNotification(params=types.CancelledNotificationParams(requestId=request_id))
    await session.send_notification(types.ClientNotification(cancelled))
    seen["cancelled"] = await failure(call)


async def main():
    how, what, *rest = sys.argv[1:]
    if how == "http":
        async with streamablehttp_client(rest[0]) as (read, write, _):
            await talk(read, write, what)
    else:
        server = StdioServerParameters(command=rest[0], args=rest[1:], env=dict(os.environ))
        async with stdio_client(server) as (read, write):
            await talk(read, write, what)
    print(json.dumps(seen))


asyncio.run(main())
