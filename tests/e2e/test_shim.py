"""Hooks inside Python and Node: calls to known hosts are led, and nothing else of the program changes."""

import json
import os
import subprocess
import sys
import time

import pytest
import trustme

from harness import model
from harness.launcher import environment, node, python

URL = "https://api.mistral.ai/v1/chat/completions"
PYTHON = ["httpx", "httpx-async", "httpx2", "requests", "aiohttp", "botocore", "openai"]
NODE = ["fetch", "fetch-request", "https"]
SILENT = {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}


def program(client, url):
    return python("hooked.py", client, url) if client in PYTHON else node("hooked.mjs", client, url)


@pytest.fixture
def provider(provider):
    provider.script = model.answer
    return provider


def mirrored(provider):
    return ("--upstream", f"api.mistral.ai={provider.origin}")


def lines(request):
    """What the provider got, but for the host."""
    return [line for line in request.header_lines if not line.lower().startswith(b"host:")], request.body


@pytest.mark.parametrize("client", PYTHON + NODE)
def test_a_known_host_is_reached_by_every_client(launcher, provider, otlp, client):
    direct = launcher.direct(program(client, f"{provider.origin}/v1/chat/completions"))
    [expected] = provider.requests
    provider.reset(model.answer)
    wrapped = launcher.wrapped(program(client, URL), options=mirrored(provider), **otlp.env, OTEL_LOG_LEVEL="error")
    [request] = provider.requests
    assert lines(request) == lines(expected)
    assert request.target == expected.target
    assert wrapped.json == {**direct.json, "addresses": [URL]}
    assert (wrapped.code, wrapped.err) == (0, direct.err)
    span = otlp.take().span()
    assert span.attributes["gen_ai.provider.name"] == "mistral_ai"
    assert (span.attributes["server.address"], span.attributes["server.port"]) == ("api.mistral.ai", 443)


@pytest.mark.parametrize("client", PYTHON[:-1] + NODE)
def test_the_active_trace_is_carried(launcher, provider, otlp, client):
    launcher.wrapped(program(client, URL), options=mirrored(provider), E2E_SPAN="1", **otlp.env)
    [request] = provider.requests
    assert request.header("traceparent") == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    span = otlp.take().span()
    assert span.trace_id == "0af7651916cd43dd8448eb211c80319c"


LED = ["httpx", "httpx-usual", "requests", "requests-usual", "aiohttp", "aiohttp-usual", "botocore",
       "fetch", "fetch-request", "fetch-dispatcher-usual", "https", "https-agent-usual"]
LEFT = ["httpx-authorities", "httpx-certificate", "httpx-cert", "httpx-unchecked", "httpx-double",
        "requests-authorities", "requests-certificate", "requests-unchecked",
        "aiohttp-certificate", "aiohttp-authorities", "aiohttp-fingerprint", "botocore-authorities",
        "fetch-request-as-init", "fetch-dispatcher", "https-agent", "https-authorities", "https-unchecked"]


@pytest.fixture(scope="module")
def trust(tmp_path_factory):
    """Files with an authority that nobody knows, and a client's certificate with its key."""
    folder = tmp_path_factory.mktemp("trust")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authorities.pem")
    authority.issue_cert("client").private_key_and_cert_chain_pem.write_to_path(folder / "client.pem")
    return str(folder / "authorities.pem"), str(folder / "client.pem")


@pytest.mark.parametrize("which", LED + LEFT)
def test_what_the_gateway_cannot_do_as_the_program_would_is_left_alone(launcher, provider, trust, which):
    """The host exists nowhere but at the gateway, so that only calls which are led reach the provider."""
    url = "https://private.example/v1/chat/completions"
    where = node("own_trust.mjs", which, url) if which.startswith(("fetch", "https")) else \
        python("own_trust.py", which, url, *trust)
    wrapped = launcher.wrapped(where, options=("--upstream", f"private.example={provider.origin}"), **SILENT)
    assert wrapped.code == 0, wrapped.text_err
    body = b'{"model":"m","messages":[{"role":"user","content":"hooked"}]}'
    assert [(one.method, one.body) for one in provider.requests] == ([("POST", body)] if which in LED else [])


@pytest.mark.parametrize("how", ["option", "variable", "isolated"])
def test_who_opts_out_is_not_hooked(launcher, provider, how):
    """Nothing answers for the host, so that a call which is not led fails."""
    argv, options, env = program("httpx", URL), mirrored(provider), dict(SILENT)
    if how == "option":
        options += ("--no-shim",)
    elif how == "variable":
        env["OTEL_GENAI_SHIM"] = "false"
    else:
        argv = [argv[0], "-I", *argv[1:]]
    assert launcher.wrapped(argv, options=options, **env).code != 0
    assert provider.requests == []


