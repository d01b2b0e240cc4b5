"""The dashboard's page in a browser: `ui/test/real.test.mjs` over the program, fed by OTLP."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.launcher import Launcher

UI = Path(__file__).resolve().parents[2] / "ui"
BROWSERS = (os.environ.get("CHROMIUM"), "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_page_shows_what_was_sent(launcher: Launcher) -> None:
    if not any(path and os.access(path, os.X_OK) for path in BROWSERS):
        pytest.skip("no Chromium at /usr/bin/chromium, and CHROMIUM names none")
    node = os.environ.get("E2E_NODE") or shutil.which("node")
    for script in (["install.mjs"], ["test/run.mjs", "--real"]):
        run = subprocess.run([node, *script], cwd=UI, env={**os.environ, "OTEL_GENAI_BIN": str(launcher.binary)},
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=1800)
        assert run.returncode == 0, run.stdout
