"""The programs in examples/clients, each as its first lines say to run it, against the model of `otel-genai demo --serve`."""

import http.client
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from harness.launcher import HERE, environment, execute

# Building what third-party clients need takes minutes, once.
pytestmark = pytest.mark.timeout(1800)

EXAMPLES = HERE.parent.parent / "examples" / "clients"
# The word for it that the crate genai knows, too.
CONTENT = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true"}
# What these agents do not tell of themselves.
BRIEF_AGENT = r"gen_ai\.(usage\.\w+|response\.finish_reasons): .* on every `invoke_agent` span"
# Spans and events of tracing are no convention's.
TRACING = (r"(busy_ns|idle_ns|code\.[\w.]+|target|thread\.\w+): the convention \S+ does not know it",
           r"does not know the event")
QUESTION = "Write a haiku about tracing."
HAIKU = "A trace in the dark: each span a small lantern lit along the whole path."


@pytest.fixture(scope="session")
def example():
    """The path of a built example, by its name."""
    built = os.environ.get("E2E_RUST")
    target = Path(built).parent if built else Path(os.environ.get("CARGO_TARGET_DIR", EXAMPLES / "target"))
    build = [shutil.which("cargo") or "cargo", "build", "--quiet", "--locked", "-p", "otel-genai-client-examples"]
    done = subprocess.run([*build, "--target-dir", str(target)], cwd=EXAMPLES, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return lambda name: str(target / "debug" / name)


@pytest.fixture
def model(launcher):
    """The address of a scripted model."""
    command = [launcher.binary, "demo", "--serve", "--listen", "127.0.0.1:0"]
    running = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True)
    try:
        line = running.stdout.readline()
        assert line.startswith("listening on http://"), line
        yield line.removeprefix("listening on ").strip()
    finally:
        running.kill()
        running.communicate()


def openai(model, otlp, **extra):
    return {"OPENAI_BASE_URL": f"{model}/v1", **otlp.env, **extra}


def tree(spans):
    """Names below names, children in the order in which they began: `{"agent": [{"chat": []}]}` for each root."""
    spans = sorted(spans, key=lambda span: span.start)
    ids = {span.span_id for span in spans}

    def below(parent):
        children = [span for span in spans if (span.parent_id if span.parent_id in ids else "") == parent]
        return [{span.name: below(span.span_id)} if below(span.span_id) else span.name for span in children]

    return below("")


def run(program, env):
    result = execute([program], environment(**env))
    assert result.code == 0, result.text_err
    assert "panicked" not in result.text_err
    return result.out.decode()


def test_async_openai_agent(example, model, otlp):
    out = run(example("async-openai-agent"), openai(model, otlp, **CONTENT))
    assert "18 degrees and sunny in Hamburg" in out and "on its way" in out
    got = otlp.take()
    chat, tools = "chat gpt-4o-mini", ["execute_tool get_weather", "execute_tool track_order"]
    [agent] = tree(got.spans)
    [first, *during, last] = agent["invoke_agent Support"]
    assert (first, sorted(during), last) == (chat, tools, chat)
    [calls], [ran] = got.series("gen_ai.invoke_agent.inference_calls"), got.series("gen_ai.invoke_agent.tool_calls")
    assert (calls.value, ran.value) == (2, 2)
    weather = next(span for span in got.spans if span.name == "execute_tool get_weather")
    assert weather.attributes["gen_ai.tool.call.result"] == "18 degrees and sunny in Hamburg"
    answered = [span for span in got.spans if span.name == chat][-1]
    assert answered.attributes["gen_ai.response.model"] == "gpt-4o-mini-demo"
    assert "sunny" in str(answered.attributes["gen_ai.output.messages"])


# The crate genai knows no id of an answer, and of a stream no model.
@pytest.mark.findings(r"gen_ai\.response\.(id|model): .* on every `chat` span")
@pytest.mark.findings(BRIEF_AGENT)
@pytest.mark.possible_findings(*TRACING)
def test_genai(example, model, otlp):
    out = run(example("genai"), openai(model, otlp, **CONTENT))
    assert "The capital of France is Paris." in out and HAIKU in out
    got = otlp.take()
    spans = [span for span in got.spans if "gen_ai.operation.name" in span.attributes]
    assert tree(spans) == [{"invoke_agent Support": ["chat gpt-4o-mini", "chat gpt-4o-mini"]}]
    chat = next(span for span in spans if span.name.startswith("chat"))
    assert chat.attributes["gen_ai.provider.name"] == "openai"
    assert "Paris" in str(chat.attributes["gen_ai.output.messages"])
    assert got.series("gen_ai.client.operation.duration"), "the processor makes metrics"


