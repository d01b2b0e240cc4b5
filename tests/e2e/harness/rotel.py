"""rotel between a program and a receiver: a collector that is neither ours nor OpenTelemetry's own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

from . import signals
from .otlp import HttpReceiver, Receiver
from .provider import closed_port


class Rotel(Receiver):
    """Takes what a program exports, and hands on what it understood of it to a receiver made from the official stubs."""

    def __init__(self, protocol: str) -> None:
        super().__init__()
        self.protocol = protocol
        self._behind = HttpReceiver("http/protobuf")
        grpc, http = closed_port(), closed_port()
        self.port = grpc if protocol == "grpc" else http
        spec = find_spec("rotel")
        assert spec and spec.origin, "rotel of requirements.txt is not installed"
        self._running = subprocess.Popen(
            [str(Path(spec.origin).parent / "rotel-agent"), "start", "--disable-batching",
             "--otlp-grpc-endpoint", f"127.0.0.1:{grpc}", "--otlp-http-endpoint", f"127.0.0.1:{http}",
             "--exporter", "otlp", "--otlp-exporter-protocol", "http", "--otlp-exporter-endpoint", self._behind.endpoint],
            env={"PATH": os.defpath}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._wait_until_it_listens()

    def _wait_until_it_listens(self) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self._running.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        self.close()
        raise AssertionError("rotel does not listen")

    def take(self) -> signals.Telemetry:
        """Ends rotel, which sends on what it holds; then what arrived behind it."""
        self._running.send_signal(signal.SIGTERM)
        said, _ = self._running.communicate(timeout=20)
        assert self._running.returncode == 0, said.decode(errors="replace")
        return self._behind.take()

    def close(self) -> None:
        if self._running.poll() is None:
            self._running.kill()
        self._running.communicate()
        self._behind.close()
