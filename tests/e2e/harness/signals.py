"""Received OTLP as plain Python: spans, logs and metric points with typed attribute values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SPAN_KINDS = {0: "UNSPECIFIED", 1: "INTERNAL", 2: "SERVER", 3: "CLIENT", 4: "PRODUCER", 5: "CONSUMER"}
STATUS = {0: "UNSET", 1: "OK", 2: "ERROR"}
TEMPORALITY = {0: "UNSPECIFIED", 1: "DELTA", 2: "CUMULATIVE"}


@dataclass(frozen=True)
class Scope:
    name: str
    version: str
    attributes: dict[str, Any]
    schema_url: str


@dataclass
class Span:
    name: str
    kind: str
    status: str
    status_message: str
    attributes: dict[str, Any]
    trace_id: str
    span_id: str
    parent_id: str
    start: int
    end: int
    """Unix nanoseconds, as `start`."""
    events: list[tuple[str, dict[str, Any]]]
    links: list[dict[str, Any]]
    dropped: int
    scope: Scope
    resource: dict[str, Any]
    trace_state: str = ""

    @property
    def seconds(self) -> float:
        return (self.end - self.start) / 1e9


@dataclass
class Log:
    event_name: str
    severity: int
    severity_text: str
    body: Any
    attributes: dict[str, Any]
    trace_id: str
    span_id: str
    time: int
    scope: Scope
    resource: dict[str, Any]


@dataclass
class Point:
    metric: str
    description: str
    unit: str
    instrument: str
    """histogram, sum, gauge, exponential_histogram or summary."""
    temporality: str
    attributes: dict[str, Any]
    value: Any
    """The sum for histograms, the number for others."""
    count: int
    bounds: list[float]
    buckets: list[int]
    start: int
    time: int
    exemplars: list[dict[str, Any]]
    scope: Scope
    resource: dict[str, Any]


@dataclass
class Telemetry:
    """Everything a receiver got, in the order it came."""

    spans: list[Span] = field(default_factory=list)
    """Those of calls that were seen."""
    inferred: list[Span] = field(default_factory=list)
    """Those of agents and tools that were recovered from what calls bring each other."""
    logs: list[Log] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    """The export requests' bodies, decompressed."""
    calls: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Method or path of each export request, and its headers or metadata, names in lower case."""

    def span(self) -> Span:
        """The only span."""
        assert len(self.spans) == 1, f"expected one span, got {[s.name for s in self.spans]}"
        return self.spans[0]

    def events(self, name: str) -> list[Log]:
        return [log for log in self.logs if log.event_name == name]

    def event(self, name: str) -> Log:
        """The only event of that name."""
        found = self.events(name)
        assert len(found) == 1, f"expected one event {name}, got {[log.event_name for log in self.logs]}"
        return found[0]

    def series(self, metric: str) -> list[Point]:
        """A metric's points; of a cumulative series that was exported repeatedly, the last."""
        latest: dict[str, Point] = {}
        for i, point in enumerate(p for p in self.points if p.metric == metric):
            key = repr(sorted(point.attributes.items())) + str(point.start)
            latest[key if point.temporality == "CUMULATIVE" else str(i)] = point
        return list(latest.values())

    @property
    def metric_names(self) -> set[str]:
        return {point.metric for point in self.points}


def value(any_value: Any) -> Any:
    """An AnyValue as str, bool, int, float, bytes, list, dict or None."""
    match any_value.WhichOneof("value"):
        case None:
            return None
        case "array_value":
            return [value(v) for v in any_value.array_value.values]
        case "kvlist_value":
            return attributes(any_value.kvlist_value.values)
        case kind:
            return getattr(any_value, kind)


def attributes(pairs: Any) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for pair in pairs:
        assert pair.key not in result, f"attribute {pair.key} is there twice"
        result[pair.key] = value(pair.value)
    return result


def _scope(block: Any) -> Scope:
    return Scope(block.scope.name, block.scope.version, attributes(block.scope.attributes), block.schema_url)


def add_traces(into: Telemetry, request: Any) -> None:
    for group in request.resource_spans:
        resource = attributes(group.resource.attributes)
        for block in group.scope_spans:
            scope = _scope(block)
            for s in block.spans:
                facts = attributes(s.attributes)
                (into.inferred if facts.get("otel_genai.inferred") else into.spans).append(Span(
                    name=s.name, kind=SPAN_KINDS[s.kind], status=STATUS[s.status.code],
                    status_message=s.status.message, attributes=facts,
                    trace_id=s.trace_id.hex(), span_id=s.span_id.hex(), parent_id=s.parent_span_id.hex(),
                    start=s.start_time_unix_nano, end=s.end_time_unix_nano,
                    events=[(e.name, attributes(e.attributes)) for e in s.events],
                    links=[attributes(link.attributes) for link in s.links],
                    dropped=s.dropped_attributes_count + s.dropped_events_count + s.dropped_links_count,
                    scope=scope, resource=resource, trace_state=s.trace_state,
                ))


def add_logs(into: Telemetry, request: Any) -> None:
    for group in request.resource_logs:
        resource = attributes(group.resource.attributes)
        for block in group.scope_logs:
            scope = _scope(block)
            for r in block.log_records:
                into.logs.append(Log(
                    event_name=r.event_name, severity=r.severity_number, severity_text=r.severity_text,
                    body=value(r.body) if r.HasField("body") else None, attributes=attributes(r.attributes),
                    trace_id=r.trace_id.hex(), span_id=r.span_id.hex(),
                    time=r.time_unix_nano or r.observed_time_unix_nano, scope=scope, resource=resource,
                ))


def add_metrics(into: Telemetry, request: Any) -> None:
    for group in request.resource_metrics:
        resource = attributes(group.resource.attributes)
        for block in group.scope_metrics:
            scope = _scope(block)
            for metric in block.metrics:
                kind = metric.WhichOneof("data")
                if kind is None:
                    continue
                data = getattr(metric, kind)
                for p in data.data_points:
                    number = p.sum if kind != "sum" and kind != "gauge" else getattr(p, p.WhichOneof("value"))
                    into.points.append(Point(
                        metric=metric.name, description=metric.description, unit=metric.unit, instrument=kind,
                        temporality=TEMPORALITY[getattr(data, "aggregation_temporality", 0)],
                        attributes=attributes(p.attributes), value=number, count=getattr(p, "count", 1),
                        bounds=list(getattr(p, "explicit_bounds", [])), buckets=list(getattr(p, "bucket_counts", [])),
                        start=p.start_time_unix_nano, time=p.time_unix_nano,
                        exemplars=[attributes(e.filtered_attributes) for e in getattr(p, "exemplars", [])],
                        scope=scope, resource=resource,
                    ))
