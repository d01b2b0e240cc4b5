"""A scripted Realtime server over WebSocket: what it is told decides what it answers. Records who asked and what was said."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

MODEL = "gpt-realtime-2025-08-28"
CONVERSATION = "conv_1"


@dataclass
class Talk:
    """One connection."""

    target: str
    headers: list[tuple[str, str]]
    """Without those that are made anew for each connection."""
    extensions: str
    said: list[str] = field(default_factory=list)
    """The client's messages, as they were written."""


class RealtimeProvider:
    def __init__(self) -> None:
        self.talks: list[Talk] = []
        self._server: Server = serve(self._handle, "127.0.0.1", 0)
        self.port: int = self._server.socket.getsockname()[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> RealtimeProvider:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._server.shutdown()
        self._thread.join()

    def _handle(self, connection: ServerConnection) -> None:
        request, response = connection.request, connection.response
        headers = [(name, value) for name, value in request.headers.raw_items() if name.lower() != "sec-websocket-key"]
        talk = Talk(request.path, headers, response.headers.get("Sec-WebSocket-Extensions", ""))
        self.talks.append(talk)
        try:
            _Session(connection, talk).run()
        except ConnectionClosed:
            pass


class _Session:
    def __init__(self, connection: ServerConnection, talk: Talk):
        self.connection = connection
        self.talk = talk
        self.items: list[dict[str, Any]] = []
        self.answers = 0
        self.settings: dict[str, Any] = {"type": "realtime", "object": "realtime.session", "id": "sess_1",
                                         "model": MODEL, "output_modalities": ["audio"]}

    def send(self, kind: str, **fields: Any) -> None:
        self.connection.send(json.dumps({"type": kind, "event_id": "event", **fields}))

    def run(self) -> None:
        self.send("session.created", session=self.settings)
        for message in self.connection:
            self.talk.said.append(message)
            event = json.loads(message)
            match event["type"]:
                case "session.update":
                    self.settings |= event["session"]
                    self.send("session.updated", session=self.settings)
                case "conversation.item.create":
                    self.add(event["item"])
                case "input_audio_buffer.commit":
                    self.send("input_audio_buffer.committed", item_id="item_voice")
                    self.add({"type": "message", "role": "user", "content": [{"type": "input_audio"}]}, "item_voice")
                    self.send("conversation.item.input_audio_transcription.completed", item_id="item_voice",
                              content_index=0, transcript="Good morning", usage={"type": "duration", "seconds": 1})
                case "response.create":
                    self.answer(event.get("response") or {})

    def add(self, item: dict[str, Any], id: str | None = None) -> None:
        item = {"id": id or f"item_{len(self.items)}", "status": "completed", **item}
        self.items.append(item)
        self.send("conversation.item.added", item=item)

    def answer(self, asked: dict[str, Any]) -> None:
        if asked.get("max_output_tokens") == 7:
            self.send("error", error={"type": "invalid_request_error", "code": "integer_below_min_value",
                                      "message": "Expected a value >= 16", "param": "response.max_output_tokens"})
            return
        self.answers += 1
        response = {"object": "realtime.response", "id": f"resp_{self.answers}", "status": "in_progress", "output": [],
                    "conversation_id": CONVERSATION, "output_modalities": self.settings["output_modalities"], **asked}
        self.send("response.created", response=response)
        last = self.items[-1]
        content = (last.get("content") or [{}])[0]
        match last["type"], content.get("text", ""):
            case "message", "How is the weather in Paris?":
                item = self.call()
                usage = tokens(40, 12)
            case "message", "Hang up":
                self.begin({"type": "message", "role": "assistant", "content": []})
                self.delta("output_text", "I am go")
                # No closing word, as when a machine between them dies.
                self.connection.socket.shutdown(2)
                return
            case "message", "":
                item = self.speak("Good morning to you.")
                usage = tokens(132, 121, audio=(13, 91), cached=64)
            case "message", text:
                item = self.write(f"You said: {text}")
                usage = tokens(20, 9)
            case _:
                item = self.write(f"It is {last['output']}.")
                usage = tokens(60, 8)
        self.items.append(item)
        self.send("response.output_item.done", response_id=response["id"], output_index=0, item=item)
        self.send("response.done", response={**response, "status": "completed", "output": [item], "usage": usage})

    def begin(self, item: dict[str, Any]) -> dict[str, Any]:
        item = {"id": f"item_{len(self.items)}", "status": "in_progress", **item}
        self.send("response.output_item.added", response_id=f"resp_{self.answers}", output_index=0, item=item)
        return item

    def delta(self, kind: str, delta: str) -> None:
        self.send(f"response.{kind}.delta", response_id=f"resp_{self.answers}", item_id=f"item_{len(self.items)}",
                  output_index=0, content_index=0, delta=delta)

    def call(self) -> dict[str, Any]:
        item = self.begin({"type": "function_call", "name": "get_weather", "call_id": "call_1", "arguments": ""})
        for piece in ('{"city":', '"Paris"}'):
            self.delta("function_call_arguments", piece)
        return item | {"status": "completed", "arguments": '{"city":"Paris"}'}

    def write(self, text: str) -> dict[str, Any]:
        item = self.begin({"type": "message", "role": "assistant", "content": []})
        for at in range(0, len(text), 8):
            self.delta("output_text", text[at:at + 8])
        return item | {"status": "completed", "content": [{"type": "output_text", "text": text}]}

    def speak(self, transcript: str) -> dict[str, Any]:
        item = self.begin({"type": "message", "role": "assistant", "content": []})
        for at in range(0, len(transcript), 8):
            self.delta("output_audio_transcript", transcript[at:at + 8])
            # More than one frame of a connection's buffer.
            self.delta("output_audio", "UklGRg==" * 4000)
        return item | {"status": "completed", "content": [{"type": "output_audio", "transcript": transcript}]}


def tokens(given: int, made: int, audio: tuple[int, int] = (0, 0), cached: int = 0) -> dict[str, Any]:
    return {
        "total_tokens": given + made, "input_tokens": given, "output_tokens": made,
        "input_token_details": {"text_tokens": given - audio[0], "audio_tokens": audio[0], "cached_tokens": cached},
        "output_token_details": {"text_tokens": made - audio[1], "audio_tokens": audio[1]},
    }
