"""A network of its own: a proxy as companies have it, to which names lead to servers on loopback, and an authority that
vouches for them."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from pathlib import Path

import trustme

USER = "corp-user:corp-SECRETSECRET"


class Authority:
    """Who vouches for the servers of the scripted network."""

    def __init__(self, folder: Path):
        self._ca = trustme.CA()
        self.file = folder / "authority.pem"
        self._ca.cert_pem.write_to_path(self.file)

    def server(self, *names: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(*names).configure_cert(context)
        return context

    @property
    def env(self) -> dict[str, str]:
        """What programs need to trust it."""
        names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
        return {name: str(self.file) for name in names}


class Network:
    """The proxy. `hosts` says which name is which port on loopback; `asked` is what was asked of it."""

    def __init__(self, hosts: dict[str, int]):
        self.hosts = hosts
        self.asked: list[str] = []
        self.refused: list[bytes] = []
        """Requests without the proxy's own credentials."""
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def env(self) -> dict[str, str]:
        return {"HTTPS_PROXY": f"http://{USER}@127.0.0.1:{self.port}"}

    def __enter__(self) -> Network:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        with peer:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                byte = peer.recv(1)
                if not byte:
                    return
                head += byte
            if base64.b64encode(USER.encode()) not in head:
                self.refused.append(head)
                peer.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n"
                             b"Proxy-Authenticate: Basic realm=\"corp\"\r\nConnection: close\r\n\r\n")
                return
            target = head.split(b" ")[1].decode()
            self.asked.append(target)
            port = self.hosts.get(target.rsplit(":", 1)[0])
            if port is None:
                peer.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            with socket.create_connection(("127.0.0.1", port)) as server:
                peer.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=_carry, args=(server, peer), daemon=True)
                back.start()
                _carry(peer, server)
                back.join()


def _carry(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass
