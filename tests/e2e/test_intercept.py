"""`otel-genai run --intercept`: programs that read no base-URL variable, on a network with a company's proxy."""

import json
import os
import shutil
import subprocess

import pytest

from harness import model
from harness.launcher import node, python
from harness.network import USER, Authority, Network
from harness.provider import Provider, Reply
from harness.same import end_to_end_lines

KNOWN = "api.openai.com"
OTHER = "intranet.example"
URL = f"https://{KNOWN}/v1"
# The hooks inside Python and Node would see these programs' calls first.
ENV = {"OTEL_GENAI_SHIM": "false"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def provider(authority):
    with Provider(authority.server(KNOWN)) as running:
        running.reset(model.answer)
        yield running


@pytest.fixture
def network(provider):
    with Network({KNOWN: provider.port}) as running:
        yield running


@pytest.fixture
def env(authority, network, otlp):
    return {**ENV, **authority.env, **network.env, **otlp.env}


def both(launcher, provider, env, argv, options=("--intercept",)):
    """The program alone and intercepted, and what the provider saw of each."""
    sides = []
    for result in (lambda: launcher.direct(argv, **env), lambda: launcher.wrapped(argv, options=options, **env)):
        provider.reset()
        sides.append((result(), list(provider.requests)))
    return sides


def assert_same(direct, wrapped):
    (alone, asked), (intercepted, forwarded) = direct, wrapped
    assert alone.code == 0, alone.text_err
    assert (intercepted.code, intercepted.out) == (0, alone.out), intercepted.text_err
    assert [(r.method, r.target, r.body) for r in forwarded] == [(r.method, r.target, r.body) for r in asked]
    # `Host` is written by the gateway, at its own place.
    assert [sorted(end_to_end_lines(r), key=bytes.lower) for r in forwarded] == \
        [sorted(end_to_end_lines(r), key=bytes.lower) for r in asked]


def seen(otlp):
    span = otlp.take().span()
    assert span.attributes["otel_genai.intercepted"] is True
    assert (span.attributes["server.address"], span.attributes["server.port"]) == (KNOWN, 443)
    return span


@pytest.mark.parametrize(("library", "how"), [
    ("httpx", []), ("requests", []), ("openai", []), ("openai", ["stream"]),
])
def test_a_python_program_with_a_fixed_url(launcher, provider, network, otlp, env, library, how):
    direct, wrapped = both(launcher, provider, env, python("fixed_url.py", library, URL, *how))
    assert_same(direct, wrapped)
    span = seen(otlp)
    assert span.name == "chat gpt-4o-mini"
    assert span.attributes["gen_ai.usage.input_tokens"] > 0
    assert network.asked == [f"{KNOWN}:443"] * 2 and network.refused == []
    assert "intercepting: TLS of this program to " in wrapped[0].text_err
    assert "1 model call" in wrapped[0].text_err
    assert "SECRET" not in wrapped[0].text_err


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_curl(launcher, provider, otlp, env, version):
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("there is no curl")
    if version == "--http2" and "HTTP2" not in subprocess.run([curl, "--version"], capture_output=True, text=True).stdout:
        pytest.skip("this curl speaks no HTTP/2")
    body = json.dumps({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]})
    argv = [curl, "-sS", version, "-H", "Content-Type: application/json", "-d", body, f"{URL}/chat/completions"]
    (alone, asked), (intercepted, forwarded) = both(launcher, provider, env, argv)
    assert alone.code == 0, alone.text_err
    assert (intercepted.code, intercepted.out) == (0, alone.out), intercepted.text_err
    assert [(r.target, r.body) for r in forwarded] == [(r.target, r.body) for r in asked]
    seen(otlp)


def test_node(launcher, provider, otlp, env):
    program = node("fixed_url.mjs", URL)
    version = subprocess.run([program[0], "--version"], capture_output=True, text=True).stdout.strip()
    major, minor = (int(part) for part in version.removeprefix("v").split(".")[:2])
    if (major, minor) < (22, 21) or major == 23:
        pytest.skip(f"Node {version} has no NODE_USE_ENV_PROXY: its fetch takes no proxy from the environment")
    alone = {**env, "NODE_USE_ENV_PROXY": "1"}
    direct = launcher.direct(program, **alone)
    wrapped = launcher.wrapped(program, options=("--intercept",), **env)
    assert direct.code == 0, direct.text_err
    assert (wrapped.code, wrapped.out) == (0, direct.out), wrapped.text_err
    seen(otlp)


def test_another_host_is_tunnelled_and_shows_its_own_certificate(launcher, authority, otlp):
    with Provider(authority.server(OTHER)) as other, Network({OTHER: other.port}) as network:
        other.reset(model.answer)
        env = {**ENV, **authority.env, **network.env, **otlp.env}
        direct, wrapped = both(launcher, other, env, python("fixed_url.py", "httpx", f"https://{OTHER}/v1"))
        assert_same(direct, wrapped)
        # The same bytes in the same order: nobody took them apart in between.
        assert wrapped[1][0].head == direct[1][0].head
        assert network.asked == [f"{OTHER}:443"] * 2
    assert otlp.take().spans == []
    assert "no model calls were seen" in wrapped[0].text_err


def test_only_the_hosts_that_are_named(launcher, provider, otlp, env):
    program = python("fixed_url.py", "httpx", URL)
    wrapped = launcher.wrapped(program, options=("--intercept=api.anthropic.com",), **env)
    assert wrapped.json["status"] == 200
    assert otlp.take().spans == []
    wrapped = launcher.wrapped(program, **{**env, "OTEL_GENAI_INTERCEPT": f"known,{OTHER}"})
    assert wrapped.json["status"] == 200
    seen(otlp)


