"""Fixtures: the program under test, and one pair of runs for each case, shared by the tests that look at it."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("harness.same", "harness.match", "harness.raw", "harness.signals")

from harness import cases
from harness.conformance import Registry
from harness.launcher import Launcher, stop_all
from harness.otlp import GrpcReceiver
from harness.provider import Provider

DEFAULT_BINARY = Path(__file__).resolve().parents[2] / "target" / "debug" / "otel-genai"


@pytest.fixture(scope="session")
def launcher() -> Launcher:
    binary = os.environ.get("OTEL_GENAI_BIN") or str(DEFAULT_BINARY)
    if not os.access(binary, os.X_OK):
        pytest.fail(f"there is no program at {binary}; build it or set OTEL_GENAI_BIN (tests/e2e/run.py does both)")
    return Launcher(binary)


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    """A test that failed half-way leaves no process behind."""
    yield
    stop_all()


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


@pytest.fixture
def otlp() -> Iterator[GrpcReceiver]:
    with GrpcReceiver() as running:
        yield running


@pytest.fixture(scope="session")
def case_provider() -> Iterator[Provider]:
    """The server that all runs of the cases share, so that both runs of a case talk to the same address."""
    with Provider() as running:
        yield running


@pytest.fixture(scope="session")
def alone(case_provider: Provider) -> Callable[[str], cases.Seen]:
    """A case's run without the product, made once a session."""
    return functools.cache(lambda name: cases.alone(cases.CASES[name], case_provider))


@pytest.fixture(scope="session")
def run_of(launcher: Launcher, alone: Callable[[str], cases.Seen],
           case_provider: Provider) -> Callable[[str], cases.Run]:
    """A case's two runs, made once a session."""

    @functools.cache
    def get(name: str) -> cases.Run:
        direct = alone(name)
        return cases.Run(direct, *cases.observed(launcher, cases.CASES[name], case_provider), case_provider.port)

    return get


@pytest.fixture(scope="session")
def registry() -> Registry:
    loaded = Registry.load()
    if loaded is None:
        pytest.skip("the resolved conventions are not here (OTEL_GENAI_SEMCONV_DIR says where they are)")
    return loaded
