"""The table of SDKs in docs/providers.md."""

import subprocess
import sys
from pathlib import Path

TABLE = Path(__file__).resolve().parent / "table.py"


def test_the_table_of_sdks_is_what_the_tests_prove():
    done = subprocess.run([sys.executable, str(TABLE), "--check"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
