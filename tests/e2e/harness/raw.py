"""The raw HTTP client, run with and without the product against one scripted server."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from .cases import Seen
from .launcher import Launcher, python
from .otlp import Receiver
from .provider import Provider, Reply, Request
from .same import assert_same_program, assert_same_requests

KEY = "sk-raw-SECRETSECRET-5555"


def chat(content: str = "hello raw", model: str = "gpt-4o-mini", headers: list[list[str]] | None = None,
         path: str = "/chat/completions", body: dict[str, Any] | None = None, **how: Any) -> dict[str, Any]:
    """One chat request for `programs/raw_http.py`; `body` adds to the JSON, `how` to the client's options."""
    document = {"model": model, "messages": [{"role": "user", "content": content}], **(body or {})}
    sent = [["Content-Type", "application/json"], ["Authorization", f"Bearer {KEY}"], *(headers or [])]
    return {"path": path, "headers": sent, "body": json.dumps(document), **how}


def client(*requests: dict[str, Any]) -> list[str]:
    return python("raw_http.py", json.dumps(requests))


def run(launcher: Launcher, provider: Provider, otlp: Receiver, script: Callable[[Request], Reply],
        *requests: dict[str, Any], on_expect: Callable[[Request], Reply | None] | None = None,
        notes: bool = False,
        **env: str) -> tuple[Any, Seen, Seen]:
    """Runs both ways, checks that client and server saw the same, and returns the client's report and both sides."""
    sides = []
    for start in (launcher.direct, launcher.wrapped):
        provider.reset(script)
        if on_expect is not None:
            provider.on_expect = on_expect
        result = start(client(*requests), **{"OPENAI_BASE_URL": provider.base_url, **otlp.env, **env})
        sides.append(Seen(result, provider.requests, provider.connections))
    direct, wrapped = sides
    assert direct.result.code == 0, direct.result.text_err
    assert_same_program(direct.result, wrapped.result, notes)
    assert_same_requests(direct, wrapped)
    return direct.result.json, direct, wrapped
