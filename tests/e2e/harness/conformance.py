"""Has received telemetry judged against the GenAI conventions by the program `otel-genai-conformance`.

`OTEL_GENAI_CONFORMANCE_BIN` names the program, by default the debug build of this tree; tests/e2e/run.py builds it.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from .signals import Telemetry

CONVENTION = "2026-08"
DEFAULT_BINARY = Path(__file__).resolve().parents[3] / "target" / "debug" / "otel-genai-conformance"

_REQUESTS = {"traces": ExportTraceServiceRequest, "logs": ExportLogsServiceRequest,
             "metrics": ExportMetricsServiceRequest}

# An honest span of a failed call lacks what only an answer brings, and one of a stream the token counts that the
# provider was not asked for. The program knows which attributes these are, and excuses no others.
EXCUSE = "--excuse-unanswered"

# What the registry cannot know: our own attributes, and that an inferred agent has no usage of its own, so that sums over
# a trace stay right.
OURS = (r" (otel_genai\.[a-z_.]+|http\.request\.resend_count): the convention .* does not know it",
        r'"invoke_agent": gen_ai\.usage\.(in|out)put_tokens: the convention .* expects it')


def judge(telemetry: Telemetry, *options: str) -> list[str]:
    """Findings, one a line: `id: where: what`. Without those of ours that are meant."""
    found = judge_requests([as_json(name, headers, raw)
                            for (name, headers), raw in zip(telemetry.calls, telemetry.raw, strict=True)], *options)
    return [line for line in found if not any(re.search(pattern, line) for pattern in OURS)]


def judge_requests(documents: Iterable[str], *options: str, convention: str = CONVENTION) -> list[str]:
    """The same for export requests in JSON."""
    binary = os.environ.get("OTEL_GENAI_CONFORMANCE_BIN") or str(DEFAULT_BINARY)
    done = subprocess.run([binary, "--convention", convention, *options, "-"], input="\n".join(documents),
                          capture_output=True, encoding="utf-8", timeout=60)
    assert done.returncode in (0, 1) and not done.stderr, f"{binary} ended with {done.returncode}: {done.stderr}"
    findings = done.stdout.splitlines()
    assert bool(findings) == (done.returncode == 1), (done.returncode, findings)
    return findings


def problems(received: Iterable[tuple[str, dict[str, str], bytes]], expected: Iterable[str] = (),
             possible: Iterable[str] = (), convention: str = CONVENTION) -> list[str]:
    """What is wrong with received export requests: findings that match no pattern, and `expected` ones that match none."""
    documents = [as_json(*one) for one in received]
    found = judge_requests(documents, EXCUSE, convention=convention) if documents else []
    known = [*expected, *possible, *OURS]
    return ([line for line in found if not any(re.search(pattern, line) for pattern in known)]
            + [f"nothing that matches {pattern}" for pattern in expected
               if not any(re.search(pattern, line) for line in found)])


def as_json(name: str, headers: dict[str, str], raw: bytes) -> str:
    """An export request's body in JSON; `name` is the gRPC service's signal or the HTTP path."""
    if headers.get("content-type") == "application/json":
        return raw.decode()
    return json_format.MessageToJson(_REQUESTS[name.rsplit("/", 1)[-1]].FromString(raw), indent=None)
