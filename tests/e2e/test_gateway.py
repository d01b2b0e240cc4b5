"""`otel-genai gateway`: the same proxy standing alone."""

import re
import signal

import pytest

from harness import model, raw
from harness.launcher import python
from harness.same import assert_same_program, without_tally


@pytest.fixture
def gateway(launcher, provider, otlp):
    """A running gateway in front of the scripted server: its process and its address."""
    options = ["--listen", "127.0.0.1:0", "--upstream", provider.origin]
    running = launcher.start([launcher.binary, "gateway", *options], wrapped=False, **otlp.env)
    for line in iter(running.stdout.readline, b""):
        if found := re.search(rb"http://127\.0\.0\.1:\d+", line):
            return running, found.group().decode()
    pytest.fail(f"no address on stdout: {running.stderr.read()!r}")


def test_a_program_behind_a_gateway(launcher, provider, otlp, gateway):
    running, address = gateway
    provider.reset(model.answer)
    results = [launcher.direct(python("chat_async.py"), OPENAI_BASE_URL=f"{origin}/v1")
               for origin in (provider.origin, address)]
    assert_same_program(*results)
    running.send_signal(signal.SIGTERM)
    _, err = running.communicate(timeout=20)
    assert (running.returncode, without_tally(err)) == (0, b"")
    span = otlp.take().span()
    assert span.name == "chat gpt-4o"
    assert (span.attributes["server.address"], span.attributes["server.port"]) == ("127.0.0.1", provider.port)
    assert span.attributes["gen_ai.usage.input_tokens"] == 19


def test_many_programs_behind_a_gateway(launcher, provider, otlp, gateway):
    running, address = gateway
    provider.reset(model.answer)
    for i in range(3):
        calls = [raw.chat(f"{i}.{j}") for j in range(5)]
        report = launcher.direct(raw.client(*calls), OPENAI_BASE_URL=f"{address}/v1").json
        assert [call["end"] for call in report] == ["complete"] * 5
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=20)
    assert running.returncode == 0
    assert len(otlp.take().spans) == 15


def test_an_address_that_is_taken(launcher, provider):
    result = launcher.direct([launcher.binary, "gateway", "--listen", f"127.0.0.1:{provider.port}"])
    assert result.code not in (0, 101)
    assert f"127.0.0.1:{provider.port}" in result.text_err
    assert "in use" in result.text_err
