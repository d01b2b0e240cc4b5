"""The dashboard from the command line: `demo`, `run --dashboard`, and what is left when it is killed."""

import itertools
import json
import os
import pty
import re
import select
import signal
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from harness import model
from harness.dashboard import Dashboard
from harness.launcher import environment, execute, python

LINK = re.compile(rb"http://127\.0\.0\.1:\d+/[^\s]*")


def get(url):
    with urllib.request.urlopen(url, timeout=20) as answer:
        return json.load(answer)


def until(ask, wanted, seconds=20):
    """What was asked for, once it is as wanted."""
    deadline = time.monotonic() + seconds
    while not wanted(answer := ask()):
        assert time.monotonic() < deadline, answer
        time.sleep(0.05)
    return answer


class Terminal:
    """A command in a pseudo-terminal of its own."""

    def __init__(self, argv, env):
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.execve(argv[0], argv, env)
        self.seen = b""

    def read_until(self, words, seconds=40):
        deadline = time.monotonic() + seconds
        while words not in self.seen:
            assert time.monotonic() < deadline, self.seen.decode("utf-8", "replace")
            if select.select([self.master], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self.master, 65536)
                except OSError:
                    break
        return self.seen

    def end(self, key=b"\x03"):
        """Types a key, and returns the exit status."""
        os.write(self.master, key)
        deadline = time.monotonic() + 20
        while (ended := os.waitpid(self.pid, os.WNOHANG))[0] == 0:
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
            if select.select([self.master], [], [], 0.02)[0]:
                try:
                    self.seen += os.read(self.master, 65536)
                except OSError:
                    pass
        os.close(self.master)
        return os.waitstatus_to_exitcode(ended[1])


def test_the_demo_ends_on_a_page_with_its_calls(launcher, tmp_path):
    demo = Terminal([launcher.binary, "demo"], environment(HOME=str(tmp_path), TERM="xterm"))
    try:
        demo.read_until(b"until Ctrl-C")
        page = LINK.search(demo.read_until(b"/\r\n").partition(b"until Ctrl-C")[2]).group().decode()
        traces = until(lambda: get(page + "api/v1/traces")["items"], lambda found: len(found) >= 5)
    finally:
        code = demo.end()
    assert code == 0
    assert b"What is the capital of France?" in demo.seen, "it is printed as well"
    names = {trace["name"] for trace in traces}
    assert {"chat gpt-4o-mini", "embeddings text-embedding-3-small"} <= names, names
    assert not list(tmp_path.rglob("*.sqlite")), "a demo leaves nothing behind"
    with pytest.raises(urllib.error.URLError):
        get(page + "api/v1/about")


def test_without_a_terminal_the_demo_prints_and_ends(launcher, tmp_path):
    told = execute([launcher.binary, "demo"], environment(HOME=str(tmp_path)))
    assert (told.code, told.err) == (0, b"")
    assert b"page" not in told.out and not LINK.search(told.out)


@pytest.fixture
def data(launcher, tmp_path):
    """A data folder whose dashboard, if there is one, does not outlive the test."""
    env = environment(HOME=str(tmp_path), OTEL_GENAI_DATA_DIR=str(tmp_path / "data"),
                      OTEL_GENAI_DASHBOARD_PAGE="127.0.0.1:0", OTEL_GENAI_DASHBOARD_HTTP="127.0.0.1:0",
                      OTEL_GENAI_DASHBOARD_GRPC="off")
    yield env
    stopped = execute([launcher.binary, "dashboard", "--stop"], env)
    assert stopped.code == 0, stopped.text_err


def run(launcher, env, provider, *argv, options=()):
    env = {**env, "OPENAI_BASE_URL": provider.base_url}
    return execute([launcher.binary, "run", "--dashboard", *options, "--", *argv], env)


def test_a_run_can_be_seen_after_it_has_ended(launcher, provider, data):
    provider.reset(model.answer)
    told = run(launcher, data, provider, *python("chat_sync.py"))
    assert told.code == 0, told.text_err
    link = LINK.search(told.err.partition(b"see it: ")[2]).group().decode()
    page, _, trace = link.partition("/trace/")
    shown = get(f"{page}/api/v1/traces/{trace}")
    assert [row["name"] for row in shown["rows"]] == ["chat gpt-4o-mini"], told.text_err
    assert b"--content true" in told.err, "why there are no words in it"

    again = run(launcher, data, provider, *python("chat_sync.py"), options=("--content", "true"))
    assert again.code == 0 and b"--content" not in again.err, again.text_err
    other = LINK.search(again.err.partition(b"see it: ")[2]).group().decode()
    assert other.startswith(page + "/trace/") and other != link, "the dashboard that runs is used"


