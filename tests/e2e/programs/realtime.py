"""A Realtime session: a text, a tool's round trip, a voice, a refusal, and a connection that drops.

With `--packed`, both sides compress their messages.
"""
import base64
import json
import sys

from openai import OpenAI

WEATHER = {
    "type": "function", "name": "get_weather", "description": "The weather in a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
seen = {}


def answer(connection, **response):
    """What the provider answers, up to its end or an error."""
    connection.response.create(**({"response": response} if response else {}))
    got = []
    for event in connection:
        got.append(event.type)
        if event.type == "error":
            return got, event.error.code
        if event.type == "response.done":
            return got, event.response


def say(connection, text):
    content = [{"type": "input_text", "text": text}]
    connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})


def said(response):
    content = response.output[0].content[0]
    return content.text or content.transcript


packed = {"compression": "deflate"} if "--packed" in sys.argv else {}
with OpenAI().realtime.connect(model="gpt-realtime", websocket_connection_options=packed) as connection:
    connection.session.update(session={
        "type": "realtime", "output_modalities": ["text"], "instructions": "Answer briefly.", "tools": [WEATHER],
    })

    say(connection, "Hello – ünïcödé 🦀")
    events, response = answer(connection)
    seen["text"] = {"events": events, "said": said(response)}

    say(connection, "How is the weather in Paris?")
    _, response = answer(connection)
    call = response.output[0]
    seen["call"] = [call.name, call.arguments]
    output = {"type": "function_call_output", "call_id": call.call_id, "output": "18 degrees"}
    connection.conversation.item.create(item=output)
    _, response = answer(connection, max_output_tokens=64)
    seen["result"] = said(response)

    connection.input_audio_buffer.append(audio=base64.b64encode(bytes(range(64))).decode())
    connection.input_audio_buffer.commit()
    events, response = answer(connection, output_modalities=["audio"])
    seen["voice"] = {"events": events, "said": said(response), "tokens": response.usage.total_tokens}

    seen["refusal"] = answer(connection, max_output_tokens=7)[1]

    say(connection, "Hang up")
    try:
        answer(connection)
    except Exception as error:  # the SDK's transport decides what it is called
        seen["dropped"] = type(error).__name__
print(json.dumps(seen))
