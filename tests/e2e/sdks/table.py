#!/usr/bin/env python3
"""The table of SDKs in docs/providers.md, made from the tests' marks: `python3 tests/e2e/run.py --table`.

Each `@pytest.mark.proves(sdk, language, feature)` is a cell. The SDK is its package's name, with a mode of it after a
space if need be (`google-genai (Vertex AI)`); versions come from what the tests install.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest

E2E = Path(__file__).resolve().parent.parent
PAGE = E2E.parent.parent / "docs" / "providers.md"
BEGIN, END = "<!-- SDKs: made by tests/e2e/sdks/table.py -->", "<!-- SDKs: end -->"
LANGUAGES = ("Python", "Node", "Rust")
FEATURES = ("unary", "stream", "tools", "streamed tools", "reasoning", "error", "broken stream", "async", "embeddings",
            "rerank", "by hooks")


class Marks:
    """A pytest plugin: every mark of every test that can fail."""

    def __init__(self) -> None:
        self.cells: set[tuple[str, str, str]] = set()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            if not any(item.get_closest_marker(name) for name in ("skip", "xfail")):
                self.cells |= {mark.args for mark in item.iter_markers("proves")}


def collected() -> set[tuple[str, str, str]]:
    marks = Marks()
    found = pytest.main(["-c", str(E2E / "pytest.ini"), "--rootdir", str(E2E), "--collect-only", "-qq", str(E2E / "sdks")],
                        plugins=[marks])
    if found != pytest.ExitCode.OK:
        raise SystemExit(f"pytest could not collect the tests: {found!r}")
    return marks.cells


def versions() -> dict[tuple[str, str], str]:
    """What the tests install, by language and package."""
    found: dict[tuple[str, str], str] = {}
    # Frameworks have an environment of their own, with other versions of the SDKs beneath them; requirements.txt comes last.
    for path in sorted(E2E.glob("requirements*.txt")):
        for name, version in re.findall(r"^([\w.-]+)(?:\[.*\])?==(\S+)", path.read_text(), re.M):
            found["Python", name] = version
    for name, version in json.loads((E2E / "node" / "package.json").read_text())["dependencies"].items():
        found["Node", name] = version
    for path in E2E.glob("*/Cargo.toml"):
        for name, wanted in tomllib.loads(path.read_text()).get("dependencies", {}).items():
            version = wanted if isinstance(wanted, str) else wanted.get("version", "")
            found["Rust", name] = version.removeprefix("=")
    return found


def table(cells: Iterable[tuple[str, str, str]]) -> str:
    """Markdown: a row an SDK, a column a feature."""
    known, cells = versions(), set(cells)
    strange = sorted(cell for cell in cells if cell[1] not in LANGUAGES or cell[2] not in FEATURES)
    if strange:
        raise SystemExit(f"no column for {strange}; FEATURES and LANGUAGES in {__file__} list them all")
    lines = [f"| SDK | version | {' | '.join(FEATURES)} |", f"|---|---|{':-:|' * len(FEATURES)}"]
    for language, sdk in sorted({(language, sdk) for sdk, language, _ in cells},
                                key=lambda row: (LANGUAGES.index(row[0]), row[1].lower())):
        version = known.get((language, sdk.split(" ")[0]))
        if version is None:
            raise SystemExit(f"the tests install no {language} package {sdk.split(' ')[0]!r}")
        marks = ("✓" if (sdk, language, feature) in cells else " " for feature in FEATURES)
        lines.append(f"| {language}: {sdk} | {version} | {' | '.join(marks)} |")
    return "\n".join(lines)


def page(text: str, cells: Iterable[tuple[str, str, str]]) -> str:
    """The page with its table renewed; with an `## SDKs` of its own at the end, if it had none."""
    if BEGIN not in text:  # the introduction is written once; people may change it
        text = f"{text.rstrip()}\n\n## SDKs\n\n{INTRODUCTION}\n\n{BEGIN}\n{END}\n"
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table(cells)}\n{END}{after}"


INTRODUCTION = """Programs with these SDKs run unmodified under `otel-genai run`. Each mark stands for a test that runs such a program
alone and under `run`, against one scripted server: both times the server gets the same bytes and the program the same
answers, and the telemetry says what was said. *By hooks*: without a variable that leads the SDK to the gateway, by the
hooks that [`run` sets inside Python and Node](run.md#inside-python-and-node)."""


def main(arguments: list[str]) -> int:
    old = PAGE.read_text() if PAGE.exists() else "# Providers\n"
    new = page(old, collected())
    if new == old:
        return 0
    if "--check" in arguments:
        print(f"{PAGE} is not what the tests prove; renew it with: python3 tests/e2e/run.py --table", file=sys.stderr)
        return 1
    PAGE.write_text(new)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
