"""A running dashboard, and what it answers."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from .launcher import environment
from .provider import closed_port


class Dashboard:
    """Of `otel-genai dashboard`, on ports of its own; its data in memory unless a folder or an address of ClickHouse is given."""

    def __init__(self, binary: str, data: Path | str | None = None, *options: str) -> None:
        self.http, self.grpc, self.page = (f"127.0.0.1:{closed_port()}" for _ in range(3))
        match data:
            case None:
                kept = ["--memory"]
            case Path():
                kept = ["--data-dir", str(data)]
            case address:
                kept = ["--store", address]
        self.process = subprocess.Popen(
            [binary, "dashboard", *kept, "--http", self.http, "--grpc", self.grpc, "--page", self.page, *options],
            env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        deadline = time.monotonic() + 20
        while True:
            try:
                self.get("/api/v1/about")
                return
            except OSError:
                assert self.process.poll() is None, self.process.communicate()[0].decode(errors="replace")
                assert time.monotonic() < deadline, "the dashboard does not answer"
                time.sleep(0.02)

    def __enter__(self) -> Dashboard:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends it, as Ctrl-C does."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.communicate()
                raise AssertionError("the dashboard does not end") from None

    def env(self, protocol: str = "http/protobuf") -> dict[str, str]:
        """What points an exporter here."""
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{self.grpc if protocol == 'grpc' else self.http}",
                "OTEL_EXPORTER_OTLP_PROTOCOL": protocol}

    def get(self, path: str) -> Any:
        """The answer of the API, which must be a success."""
        with urllib.request.urlopen(f"http://{self.http}{path}", timeout=20) as answer:
            return json.load(answer)

    def status(self, path: str) -> int:
        """The status alone, whatever it is."""
        try:
            with urllib.request.urlopen(f"http://{self.http}{path}", timeout=20) as answer:
                return answer.status
        except urllib.error.HTTPError as refused:
            return refused.code
