/**
 * A run of which only log records tell has no spans to draw. Its calls and tools are drawn from its transcript,
 * and get names by which they are chosen as spans are. The program knows none of these names.
 */
import type { Bar, Call, Message, Part, Row, TraceRow, Transcript } from "../api";
import { kind } from "./ops";

export interface Logged {
  rows: Row[];
  transcript: Transcript;
}

export function logged(summary: TraceRow, told: Transcript): Logged {
  const rows: Row[] = [];
  const messages = { ...told.messages };
  const row = (span: string, op: Row["op"], name: string, at: number, durationMs: number): Row => ({ span, depth: 0, children: 0, name, service: summary.service, kind: "client", at, durationMs, state: "ended", ...(op && { op }) });
  // The bars of the list know when a tool began; of a long run they are only some.
  const bars = summary.bars.filter((bar) => kind(bar.op) === "tool").sort((a, b) => a.at - b.at);
  const asked: { call: Call; hash: string; place: number; part: Part & { type: "tool_call" } }[] = [];
  const calls = told.calls.map((call) => {
    const own = { ...call, span: call.span ?? `call-${call.ordinal}` };
    const { provider, model, requestModel, finish, usage, cost, ttftMs, error } = call;
    rows.push({
      ...row(own.span, call.op, model ?? requestModel ?? call.op, call.at - summary.startMs, call.durationMs ?? 0),
      state: call.state, call: call.ordinal, content: call.content,
      ...(provider && { provider }), ...(model && { model }), ...(requestModel && { requestModel }), ...(finish && { finish }), ...(usage && { usage }), ...(cost && { cost }), ...(ttftMs !== undefined && { ttftMs }), ...(error && { error: true as const, errorType: error.type }),
    });
    for (const { message: hash } of call.output) (messages[hash]?.parts ?? []).forEach((part, place) => { if (part.type === "tool_call") asked.push({ call, hash, place, part }); });
    return own;
  });
  const all = bars.length === asked.length && bars.length === summary.toolCalls;
  asked.forEach(({ call, hash, place, part }, i) => {
    const span = part.join?.span ?? `tool-${i}`;
    const { at, durationMs, failed } = all ? exactly(bars[i] as Bar, summary) : about(call, part, told, summary);
    rows.push({ ...row(span, "execute_tool", part.name, at, durationMs), tool: part.name, call: call.ordinal, ...(part.id && { toolCall: part.id }), ...(failed && { error: true as const }), ...(!all && { inferred: true as const }) });
    const message = messages[hash] as Message;
    messages[hash] = { ...message, parts: message.parts.map((one, n) => (n === place && one.type === "tool_call" ? { ...one, join: { by: "call_id", kind: "tool", ...one.join, span } } : one)) };
  });
  rows.sort((a, b) => a.at - b.at);
  return { rows, transcript: { ...told, calls, messages } };
}

function exactly(bar: Bar, { durationMs }: TraceRow) {
  return { at: bar.at * durationMs, durationMs: bar.width * durationMs, failed: bar.error === true };
}

/** A tool runs after the call that asked for it, for as long as its answer says or until the next call. */
function about(call: Call, { join }: Part & { type: "tool_call" }, told: Transcript, summary: TraceRow) {
  const from = call.at + (call.durationMs ?? 0);
  const next = told.calls.find((other) => other.chain === call.chain && other.at >= from && other !== call)?.at ?? from;
  const answer = told.messages[join?.response ?? ""]?.parts.find((part) => part.type === "tool_call_response")?.response as { duration_ms?: unknown; success?: unknown } | null | undefined;
  const said = Number(answer?.duration_ms ?? Number.NaN);
  return { at: from - summary.startMs, durationMs: join?.durationMs ?? (Number.isFinite(said) && said >= 0 ? said : Math.max(0, next - from)), failed: !!join?.error || String(answer?.success) === "false" };
}
