"""A scripted model server on loopback, raw enough to control every byte and to see every byte.

A test sets `provider.script`, a function from a `Request` to a `Reply`; each request is recorded exactly as it came.
"""

from __future__ import annotations

import json
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field


@dataclass
class Request:
    """One request as the server received it."""

    head: bytes
    """Request line and header lines with their line ends, without the empty line."""
    connection: int
    """Which connection it came on, counted from 1."""
    body: bytes = b""
    framing: str = "none"
    """How the body was framed: none, length or chunked."""
    client_gone: threading.Event = field(default_factory=threading.Event)
    """Set when the client closed or reset the connection before the reply was sent."""

    @property
    def method(self) -> str:
        return self.head.split(b" ", 1)[0].decode("latin-1")

    @property
    def target(self) -> str:
        return self.head.split(b" ", 2)[1].decode("latin-1")

    @property
    def path(self) -> str:
        return self.target.split("?", 1)[0]

    @property
    def header_lines(self) -> list[bytes]:
        return [line for line in self.head.split(b"\r\n")[1:] if line]

    @property
    def headers(self) -> list[tuple[str, str]]:
        pairs = []
        for line in self.header_lines:
            name, _, value = line.partition(b":")
            pairs.append((name.decode("latin-1"), value.strip().decode("latin-1")))
        return pairs

    def header(self, name: str) -> str | None:
        return next((v for n, v in self.headers if n.lower() == name.lower()), None)

    @property
    def json(self) -> dict:
        return json.loads(self.body)


class Wait:
    """Hold the reply until the event is set (or the server closes)."""

    def __init__(self, event: threading.Event):
        self.event = event


class Raw:
    """Bytes sent as they are, without chunk framing."""

    def __init__(self, data: bytes):
        self.data = data


class Cut:
    """Close the connection now; with `reset`, by RST instead of FIN."""

    def __init__(self, reset: bool = False):
        self.reset = reset


class Hang:
    """Send nothing more, and wait until the client goes away."""


class Echo:
    """Send back every byte that comes, until the client closes (for upgraded connections)."""


Step = bytes | Wait | Raw | Cut | Hang | Echo


@dataclass
class Reply:
    """What the server answers: status, headers in order and case as given, and a body of steps."""

    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes | Iterable[Step] = b""
    framing: str = "length"
    """length, chunked, close (body ends with the connection), or none (no framing header, no body framing)."""
    reason: str | None = None
    before: Iterable[Step] = ()
    """Steps before the status line: `Raw(b"HTTP/1.1 103 ...")`, `Hang()`, `Cut()`."""
    trailers: list[tuple[str, str]] = field(default_factory=list)


