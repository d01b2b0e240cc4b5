"""A ClickHouse: the server at CLICKHOUSE_URL, else its engine as a library, as the store's own tests serve it."""

from __future__ import annotations

import base64
import itertools
import os
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

from .launcher import HERE
from .provider import closed_port

ENGINE = HERE.parents[1] / "crates" / "otel-genai-store" / "tests" / "engine"
LIBRARY = "chdb/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so"


def library() -> Path | None:
    """Where the engine is installed: beside the build, by `cargo xtask test` or as its README says."""
    target = Path(os.environ.get("E2E_VENVS") or HERE.parents[1] / "target" / "e2e").parent
    found = target / LIBRARY
    return found if found.exists() else None


class ClickHouse:
    """A server, and databases of their own in it."""

    def __init__(self, folder: Path) -> None:
        self._engine: subprocess.Popen[bytes] | None = None
        self._number = itertools.count()
        told = os.environ.get("CLICKHOUSE_URL")
        self.url = told.rstrip("/") if told else self._serve(folder)

    def _serve(self, folder: Path) -> str:
        found = library()
        assert found, "the engine is not installed"
        (folder / "temporary").touch()
        http, tcp = closed_port(), closed_port()
        errors = folder.with_suffix(".txt")
        with errors.open("wb") as said:
            self._engine = subprocess.Popen([sys.executable, ENGINE / "serve.py", found, folder, str(http), str(tcp)],
                                            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said)
        self.url = f"clickhouse://127.0.0.1:{http}"
        deadline = time.monotonic() + 60
        while True:
            try:
                self.ask("SELECT 1")
                return self.url
            except OSError:
                assert self._engine.poll() is None and time.monotonic() < deadline, errors.read_text(errors="replace")
                time.sleep(0.05)

    def close(self) -> None:
        """The engine ends itself when its standard input is closed, and takes its folder with it."""
        if self._engine and self._engine.stdin:
            self._engine.stdin.close()
            self._engine.wait(20)

    def name(self) -> str:
        """Of a database that is not there yet."""
        return f"e2e_{os.getpid()}_{time.time_ns()}_{next(self._number)}"

    def database(self) -> str:
        """The address of a database that is not there yet."""
        return f"{self.url}/{self.name()}"

    @property
    def http(self) -> str:
        """Its address as others write it."""
        return self.url.replace("clickhouse", "http", 1)

    def ask(self, sql: str, database: str = "default") -> str:
        """What the server answers to a statement."""
        told = urllib.parse.urlsplit(self.http)
        request = urllib.request.Request(f"{told.scheme}://{told.netloc.rpartition('@')[2]}/?database={database}", sql.encode())
        if told.username:
            named = f"{urllib.parse.unquote(told.username)}:{urllib.parse.unquote(told.password or '')}"
            request.add_header("Authorization", f"Basic {base64.b64encode(named.encode()).decode()}")
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.read().decode()