def test_a_run_with_a_dashboard_ends_as_its_program_does(launcher, provider, data):
    told = run(launcher, data, provider, "sh", "-c", "exit 7")
    assert told.code == 7
    page = LINK.search(told.err.partition(b"the dashboard: ")[2]).group().decode()
    assert get(page + "api/v1/about")["name"] == "otel-genai", "the page is still there"
    own = run(launcher, data, provider, "sh", "-c", "echo $OTEL_EXPORTER_OTLP_ENDPOINT")
    assert own.out.decode().strip() == get(page + "api/v1/about")["otlp"]["http"]
    kept = run(launcher, {**data, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}, provider,
               "sh", "-c", "echo $OTEL_EXPORTER_OTLP_ENDPOINT")
    assert kept.out == b"http://127.0.0.1:9\n", "the program's own receiver is its own"


def test_a_run_without_a_place_for_data_is_a_run_all_the_same(launcher, provider, tmp_path):
    provider.reset(model.answer)
    file = tmp_path / "file"
    file.write_text("")
    env = environment(OTEL_GENAI_DATA_DIR=str(file))
    told = run(launcher, env, provider, *python("chat_sync.py"))
    assert told.code == 0
    assert told.text_err.count("otel-genai: no dashboard: ") == 1, told.text_err
    assert "chat gpt-4o-mini" in told.text_err, "telemetry goes where it goes without"


# -- kill -9 ---------------------------------------------------------------------------------------------------------------

SPANS, SENDERS, ROUNDS = 20, 4, 10
STARTED = time.time_ns()


def batch(trace):
    """A trace of its own: whole or not there. Sent again, it is the same."""
    spans = [{"traceId": trace, "spanId": f"{n:016x}", "parentSpanId": "" if n == 1 else f"{1:016x}", "name": f"span {n}",
              "startTimeUnixNano": str(STARTED + n), "endTimeUnixNano": str(STARTED + 1000 + n),
              "attributes": [{"key": "text", "value": {"stringValue": "word " * 200}}]} for n in range(1, SPANS + 1)]
    return {"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "sender"}}]},
                               "scopeSpans": [{"spans": spans}]}]}


def send(url, traces, acknowledged):
    """Sends one batch after the other until nobody answers any more; returns the one that was not acknowledged."""
    for trace in traces:
        request = urllib.request.Request(url, json.dumps(batch(trace)).encode(), {"Content-Type": "application/json"})
        while True:
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    assert answer.status == 200
                break
            except urllib.error.HTTPError as refused:
                assert refused.code in (429, 503), refused
                time.sleep(0.05)  # As it was told.
            except (OSError, EOFError):
                return trace
            except Exception as broken:  # http.client's own, when the connection goes in the middle of an answer
                assert type(broken).__module__ == "http.client", broken
                return trace
        acknowledged.append(trace)


@pytest.mark.parametrize("kept", ["files", "clickhouse"])
def test_what_was_acknowledged_survives_kill_9_and_is_there_once(launcher, tmp_path: Path, request, kept):
    """Each sender sends again what was not acknowledged, or lets it be, as those do that end."""
    data = tmp_path / "data" if kept == "files" else request.getfixturevalue("clickhouse").database()
    acknowledged, left = [], []
    unheard = [[] for _ in range(SENDERS)]
    for number in range(ROUNDS):
        dashboard = Dashboard(launcher.binary, data)
        heard, failed = [[] for _ in range(SENDERS)], [None] * SENDERS

        def work(one, url=f"http://{dashboard.http}/v1/traces"):
            fresh = (f"{1 + number * SENDERS + one:08x}{n:024x}" for n in itertools.count())
            failed[one] = send(url, itertools.chain(unheard[one], fresh), heard[one])

        threads = [threading.Thread(target=work, args=(one,)) for one in range(SENDERS)]
        for thread in threads:
            thread.start()
        # In the middle of it: each round a little later.
        until(lambda: sum(map(len, heard)), lambda count: count >= 3 + number)
        os.killpg(dashboard.process.pid, signal.SIGKILL)
        dashboard.process.communicate()
        for thread in threads:
            thread.join()
        acknowledged += itertools.chain(*heard)
        again = [one for one in range(SENDERS) if (number + one) % 4]
        left += [failed[one] for one in range(SENDERS) if one not in again]
        unheard = [[failed[one]] if one in again else [] for one in range(SENDERS)]
    left += itertools.chain(*unheard)
    with Dashboard(launcher.binary, data) as dashboard:
        counted, page = {}, {"next": ""}
        while "next" in page:
            page = dashboard.get(f"/api/v1/traces?limit=200&cursor={page['next']}")
            counted |= {trace["id"]: trace["spans"] for trace in page["items"]}
        there = [trace for trace in left if trace in counted]
        assert counted == dict.fromkeys(acknowledged + there, SPANS)
        for trace in acknowledged[::10] + there:
            assert dashboard.get(f"/api/v1/traces/{trace}")["totalRows"] == SPANS, trace
        (service,) = dashboard.get("/api/v1/services")["items"]
        assert service["spans"] == SPANS * len(counted)
        assert not dashboard.get("/api/v1/about")["readOnly"]
    assert len(acknowledged) >= 75 and len(set(acknowledged)) == len(acknowledged)
    assert not (tmp_path / "data" / "damaged").exists()
