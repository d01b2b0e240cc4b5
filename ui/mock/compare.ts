/** Two runs, aligned as the server does it, only more simply. */
import type { Comparison, Row, Side, Trace, Transcript } from "../src/api";

type Full = Trace & { transcript: Transcript };

export function compare(a: Full, b: Full): Comparison {
  const side = (full: Full): Side => ({ trace: full.summary, rows: full.rows, messages: full.transcript.messages });
  const rows: Comparison["rows"] = [];
  const used = new Set<number>();
  const key = (row: Row) => `${row.depth} ${row.name}`;
  a.rows.forEach((row, i) => {
    const j = b.rows.findIndex((other, n) => !used.has(n) && key(other) === key(row));
    if (j >= 0) used.add(j);
    rows.push({ a: i, ...(j >= 0 && { b: j }), same: j >= 0 && !row.error === !b.rows[j]?.error });
  });
  b.rows.forEach((_, j) => { if (!used.has(j)) rows.push({ b: j, same: false }); });
  const said = (full: Full) => full.transcript.calls.flatMap((call) => [...call.system, ...call.input, ...call.output].map((seen) => seen.message));
  const left = [...new Set(said(a))];
  const right = [...new Set(said(b))];
  const messages: Comparison["messages"] = [];
  const rest = right.filter((hash) => !left.includes(hash));
  for (const hash of left) {
    if (right.includes(hash)) messages.push({ a: hash, b: hash, how: "same" });
    else {
      const at = rest.findIndex((other) => b.transcript.messages[other]?.role === a.transcript.messages[hash]?.role);
      const [other] = at < 0 ? [] : rest.splice(at, 1);
      messages.push(other ? { a: hash, b: other, how: "changed" } : { a: hash, how: "only_a" });
    }
  }
  for (const hash of rest) messages.push({ b: hash, how: "only_b" });
  const number = (name: string, of: (full: Full) => number | undefined) => {
    const [x, y] = [of(a), of(b)];
    return { name, ...(x !== undefined && { a: x }), ...(y !== undefined && { b: y }) };
  };
  return {
    a: side(a), b: side(b), rows, messages,
    metrics: [number("duration", (f) => f.summary.durationMs), number("model calls", (f) => f.summary.llmCalls), number("tool calls", (f) => f.summary.toolCalls), number("input tokens", (f) => f.summary.usage.input), number("output tokens", (f) => f.summary.usage.output), number("cost", (f) => f.summary.cost?.amount), number("errors", (f) => f.summary.errors)],
    attributes: a.rows[0]?.model === b.rows[0]?.model ? [] : [{ key: "gen_ai.request.model", ...(a.rows[1]?.model && { a: a.rows[1].model }), ...(b.rows[1]?.model && { b: b.rows[1].model }) }],
  };
}
