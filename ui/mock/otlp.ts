/** The mock's runs as the OTLP JSON that a program would have sent of them: what the real dashboard is tried with. */
import type { Call, Message, Part, Row } from "../src/api";
import { Builder } from "./builder";
import { media } from "./media";
import { coding, everyday, hostile, languages, large, megabyte, odd, running, type Scene, silent, travel, XSS } from "./scenes";

export const SCENES = { coding, everyday, hostile, languages, large, media, megabyte, odd, running, silent, travel } satisfies Record<string, Scene>;

type Value = { stringValue: string } | { boolValue: boolean } | { intValue: string } | { doubleValue: number } | { arrayValue: { values: Value[] } };
interface KeyValue {
  key: string;
  value: Value;
}
export interface Sent {
  /** The trace's id. */
  id: string;
  rows: Row[];
  /** Bodies for /v1/traces and /v1/logs. */
  traces: unknown;
  logs: unknown;
}

function value(told: unknown): Value {
  if (Array.isArray(told)) return { arrayValue: { values: told.map(value) } };
  if (typeof told === "boolean") return { boolValue: told };
  if (typeof told === "number") return Number.isInteger(told) ? { intValue: String(told) } : { doubleValue: told };
  return { stringValue: String(told) };
}

function attributes(told: Record<string, unknown>): KeyValue[] {
  return Object.entries(told).flatMap(([key, one]) => (one === undefined ? [] : [{ key, value: value(one) }]));
}

/** As the conventions' JSON schema wants it: without what the dashboard has concluded. */
function plain(message: Message, finish?: string): unknown {
  const part = (one: Part): unknown => {
    if (one.type === "tool_call") return { type: one.type, id: one.id, name: one.name, arguments: one.arguments ?? one.raw };
    if (one.type === "tool_call_response") return { type: one.type, id: one.id, response: one.response };
    if (one.type === "media" && one.src?.startsWith("data:")) return { type: "blob", modality: one.modality, mime_type: one.mime, content: one.src.split(",")[1] };
    if (one.type === "media") return { type: "uri", modality: one.modality, mime_type: one.mime, uri: one.uri ?? one.src };
    if (one.type === "generic") return { type: one.kind, value: one.value };
    return one;
  };
  return { role: message.role, ...(message.name && { name: message.name }), parts: message.parts.map(part), ...(finish && { finish_reason: finish }) };
}

/** What was said in a call, whole: a program sends the history again each time. */
function said(builder: Builder, call: Call): Record<string, unknown> {
  if (call.content !== "here") return {};
  const before = builder.calls.filter((one) => one.chain === call.chain && one.ordinal < call.ordinal).flatMap((one) => [...one.input, ...one.output]);
  const text = (list: { message: string }[], finish?: string) => JSON.stringify(list.map((seen) => plain(builder.messages[seen.message] as Message, finish)));
  return {
    "gen_ai.input.messages": text([...before, ...call.input]),
    ...(call.output.length && { "gen_ai.output.messages": text(call.output, call.finish ?? "stop") }),
    ...(call.system[0] && { "gen_ai.system_instructions": JSON.stringify(builder.messages[call.system[0].message]?.parts) }),
    ...(call.tools && { "gen_ai.tool.definitions": JSON.stringify(builder.tools[call.tools]) }),
  };
}

const ABOUT: Partial<Record<NonNullable<Row["op"]>, (row: Row) => Record<string, unknown>>> = {
  invoke_agent: (row) => ({ "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": row.agent, "gen_ai.provider.name": "openai" }),
  execute_tool: (row) => ({ "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": row.tool, "gen_ai.tool.call.id": row.toolCall }),
  mcp: (row) => ({ "mcp.method.name": "tools/call", "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": row.tool, "gen_ai.tool.call.id": row.toolCall, "mcp.session.id": "ses_1", "mcp.protocol.version": "2025-11-25" }),
  embeddings: (row) => ({ "gen_ai.operation.name": "embeddings", "gen_ai.provider.name": "openai", "gen_ai.request.model": row.model, "gen_ai.usage.input_tokens": row.usage?.input }),
  retrieval: (row) => ({ "gen_ai.operation.name": "retrieval", "gen_ai.data_source.id": row.tool }),
  memory: (row) => ({ "gen_ai.operation.name": "search_memory", "gen_ai.memory.record.count": row.count }),
  http: () => ({ "http.request.method": "POST", "http.response.status_code": 200, "server.address": "api.example.com" }),
};

