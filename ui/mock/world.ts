/** Everything the mock has, and the answers of /api/v1 over it. Pure: a request in, an answer out. */
import type {
  About, AgentRow, Any, Conversation, ConversationRow, Facets, Few, Findings, Hit, LogDetail, LogList, LogRow, Message, ModelRow, Overview, Row, SearchAnswer, ServiceRow, Settings, SpanDetail, Stat, Status, ToolDefinition, ToolRow, Trace, TraceRow, Transcript, Usage,
} from "../src/api";
import { attributes, Builder } from "./builder";
import { compare } from "./compare";
import { metrics, series } from "./metrics";
import { Random } from "./random";
import { coding, everyday, hostile, languages, large, megabyte, odd, running, type Scene, silent, travel } from "./scenes";

interface Made {
  row: TraceRow;
  scene: Scene;
  seed: number;
}

type Full = Trace & { transcript: Transcript; builder: Builder };

export interface Answer {
  status: number;
  body: unknown;
}

const SPECIAL: [scene: Scene, minutesAgo: number][] = [[running, 0.2], [travel, 3], [coding, 9], [languages, 17], [hostile, 24], [megabyte, 31], [silent, 40], [large, 1900], [odd, 63]];

export class World {
  readonly made: Made[] = [];
  readonly #cache = new Map<string, Full>();

  constructor(readonly now: number, traces = 600) {
    let at = now;
    const random = new Random(7);
    SPECIAL.forEach(([scene, minutes], i) => this.#add(scene, 1000 + i, now - minutes * 60_000));
    for (let i = this.made.length; i < traces; i++) {
      at -= random.between(5_000, 260_000);
      this.#add(everyday, 2000 + i, Math.floor(at));
    }
    this.made.sort((a, b) => b.row.startMs - a.row.startMs);
  }

  #add(scene: Scene, seed: number, startMs: number): TraceRow {
    const full = build(scene, seed, startMs);
    this.made.push({ row: full.summary, scene, seed });
    return full.summary;
  }

  /** A new run, for the live stream. */
  arrive(seed: number, now: number): TraceRow {
    const row = this.#add(everyday, 9000 + seed, now);
    this.made.sort((a, b) => b.row.startMs - a.row.startMs);
    return row;
  }

  /** A run as it is now: told again, it has gone on. */
  tell(scene: Scene, seed: number, startMs: number): TraceRow {
    const { id } = build(scene, seed, startMs).summary;
    const at = this.made.findIndex((one) => one.row.id === id);
    const rev = (this.made[at]?.row.rev ?? 0) + 1;
    if (at >= 0) this.made.splice(at, 1);
    this.#cache.delete(id);
    const row = this.#add(scene, seed, startMs);
    row.rev = rev;
    this.made.sort((a, b) => b.row.startMs - a.row.startMs);
    return row;
  }

