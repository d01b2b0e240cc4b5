"""Judges received telemetry by the rules of the GenAI conventions, convention `2026-08`.

Names, types and requirement levels come from the resolved registry (`resolved-2026-08.json`), content is held against
the registry's JSON schemas. Both are looked for in `OTEL_GENAI_SEMCONV_DIR`, by default `../shared/semconv` beside the
workspace; without them there is nothing to judge by, and `Registry.load` returns None.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from .signals import Log, Point, Span, Telemetry

CONVENTION = "2026-08"
WORKSPACE = Path(__file__).resolve().parents[3]

# What the registry takes from the general conventions, with its type ("" = any).
BORROWED = {
    "client.address": "string", "client.port": "int", "error.type": "enum",
    "exception.type": "string", "exception.message": "string", "exception.stacktrace": "string",
    "jsonrpc.protocol.version": "string", "jsonrpc.request.id": "string",
    "network.protocol.name": "string", "network.protocol.version": "string", "network.transport": "enum",
    "rpc.response.status_code": "string", "server.address": "string", "server.port": "int",
}
# Names that are no finding at these places although the registry does not have them.
RESOURCE_ALLOWED = {"service.name", "service.instance.id", "telemetry.sdk.language", "telemetry.sdk.name",
                    "telemetry.sdk.version", "telemetry.auto.version"}
SPAN_ALLOWED = {"cloud.region", "rpc.method"}

# What the span's name must show after the operation.
NAMED_BY = {
    **dict.fromkeys(("chat", "generate_content", "text_completion", "embeddings"), "gen_ai.request.model"),
    "execute_tool": "gen_ai.tool.name",
    **dict.fromkeys(("invoke_agent", "create_agent"), "gen_ai.agent.name"),
    "invoke_workflow": "gen_ai.workflow.name",
    "retrieval": "gen_ai.data_source.id",
}
# Recommended without a condition, and yet not expected: what a caller may simply not use.
NOT_EXPECTED = {
    "gen_ai.request.temperature", "gen_ai.request.max_tokens", "gen_ai.request.top_p", "gen_ai.request.stop_sequences",
    "gen_ai.request.presence_penalty", "gen_ai.request.frequency_penalty",
    "gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_read.input_tokens", "gen_ai.tool.description",
}
INFERENCE = {"chat", "generate_content", "text_completion"}
CONTENT = ("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.tool.definitions",
           "gen_ai.retrieval.documents")


@dataclass(frozen=True, order=True)
class Finding:
    rule: str
    where: str
    detail: str

    def __str__(self) -> str:
        return f"{self.rule} at {self.where}: {self.detail}"


class Registry:
    """The resolved convention and the schemas of its structured attributes."""

    def __init__(self, resolved: dict[str, Any], schemas: dict[str, dict[str, Any]]):
        self.types: dict[str, str] = {**BORROWED, **{n: a["type"] for n, a in resolved["registry_attributes"].items()}}
        self.deprecated = {n for n, a in resolved["registry_attributes"].items() if a.get("deprecated")}
        self.operations = set(resolved["enums"]["gen_ai.operation.name"])
        self.spans = resolved["spans"]
        self.metrics = resolved["metrics"]
        self.events = resolved["events"]
        self.validators = {name: Draft202012Validator(schema) for name, schema in schemas.items()}

    @staticmethod
    def load() -> Registry | None:
        """The registry, or None where it is not present."""
        folder = Path(os.environ.get("OTEL_GENAI_SEMCONV_DIR") or WORKSPACE.parent / "shared" / "semconv")
        try:
            resolved = json.loads((folder / f"resolved-{CONVENTION}.json").read_text())
        except FileNotFoundError:
            return None
        schemas = {}
        for name, attribute in resolved["registry_attributes"].items():
            file = folder / f"model-{CONVENTION}" / Path(attribute.get("json_schema", "")).relative_to("model") \
                if attribute.get("json_schema") else None
            if name in CONTENT and file is not None and file.exists():
                schemas[name] = _self_contained(json.loads(file.read_text()))
        return Registry(resolved, schemas)

    # -- rules ---------------------------------------------------------------------------------------------------------

    def judge(self, telemetry: Telemetry) -> list[Finding]:
        """All findings, sorted, each once."""
        found: set[Finding] = set()
        for span in telemetry.spans:
            where = f"span {span.name!r}"
            found |= self._origin(where, span) | self._attributes(where, span.attributes, SPAN_ALLOWED)
            for name, attributes in span.events:
                found |= self._attributes(f"{where} event {name!r}", attributes)
            for link in span.links:
                found |= self._attributes(f"{where} link", link)
            found |= self._span(where, span)
        for log in telemetry.logs:
            where = f"event {log.event_name!r}"
            found |= self._origin(where, log) | self._attributes(where, log.attributes) | self._event(where, log)
        for point in telemetry.points:
            where = f"metric {point.metric!r}"
            found |= self._origin(where, point) | self._attributes(where, point.attributes)
            for exemplar in point.exemplars:
                found |= self._attributes(f"{where} exemplar", exemplar)
            found |= self._metric(where, point)
        return sorted(found)

    def expected_on(self, operation: str, kind: str) -> set[str]:
        """Attributes that a span of this operation should carry, whatever the call was."""
        kind = kind.lower()
        if operation in INFERENCE:
            span_type = self.spans.get("gen_ai.inference.client")
        else:
            span_type = self.spans.get(f"gen_ai.{operation}.{kind}")
        if span_type is None:
            return set()
        return {name for name, a in span_type["attributes"].items()
                if a["requirement_level"] == "required"
                or (a["requirement_level"] == "recommended" and not a.get("condition"))} - NOT_EXPECTED

    def _origin(self, where: str, record: Span | Log | Point) -> set[Finding]:
        return (self._attributes(f"{where} resource", record.resource, RESOURCE_ALLOWED)
                | self._attributes(f"{where} scope", record.scope.attributes))

    def _attributes(self, where: str, attributes: dict[str, Any], allowed: set[str] = frozenset()) -> set[Finding]:
        found = set()
        for name, value in attributes.items():
            if name in allowed:
                continue
            declared = self.types.get(name)
            if declared is None and name.startswith("gen_ai.prompt.variable."):
                declared = "string"
            if declared is None:
                found.add(Finding("missing_attribute", where, name))
                continue
            if name in self.deprecated:
                found.add(Finding("deprecated", where, name))
            if not _fits(value, declared):
                found.add(Finding("type_mismatch", where, f"{name} is {type(value).__name__}, declared {declared}"))
            if name in CONTENT:
                found |= self._content(where, name, value)
        return found

    def _content(self, where: str, name: str, value: Any) -> set[Finding]:
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                return {Finding("genai_content_schema", where, f"{name} is not JSON")}
        if name not in self.validators:
            return set()
        problems = sorted(e.json_path for e in self.validators[name].iter_errors(value))
        return {Finding("genai_content_schema", where, f"{name} breaks its schema at {problems[0]}")} if problems else set()

    def _span(self, where: str, span: Span) -> set[Finding]:
        found = set()
        if span.status == "OK":
            found.add(Finding("span_status_ok_set_by_instrumentation", where, ""))
        failed, typed = span.status == "ERROR", "error.type" in span.attributes
        if failed and not typed:
            found.add(Finding("error_type_missing_on_error", where, ""))
        if typed and not failed:
            found.add(Finding("error_type_without_error_status", where, span.attributes["error.type"]))
        operation = span.attributes.get("gen_ai.operation.name")
        if operation is None:
            return found
        if operation not in self.operations:
            found.add(Finding("genai_operation_name_unknown", where, operation))
        key = NAMED_BY.get(operation)
        if key is not None:
            wanted = f"{operation} {span.attributes[key]}" if key in span.attributes else operation
            if span.name != wanted:
                found.add(Finding("genai_span_name_format", where, f"should be {wanted!r}"))
        kinds = {t["kind"] for t in (self.spans.get("gen_ai.inference.client" if operation in INFERENCE else
                                                    f"gen_ai.{operation}.{k}") for k in ("client", "internal")) if t}
        if kinds and span.kind.lower() not in kinds:
            found.add(Finding("genai_span_kind_unexpected", where, span.kind))
        for name in self.expected_on(operation, span.kind) - set(span.attributes):
            found.add(Finding("genai_expected_attribute_missing", where, name))
        return found

    def _event(self, where: str, log: Log) -> set[Finding]:
        if not log.event_name:
            return set()
        event = self.events.get(log.event_name)
        if event is None:
            return {Finding("missing_event", where, log.event_name)}
        return self._required(where, event, log.attributes)

    def _metric(self, where: str, point: Point) -> set[Finding]:
        metric = self.metrics.get(point.metric)
        if metric is None:
            return {Finding("missing_metric", where, point.metric)}
        found = self._required(where, metric, point.attributes)
        if point.unit != metric["unit"]:
            found.add(Finding("unit_mismatch", where, f"{point.unit!r}, should be {metric['unit']!r}"))
        if point.instrument != metric["instrument"]:
            found.add(Finding("unexpected_instrument", where, f"{point.instrument}, should be {metric['instrument']}"))
        return found

    @staticmethod
    def _required(where: str, declared: dict[str, Any], attributes: dict[str, Any]) -> set[Finding]:
        return {Finding("required_attribute_not_present", where, name) for name, a in declared["attributes"].items()
                if a["requirement_level"] == "required" and name not in attributes}


def _fits(value: Any, declared: str) -> bool:
    """Whether a value has the declared type; an int is a fine double, a double is no int."""
    match declared:
        case "string" | "template[string]":
            return type(value) is str
        case "int":
            return type(value) is int
        case "double":
            return type(value) in (int, float)
        case "boolean":
            return type(value) is bool
        case "enum":
            return type(value) in (str, int)
        case "string[]":
            return type(value) is list and all(type(v) is str for v in value)
        case _:
            return True


def _self_contained(schema: Any) -> Any:
    """References to the meta-schema on the web become "an object"."""
    if isinstance(schema, dict):
        if str(schema.get("$ref", "")).startswith("http"):
            return {"type": "object"}
        return {key: _self_contained(item) for key, item in schema.items()}
    if isinstance(schema, list):
        return [_self_contained(item) for item in schema]
    return schema