REASONS = {101: "Switching Protocols", 200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found",
           417: "Expectation Failed", 429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable"}


class _Gone(Exception):
    """The client closed the connection."""


class _Closed(Exception):
    """The script closed the connection."""


class Provider:
    """The server. Use as a context manager; `base_url` is what OPENAI_BASE_URL should say."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.script: Callable[[Request], Reply] = lambda _request: Reply(404)
        self.on_expect: Callable[[Request], Reply | None] = lambda _request: None
        """Asked for requests with `Expect: 100-continue`: a reply at once, or None to let the body come."""
        self.requests: list[Request] = []
        self.connections = 0
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        return f"{self.origin}/v1"

    def reset(self, script: Callable[[Request], Reply] | None = None) -> None:
        """Forget what was received, and take another script."""
        with self._lock:
            self.requests = []
            self.connections = 0
        self.on_expect = lambda _request: None
        if script is not None:
            self.script = script

    def __enter__(self) -> Provider:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._closing.set()
        self._listener.close()

    # -- one connection ------------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                number = self.connections
            threading.Thread(target=self._serve, args=(peer, number), daemon=True).start()

    def _serve(self, peer: socket.socket, number: int) -> None:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is not None:
            try:
                peer = self._tls.wrap_socket(peer, server_side=True)
            except OSError:  # the client did not like what it saw, or left
                return
        reader = _Reader(peer)
        with peer:
            while not self._closing.is_set():
                try:
                    head = reader.until(b"\r\n\r\n")
                except (_Gone, OSError):
                    return
                request = Request(head[:-2], number)
                try:
                    early = None
                    if (request.header("expect") or "").lower() == "100-continue":
                        early = self.on_expect(request)
                        if early is None:
                            peer.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                    if early is None:
                        self._read_body(reader, request)
                    with self._lock:
                        self.requests.append(request)
                    self._answer(peer, request, early or self.script(request))
                    if early is not None or (request.header("connection") or "").lower() == "close":
                        return
                except _Closed:
                    return
                except (_Gone, OSError):
                    request.client_gone.set()
                    return

    @staticmethod
    def _read_body(reader: _Reader, request: Request) -> None:
        if "chunked" in (request.header("transfer-encoding") or "").lower():
            request.framing = "chunked"
            parts = []
            while size := int(reader.until(b"\r\n").split(b";")[0], 16):
                parts.append(reader.exactly(size))
                reader.exactly(2)
            while reader.until(b"\r\n") != b"\r\n":
                pass
            request.body = b"".join(parts)
        elif length := request.header("content-length"):
            request.framing = "length"
            request.body = reader.exactly(int(length))

    def _answer(self, peer: socket.socket, request: Request, reply: Reply) -> None:
        for step in reply.before:
            self._step(peer, step, chunked=False)
        reason = reply.reason if reply.reason is not None else REASONS.get(reply.status, "Status")
        lines = [f"HTTP/1.1 {reply.status} {reason}"] + [f"{name}: {value}" for name, value in reply.headers]
        body = [reply.body] if isinstance(reply.body, bytes) else reply.body
        if reply.framing == "length":
            body = [b"".join(body)]
            lines.append(f"Content-Length: {len(body[0])}")
        elif reply.framing == "chunked":
            lines.append("Transfer-Encoding: chunked")
        elif reply.framing == "close":
            lines.append("Connection: close")
        chunked = reply.framing == "chunked"
        peer.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        for step in body:
            self._step(peer, step, chunked)
        if chunked:
            trailer = "".join(f"{name}: {value}\r\n" for name, value in reply.trailers)
            peer.sendall(f"0\r\n{trailer}\r\n".encode("latin-1"))
        if reply.framing == "close":
            raise _Closed

    def _step(self, peer: socket.socket, step: Step, chunked: bool) -> None:
        match step:
            case bytes():
                if step:
                    peer.sendall(b"%x\r\n%s\r\n" % (len(step), step) if chunked else step)
            case Raw():
                peer.sendall(step.data)
            case Wait():
                while not step.event.wait(0.05):
                    if self._closing.is_set():
                        raise _Closed
            case Cut():
                if step.reset:
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                else:
                    peer.shutdown(socket.SHUT_RDWR)
                raise _Closed
            case Hang():
                while not self._closing.is_set():
                    if select.select([peer], [], [], 0.05)[0] and peer.recv(65536) == b"":
                        raise _Gone
                raise _Closed
            case Echo():
                while data := peer.recv(65536):
                    peer.sendall(data)
                raise _Closed


class _Reader:
    """Buffered exact reads from a socket."""

    def __init__(self, peer: socket.socket):
        self._peer = peer
        self._buffer = bytearray()

    def until(self, end: bytes) -> bytes:
        while (at := self._buffer.find(end)) < 0:
            self._more()
        return self._take(at + len(end))

    def exactly(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._more()
        return self._take(count)

    def _more(self) -> None:
        data = self._peer.recv(1 << 18)
        if not data:
            raise _Gone
        self._buffer += data

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken


def closed_port() -> int:
    """A loopback port that nobody listens on (it was free a moment ago)."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
