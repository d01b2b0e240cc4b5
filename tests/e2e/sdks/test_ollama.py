"""The SDK `ollama` for Python."""

import pytest

from answers.ollama import EMBEDDER, MODEL, THOUGHT, TOOLS, answer, answered, asked
from harness.launcher import python
from harness.model import VECTOR
from harness.sdk import STREAMED, Sdk, says, tool_call, tool_response

SDK = Sdk(
    python("ollama/calls.py"), answer,
    {"unary": 1, "stream": 1, "thinking": 1, "tools": 2, "streamed tools": 1, "error": 1, "broken stream": 1, "async": 1,
     "generate": 1, "embeddings": 1},
    env=lambda origin: {"OLLAMA_HOST": origin.removeprefix("http://")},
    # Ollama's answers have no ids, and its embeddings no formats.
    findings=(": gen_ai.response.id: ", f'span "embeddings {EMBEDDER}": gen_ai.request.encoding_formats: '),
)


@pytest.fixture
def ran(launcher):
    return SDK.ran(launcher)


@pytest.mark.proves("ollama", "Python", "by hooks")
@pytest.mark.proves("ollama", "Python", "unary")
def test_a_chat(ran):
    one = ran["unary"]
    assert one.printed["message"]["content"] == "You said: Say this is a test – ünïcödé 🦀"
    one.assert_spans({
        **asked(says("system", "Answer briefly."), says("user", "Say this is a test – ünïcödé 🦀")),
        "gen_ai.request.temperature": 0.25, "gen_ai.request.top_p": 0.5, "gen_ai.request.top_k": 5,
        "gen_ai.request.max_tokens": 64, "gen_ai.request.seed": 42, "gen_ai.request.stop_sequences": ["END"],
        **answered("You said: Say this is a test – ünïcödé 🦀"),
    })


@pytest.mark.proves("ollama", "Python", "stream")
def test_a_stream(ran):
    one = ran["stream"]
    assert one.printed[-1]["done_reason"] == "stop"
    one.assert_spans({**asked("In pieces"), **STREAMED, **answered("You said: In pieces")})


@pytest.mark.proves("ollama", "Python", "reasoning")
def test_a_streamed_thought(ran):
    thought = {"type": "reasoning", "content": THOUGHT}
    ran["thinking"].assert_spans({**asked("Think first"), **STREAMED, **answered(thought, "You said: Think first")})


@pytest.mark.proves("ollama", "Python", "tools")
def test_a_tools_round_trip(ran):
    one = ran["tools"]
    assert one.printed["answer"] == "The tool said: 18 degrees and sunny"
    call = tool_call(None, "get_weather", {"city": "Paris"})
    question = "How is the weather in Paris?"
    one.assert_spans(
        {**asked(question), "gen_ai.tool.definitions": TOOLS, **answered(call, finish="tool_call")},
        {**asked(question, says("assistant", call), says("tool", tool_response(None, "18 degrees and sunny", name="get_weather"))),
         "gen_ai.tool.definitions": TOOLS, **answered("The tool said: 18 degrees and sunny")},
    )


@pytest.mark.proves("ollama", "Python", "streamed tools")
def test_a_streamed_tool_call(ran):
    ran["streamed tools"].assert_spans({
        **asked("How is the weather in Paris?"), **STREAMED, "gen_ai.tool.definitions": TOOLS,
        **answered(tool_call(None, "get_weather", {"city": "Paris"}), finish="tool_call"),
    })


@pytest.mark.proves("ollama", "Python", "error")
def test_a_refusal(ran):
    one = ran["error"]
    assert one.printed == [404, "model 'no-such-model' not found"]
    one.assert_spans({**asked("Please fail", model="no-such-model"), "error.type": "404"})


@pytest.mark.proves("ollama", "Python", "broken stream")
def test_a_stream_that_breaks_off(ran):
    one = ran["broken stream"]
    assert one.printed[:2] == ["You", " said:"] and "Error" in one.printed[-1]
    one.assert_spans({
        **asked("Break off"), **STREAMED, "gen_ai.response.model": MODEL, "gen_ai.response.finish_reasons": ["error"],
        "gen_ai.output.messages": [says("assistant", "You said:", finish_reason="error")],
        "error.type": "connection_closed",
    })


@pytest.mark.proves("ollama", "Python", "async")
def test_the_async_client(ran):
    one = ran["async"]
    assert "".join(one.printed) == "You said: In pieces"
    one.assert_spans({**asked("In pieces"), **STREAMED, **answered("You said: In pieces")})


def test_a_generation(ran):
    ran["generate"].assert_spans({
        **asked("Go on", operation="text_completion"), **STREAMED,
        "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}], **answered("You said: Go on"),
    })


@pytest.mark.proves("ollama", "Python", "embeddings")
def test_embeddings(ran):
    one = ran["embeddings"]
    assert one.printed["embeddings"] == [VECTOR, VECTOR]
    one.assert_spans({
        "gen_ai.operation.name": "embeddings", "gen_ai.provider.name": "ollama", "gen_ai.request.model": EMBEDDER,
        "gen_ai.response.model": EMBEDDER, "gen_ai.embeddings.dimension.count": 4, "gen_ai.usage.input_tokens": 8,
    })
