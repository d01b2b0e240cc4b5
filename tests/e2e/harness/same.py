"""Whether a program and its server saw the same with and without the product."""

from __future__ import annotations

import json
import re
from typing import Any

from .cases import Seen
from .launcher import Result
from .provider import Request

HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "te",
              "trailer", "transfer-encoding", "upgrade"}


TALLY = re.compile(rb"otel-genai: (\d+ model calls?\b|no model calls were seen\b|\d+ requests? passed unread\b)[^\n]*\n")
"""What the product says at the end of a good run: how much was recorded, or why nothing was."""


def without_tally(told: bytes) -> bytes:
    """Standard error without the last lines of our own; all else has to be the program's, or a complaint."""
    return TALLY.sub(b"", told)


def end_to_end_lines(request: Request) -> list[bytes]:
    """Header lines, byte for byte and in order, that belong to the message and not to the connection."""
    return [line for line in request.header_lines
            if line.split(b":", 1)[0].decode("latin-1").lower() not in HOP_BY_HOP]


def end_to_end(document: Any) -> Any:
    """A program's report without the hop-by-hop headers of the responses it saw."""
    if isinstance(document, list):
        return [end_to_end(item) for item in document]
    if isinstance(document, dict):
        report = {key: end_to_end(item) for key, item in document.items()}
        if "headers" in document:
            report["headers"] = [pair for pair in document["headers"] if pair[0].lower() not in HOP_BY_HOP]
        if "trailers" in document:  # HTTP libraries do not keep the case of trailers, and nobody looks at it
            report["trailers"] = [line.partition(":")[0].lower() + ":" + line.partition(":")[2]
                                  for line in document["trailers"]]
        return report
    return document


def assert_same_program(direct: Result, wrapped: Result, notes: bool = False) -> None:
    """Same exit status, standard error and standard output; hop-by-hop headers in a JSON report apart.

    With `notes`, lines of our own on standard error are allowed: something had to be told.
    """
    assert wrapped.code == direct.code, wrapped.text_err
    told = without_tally(wrapped.err)
    if notes:
        told = b"".join(line for line in told.splitlines(True) if not line.startswith(b"otel-genai: "))
    assert told == direct.err
    if wrapped.out != direct.out:
        try:
            ours, theirs = json.loads(wrapped.out), json.loads(direct.out)
        except ValueError:
            assert wrapped.out == direct.out
            raise
        assert end_to_end(ours) == end_to_end(theirs)


def assert_same_requests(direct: Seen, wrapped: Seen, in_order: bool = True) -> None:
    """The server got the same requests: line, headers (bytes, hop-by-hop apart) and body."""
    ours, theirs = list(wrapped.requests), list(direct.requests)
    assert len(ours) == len(theirs)
    if not in_order:
        ours.sort(key=lambda r: r.body)
        theirs.sort(key=lambda r: r.body)
    for our, their in zip(ours, theirs):
        assert our.head.split(b"\r\n", 1)[0] == their.head.split(b"\r\n", 1)[0]
        assert sorted(end_to_end_lines(our)) == sorted(end_to_end_lines(their))
        assert our.framing == their.framing
        assert our.body == their.body
