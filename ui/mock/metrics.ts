/** Metrics as an instrumented program would have sent them. */
import type { MetricInfo, SeriesAnswer } from "../src/api";
import { Random } from "./random";

const SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const TOKENS = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576];

export function metrics(now: number): MetricInfo[] {
  const keys = ["gen_ai.request.model", "gen_ai.provider.name", "server.address"];
  return [
    { name: "gen_ai.client.operation.duration", unit: "s", description: "GenAI operation duration.", kind: "histogram", temporality: "cumulative", series: 9, keys, lastMs: now, preset: true },
    { name: "gen_ai.client.token.usage", unit: "{token}", description: "Number of input and output tokens used.", kind: "histogram", temporality: "cumulative", series: 18, keys: [...keys, "gen_ai.token.type"], lastMs: now, preset: true },
    { name: "gen_ai.client.operation.time_to_first_chunk", unit: "s", kind: "histogram", temporality: "delta", series: 5, keys, lastMs: now, preset: true },
    { name: "mcp.client.operation.duration", unit: "s", kind: "histogram", temporality: "cumulative", series: 2, keys: ["mcp.method.name"], lastMs: now },
    { name: "http.client.request.duration", unit: "s", kind: "histogram", temporality: "cumulative", series: 7, keys: ["server.address", "http.response.status_code"], lastMs: now },
    { name: "process.memory.usage", unit: "By", kind: "gauge", series: 3, keys: ["service.name"], lastMs: now },
    { name: "jobs.done", unit: "{job}", kind: "sum", temporality: "cumulative", monotonic: true, series: 2, keys: ["queue"], lastMs: now },
  ];
}

export function series(info: MetricInfo, by: string | undefined, from: number, to: number, traces: { id: string; root?: string; startMs: number }[]): SeriesAnswer {
  const steps = 60;
  const stepMs = (to - from) / steps;
  const random = new Random(info.name.length * 31 + (by?.length ?? 0));
  const at = Array.from({ length: steps }, (_, i) => from + i * stepMs);
  const names = by ? (by.includes("model") ? ["gpt-5.4-mini", "claude-sonnet-4-6", "gemini-2.5-flash"] : ["a", "b"]) : [""];
  const histogram = info.kind === "histogram";
  const bounds = info.unit === "s" ? SECONDS : TOKENS;
  const list = names.map((name, n) => {
    const labels: Record<string, string> = by ? { [by]: name } : {};
    if (!histogram) {
      let value = info.unit === "By" ? 2.2e8 : 40;
      return { labels, at, value: at.map((_, i) => (i === 17 ? null : (value = Math.max(1, value * random.between(0.95, 1.055))))) };
    }
    const counts = at.map((_, i) => {
      const middle = bounds.length * 0.55 + Math.sin(i / 9 + n) * 0.8;
      return [...bounds, 0].map((_, b) => Math.max(0, Math.round(60 * Math.exp(-((b - middle) ** 2) / 1.7) * random.between(0.6, 1.3) + (random.chance(0.02) ? 2 : 0))));
    });
    const quantile = (column: number[], q: number): number | null => {
      const all = column.reduce((a, b) => a + b, 0);
      if (all === 0) return null;
      let seen = 0;
      for (let b = 0; b < column.length; b++) {
        const before = seen;
        seen += column[b] ?? 0;
        if (seen >= q * all) {
          const low = b === 0 ? 0 : (bounds[b - 1] as number);
          const high = bounds[b] ?? low * 2;
          return low + ((q * all - before) / Math.max(1, column[b] ?? 1)) * (high - low);
        }
      }
      return null;
    };
    return { labels, at, counts, count: counts.map((c) => c.reduce((a, b) => a + b, 0)), p50: counts.map((c) => quantile(c, 0.5)), p95: counts.map((c) => quantile(c, 0.95)), p99: counts.map((c) => quantile(c, 0.99)) };
  });
  const inside = traces.filter((one) => one.startMs >= from && one.startMs <= to).slice(0, 14);
  return { info, stepMs, series: list, ...(histogram && { bounds }), exemplars: histogram ? inside.map((one) => ({ at: one.startMs, value: (bounds[Math.floor(bounds.length * 0.5)] as number) * random.between(0.6, 6), trace: one.id, ...(one.root && { span: one.root }), labels: {} })) : [] };
}
