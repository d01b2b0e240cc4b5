"""rotel between a program and what takes its telemetry: a collector that is neither ours nor OpenTelemetry's own."""

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


class Agent:
    """A running rotel that exports as it is told."""

    def __init__(self, *exporter: str) -> None:
        self.ports = {"grpc": closed_port(), "http/protobuf": closed_port()}
        spec = find_spec("rotel")
        assert spec and spec.origin, "rotel of requirements.txt is not installed"
        self._running = subprocess.Popen(
            [str(Path(spec.origin).parent / "rotel-agent"), "start", "--disable-batching",
             "--otlp-grpc-endpoint", f"127.0.0.1:{self.ports['grpc']}",
             "--otlp-http-endpoint", f"127.0.0.1:{self.ports['http/protobuf']}", *exporter],
            env={"PATH": os.defpath}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self._running.poll() is None:
            try:
                for port in self.ports.values():
                    socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        self.close()
        raise AssertionError("rotel does not listen")

    def __enter__(self) -> Agent:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def finish(self) -> None:
        """Ends it, after it has sent on what it holds."""
        self._running.send_signal(signal.SIGTERM)
        said, _ = self._running.communicate(timeout=20)
        assert self._running.returncode == 0, said.decode(errors="replace")

    def close(self) -> None:
        if self._running.poll() is None:
            self._running.kill()
        self._running.communicate()


class Rotel(Receiver):
    """Takes what a program exports, and hands on what it understood of it to a receiver made from the official stubs."""

    def __init__(self, protocol: str) -> None:
        super().__init__()
        self.protocol = protocol
        self._behind = HttpReceiver("http/protobuf")
        self._agent = Agent("--exporter", "otlp", "--otlp-exporter-protocol", "http",
                            "--otlp-exporter-endpoint", self._behind.endpoint)
        self.port = self._agent.ports[protocol]

    def take(self) -> signals.Telemetry:
        self._agent.finish()
        return self._behind.take()

    def close(self) -> None:
        self._agent.close()
        self._behind.close()
