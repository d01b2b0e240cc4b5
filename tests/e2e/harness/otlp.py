"""OTLP receivers made from the official Python stubs: gRPC, HTTP with protobuf, HTTP with JSON."""

from __future__ import annotations

import base64
import gzip
import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs_pb
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2_grpc as logs_grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics_pb
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc as metrics_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as trace_pb
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as trace_grpc

from . import signals

PROTOCOLS = ("grpc", "http/protobuf", "http/json")

RECEIVED: list[tuple[str, dict[str, str], bytes]] = []
"""Every export request of all receivers since the list was last emptied: name, headers, body."""


class Receiver:
    """Common to both: what came in, and the variables that point an exporter here."""

    protocol: str
    port: int

    def __init__(self) -> None:
        self.telemetry = signals.Telemetry()
        self.problems: list[str] = []
        """What was wrong with requests that could not be read."""
        self._lock = threading.Lock()

    def take(self) -> signals.Telemetry:
        """What came since the last call; fails if something could not be read."""
        with self._lock:
            taken, self.telemetry = self.telemetry, signals.Telemetry()
            problems, self.problems = self.problems, []
        assert not problems, problems
        return taken

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.endpoint,
            "OTEL_EXPORTER_OTLP_PROTOCOL": self.protocol,
            "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_METRICS_EXPORTER": "otlp",
            "OTEL_LOGS_EXPORTER": "otlp",
        }

    def _accept(self, name: str, headers: dict[str, str], raw: bytes, request: Any) -> Any:
        add, response = _SIGNALS[type(request)]
        RECEIVED.append((name, headers, raw))
        with self._lock:
            self.telemetry.calls.append((name, headers))
            self.telemetry.raw.append(raw)
            try:
                add(self.telemetry, request)
            except Exception as problem:  # the exporter must get an answer, the test must hear of it
                self.problems.append(f"{name}: {problem!r}")
        return response()

    def __enter__(self) -> Receiver:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None: ...


_SIGNALS = {
    trace_pb.ExportTraceServiceRequest: (signals.add_traces, trace_pb.ExportTraceServiceResponse),
    logs_pb.ExportLogsServiceRequest: (signals.add_logs, logs_pb.ExportLogsServiceResponse),
    metrics_pb.ExportMetricsServiceRequest: (signals.add_metrics, metrics_pb.ExportMetricsServiceResponse),
}


class GrpcReceiver(Receiver):
    protocol = "grpc"

    def __init__(self) -> None:
        super().__init__()
        self._server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.max_receive_message_length", 1 << 28)])
        for name, base, register in (
            ("traces", trace_grpc.TraceServiceServicer, trace_grpc.add_TraceServiceServicer_to_server),
            ("logs", logs_grpc.LogsServiceServicer, logs_grpc.add_LogsServiceServicer_to_server),
            ("metrics", metrics_grpc.MetricsServiceServicer, metrics_grpc.add_MetricsServiceServicer_to_server),
        ):
            register(type(name, (base,), {"Export": self._export(name)})(), self._server)
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def _export(self, name: str) -> Any:
        def export(_service: Any, request: Any, context: Any) -> Any:
            metadata = {key.lower(): str(text) for key, text in context.invocation_metadata()}
            return self._accept(name, metadata, request.SerializeToString(), request)

        return export

    def close(self) -> None:
        self._server.stop(None)


class HttpReceiver(Receiver):
    """Both HTTP encodings; the Content-Type of a request decides how it is read, and must be the one asked for."""

    def __init__(self, protocol: str) -> None:
        super().__init__()
        self.protocol = protocol
        self.content_type = {"http/protobuf": "application/x-protobuf", "http/json": "application/json"}[protocol]
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                receiver._post(self)

            def log_message(self, *_args: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def _post(self, handler: BaseHTTPRequestHandler) -> None:
        headers = {name.lower(): text for name, text in handler.headers.items()}
        body = handler.rfile.read(int(headers.get("content-length", 0)))
        kinds = {"/v1/traces": trace_pb.ExportTraceServiceRequest, "/v1/logs": logs_pb.ExportLogsServiceRequest,
                 "/v1/metrics": metrics_pb.ExportMetricsServiceRequest}
        status, answer = 400, b""
        try:
            if headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            request = kinds[handler.path]()
            if headers["content-type"] != self.content_type:
                raise ValueError(f"content-type {headers['content-type']}, expected {self.content_type}")
            if self.protocol == "http/json":
                json_format.Parse(json.dumps(_ids_as_base64(json.loads(body))), request)
            else:
                request.ParseFromString(body)
            response = self._accept(handler.path, headers, body, request)
            status = 200
            answer = (json_format.MessageToJson(response).encode() if self.protocol == "http/json"
                      else response.SerializeToString())
        except Exception as problem:  # the exporter must get an answer, the test must hear of it
            with self._lock:
                self.problems.append(f"{handler.path}: {problem!r}: {body[:300]!r}")
        handler.send_response(status)
        handler.send_header("Content-Type", self.content_type)
        handler.send_header("Content-Length", str(len(answer)))
        handler.end_headers()
        handler.wfile.write(answer)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _ids_as_base64(node: Any) -> Any:
    """OTLP's JSON writes ids in hex and keys in lowerCamelCase; protobuf's own JSON mapping wants base64 ids."""
    if isinstance(node, list):
        return [_ids_as_base64(item) for item in node]
    if not isinstance(node, dict):
        return node
    result = {}
    for key, item in node.items():
        if not re.fullmatch(r"[a-z][a-zA-Z0-9]*", key):
            raise ValueError(f"key {key!r} is not lowerCamelCase")
        if key in ("traceId", "spanId", "parentSpanId"):
            if not re.fullmatch(r"[0-9a-fA-F]*", item):
                raise ValueError(f"{key} {item!r} is not hexadecimal")
            result[key] = base64.b64encode(bytes.fromhex(item)).decode()
        else:
            result[key] = _ids_as_base64(item)
    return result


def receiver(protocol: str) -> Receiver:
    """A running receiver for one of `PROTOCOLS`."""
    return GrpcReceiver() if protocol == "grpc" else HttpReceiver(protocol)