def test_what_is_there_already_stays_in_force(launcher, provider, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import os, sys\nsys.mine = os.environ['MINE']\n")
    (tmp_path / "mine.cjs").write_text("globalThis.mine = process.env.MINE\n")
    env = {"MINE": "here", "PYTHONPATH": str(tmp_path), "NODE_OPTIONS": f"--require={tmp_path}/mine.cjs", **SILENT}
    code = "import sys, sitecustomize; print(sys.mine, sitecustomize.__file__, sys.path[1:])"
    python_alone = launcher.direct([sys.executable, "-c", code], **env)
    assert python_alone.out.startswith(b"here ")
    assert launcher.wrapped([sys.executable, "-c", code], **env) == python_alone
    node_argv = [node("x")[0], "-p", "globalThis.mine"]
    assert launcher.wrapped(node_argv, **env) == launcher.direct(node_argv, **env)
    assert launcher.wrapped(program("httpx", URL), options=mirrored(provider), **env).json["status"] == 200
    assert launcher.wrapped(program("fetch", URL), options=mirrored(provider), **env).json["status"] == 200


@pytest.mark.parametrize("text", ["raise RuntimeError('mine')", "import no_such_module"])
def test_a_sitecustomize_that_fails_is_told_as_always(launcher, tmp_path, text):
    (tmp_path / "sitecustomize.py").write_text(text + "\n")
    argv = [sys.executable, "-c", "print('ran')"]
    env = {"PYTHONPATH": str(tmp_path), **SILENT}
    assert launcher.wrapped(argv, **env) == launcher.direct(argv, **env)


def test_a_child_of_a_child_is_hooked_too(launcher, provider):
    inner = program("fetch", URL)
    code = "import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:]))"
    wrapped = launcher.wrapped(["sh", "-c", '"$@"', "sh", sys.executable, "-c", code, *inner],
                               options=mirrored(provider), **SILENT)
    assert wrapped.json["status"] == 200
    assert len(provider.requests) == 1


def test_unknown_hosts_are_left_alone(launcher, provider):
    for client in ("httpx", "requests", "fetch", "https"):
        argv = program(client, f"{provider.origin}/v1/chat/completions")
        assert launcher.wrapped(argv, **SILENT) == launcher.direct(argv)
    with_us, alone = provider.requests[0::2], provider.requests[1::2]
    assert [lines(request) for request in with_us] == [lines(request) for request in alone]
    assert {request.header("host") for request in with_us} == {f"127.0.0.1:{provider.port}"}


LATER = """
import os, subprocess, sys, time
if os.fork() == 0:
    os.setsid()
    gone = int(sys.argv[1])
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            os.kill(gone, 0)
        except OSError:
            break
        time.sleep(0.02)
    done = subprocess.run(sys.argv[3:], capture_output=True)
    with open(sys.argv[2] + ".part", "wb") as out:
        out.write(done.stdout + done.stderr)
    os.rename(sys.argv[2] + ".part", sys.argv[2])
"""


@pytest.mark.parametrize("client", ["httpx", "requests", "fetch", "https"])
def test_what_outlives_the_run_calls_as_it_would_have(launcher, provider, tmp_path, client):
    """It calls a host that is led there, after the end: the call goes where it was meant to go."""
    url = f"{provider.origin}/v1/chat/completions"
    out = tmp_path / "out"
    script = f"{sys.executable} -c \"$LATER\" $PPID {out} {' '.join(program(client, url))} >/dev/null 2>&1 </dev/null"
    command = [launcher.binary, "run", "--upstream", f"127.0.0.1:{provider.port}=http://127.0.0.1:9",
               "--", "sh", "-c", script]
    subprocess.run(command, env=environment(LATER=LATER, **SILENT), check=True, timeout=40)
    deadline = time.monotonic() + 40
    while not out.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert json.loads(out.read_bytes())["status"] == 200
    assert len(provider.requests) == 1


def test_azure_beside_a_base_url_is_not_tripped_in_node(launcher, provider):
    """What only the launcher has set is gone inside Node, what the user has set is not."""
    argv = [node("x")[0], "-p", "[process.env.OPENAI_BASE_URL, process.env.ANTHROPIC_BASE_URL].join()"]
    assert launcher.wrapped(argv, **SILENT).out == b",\n"
    mine = launcher.wrapped(argv, OPENAI_BASE_URL="http://127.0.0.1:9/v1", **SILENT).out
    assert mine.startswith(b"http://127.0.0.1:") and mine.endswith(b"/openai/v1,\n")


def test_the_folder_is_the_users_and_holds_no_secret(launcher):
    argv = [sys.executable, "-c", "import os; print(os.environ['PYTHONPATH'], os.environ['OTEL_GENAI_SHIM_GATEWAY'])"]
    folder, gateway = launcher.wrapped(argv, **SILENT).out.decode().split()
    assert os.stat(folder).st_mode & 0o777 == 0o755
    # Nobody else can put another folder in its place.
    above = os.stat(os.path.dirname(folder))
    assert above.st_uid == os.getuid() and above.st_mode & 0o022 == 0
    token = gateway.rsplit("/", 1)[1]
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        assert os.path.isdir(path) or token not in open(path, encoding="utf-8").read()