  full(id: string): Full | undefined {
    const kept = this.#cache.get(id);
    if (kept) return kept;
    const made = this.made.find((one) => one.row.id === id);
    if (!made) return undefined;
    const full = build(made.scene, made.seed, made.row.startMs);
    full.summary.rev = full.transcript.rev = made.row.rev;
    if (this.#cache.size > 20) this.#cache.clear();
    this.#cache.set(id, full);
    return full;
  }

  status(): Status {
    return {
      spans: 18_311, logs: 6_020, points: 44_190, traces: this.made.length, bytes: 41_203_112, limitBytes: 2_147_483_648, maxAgeMs: 30 * 86_400_000, oldestMs: this.made.at(-1)?.row.startMs ?? this.now, perSecond: 214, queuedBytes: 0, indexBehind: 0,
      damaged: [], location: "~/.local/share/otel-genai", readOnly: false, dialects: [{ dialect: "2026-08", services: 4 }, { dialect: "v1.30", services: 2 }, { dialect: "openinference", services: 1 }], findings: 2,
    };
  }

  answer(path: string, query: URLSearchParams): Answer {
    const parts = path.split("/").filter(Boolean);
    const ok = (body: unknown): Answer => ({ status: 200, body });
    const missing = (what: string): Answer => ({ status: 404, body: { error: { code: "not_found", message: `No ${what} is kept under this id.`, hint: "It may be older than the retention, or have been deleted." } } });
    const [resource, id, below, last] = parts;
    switch (resource) {
      case "about":
        return ok({ name: "otel-genai", version: "0.0.0", needsToken: false, epoch: "mock", startedMs: this.now - 7_200_000, currency: "USD", pricesDate: "2026-11-01", otlp: { http: "http://127.0.0.1:4318", grpc: "127.0.0.1:4317" } } satisfies About);
      case "status":
        return ok(this.status());
      case "traces": {
        if (!id) return this.#list(query);
        const full = this.full(id);
        if (!full) return missing("trace");
        const { transcript, builder, ...trace } = full;
        if (!below) {
          const skip = Number(query.get("cursor") ?? 0);
          const end = skip + Math.min(50_000, Number(query.get("limit") ?? 10_000));
          return ok({ ...trace, rows: trace.rows.slice(skip, end), ...(end < trace.rows.length && { next: String(end) }) } satisfies Trace);
        }
        if (below === "transcript") return ok(cut(page(transcript, Number(query.get("after") ?? 0), Number(query.get("limit") ?? 200))));
        if (below === "logs") return ok(paged(logs(full), query, 50));
        if (below === "findings") return ok([]);
        if (below === "raw") return ok(raw(full, query.get("span") ?? undefined));
        if (below === "spans" && last) {
          const row = full.rows.find((r) => r.span === last && (r.variant ?? 0) === Number(query.get("variant") ?? 0));
          return row ? ok(detail(full, row)) : missing("span");
        }
        return missing("resource");
      }
      case "content":
        for (const full of this.#cache.values()) {
          const message = full.transcript.messages[id ?? ""];
          const part = message?.parts.find((p) => p.type === "text");
          if (part?.type === "text") return { status: 200, body: part.content };
        }
        return missing("content");
      case "facets":
        return ok(this.#facets(query));
      case "overview":
        return ok(this.#overview(query));
      case "models":
        return ok({ items: models(this.#filtered(query)), unpriced: [{ provider: "ollama", model: "llama4:8b", calls: 212 }], currency: "USD", pricesDate: "2026-11-01" });
      case "agents":
        return ok(this.#agents(query));
      case "tools":
        return ok({ items: this.#tools(query) });
      case "conversations":
        if (!id) return ok(paged(this.#conversations(query), query, 50));
        return this.#conversation(id, query) ?? missing("conversation");
      case "logs": {
        if (!id) return ok(this.#logs(query));
        const [trace, place] = id.split("-");
        const full = this.made.find((one) => one.row.id.startsWith(trace ?? ""))?.row.id;
        const row = full && logs(this.full(full) as Full)[Number(place)];
        if (!row) return missing("log record");
        return ok({ row, body: row.text, attributes: attributes({ "gen_ai.operation.name": "chat" }), resource: attributes({ "service.name": row.service }), scope: { name: "otel_genai.mock" }, timeNs: `${row.atMs}000000` } satisfies LogDetail);
      }
      case "search":
        return ok(this.#search(query.get("q") ?? ""));
      case "services":
        return ok({ items: this.#services(query) });
      case "findings":
        return ok(this.#findings(query));
      case "metrics": {
        if (this.made.length === 0) return ok({ items: [] });
        if (id !== "series") return ok({ items: metrics(this.now) });
        const info = metrics(this.now).find((one) => one.name === query.get("name"));
        return info ? ok(series(info, query.get("by") ?? undefined, time(query.get("from") ?? "-1h", this.now) as number, time(query.get("to"), this.now) ?? this.now, this.made.map((one) => one.row))) : missing("metric");
      }
      case "compare": {
        const [a, b] = [query.get("a"), query.get("b")].map((name) => this.full(name?.split(".")[0] ?? ""));
        return a && b ? ok(compare(a, b)) : missing("trace");
      }
      case "settings":
        return ok(this.#settings());
      default:
        return missing("resource");
    }
  }

  #filtered(query: URLSearchParams): TraceRow[] {
    const any = (key: string, of: (row: TraceRow) => string[]) => {
      const wanted = query.getAll(key);
      return wanted.length ? (row: TraceRow) => of(row).some((value) => wanted.includes(value)) : () => true;
    };
    const tests = [
      any("service", (r) => r.services.list), any("model", (r) => r.models.list), any("agent", (r) => r.agents.list), any("tool", (r) => r.tools.list), any("conversation", (r) => r.conversations.list), any("dialect", (r) => r.dialects),
    ];
    const from = time(query.get("from"), this.now);
    const to = time(query.get("to"), this.now);
    const q = query.get("q")?.toLowerCase();
    return this.made.map((m) => m.row).filter((row) => {
      if (from !== undefined && row.startMs < from) return false;
      if (to !== undefined && row.startMs > to) return false;
      if (query.get("error") && !row.errors) return false;
      if (Number(query.get("minMs") ?? 0) > row.durationMs) return false;
      if (q && !`${row.name} ${row.title ?? ""} ${row.service}`.toLowerCase().includes(q)) return false;
      return tests.every((test) => test(row));
    });
  }

  #list(query: URLSearchParams): Answer {
    const sort = query.get("sort") ?? "start";
    const keys: Record<string, (row: TraceRow) => number> = {
      start: (r) => r.startMs, duration: (r) => r.durationMs, ttft: (r) => r.ttftMs ?? -1, tokens: (r) => (r.usage.input ?? 0) + (r.usage.output ?? 0), cost: (r) => r.cost?.amount ?? -1, errors: (r) => r.errors, llm: (r) => r.llmCalls, spans: (r) => r.spans,
    };
    const key = keys[sort];
    if (!key) return { status: 400, body: { error: { code: "bad_parameter", message: `sort=${sort} is not known`, parameter: "sort" } } };
    const sign = query.get("order") === "asc" ? 1 : -1;
    const all = this.#filtered(query).sort((a, b) => sign * (key(a) - key(b)));
    const at = Number(query.get("cursor") ?? 0);
    const limit = Math.min(500, Number(query.get("limit") ?? 50));
    const next = at + limit < all.length ? String(at + limit) : undefined;
    return { status: 200, body: { items: all.slice(at, at + limit), ...(next && { next }), total: all.length } };
  }

  #facets(query: URLSearchParams): Facets {
    const of = query.getAll("of");
    const rows = this.#filtered(query);
    const lists: Record<string, (row: TraceRow) => string[]> = { service: (r) => r.services.list, model: (r) => r.models.list, agent: (r) => r.agents.list, tool: (r) => r.tools.list, dialect: (r) => r.dialects };
    const answer: Facets = {};
    for (const name of of) {
      const counts = new Map<string, number>();
      for (const row of rows) for (const value of lists[name]?.(row) ?? []) counts.set(value, (counts.get(value) ?? 0) + 1);
      answer[name] = [...counts].map(([value, count]) => ({ value, count })).sort((a, b) => b.count - a.count).slice(0, 50);
    }
    return answer;
  }

  #overview(query: URLSearchParams): Overview {
    const from = time(query.get("from") ?? "-24h", this.now) as number;
    const to = time(query.get("to"), this.now) ?? this.now;
    const rows = this.#filtered(new URLSearchParams({ from: String(from), to: String(to) }));
    const steps = 48;
    const stepMs = (to - from) / steps;
    const bins: TraceRow[][] = Array.from({ length: steps }, () => []);
    for (const row of rows) bins[Math.min(steps - 1, Math.floor((row.startMs - from) / stepMs))]?.push(row);
    const before = this.#filtered(new URLSearchParams({ from: String(from - (to - from)), to: String(from) }));
    return {
      range: { fromMs: from, toMs: to, stepMs }, stat: stat(rows), ...(before.length && { before: stat(before) }), traces: rows.length,
      steps: bins.map((bin, i) => {
        const s = stat(bin);
        return { atMs: from + i * stepMs, calls: s.calls, errors: s.errors, input: s.usage.input ?? 0, output: s.usage.output ?? 0, cacheRead: s.usage.cacheRead ?? 0, ...(s.cost && { cost: s.cost.amount }), ...(s.p50Ms && { p50Ms: s.p50Ms, p95Ms: s.p95Ms as number }), ...(s.ttftP95Ms && { ttftP95Ms: s.ttftP95Ms }) };
      }),
      models: models(rows).slice(0, 6), agents: this.#agents(query).items.slice(0, 6), failingTools: this.#tools(query).filter((t) => t.stat.errors).sort((a, b) => b.stat.errors - a.stat.errors).slice(0, 6), newest: rows.slice(0, 8),
      ...(this.made.length === 0 && { empty: { connect: [{ language: "shell", text: "otel-genai run -- python app.py" }, { language: "python", text: "export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318\nexport OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental\nexport OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_only\nopentelemetry-instrument python app.py" }, { language: "node", text: "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 node --import ./telemetry.mjs app.mjs" }] } }),
    };
  }

  #agents(query: URLSearchParams): { items: AgentRow[]; matrix: { agent: string; tool: string; calls: number; errors: number }[]; edges: { from: string; to: string; calls: number; kind: "tool" }[] } {
    const groups = groupBy(this.#filtered(query), (r) => r.agents.list[0] ?? "");
    groups.delete("");
    const items = [...groups].map(([agent, rows]) => {
      const s = stat(rows);
      return { agent, service: rows[0]?.service ?? "", runs: rows.length, errors: rows.filter((r) => r.errors).length, ownMs: rows.reduce((a, r) => a + r.durationMs * 0.8, 0), totalMs: rows.reduce((a, r) => a + r.durationMs, 0), own: s, total: s, versions: [] };
    });
    const matrix = [...groups].flatMap(([agent, rows]) => [...groupBy(rows.flatMap((r) => r.tools.list.map((tool) => ({ tool, r }))), (x) => x.tool)].map(([tool, all]) => ({ agent, tool, calls: all.length, errors: all.filter((x) => x.r.toolErrors).length })));
    return { items: items.sort((a, b) => b.runs - a.runs), matrix, edges: [{ from: "travel-planner", to: "restaurant-agent", calls: 1, kind: "tool" }] };
  }

  #tools(query: URLSearchParams): ToolRow[] {
    return [...groupBy(this.#filtered(query).flatMap((r) => r.tools.list.map((tool) => ({ tool, r }))), (x) => x.tool)]
      .map(([tool, all], i) => ({ tool, stat: { ...stat(all.map((x) => x.r)), calls: all.length, errors: all.filter((x) => x.r.toolErrors).length, p50Ms: 40 + i * 31, p95Ms: 210 + i * 96 }, argumentsP50: 84 + i * 7, resultP50: 900 + i * 310, retries: i % 3, ...(all.some((x) => x.r.toolErrors) && { lastError: "timeout" }) }))
      .sort((a, b) => b.stat.calls - a.stat.calls);
  }

  #conversations(query: URLSearchParams): ConversationRow[] {
    const groups = groupBy(this.#filtered(query).filter((r) => r.conversations.list.length), (r) => r.conversations.list[0] as string);
    return [...groups].map(([id, rows]) => {
      const s = stat(rows);
      const first = rows.at(-1);
      const last = rows[0];
      return { id, service: last?.service ?? "", startMs: first?.startMs ?? 0, endMs: (last?.startMs ?? 0) + (last?.durationMs ?? 0), traces: rows.length, llmCalls: rows.reduce((a, r) => a + r.llmCalls, 0), errors: rows.reduce((a, r) => a + r.errors, 0), usage: s.usage, ...(s.cost && { cost: s.cost }), unpriced: s.unpriced, models: few(rows.flatMap((r) => r.models.list)), agents: few(rows.flatMap((r) => r.agents.list)), ...(first?.title && { first: first.title }), ...(last?.title && { last: last.title }) };
    }).sort((a, b) => b.endMs - a.endMs);
  }

  #conversation(id: string, query: URLSearchParams): Answer | undefined {
    const summary = this.#conversations(new URLSearchParams()).find((c) => c.id === id);
    if (!summary) return undefined;
    const traces = this.made.map((m) => m.row).filter((r) => r.conversations.list.includes(id)).reverse();
    const body: Conversation = { summary, traces };
    if (query.get("transcript")) {
      const all: Transcript = { rev: 1, chains: [], calls: [], messages: {}, tools: {}, orphanTools: [] };
      for (const trace of traces) {
        const one = this.full(trace.id)?.transcript;
        if (!one) continue;
        const chain = all.chains.length;
        const call = all.calls.length;
        all.chains.push(...one.chains.map((c) => ({ ...c, id: c.id + chain, ...(c.parent !== undefined && { parent: c.parent + chain }), ...(c.asked && { asked: { ...c.asked, call: c.asked.call + call } }) })));
        all.calls.push(...one.calls.map((c) => ({ ...c, ordinal: c.ordinal + call, chain: c.chain + chain })));
        for (const [key, message] of Object.entries(one.messages)) all.messages[key] = { ...message, parts: message.parts.map((p) => ("join" in p && p.join ? { ...p, join: { ...p.join, ...(p.join.span && { trace: trace.id }), ...(p.join.chain !== undefined && { chain: p.join.chain + chain }) } } : p)) };
        Object.assign(all.tools, one.tools);
      }
      body.transcript = cut(page(all, Number(query.get("after") ?? 0), Number(query.get("limit") ?? 200)));
    }
    return { status: 200, body };
  }

  #services(query: URLSearchParams): ServiceRow[] {
    return [...groupBy(this.#filtered(query), (r) => r.service)].map(([name, rows], i) => {
      const spans = rows.reduce((a, r) => a + r.spans, 0);
      const calls = rows.reduce((a, r) => a + r.llmCalls, 0);
      return {
        name, instances: 1 + (i % 3), language: i % 3 === 1 ? "nodejs" : i % 3 === 2 ? "rust" : "python", sdk: "opentelemetry 1.39.0", scopes: [{ name: "opentelemetry.instrumentation.openai_v2", version: "2.0b0", spans }, ...(i % 2 ? [{ name: "opentelemetry.instrumentation.httpx", version: "0.60b0", spans: 12 }] : [])],
        dialects: [...groupBy(rows.flatMap((r) => r.dialects), (d) => d)].map(([dialect, all]) => ({ dialect, spans: all.length })) as ServiceRow["dialects"], spans, logs: rows.reduce((a, r) => a + r.logs, 0), points: spans * 2, calls, withContent: rows.filter((r) => r.content === "here").reduce((a, r) => a + r.llmCalls, 0),
        firstMs: rows.at(-1)?.startMs ?? 0, lastMs: rows[0]?.startMs ?? 0, schemaUrls: [],
      };
    });
  }

  #findings(query: URLSearchParams): Findings {
    const rows = this.#filtered(query);
    const silent = rows.find((r) => r.content === "absent");
    const odd = rows.find((r) => r.service === "odd-shapes");
    const items: Findings["items"] = [];
    if (silent) items.push({ code: "content_off", severity: "warning", title: "Messages are not captured", why: "Calls of this service tell of tokens and models, but of no message: the instrumentation leaves content out unless it is asked for.", fix: "Set these in the environment of the program, if its prompts may be kept here.", setting: "export OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental\nexport OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_only", service: silent.service, trace: silent.id, span: silent.root ?? "", count: 3 });
    if (odd) items.push({ code: "lost_parent", severity: "error", title: "A parent span never came", why: "The span names a parent that is in no batch: the context crossed a thread or a process without it, or the parent was sampled away.", fix: "Hand the context over where the work moves to another thread, or send all spans of a trace to the same place.", service: odd.service, trace: odd.id, count: 1 });
    if (rows.length) items.push({ code: "deprecated_names", severity: "info", title: "Older attribute names", why: "gen_ai.system was replaced by gen_ai.provider.name. Both are understood here; other tools may know only the newer one.", fix: "Update opentelemetry-instrumentation-openai-v2 to 2.0b0 or newer.", service: "docs-rag", count: 118 });
    return { items, services: this.#services(query).map((one) => ({ service: one.name, dialects: one.dialects.map((d) => d.dialect), capture: one.withContent ? "here" : one.calls ? "absent" : "unknown", calls: one.calls, withContent: one.withContent, signals: { traces: true, logs: one.logs > 0, metrics: one.points > 8 }, findings: items.filter((f) => f.service === one.name).length })), looked: { traces: rows.length } };
  }

  #settings(): Settings {
    const connect = [{ language: "shell", text: "otel-genai run -- python app.py" }, { language: "environment", text: "export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318" }];
    return {
      dataDir: "~/.local/share/otel-genai", maxAgeMs: 30 * 86_400_000, maxBytes: 2_147_483_648, sync: "full", readOnly: false, status: this.status(), connect, mcp: { stdio: "otel-genai mcp-server", http: "http://127.0.0.1:18888/api/v1/mcp" },
      variables: [{ name: "OTEL_GENAI_DASHBOARD_MAX_AGE", value: "30d", from: "default" }, { name: "OTEL_GENAI_DASHBOARD_MAX_BYTES", value: "2GiB", from: "environment" }, { name: "OTEL_GENAI_DASHBOARD_HTTP", value: "127.0.0.1:4318", from: "default" }, { name: "OTEL_GENAI_DASHBOARD_PAGE", value: "127.0.0.1:18888", from: "flag" }],
    };
  }

  #logs(query: URLSearchParams): LogList {
    const items = this.#filtered(query).slice(0, 120).flatMap((row) => logs(this.full(row.id) as Full).slice(0, 3)).sort((a, b) => b.atMs - a.atMs);
    return paged(items, query, 50);
  }

  #search(q: string): SearchAnswer {
    const hits: Hit[] = [];
    const needle = q.toLowerCase();
    if (!needle) return { hits, complete: true };
    for (const name of new Set(this.made.flatMap((m) => [...m.row.agents.list, ...m.row.tools.list, ...m.row.models.list]))) {
      if (name.toLowerCase().includes(needle)) hits.push({ type: "name", of: "agent", text: name, traces: 3 });
    }
    for (const { row } of this.made) {
      if (row.id.startsWith(needle) || row.name.toLowerCase().includes(needle)) hits.push({ type: "trace", trace: row });
      const at = row.title?.toLowerCase().indexOf(needle) ?? -1;
      if (row.title && at >= 0) hits.push({ type: "content", trace: row.id, span: row.root ?? "", atMs: row.startMs, snippet: { text: row.title, marks: [[at, at + needle.length]] } });
      if (hits.length > 60) break;
    }
    return { hits, complete: true };
  }
}

function build(scene: Scene, seed: number, startMs: number): Full {
  const builder = new Builder(seed, startMs, "service");
  scene(builder);
  const full = Object.assign(builder.finish(), { builder });
  return full.summary.synthetic ? bare(full) : full;
}

/** Of a run that only logs tell of, the program knows no span. */
function bare(full: Full): Full {
  const { summary, transcript } = full;
  const { root: _, op: __, ...rest } = summary;
  const without = <T extends { span?: string }>({ span: _, ...one }: T) => one;
  return {
    ...full, rows: [], totalRows: 0,
    summary: { ...rest, spans: 0, logs: transcript.calls.length * 3, agents: { list: [], more: 0 }, bars: summary.bars.filter((bar) => bar.op !== "invoke_agent") },
    transcript: {
      ...transcript,
      chains: transcript.chains.map(without),
      calls: transcript.calls.map(without),
      messages: Object.fromEntries(Object.entries(transcript.messages).map(([hash, message]) => [hash, { ...message, parts: message.parts.map((part) => ("join" in part && part.join ? { ...part, join: without(part.join) } : part)) }])),
    },
  };
}

/** A page of a list, and where the next one begins. */
function paged<T>(all: T[], query: URLSearchParams, usual: number): { items: T[]; next?: string } {
  const at = Number(query.get("cursor") ?? 0);
  const limit = Math.min(500, Number(query.get("limit") ?? usual));
  return { items: all.slice(at, at + limit), ...(at + limit < all.length && { next: String(at + limit) }) };
}

/** Calls from `after` on, with the messages and tools that they name. */
function page(transcript: Transcript, after: number, limit: number): Transcript {
  const calls = transcript.calls.slice(after, after + limit);
  if (after === 0 && calls.length === transcript.calls.length) return transcript;
  const messages: Transcript["messages"] = {};
  const tools: Transcript["tools"] = {};
  for (const call of calls) {
    for (const seen of [...call.system, ...call.input, ...call.output]) messages[seen.message] = transcript.messages[seen.message] as Message;
    if (call.tools) tools[call.tools] = transcript.tools[call.tools] as ToolDefinition[];
  }
  return { ...transcript, calls, messages, tools, ...(after + limit < transcript.calls.length && { next: after + limit }) };
}

/** As the server does: a text over 64 KiB is cut and says where the rest is. */
function cut(transcript: Transcript): Transcript {
  const messages = Object.fromEntries(Object.entries(transcript.messages).map(([key, message]) => [key, {
    ...message,
    parts: message.parts.map((part) => (part.type === "text" && part.content.length > 65_536 ? { ...part, content: part.content.slice(0, 65_536), cut: part.content.length, more: `/api/v1/content/${key}?as=text` } : part)),
  }]));
  return { ...transcript, messages };
}

function logs(full: Full): LogRow[] {
  return full.transcript.calls.map((call, i) => ({
    id: `${full.summary.id.slice(0, 8)}-${i}`, atMs: call.at + (call.durationMs ?? 0), severity: call.error ? 17 : 9, severityText: call.error ? "ERROR" : "INFO", event: call.error ? "exception" : "gen_ai.client.inference.operation.details", service: full.summary.service, trace: full.summary.id, ...(call.span && { span: call.span }),
    text: call.error ? `${call.error.type}: ${call.error.message ?? ""}` : `${call.provider} ${call.model} ${call.finish ?? ""}`, op: "chat" as const, genai: true as const,
  }));
}

function detail(full: Full, row: Row): SpanDetail {
  const own = full.builder.own.get(row.span);
  const call = full.transcript.calls.find((c) => c.span === row.span);
  return {
    row, trace: full.summary.id, startNs: `${Math.floor((full.summary.startMs + row.at) * 1000)}000`, endNs: `${Math.floor((full.summary.startMs + row.at + row.durationMs) * 1000)}000`,
    status: row.error ? { code: "error", ...(own?.message && { message: own.message }) } : { code: "unset" }, flags: 257,
    attributes: own?.attributes.length ? own.attributes : attributes({ ...(row.op === "http" && { "http.request.method": "POST", "http.response.status_code": row.error ? 429 : 200, "server.address": "api.openai.example" }), ...(row.agent && { "gen_ai.agent.name": row.agent, "gen_ai.operation.name": row.op }) }),
    events: own?.events ?? [], links: [], resource: attributes({ "service.name": row.service, "service.version": "2.4.1", "telemetry.sdk.language": "python", "telemetry.sdk.name": "opentelemetry", "telemetry.sdk.version": "1.39.0", "host.name": "build-7" }),
    scope: { name: "opentelemetry.instrumentation.openai_v2", version: "2.0b0", schemaUrl: "https://opentelemetry.io/schemas/1.37.0", attributes: [] },
    request: own?.request ?? [], ...(own?.documents && { documents: own.documents }), ...(own?.query && { query: own.query }), ...(own?.memory && { memory: own.memory }), ...(own?.mcp && { mcp: own.mcp }),
    evaluations: call?.evaluations ?? [], logs: row.op === "chat" ? 1 : 0, exemplars: row.op === "chat" ? [{ metric: "gen_ai.client.operation.duration", value: row.durationMs / 1000, at: full.summary.startMs + row.at }] : [],
  };
}

function raw(full: Full, only: string | undefined): unknown {
  const any = (value: Any): unknown => (typeof value === "string" ? { stringValue: value } : typeof value === "number" ? (Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value }) : typeof value === "boolean" ? { boolValue: value } : { stringValue: JSON.stringify(value) });
  const spans = full.rows.filter((row) => !only || row.span === only).slice(0, 500).map((row) => {
    const told = detail(full, row);
    return { traceId: full.summary.id, spanId: row.span, ...(row.parent && { parentSpanId: row.parent }), name: row.name, kind: 3, startTimeUnixNano: told.startNs, endTimeUnixNano: told.endNs, attributes: told.attributes.map((a) => ({ key: a.key, value: any(a.value) })), status: row.error ? { code: 2, message: told.status.message } : {} };
  });
  return { resourceSpans: [{ resource: { attributes: [{ key: "service.name", value: { stringValue: full.summary.service } }] }, scopeSpans: [{ scope: { name: "opentelemetry.instrumentation.openai_v2", version: "2.0b0" }, spans }] }] };
}

function time(value: string | null, now: number): number | undefined {
  if (!value) return undefined;
  const relative = /^-(\d+)(s|m|h|d)$/.exec(value);
  if (relative) return now - Number(relative[1]) * ({ s: 1e3, m: 6e4, h: 36e5, d: 864e5 } as Record<string, number>)[relative[2] as string]!;
  return Number(value);
}

function groupBy<T>(list: T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of list) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}

function few(names: string[]): Few {
  const all = [...new Set(names)];
  return { list: all.slice(0, 3), more: Math.max(0, all.length - 3) };
}

function stat(rows: TraceRow[]): Stat {
  const usage: Usage = {};
  let cost = 0;
  for (const row of rows) {
    cost += row.cost?.amount ?? 0;
    for (const [key, value] of Object.entries(row.usage)) usage[key as keyof Usage] = (usage[key as keyof Usage] ?? 0) + (value ?? 0);
  }
  const times = rows.map((r) => r.durationMs / Math.max(1, r.llmCalls)).sort((a, b) => a - b);
  const first = rows.map((r) => r.ttftMs).filter((t): t is number => t !== undefined).sort((a, b) => a - b);
  const at = (list: number[], q: number) => list[Math.min(list.length - 1, Math.floor(list.length * q))];
  const spent = rows.reduce((a, r) => a + r.durationMs, 0);
  return {
    calls: rows.reduce((a, r) => a + r.llmCalls, 0), errors: rows.reduce((a, r) => a + r.llmErrors, 0), usage, ...(cost && { cost: { amount: cost, saved: cost * 0.4, source: "table" as const } }), unpriced: rows.reduce((a, r) => a + r.unpriced, 0),
    ...(times.length && { p50Ms: at(times, 0.5) as number, p95Ms: at(times, 0.95) as number, p99Ms: at(times, 0.99) as number }), ...(first.length && { ttftP50Ms: at(first, 0.5) as number, ttftP95Ms: at(first, 0.95) as number }), ...(spent && { tokensPerSecond: ((usage.output ?? 0) / spent) * 1000 }),
  };
}

function models(rows: TraceRow[]): ModelRow[] {
  return [...groupBy(rows, (r) => r.models.list[0] ?? "")].filter(([name]) => name).map(([model, all]) => ({
    provider: model.startsWith("gpt") || model.startsWith("text") ? "openai" : model.startsWith("claude") ? "anthropic" : model.startsWith("gemini") ? "google" : model.startsWith("qwen") ? "dashscope" : "ollama", model, stat: stat(all),
    finish: [{ reason: "stop", count: Math.ceil(all.length * 0.7) }, { reason: "tool_calls", count: Math.floor(all.length * 0.28) }, { reason: "length", count: Math.floor(all.length * 0.02) }].filter((f) => f.count), priced: !model.startsWith("llama"),
  })).sort((a, b) => b.stat.calls - a.stat.calls);
}