export function sent(builder: Builder): Sent {
  const nanos = (at: number) => `${BigInt(Math.round((builder.startMs + at) * 1000)) * 1000n}`;
  const calls = new Map(builder.calls.map((call) => [call.span, call]));
  const details = builder.carriers.includes("log_details");
  const logs: unknown[] = [];
  const spans = builder.rows.filter((row) => !row.ghost && row.state !== "running").flatMap((row) => {
    const own = builder.own.get(row.span);
    const call = calls.get(row.span);
    const kept = own?.attributes.filter((one) => one.cut === undefined && !/messages$/.test(one.key)) ?? [];
    const told: Record<string, unknown> = {
      ...(row.op && ABOUT[row.op]?.(row)),
      "gen_ai.conversation.id": row.op && row.op !== "http" ? builder.conversation : undefined,
      "error.type": row.error ? (row.errorType ?? "_OTHER") : undefined,
      "gen_ai.response.time_to_first_chunk": row.ttftMs === undefined ? undefined : row.ttftMs / 1000,
      "gen_ai.retrieval.query.text": own?.query,
      "gen_ai.retrieval.documents": own?.documents && JSON.stringify(own.documents.map(({ id, score, text }) => ({ id, score, content: text }))),
      "gen_ai.memory.records": own?.memory?.records === undefined ? undefined : JSON.stringify(own.memory.records),
      ...Object.fromEntries(kept.map((one) => [one.key, typeof one.value === "object" && "list" in one.value ? one.value.list : one.value])),
    };
    const content = call ? said(builder, call) : {};
    if (call) {
      Object.assign(told, { "gen_ai.request.temperature": 0.2, "gen_ai.request.max_tokens": 2048 });
      if (details && call.content === "here") {
        logs.push({
          timeUnixNano: nanos(row.at + row.durationMs), observedTimeUnixNano: nanos(row.at + row.durationMs), severityNumber: 9, eventName: "gen_ai.client.inference.operation.details",
          traceId: builder.id, spanId: row.span, attributes: attributes({ "gen_ai.operation.name": "chat", "gen_ai.request.model": row.requestModel, "gen_ai.response.id": told["gen_ai.response.id"], ...content }),
        });
      }
      if (builder.carriers.includes("span_attribute")) Object.assign(told, content);
      for (const one of call.evaluations ?? []) {
        logs.push({
          timeUnixNano: nanos(row.at + row.durationMs), severityNumber: 9, eventName: "gen_ai.evaluation.result", traceId: builder.id, spanId: row.span,
          attributes: attributes({ "gen_ai.evaluation.name": one.name, "gen_ai.evaluation.score.value": one.score, "gen_ai.evaluation.score.label": one.label, "gen_ai.evaluation.explanation": one.explanation, "gen_ai.response.id": told["gen_ai.response.id"] }),
        });
      }
    }
    const times = { startTimeUnixNano: nanos(row.at), endTimeUnixNano: nanos(row.at + row.durationMs) };
    // A search that a model asked for runs within the execution of a tool.
    const tool = row.op === "retrieval" && row.toolCall ? `f${row.span.slice(1)}` : undefined;
    const parentSpanId = tool ?? row.parent;
    const around = tool ? [{ traceId: builder.id, spanId: tool, ...(row.parent && { parentSpanId: row.parent }), name: `execute_tool ${row.tool}`, kind: 1, ...times, attributes: attributes({ "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": row.tool, "gen_ai.tool.call.id": row.toolCall, "gen_ai.conversation.id": builder.conversation }) }] : [];
    return [...around, {
      traceId: builder.id, spanId: row.span, ...(parentSpanId && { parentSpanId }), name: row.name, kind: row.kind === "client" ? 3 : 1,
      ...times, attributes: attributes(told),
      ...(row.error && { status: { code: 2, ...(own?.message && { message: own.message }) } }),
      events: own?.events.map((one) => ({ name: one.name, timeUnixNano: nanos(one.at), attributes: one.attributes.map((told) => ({ key: told.key, value: value(told.value) })) })) ?? [],
    }];
  });
  const resource = { attributes: attributes({ "service.name": builder.service, "telemetry.sdk.language": "python", "telemetry.sdk.name": "opentelemetry", "telemetry.sdk.version": "1.44.0" }) };
  const scope = { name: "otel_genai.mock", version: "1.0.0" };
  return {
    id: builder.id,
    rows: builder.rows,
    traces: { resourceSpans: [{ resource, scopeSpans: [{ scope, spans, schemaUrl: "https://opentelemetry.io/schemas/gen-ai/1.42.0" }] }] },
    logs: { resourceLogs: [{ resource, scopeLogs: [{ scope, logRecords: logs }] }] },
  };
}

