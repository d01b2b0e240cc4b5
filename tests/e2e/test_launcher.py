"""`otel-genai run` as a launcher: exit status, signals, pipes, terminal, environment."""

import json
import os
import pty
import select
import signal
import time

import pytest

from harness.launcher import environment, python

SILENT = {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}


def process(*arguments):
    return python("process.py", *arguments)


# -- exit status -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("code", [0, 1, 7, 126, 255])
def test_the_exit_status_is_the_programs(launcher, code):
    assert launcher.wrapped(process("exit", str(code)), **SILENT).code == code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGABRT, signal.SIGPIPE])
def test_death_by_a_signal_is_128_plus_its_number(launcher, number):
    assert launcher.wrapped(process("die", str(int(number))), **SILENT).code == 128 + number


def test_a_command_that_does_not_exist(launcher):
    result = launcher.wrapped(["no-such-command-anywhere", "--flag"])
    assert result.code == 127
    assert result.out == b""
    assert "no-such-command-anywhere" in result.text_err
    assert "not found" in result.text_err.lower() or "no such file" in result.text_err.lower()


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_command_that_cannot_be_executed(launcher, tmp_path, what):
    command = tmp_path / "command"
    if what == "file":
        command.write_text("#!/bin/sh\nexit 0\n")
        command.chmod(0o644)
    else:
        command.mkdir()
    result = launcher.wrapped([str(command)])
    assert result.code == 126
    assert result.out == b""
    assert str(command) in result.text_err


def test_no_command_is_a_usage_error(launcher):
    result = launcher.direct([launcher.binary, "run"])
    assert result.code == 2
    assert "Usage" in result.text_err


def test_arguments_pass_unchanged(launcher):
    arguments = ["--help", "-v", "--", "a b", "", "$HOME", "*", "ü", "--version=\n"]
    assert launcher.wrapped(process("arguments", *arguments), **SILENT).json == arguments


# -- streams ---------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("size", [0, 1, 10 << 20])
def test_pipes_carry_every_byte(launcher, size):
    data = os.urandom(size)
    direct = launcher.direct(process("cat"), stdin=data)
    wrapped = launcher.wrapped(process("cat"), stdin=data, **SILENT)
    assert direct.out == data
    assert wrapped == direct
    assert wrapped.err == b"\xff\x00bytes:%d\n" % size


def in_terminal(argv, env, keys=b"", ready=b"ready\r\n", timeout=15):
    """Runs a command in a pseudo-terminal of its own; types `keys` once it says it is ready."""
    pid, master = pty.fork()
    if pid == 0:
        os.execve(argv[0], argv, env)
    seen, deadline = b"", time.monotonic() + timeout
    try:
        while time.monotonic() < deadline:
            if not select.select([master], [], [], 0.1)[0]:
                continue
            try:
                data = os.read(master, 65536)
            except OSError:  # the other side is gone
                break
            if not data:
                break
            seen += data
            if keys and ready in seen:
                os.write(master, keys)
                keys = b""
        else:
            os.kill(pid, signal.SIGKILL)
            pytest.fail(f"still running after {timeout} s: {seen!r}")
    finally:
        os.close(master)
        status = os.waitpid(pid, 0)[1]
    return seen.replace(b"\r\n", b"\n"), os.waitstatus_to_exitcode(status)


def test_a_terminal_stays_a_terminal(launcher):
    output, code = in_terminal(launcher.command(process("tty")), environment(**SILENT))
    assert json.loads(output) == [True, True, True]
    assert code == 0


# -- signals ---------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_reaches_the_program_once(launcher, name):
    running = launcher.start(process("signals"), wrapped=True, **SILENT)
    assert running.stdout.readline() == b"ready\n"
    running.send_signal(getattr(signal, name))
    out, err = running.communicate(timeout=15)
    assert json.loads(out) == [name]
    assert running.returncode == 5
    assert err == b""


def test_ctrl_c_reaches_the_program_once(launcher):
    """The terminal itself signals the whole group: forwarding on top would interrupt the program twice."""
    argv, env = process("signals"), environment(**SILENT)
    direct = in_terminal(argv, env, keys=b"\x03")
    wrapped = in_terminal(launcher.command(argv), env, keys=b"\x03")
    assert b'["SIGINT"]' in direct[0]
    assert wrapped == direct


def test_a_program_that_dies_of_the_signal(launcher):
    running = launcher.start(["sleep", "30"], wrapped=True, **SILENT)
    # Sleep says nothing; it is there when it is the launcher's child and has become `sleep`.
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and b"sleep" not in children(running.pid):
        time.sleep(0.01)
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=15)
    assert running.returncode == 128 + signal.SIGTERM


def children(pid):
    """The command lines of a process's children."""
    found = b""
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/children") as file:
                for child in file.read().split():
                    with open(f"/proc/{child}/cmdline", "rb") as line:
                        found += line.read() + b"\n"
        except OSError:
            continue
    return found


# -- environment -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("given", "path"), [
    (None, "/openai/v1"),
    ("http://127.0.0.1:9/v1", "/openai/v1"),
    ("http://127.0.0.1:9/my/gateway/v1", "/openai/my/gateway/v1"),
    ("http://127.0.0.1:9", "/openai"),
])
def test_the_base_url_points_to_the_gateway(launcher, given, path):
    env = {} if given is None else {"OPENAI_BASE_URL": given}
    seen = launcher.wrapped(process("env", "OPENAI_BASE_URL"), **SILENT, **env).json
    scheme, _, rest = seen["OPENAI_BASE_URL"].partition("://")
    address, slash, tail = rest.partition("/")
    assert (scheme, address.split(":")[0]) == ("http", "127.0.0.1")
    assert int(address.split(":")[1]) != 9
    assert (slash + tail).rstrip("/") == path


def test_the_rest_of_the_environment_is_the_users(launcher):
    mine = {"OTEL_SERVICE_NAME": "x", "PYTHONPATH": "/a", "MY_OWN": "ü = 1", "OPENAI_API_KEY": "sk-mine"}
    seen = launcher.wrapped(process("env", *mine), options=("--no-shim",), **SILENT, **mine).json
    assert seen == mine


# -- help ------------------------------------------------------------------------------------------------------------------

def test_help_and_version(launcher):
    version = launcher.direct([launcher.binary, "--version"])
    assert version.code == 0 and version.out.startswith(b"otel-genai ")
    for arguments in (["--help"], ["run", "--help"], ["gateway", "--help"], ["config", "--help"], ["demo", "--help"]):
        result = launcher.direct([launcher.binary, *arguments])
        assert result.code == 0, arguments
        assert b"Usage" in result.out


def test_the_demo_needs_nothing(launcher):
    result = launcher.direct([launcher.binary, "demo"])
    assert result.code == 0, result.text_err
    told = (result.out + result.err).decode()
    for word in ("chat", "embeddings", "tokens"):
        assert word in told
    assert "\x1b" not in told


def test_config_tells_where_a_value_comes_from(launcher):
    result = launcher.direct([launcher.binary, "config"], OTEL_SERVICE_NAME="told-by-me",
                             OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer SECRET-config")
    assert result.code == 0, result.text_err
    told = result.out.decode()
    line = next(line for line in told.splitlines() if "told-by-me" in line)
    assert "OTEL_SERVICE_NAME" in line or "environment" in line
    assert "SECRET-config" not in told
