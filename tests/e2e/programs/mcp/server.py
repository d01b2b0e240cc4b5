"""An MCP server made with the official SDK: over standard input and output, or with a port over streamable HTTP."""

import asyncio
import os
import sys

from mcp.server.fastmcp import Context, FastMCP
from mcp.types import ModelHint, ModelPreferences, SamplingMessage, TextContent

port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
server = FastMCP("weather", host="127.0.0.1", port=port, log_level="ERROR")


@server.tool()
async def add(a: int, b: int) -> int:
    await asyncio.sleep(0.05)
    return a + b


@server.tool()
def fail() -> str:
    raise ValueError("a private reason")


@server.tool()
async def wait() -> str:
    await asyncio.sleep(60)
    return "late"


@server.tool()
async def ask(context: Context) -> str:
    """Asks the client's model, telling of progress before."""
    await context.report_progress(1, 2)
    await context.info("asking")
    message = SamplingMessage(role="user", content=TextContent(type="text", text="a private question"))
    answer = await context.session.create_message([message], max_tokens=10, model_preferences=ModelPreferences(
        hints=[ModelHint(name="m")]))
    return answer.content.text


@server.tool()
def die() -> str:
    os._exit(3)


@server.resource("notes://today")
def today() -> str:
    return "rain"


@server.prompt()
def greet(who: str) -> str:
    return f"Hello {who}"


server.run("streamable-http" if port else "stdio")