/** A run of a scene, told as it would have been sent. */
export function run(scene: keyof typeof SCENES, seed: number, startMs: number): Sent {
  const builder = new Builder(seed, startMs, "mock");
  SCENES[scene](builder);
  builder.finish();
  return sent(builder);
}

/** A histogram of call durations, as the conventions' metric, for /v1/metrics. `example` is a value whose call is known. */
export function durations(startMs: number, models: string[], example?: { trace: string; span: string; seconds: number }): unknown {
  const bounds = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24];
  const points = models.flatMap((model, m) => Array.from({ length: 12 }, (_, step) => {
    const counts = bounds.map((_, i) => Math.max(0, 6 - Math.abs(i - 6 - ((step + m) % 3))));
    const all = [...counts, 0];
    const told = example && m === 0 && step === 9 ? [{ timeUnixNano: `${startMs + step * 60_000 + 30_000}000000`, asDouble: example.seconds, traceId: example.trace, spanId: example.span }] : [];
    return {
      startTimeUnixNano: `${startMs + step * 60_000}000000`, timeUnixNano: `${startMs + (step + 1) * 60_000}000000`, count: String(all.reduce((sum, n) => sum + n, 0)), sum: all.reduce((sum, n, i) => sum + n * (bounds[i] ?? 20), 0),
      bucketCounts: all.map(String), explicitBounds: bounds, exemplars: told, attributes: attributes({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": model }),
    };
  }));
  const metric = { name: "gen_ai.client.operation.duration", unit: "s", description: "GenAI operation duration.", histogram: { aggregationTemporality: 1, dataPoints: points } };
  return measured("travel-api", "otel_genai.mock", [metric]);
}

function measured(service: string, scope: string, metrics: unknown[]): unknown {
  return { resourceMetrics: [{ resource: { attributes: attributes({ "service.name": service }) }, scopeMetrics: [{ scope: { name: scope }, metrics }] }] };
}

/** Scripts in every string of logs, one of them of the trace, and of metrics. */
export function hostileSignals(atMs: number, trace: string): { logs: unknown; metrics: unknown; names: string[] } {
  const told = attributes(Object.fromEntries(XSS.map((script, i) => [script, XSS[(i + 1) % XSS.length]])));
  const at = { timeUnixNano: `${atMs}000000`, observedTimeUnixNano: `${atMs}000000` };
  const resource = { attributes: [...attributes({ "service.name": XSS[2], "telemetry.sdk.name": XSS[0], "telemetry.sdk.language": XSS[1] }), ...told] };
  const scope = { name: XSS[0], version: XSS[1], attributes: told };
  const records = XSS.flatMap((script, i) => [{}, { traceId: trace }].map((of) => ({ ...at, ...of, severityNumber: 17, severityText: script, eventName: script, body: i % 2 ? { stringValue: script } : { kvlistValue: { values: told } }, attributes: told })));
  const names = XSS.slice(0, 4).map((script) => `${script}`);
  const metrics = names.map((name, i) => ({ name, unit: XSS[1], description: XSS[2], ...(i % 2 ? { gauge: { dataPoints: [{ ...at, asDouble: 1, attributes: told }] } } : { sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints: [{ ...at, startTimeUnixNano: at.timeUnixNano, asInt: "3", attributes: told }] } }) }));
  return { logs: { resourceLogs: [{ resource, scopeLogs: [{ scope, logRecords: records }] }] }, metrics: measured(XSS[2], XSS[0], metrics), names };
}