@pytest.mark.findings(r"gen_ai\.response\.id: .* on every `chat` span", BRIEF_AGENT)
def test_ollama_rs(example, model, otlp):
    out = run(example("ollama-rs"), {"OLLAMA_HOST": model, **otlp.env})
    assert "models: llama3.2" in out and "Paris" in out and HAIKU in out
    got = otlp.take()
    assert tree(got.spans) == ["chat llama3.2", {"invoke_agent Poet": ["chat llama3.2"]}]
    chats = sorted((span for span in got.spans if span.name == "chat llama3.2"), key=lambda span: span.start)
    assert all(span.attributes["gen_ai.provider.name"] == "ollama" for span in chats)
    assert all(span.attributes["server.port"] == int(model.rsplit(":", 1)[1]) for span in chats)
    assert all(span.attributes["gen_ai.usage.output_tokens"] > 0 for span in chats)
    assert ["gen_ai.response.time_to_first_chunk" in span.attributes for span in chats] == [False, True]


def test_reqwest_batch(example, model, otlp):
    out = run(example("reqwest-batch"), openai(model, otlp))
    assert "20 texts embedded" in out and "Input cannot be an empty string." in out
    got = otlp.take()
    [job] = tree(got.spans)
    attempts = job["invoke_workflow embed-articles"]
    assert set(attempts) == {"embeddings text-embedding-busy"}
    errors = [span.attributes.get("error.type") for span in got.spans if span.name.startswith("embeddings")]
    # Every third of the demo's answers is a refusal: of six batches' requests and their retries, at least two.
    assert errors.count(None) == 5 and errors.count("invalid_value") == 1
    assert errors.count("rate_limit_exceeded") == len(attempts) - 6 >= 2


@pytest.mark.findings(BRIEF_AGENT)
def test_evaluation(example, model, otlp):
    run(example("evaluation"), openai(model, otlp))
    got = otlp.take()
    assert tree(got.spans) == [
        {"invoke_agent Support": ["chat gpt-4o-mini"]}, {"invoke_agent Judge": ["chat gpt-4o-mini"]}]
    event = got.event("gen_ai.evaluation.result")
    [judged] = [span for span in got.spans if span.name == "invoke_agent Support"]
    assert (event.trace_id, event.span_id) == (judged.trace_id, judged.span_id)
    assert event.attributes["gen_ai.response.id"] == "chatcmpl-demo"
    assert event.attributes["gen_ai.evaluation.score.value"] == 0.9


@pytest.mark.possible_findings(*TRACING)
def test_axum_chat(example, model, otlp):
    env = environment(**openai(model, otlp), LISTEN="127.0.0.1:0")
    service = subprocess.Popen([example("axum-chat")], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        line = service.stdout.readline()
        host = line.removeprefix("listening on http://").strip()
        assert "".join(ask(host, QUESTION)) == HAIKU

        # A browser that goes away while the model speaks; the service hears of it at the next word.
        words = ask(host, "word " * 400)
        assert next(words)
        words.close()
        assert "".join(ask(host, QUESTION)) == HAIKU

        service.send_signal(signal.SIGTERM)
        assert service.wait(30) == 0, service.stderr.read()
    finally:
        service.kill()
        service.communicate()
    got = otlp.take()
    assert tree(got.spans) == [{"POST /chat": ["chat gpt-4o-mini"]}] * 3
    errors = [span.attributes.get("error.type") for span in sorted(got.spans, key=lambda span: span.start)
              if span.name.startswith("chat")]
    assert errors == [None, "cancelled", None]
    assert all(span.kind == "SERVER" for span in got.spans if span.name == "POST /chat")


def ask(host, question):
    """The words that the service answers with, as they come; the connection goes with whoever stops reading."""
    connection = http.client.HTTPConnection(host, timeout=30)
    try:
        body = json.dumps({"question": question})
        connection.request("POST", "/chat", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        assert response.status == 200, response.read()
        for line in response:
            if line.startswith(b"data:"):
                yield line.decode().removeprefix("data:").removeprefix(" ").rstrip("\n")
    finally:
        connection.close()
