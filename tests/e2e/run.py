#!/usr/bin/env python3
"""Runs the end-to-end tests from nothing: `python3 tests/e2e/run.py [PYTEST ARGUMENTS]`.

With `--table` alone it renews the table of SDKs in docs/providers.md, and runs nothing.

Needs Python 3.11 or newer, Node 20 or newer with npm, and cargo. Everything else goes into `target/e2e` and
`tests/e2e/node/node_modules`, and is set up again only when what it was made from has changed.

Environment:
  OTEL_GENAI_BIN              the program to test; built from this tree unless set
  OTEL_GENAI_CONFORMANCE_BIN  the judge of what it emits, otel-genai-conformance; built from this tree unless set
  CLICKHOUSE_URL              a ClickHouse for the tests of data there, such as clickhouse://127.0.0.1:8123; without it, its
                              engine is served where it is installed (`cargo xtask test` does so)
  OTEL_GENAI_SEMCONV_DIR      where the JSON schemas of the conventions are (default: ../shared/semconv)
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
STATE = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve() / "e2e"


class SetupError(Exception):
    """What is missing, and what to do about it."""


def main(arguments: list[str]) -> int:
    try:
        if sys.version_info < (3, 11):
            raise SetupError(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}: {sys.executable}")
        python = ensure_venv("venv", "requirements.txt")
        if arguments == ["--table"]:
            return subprocess.call([str(python), str(HERE / "sdks" / "table.py")])
        # Packages are fetched while programs are built.
        with ThreadPoolExecutor(1) as beside:
            packages = beside.submit(ensure_node)
            venvs = [beside.submit(ensure_venv, f"venv-{name}", f"requirements-{name}.txt")
                     for name in ("frameworks", "instrumented", "openai-v2", "loongsuite")]
            rust = ensure_rust()
            binary = ensure_binary("OTEL_GENAI_BIN", "otel-genai-cli", "otel-genai", "--features", "clickhouse")
            judge = ensure_binary("OTEL_GENAI_CONFORMANCE_BIN", "otel-genai-conformance", "otel-genai-conformance")
            node = packages.result()
            frameworks, *_ = [venv.result() for venv in venvs]
    except SetupError as problem:
        print(f"e2e: {problem}", file=sys.stderr)
        return 2
    environment = {**os.environ, "OTEL_GENAI_BIN": str(binary), "OTEL_GENAI_CONFORMANCE_BIN": str(judge),
                   "E2E_NODE": node, "E2E_FRAMEWORKS": str(frameworks), "E2E_RUST": str(rust),
                   "E2E_VENVS": str(STATE),
                   "PYTHONDONTWRITEBYTECODE": "1"}
    command = [str(python), "-m", "pytest", "-c", str(HERE / "pytest.ini"), "--rootdir", str(HERE)]
    targets = [] if any((HERE / a.split("::")[0]).exists() or Path(a.split("::")[0]).exists()
                        for a in arguments if not a.startswith("-")) else [str(HERE)]
    return subprocess.call([*command, *arguments, *targets], env=environment)


def ensure_venv(name: str, requirements: str) -> Path:
    """A virtual environment with pinned requirements; returns its Python."""
    folder = STATE / name
    python = folder / "bin" / "python"
    stamp = folder / ".stamp"
    wanted = digest((HERE / requirements).read_bytes(), sys.version.encode(), str(folder).encode())
    if python.exists() and read(stamp) == wanted:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    note(f"making the Python environment in {folder}")
    made = subprocess.run([sys.executable, "-m", "venv", str(folder)], capture_output=True, text=True)
    if made.returncode != 0:
        without_pip(folder, made.stdout + made.stderr)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(HERE / requirements)]
    if subprocess.call(pip) != 0:
        raise SetupError(f"pip could not install tests/e2e/{requirements} (its message is above)")
    stamp.write_text(wanted)
    return python


def without_pip(folder: Path, complaint: str) -> None:
    """Debian ships Python without ensurepip: take an environment without pip and let the system's pip fill it."""
    shutil.rmtree(folder, ignore_errors=True)
    bare = subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], capture_output=True, text=True)
    if bare.returncode != 0:
        raise SetupError(
            "this Python cannot make virtual environments. On Debian or Ubuntu: apt-get install python3-venv\n"
            + complaint.strip()
        )
    seeded = subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install", "--quiet", "pip"],
        capture_output=True,
        text=True,
    )
    if seeded.returncode != 0:
        shutil.rmtree(folder, ignore_errors=True)
        raise SetupError(
            "neither ensurepip nor pip is there to fill a virtual environment. "
            "On Debian or Ubuntu: apt-get install python3-venv\n" + complaint.strip()
        )


def ensure_node() -> str:
    """Node with the openai package beside the Node programs; returns the path of node."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise SetupError(
            f"{'node' if node is None else 'npm'} is not on the PATH. Install Node 20 or newer with npm "
            "(on Debian or Ubuntu: apt-get install nodejs npm)"
        )
    version = subprocess.run([node, "--version"], capture_output=True, text=True).stdout.strip()
    try:
        major = int(version.removeprefix("v").split(".")[0])
    except ValueError:
        raise SetupError(f"{node} --version says {version!r}, which is no version") from None
    if major < 20:
        raise SetupError(f"Node 20 or newer is needed, {node} is {version}")
    folder = HERE / "node"
    stamp = folder / "node_modules" / ".e2e-stamp"
    wanted = digest((folder / "package-lock.json").read_bytes(), version.encode())
    if read(stamp) != wanted:
        note("installing the Node packages")
        if subprocess.call([npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder) != 0:
            raise SetupError("npm ci failed in tests/e2e/node (its message is above)")
        stamp.write_text(wanted)
    return node


def ensure_binary(variable: str, package: str, name: str, *options: str) -> Path:
    """A program: the one that the variable names, or a debug build of this tree.

    Each is built alone: built together, the judge's dependencies would decide about features of the product's.
    """
    given = os.environ.get(variable)
    if given:
        binary = Path(given).resolve()
        if not os.access(binary, os.X_OK) or binary.is_dir():
            raise SetupError(f"{variable}={given} is not a program that can be run")
        return binary
    cargo = shutil.which("cargo")
    if cargo is None:
        raise SetupError(f"cargo is not on the PATH, and {variable} names no program that is built already")
    if subprocess.call([cargo, "build", "--quiet", "-p", package, *options], cwd=ROOT) != 0:
        raise SetupError(f"cargo build -p {package} failed (its message is above)")
    return STATE.parent / "debug" / name


def ensure_rust() -> Path:
    """The programs of the packages in `rust/`; returns their folder."""
    cargo = shutil.which("cargo")
    if cargo is None:
        raise SetupError("cargo is not on the PATH, and the programs with Rust clients have to be built")
    target = STATE / "rust"
    build(cargo, HERE / "rust", "-p", "otel-genai-e2e-rust", "--target-dir", str(target))
    # rig is in the product's own folder: its tests compile most of the same. It says that it needs a newer Rust than it does.
    build(cargo, HERE / "rust" / "rig", "--ignore-rust-version", "--target-dir", str(STATE.parent))
    shutil.copy2(STATE.parent / "debug" / "with_rig", target / "debug")
    return target / "debug"


def build(cargo: str, folder: Path, *options: str) -> None:
    if subprocess.call([cargo, "build", "--quiet", "--locked", *options], cwd=folder) != 0:
        raise SetupError(f"cargo build failed in {folder.relative_to(ROOT)} (its message is above)")


def digest(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def read(path: Path) -> str | None:
    try:
        return path.read_text()
    except OSError:
        return None


def note(text: str) -> None:
    print(f"e2e: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
