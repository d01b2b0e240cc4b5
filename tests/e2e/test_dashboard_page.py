"""The dashboard's page in a browser: over the program, fed by OTLP and by real SDKs in three languages."""

import json
import os
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest

from harness import model
from harness.conversation import ANSWERS, CALL, OUTSIDE, PIECES, QUESTION, SYSTEM, tell
from harness.dashboard import Dashboard
from harness.launcher import API_KEY, HERE, environment, execute, rust, venv

UI = HERE.parents[1] / "ui"
BROWSERS = (os.environ.get("CHROMIUM"), "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")


@pytest.fixture(scope="module")
def browse():
    """Runs a script of the page's tests; answers what it printed."""
    if not any(path and os.access(path, os.X_OK) for path in BROWSERS):
        pytest.skip("no Chromium at /usr/bin/chromium, and CHROMIUM names none")
    node = os.environ.get("E2E_NODE") or shutil.which("node")

    def run(*script: str, **env: str) -> str:
        done = subprocess.run([node, *script], cwd=UI, env={**os.environ, **env}, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=1800)
        assert done.returncode == 0, done.stdout
        return done.stdout

    run("install.mjs")
    return run


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_page_shows_what_was_sent(launcher, browse):
    browse("test/run.mjs", "--real", OTEL_GENAI_BIN=str(launcher.binary))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_page_shows_what_clickhouse_keeps(launcher, browse, clickhouse):
    browse("test/run.mjs", "--real", OTEL_GENAI_BIN=str(launcher.binary), OTEL_GENAI_TEST_CLICKHOUSE=clickhouse.url)


SAID = [
    ["system", SYSTEM],
    ["user", QUESTION],
    ["assistant", CALL["name"], CALL["arguments"], "result", OUTSIDE],
    ["tool", OUTSIDE],
    ["assistant", ANSWERS[0]],
    ["user", PIECES],
    ["assistant", ANSWERS[1]],
]


@pytest.mark.timeout(300)
def test_sdks_in_three_languages_read_the_same_on_the_page(launcher, provider, browse):
    with Dashboard(launcher.binary) as dashboard:
        traces = [tell(name, dashboard, provider)["id"] for name in ("genai-openai", "official by grpc", "async-openai")]
        seen = json.loads(browse("test/look.mjs", f"http://{dashboard.page}", "said", *traces))
    for said in seen:
        # JSON is drawn with as much white space as is good to read.
        assert [[json.loads(text) if text.startswith("{") else text for text in one] for one in said] == SAID


@pytest.mark.timeout(300)
def test_what_the_page_says_connects_programs(launcher, provider, browse, tmp_path):
    """Each way to connect is done as it stands there, by programs where it names them."""
    provider.reset(model.answer)
    bin = tmp_path / "bin"
    bin.mkdir()
    (bin / "otel-genai").symlink_to(launcher.binary)
    data = tmp_path / "data"
    with Dashboard(launcher.binary, data) as dashboard:
        shown = json.loads(browse("test/look.mjs", f"http://{dashboard.page}", "snippets"))
        empty, settings = dict(shown["/"]), dict(shown["/settings"])
        # Beside the ways to send, the settings have those to ask.
        ask = {name: json.loads(settings.pop(name)) for name in ("stdio", "http")}
        assert empty == settings

        def connect(way: str, program: Path, *path: Path, name: str = "app.py", **more: str) -> dict:
            """Types what stands there in the folder of a program; returns what arrived."""
            before = {trace["id"] for trace in dashboard.get("/api/v1/traces")["items"]}
            folder = tmp_path / way.replace(" ", "-")
            folder.mkdir()
            shutil.copy(program, folder / name)
            # What is installed for the tests is not installed again.
            lines = [line for line in settings.pop(way).splitlines() if not line.startswith(("pip install", "npm install"))]
            env = environment(OPENAI_BASE_URL=provider.base_url, MODEL_URL=provider.origin, MODEL_KEY=API_KEY, HOME=str(tmp_path), **more)
            env["PATH"] = os.pathsep.join([*map(str, path), str(bin), env["PATH"]])
            done = execute(["sh", "-ec", "\n".join(['cd "$0"', *lines]), str(folder)], env)
            assert done.code == 0, done.text_err
            fresh = [trace for trace in dashboard.get("/api/v1/traces")["items"] if trace["id"] not in before]
            assert len(fresh) == 1, (way, fresh, done.text_err)
            return fresh[0]

        def stand_in(name: str, *command: str) -> None:
            (bin / name).write_text(f"#!/bin/sh\nexec {' '.join(command)}\n")
            (bin / name).chmod(0o755)

        chat, sender = HERE / "programs" / "chat_sync.py", HERE / "programs" / "sender.py"
        assert connect("Any program, unchanged", chat)["content"] == "here"
        assert connect("Python", chat, Path(venv("openai-v2", "chat_sync.py")[0]).parent)["content"] == "here"
        # What OpenTelemetry registers by itself is much; for it stands what it registers for this program.
        (tmp_path / "node_modules").symlink_to(HERE / "node" / "node_modules")
        registered = str(HERE / "node" / "registered")
        assert connect("Node.js", HERE / "node" / "chat.cjs", name="app.js", NODE_PATH=registered)["content"] == "here"
        stand_in("cargo", *rust("with_async_openai", "unary"))
        assert connect("Rust", chat)["content"] == "here"
        # Claude Code sends by the same variables; in its place stands a program that does.
        stand_in("claude", *venv("instrumented", "sender.py", "http/protobuf"))
        assert connect("Claude Code", sender)["service"] == "shop"
        way = "Everything that speaks OpenTelemetry"
        settings[way] += "\nclaude"
        assert connect(way, sender)["service"] == "shop"
        assert not settings, "each of the ways was tried"

        hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize",
                 "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}}
        server = ask["http"]["mcpServers"]["otel-genai"]
        request = urllib.request.Request(server["url"], json.dumps(hello).encode(),
                                         {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert b'"serverInfo"' in answer.read()
        server = ask["stdio"]["mcpServers"]["otel-genai"]
        env = environment(HOME=str(tmp_path), OTEL_GENAI_DATA_DIR=str(data))
        env["PATH"] = os.pathsep.join([str(bin), env["PATH"]])
        told = execute([server["command"], *server["args"]], env, json.dumps(hello).encode() + b"\n")
        assert b'"serverInfo"' in told.out, told.text_err
