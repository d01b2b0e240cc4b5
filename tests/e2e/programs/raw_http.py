"""An HTTP/1.1 client that hides nothing: sends the requests it is given and tells exactly what came back.

Argument: JSON, a list of requests. Each: path (joined to OPENAI_BASE_URL), method, headers, body (text) or body_size
(that many bytes), expect (send `Expect: 100-continue` and wait), stop_after (close after that many body bytes),
timeout (seconds), upgrade (bytes to exchange after a 101). Requests share one connection as long as it lives.
Output: JSON, one object a request. With E2E_ACK each piece of a body is told at once on stderr, as a line.
"""

import hashlib
import json
import os
import socket
import sys
from urllib.parse import urlsplit

base = urlsplit(os.environ["OPENAI_BASE_URL"])


class Ended(Exception):
    pass


class Connection:
    def __init__(self, timeout):
        self.socket = socket.create_connection((base.hostname, base.port), timeout=timeout)
        self.socket.settimeout(timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()

    def more(self):
        try:
            data = self.socket.recv(1 << 18)
        except TimeoutError:
            raise Ended("timeout") from None
        except OSError:
            raise Ended("lost") from None
        if not data:
            raise Ended("lost")
        self.buffer += data

    def line(self):
        while b"\n" not in self.buffer:
            self.more()
        return self.take(self.buffer.index(b"\n") + 1)

    def take(self, count):
        taken = bytes(self.buffer[:count])
        del self.buffer[:count]
        return taken

    def some(self, limit):
        if not self.buffer:
            self.more()
        return self.take(min(limit, len(self.buffer)))


def head(connection):
    """Status line and header lines."""
    lines = []
    while (line := connection.line()) not in (b"\r\n", b"\n"):
        lines.append(line.decode("latin-1").rstrip("\r\n"))
    return lines


class Body:
    def __init__(self, stop_after):
        self.sha, self.size, self.start, self.stop_after = hashlib.sha256(), 0, b"", stop_after

    def add(self, piece):
        self.sha.update(piece)
        self.size += len(piece)
        self.start = (self.start + piece)[:400]
        if "E2E_ACK" in os.environ:
            print(f"piece {piece.decode('latin-1')!r}", file=sys.stderr, flush=True)
        if self.stop_after is not None and self.size >= self.stop_after:
            raise Ended("stopped")


def read_body(connection, headers, body):
    """Reads the body into `body`, by its framing; returns the trailers."""
    if "chunked" in headers.get("transfer-encoding", ""):
        while True:
            try:
                left = int(connection.line().split(b";")[0], 16)
            except ValueError:
                raise Ended("bad framing") from None
            if left == 0:
                return head(connection)
            while left:
                piece = connection.some(left)
                left -= len(piece)
                body.add(piece)
            connection.line()
    if "content-length" in headers:
        left = int(headers["content-length"])
        while left:
            piece = connection.some(left)
            left -= len(piece)
            body.add(piece)
        return []
    try:
        while True:
            body.add(connection.some(1 << 20))
    except Ended as end:
        if str(end) != "lost":
            raise
    return []


def send(connection, request):
    size = request.get("body_size")
    body = request.get("body", "").encode("utf-8", "surrogateescape")
    lines = [f"{request.get('method', 'POST')} {base.path}{request['path']} HTTP/1.1", f"Host: {base.netloc}"]
    lines += [f"{name}: {value}" for name, value in request.get("headers", [["Content-Type", "application/json"]])]
    if request.get("method", "POST") == "POST":
        lines.append(f"Content-Length: {len(body) if size is None else size}")
    if request.get("expect"):
        lines.append("Expect: 100-continue")
    connection.socket.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
    if request.get("expect"):
        lines = head(connection)
        if " 100 " not in lines[0] + " ":
            return lines
        seen["continued"] = True
    if size is None:
        connection.socket.sendall(body)
    else:
        start, filler = body, b"x" * (1 << 18)
        connection.socket.sendall(start)
        left = size - len(start)
        while left:
            left -= connection.socket.send(filler[:left])
    return None


outcomes, connection = [], None
for request in json.loads(sys.argv[1]):
    seen = {}
    outcomes.append(seen)
    body = Body(request.get("stop_after"))
    try:
        if connection is None:
            connection = Connection(request.get("timeout", 30))
        lines = send(connection, request) or head(connection)
        while lines[0].split(" ")[1].startswith("1") and " 101 " not in lines[0]:
            seen.setdefault("informational", []).append(lines)
            lines = head(connection)
        seen["status"], seen["headers"] = lines[0], [line.split(": ", 1) for line in lines[1:]]
        headers = {line.split(":", 1)[0].lower(): line.split(":", 1)[1].strip().lower() for line in lines[1:]}
        if " 101 " in lines[0]:
            connection.socket.sendall(bytes.fromhex(request["upgrade"]))
            got = b""
            while len(got) < len(request["upgrade"]) // 2:
                got += connection.some(1 << 16)
            seen["echo"] = got.hex()
            raise Ended("stopped")
        seen["trailers"] = read_body(connection, headers, body)
        seen["end"] = "complete"
    except (Ended, OSError) as end:
        seen["end"] = str(end) if isinstance(end, Ended) else "lost"
        if connection is not None:
            connection.socket.close()
        connection = None
    seen["size"], seen["sha256"], seen["start"] = body.size, body.sha.hexdigest(), body.start.decode("latin-1")
    if connection is not None and ("content-length" not in headers and "transfer-encoding" not in headers):
        connection.socket.close()
        connection = None
if path := os.environ.get("E2E_PARENT_STATUS"):
    with open(f"/proc/{os.getppid()}/status") as status, open(path, "w") as copy:
        copy.write(status.read())
print(json.dumps(outcomes))
