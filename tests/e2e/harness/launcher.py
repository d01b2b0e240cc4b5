"""Starts programs, alone or under `otel-genai run`, in an environment that holds nothing but what the test gives."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent.parent
API_KEY = "sk-e2e-SECRETSECRET-0123456789abcdef"
AZURE_KEY = "azure-e2e-SECRETSECRET-fedcba9876543210"


@dataclass
class Result:
    code: int
    out: bytes
    err: bytes

    @property
    def json(self) -> Any:
        """The program's standard output, which must be one JSON document."""
        try:
            return json.loads(self.out)
        except ValueError:
            raise AssertionError(f"no JSON on stdout (exit {self.code}): {self.out[:500]!r}\n{self.text_err}") from None

    @property
    def text_err(self) -> str:
        return self.err.decode("utf-8", "replace")


def python(program: str, *arguments: str) -> list[str]:
    return [sys.executable, str(HERE / "programs" / program), *arguments]


def frameworks(program: str, *arguments: str) -> list[str]:
    """A program with the frameworks, in their own environment: they ask for other versions of the SDKs."""
    found = os.environ.get("E2E_FRAMEWORKS") or "the Python of requirements-frameworks.txt (E2E_FRAMEWORKS names it)"
    return [found, str(HERE / "programs" / program), *arguments]


def venv(name: str, program: str, *arguments: str) -> list[str]:
    """A program in the environment made from `requirements-NAME.txt`."""
    folder = os.environ.get("E2E_VENVS") or "(E2E_VENVS names the folder of environments)"
    return [os.path.join(folder, f"venv-{name}", "bin", "python"), str(HERE / "programs" / program), *arguments]


def node(program: str, *arguments: str) -> list[str]:
    found = os.environ.get("E2E_NODE") or shutil.which("node") or "node"
    return [found, str(HERE / "node" / program), *arguments]


def rust(program: str, *arguments: str) -> list[str]:
    """A program of the package in `rust/`, which run.py builds."""
    return [os.path.join(os.environ.get("E2E_RUST") or "(E2E_RUST names the folder of built programs)", program), *arguments]


def environment(**extra: str) -> dict[str, str]:
    """A small clean environment: no OTEL_*, no proxies, keys that must never be seen again."""
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "HOME": os.environ.get("HOME", "/tmp"),
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "NODE_NO_WARNINGS": "1",
        "OPENAI_API_KEY": API_KEY,
        "AZURE_OPENAI_API_KEY": AZURE_KEY,
        **extra,
    }


def execute(argv: list[str], env: dict[str, str], stdin: bytes = b"", timeout: float = 40) -> Result:
    """Runs a command to its end in a session of its own; past the timeout it is ended with all its children."""
    running = subprocess.Popen(argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               start_new_session=True)
    try:
        out, err = running.communicate(stdin, timeout)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        out, err = running.communicate()
        raise AssertionError(f"still running after {timeout} s: {argv}\n{out[-2000:]!r}\n{err[-2000:]!r}") from None
    return Result(running.returncode, out, err)


class Launcher:
    """Runs the same program with and without the product."""

    def __init__(self, binary: str):
        self.binary = binary

    def command(self, argv: list[str], options: tuple[str, ...] = ()) -> list[str]:
        return [self.binary, "run", *options, "--", *argv]

    def direct(self, argv: list[str], stdin: bytes = b"", timeout: float = 40, **env: str) -> Result:
        return execute(argv, environment(**env), stdin, timeout)

    def wrapped(self, argv: list[str], stdin: bytes = b"", timeout: float = 40, options: tuple[str, ...] = (),
                **env: str) -> Result:
        return execute(self.command(argv, options), environment(**env), stdin, timeout)

    def start(self, argv: list[str], wrapped: bool, **env: str) -> subprocess.Popen[bytes]:
        """A running program, in a session of its own, with pipes."""
        running = subprocess.Popen(self.command(argv) if wrapped else argv, env=environment(**env), bufsize=0,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   start_new_session=True)
        _STARTED.append(running)
        return running


_STARTED: list[subprocess.Popen[bytes]] = []


def stop_all() -> None:
    """Ends what `Launcher.start` started and nobody waited for, with its children."""
    while _STARTED:
        running = _STARTED.pop()
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