def test_a_host_whose_calls_go_elsewhere(launcher, otlp):
    with Provider() as mirror:
        mirror.reset(model.answer)
        options = ("--intercept", "--upstream", f"{KNOWN}={mirror.origin}/mirror")
        wrapped = launcher.wrapped(python("fixed_url.py", "httpx", URL), options=options, **ENV, **otlp.env)
        assert [request.target for request in mirror.requests] == ["/mirror/v1/chat/completions"], wrapped.text_err
    seen(otlp)


def test_what_the_hooks_lead_is_not_intercepted_as_well(launcher, provider, otlp, env):
    hooked = {**env, "OTEL_GENAI_SHIM": "true"}
    wrapped = launcher.wrapped(python("fixed_url.py", "httpx", URL), options=("--intercept",), **hooked)
    assert wrapped.json["status"] == 200, wrapped.text_err
    span = otlp.take().span()
    assert span.attributes["server.address"] == KNOWN and "otel_genai.intercepted" not in span.attributes


def test_a_program_that_pins_its_authority_gets_through_when_it_tries_again(launcher, provider, authority, otlp, env):
    program = python("pinned.py", KNOWN, str(authority.file))
    assert launcher.direct(program, **env).json == [200]
    wrapped = launcher.wrapped(program, options=("--intercept",), **env)
    *refused, last = wrapped.json
    assert last == 200 and set(refused) == {"CERTIFICATE_VERIFY_FAILED"}, wrapped.text_err
    connections = "1 connection" if len(refused) == 1 else f"{len(refused)} connections"
    assert f"{connections} to {KNOWN} refused our certificate (unknown authority)" in wrapped.text_err
    assert otlp.take().spans == []


def test_the_environment_and_what_is_left_of_it(launcher, authority):
    names = ["HTTPS_PROXY", "https_proxy", "NO_PROXY", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
             "AWS_CA_BUNDLE", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "NODE_EXTRA_CA_CERTS", "DENO_CERT",
             "NODE_USE_ENV_PROXY", "GIT_SSL_CAINFO"]
    silent = {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none", **ENV}
    mine = {"REQUESTS_CA_BUNDLE": str(authority.file)}
    script = ("import json, os, sys; g = os.environ.get; f = g('REQUESTS_CA_BUNDLE'); print(json.dumps([{n: g(n) for n in "
              "sys.argv[1:]}, open(f).read(), oct(os.stat(f).st_mode), oct(os.stat(os.path.dirname(f)).st_mode)]))")
    argv = [*python("process.py")[:1], "-c", script, *names]
    env, bundle, file_mode, folder_mode = launcher.wrapped(argv, options=("--intercept",), **silent, **mine).json
    assert env["HTTPS_PROXY"] == env["https_proxy"] and env["HTTPS_PROXY"].startswith("http://otel-genai:")
    assert env["NO_PROXY"] == "127.0.0.1,localhost"
    assert env["NODE_USE_ENV_PROXY"] == "1" and env["GIT_SSL_CAINFO"] is None
    assert authority.file.read_text().strip() in bundle and bundle.count("BEGIN CERTIFICATE") == 2
    assert (file_mode, folder_mode) == ("0o100644", "0o40755"), "others the program becomes can read them"
    files = [env[name] for name in names if name.endswith(("_FILE", "_BUNDLE", "_PATH", "_CERTS", "_CERT"))]
    assert len(files) == 7 and not any(os.path.exists(file) for file in files), "they are gone with the run"


def test_nobody_else_goes_out_through_the_gateway(launcher, provider, network, env):
    """Another user of the machine knows the port, but not the password."""
    script = ("import os, http.client, urllib.parse as u; p = u.urlsplit(os.environ['HTTPS_PROXY']); "
              "c = http.client.HTTPConnection(p.hostname, p.port); c.set_tunnel('api.openai.com', 443)\n"
              "try: c.connect()\nexcept OSError as e: print(e)")
    wrapped = launcher.wrapped([*python("process.py")[:1], "-c", script], options=("--intercept",), **env)
    assert b"407" in wrapped.out
    assert network.asked == []


def test_dry_run_shows_what_would_be_set(launcher, authority):
    shown = launcher.direct([launcher.binary, "run", "--intercept", "--dry-run", "--", "x"],
                            **authority.env, HTTPS_PROXY=f"http://{USER}@127.0.0.1:9", NO_PROXY=".openai.com")
    told = shown.out.decode()
    assert shown.code == 0
    for line in ("HTTPS_PROXY=http://127.0.0.1:PORT", "SSL_CERT_FILE=FILE", str(authority.file), "openai.com"):
        assert line in told
    assert "SECRET" not in told and "SECRET" not in shown.text_err
    assert "NO_PROXY leads the program past --intercept for .openai.com" in shown.text_err


def test_a_host_that_nobody_should_vouch_for_is_a_usage_error(launcher):
    result = launcher.direct([launcher.binary, "run", "--intercept=*.com", "--", "true"])
    assert result.code == 2
    assert "is no host to intercept" in result.text_err


def test_a_provider_that_breaks_off_is_seen_as_such(launcher, provider, otlp, env):
    provider.reset(lambda _request: Reply(503, [("Content-Type", "application/json")], b'{"error":{"message":"busy"}}'))
    wrapped = launcher.wrapped(python("fixed_url.py", "requests", URL), options=("--intercept",), **env)
    assert wrapped.json["status"] == 503
    assert seen(otlp).attributes["error.type"] == "503"
