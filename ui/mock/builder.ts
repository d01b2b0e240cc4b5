/**
 * Tells a run as it would happen (agents, calls, tools, one after the other or side by side) and
 * keeps what the server would answer about it: rows, transcript, details.
 */
import type {
  Attribute, Bar, Call, Carrier, Chain, Document, Evaluation, Few, Message, Op, Part, Row, Seen, Source, SpanDetail, ToolDefinition, Trace, TraceRow, Transcript, Usage,
} from "../src/api";
import { hash, Random } from "./random";

interface Own {
  attributes: Attribute[];
  request: Attribute[];
  events: SpanDetail["events"];
  documents?: Document[];
  query?: string;
  memory?: SpanDetail["memory"];
  mcp?: SpanDetail["mcp"];
  message?: string;
}

export interface ChatOptions {
  model?: string;
  requestModel?: string;
  provider?: string;
  input?: Message[];
  output?: Message[];
  usage?: Usage;
  ms?: number;
  ttftMs?: number;
  finish?: string;
  error?: { type: string; message?: string };
  retry?: number;
  running?: boolean;
  content?: Call["content"];
  hint?: string;
  http?: string;
  system?: string;
  rewrites?: { at: number; why: NonNullable<Call["break"]>["why"]; cachedBefore?: number; cachedNow?: number };
  toolsChanged?: boolean;
  carriers?: Carrier[];
  evaluations?: Evaluation[];
  /** A second telling of the output that differs: kept as another version. */
  other?: Message;
}

interface OpenChain {
  chain: Chain;
  system: string;
  tools: ToolDefinition[];
  history: string[];
  made: Call[];
}

const CARRIED: Record<string, string> = {
  span_attribute: "gen_ai.input.messages",
  log_details: "gen_ai.client.inference.operation.details",
  log_legacy: "gen_ai.choice",
  openinference: "llm.input_messages",
  openllmetry: "gen_ai.prompt",
  vercel: "ai.prompt.messages",
};

export const PRICES: Record<string, [input: number, output: number, cacheRead: number]> = {
  "gpt-5.5": [2.5, 15, 0.25],
  "gpt-5.4-mini": [0.4, 1.6, 0.1],
  "claude-opus-5": [5, 25, 0.5],
  "claude-sonnet-4-6": [3, 15, 0.3],
  "gemini-2.5-flash": [0.3, 2.5, 0.075],
  "text-embedding-3-small": [0.02, 0, 0.02],
  "qwen3-max": [1.2, 6, 0.24],
};

export class Builder {
  readonly random: Random;
  readonly id: string;
  readonly rows: Row[] = [];
  readonly own = new Map<string, Own>();
  readonly chains: Chain[] = [];
  readonly calls: Call[] = [];
  readonly messages: Record<string, Message> = {};
  readonly tools: Record<string, ToolDefinition[]> = {};
  conversation: string | undefined;
  running = false;
  synthetic = false;
  dialects: TraceRow["dialects"] = ["2026-08"];
  carriers: Carrier[] = ["span_attribute"];
  #clock = 0;
  #stack: Row[] = [];
  #open: OpenChain[] = [];
  #title: string | undefined;

  constructor(seed: number, readonly startMs: number, public service: string) {
    this.random = new Random(seed);
    this.id = this.random.hex(32);
  }

  get now(): number {
    return this.#clock;
  }
  wait(ms: number): void {
    this.#clock += ms;
  }

  /** One span. With a body its children happen inside it; without, `ms` passes. */
  span(row: Partial<Row> & { name: string }, ms: number, body?: () => void): Row {
    const parent = this.#stack.at(-1);
    const made: Row = {
      span: this.random.hex(16), depth: this.#stack.length, children: 0, service: this.service, kind: "internal", at: this.#clock, durationMs: ms, state: "ended",
      ...(parent && { parent: parent.span }), ...(this.conversation && row.op && { conversation: this.conversation }), ...row,
    };
    this.rows.push(made);
    this.own.set(made.span, { attributes: [], request: [], events: [] });
    if (body) {
      this.#stack.push(made);
      this.#clock += Math.min(2, ms);
      body();
      this.#stack.pop();
      this.#clock += Math.min(2, ms);
      made.durationMs = Math.max(ms, this.#clock - made.at);
    }
    this.#clock = made.at + made.durationMs;
    return made;
  }

  /** Side by side: each begins now; time goes on after the last. */
  parallel(...bodies: (() => void)[]): void {
    const start = this.#clock;
    let end = start;
    for (const body of bodies) {
      this.#clock = start;
      body();
      end = Math.max(end, this.#clock);
      this.#clock = start;
    }
    this.#clock = end;
  }

  put(message: Message): string {
    const name = hash(message);
    this.messages[name] = message;
    return name;
  }

  #source(carrier: Carrier, span: string, name: string | undefined, index: number | undefined): Source {
    const told = name ?? CARRIED[carrier] ?? carrier;
    return { carrier, name: told, matched: "span", ...(index !== undefined && { index }), ...(carrier.startsWith("log") ? { log: this.random.hex(12) } : {}), span };
  }

  agent(name: string, options: { system?: string; tools?: ToolDefinition[]; asked?: string; model?: string; error?: string; own?: Partial<Row> }, body: () => void): Row {
    const parent = this.#open.at(-1);
    const span = this.span({ name: `invoke_agent ${name}`, op: "invoke_agent", agent: name, ...(options.error && { error: true, errorType: options.error }), ...options.own }, 0, () => {
      const row = this.#stack.at(-1) as Row;
      const chain: Chain = { id: this.chains.length, agent: name, span: row.span, calls: 0, growth: [] };
      const asking = parent?.made.at(-1);
      if (parent) chain.parent = parent.chain.id;
      if (options.asked && asking) chain.asked = { call: asking.ordinal, toolCall: options.asked };
      this.chains.push(chain);
      const open: OpenChain = { chain, system: options.system ?? "", tools: options.tools ?? [], history: [], made: [] };
      this.#open.push(open);
      body();
      this.#open.pop();
      chain.calls = open.made.length;
      for (const call of open.made) call.of = open.made.length;
      const answer = open.made.at(-1)?.output[0]?.message;
      if (answer) chain.answer = answer;
      const usage: Usage = {};
      for (const call of open.made) for (const [key, value] of Object.entries(call.usage ?? {})) usage[key as keyof Usage] = (usage[key as keyof Usage] ?? 0) + (value ?? 0);
      const cost = open.made.reduce((sum, call) => sum + (call.cost?.amount ?? 0), 0);
      const toolCalls = this.rows.filter((r) => r.parent === row.span && r.op === "execute_tool").length;
      row.own = { usage, cost: { amount: cost, source: "table" }, llmCalls: open.made.length, toolCalls, ms: open.made.reduce((sum, call) => sum + (call.durationMs ?? 0), 0) };
    });
    return span;
  }

  /** A call outside any agent makes a chain of its own. */
  #chain(): OpenChain {
    const open = this.#open.at(-1);
    if (open) return open;
    const chain: Chain = { id: this.chains.length, calls: 0, growth: [] };
    this.chains.push(chain);
    const made: OpenChain = { chain, system: "", tools: [], history: [], made: [] };
    this.#open.push(made);
    return made;
  }

  system(text: string, tools: ToolDefinition[] = []): void {
    const open = this.#chain();
    open.system = text;
    open.tools = tools;
  }

  chat(options: ChatOptions): Call {
    const open = this.#chain();
    if (options.system !== undefined) open.system = options.system;
    const provider = options.provider ?? "openai";
    const model = options.model ?? "gpt-5.4-mini";
    const carriers = options.carriers ?? this.carriers;
    const content = options.content ?? "here";
    const ms = options.ms ?? this.random.between(600, 2600);
    const inputBytes = open.history.reduce((sum, h) => sum + JSON.stringify(this.messages[h]).length, 0) + open.system.length;
    const added = options.input ?? [];
    const usage: Usage | undefined = options.usage ?? (options.error || options.running ? undefined : {
      input: Math.round((inputBytes + JSON.stringify(added).length) / 3.6) + 180,
      output: Math.round(JSON.stringify(options.output ?? []).length / 3.4) + 8,
      ...(open.made.length && { cacheRead: Math.floor(inputBytes / 3.6 / 128) * 128 }),
    });
    const price = PRICES[model];
    const cost = usage && price ? {
      amount: (((usage.input ?? 0) - (usage.cacheRead ?? 0)) * price[0] + (usage.output ?? 0) * price[1] + (usage.cacheRead ?? 0) * price[2]) / 1e6,
      ...(usage.cacheRead && { saved: (usage.cacheRead * (price[0] - price[2])) / 1e6 }), source: "table" as const,
    } : undefined;
    const ordinal = this.calls.length;
    const row = this.span({
      name: `chat ${options.requestModel ?? model}`, op: "chat", kind: "client", provider, model, requestModel: options.requestModel ?? model, content, call: ordinal,
      ...(usage && { usage }), ...(cost && { cost }), ...(options.ttftMs && { ttftMs: options.ttftMs }), ...(options.finish && { finish: options.finish }), ...(options.retry && { retry: options.retry }),
      ...(options.error && { error: true, errorType: options.error.type }), ...(options.running && { state: "running" as const }), ...(open.chain.agent && { agent: open.chain.agent }),
    }, ms, options.http === undefined ? undefined : () => {
      this.span({ name: options.http as string, op: "http", kind: "client", fold: "http", ...(options.error && { error: true, errorType: options.error.type }) }, ms - 6);
    });
    const own = this.own.get(row.span) as Own;
    const title = added.find((m) => m.role === "user")?.parts.find((p) => p.type === "text");
    if (this.#title === undefined && title?.type === "text" && content === "here") this.#title = title.content.slice(0, 160);

    const seen = (message: Message, slot: string, index: number): Seen => ({
      message: this.put(message),
      sources: carriers.map((c) => this.#source(c, row.span, c === "span_attribute" ? `gen_ai.${slot}` : undefined, c === "span_attribute" && slot !== "system_instructions" ? index : undefined)),
    });
    const carried = open.history.length;
    const here = content === "here";
    const call: Call = {
      ordinal, of: 1, chain: open.chain.id, span: row.span, trace: this.id, op: "chat", at: this.startMs + row.at, durationMs: ms, state: options.running ? "running" : "ended", provider, model,
      requestModel: options.requestModel ?? model, ...(usage && { usage }), ...(cost && { cost }), ...(options.finish && { finish: options.finish }), ...(options.ttftMs && { ttftMs: options.ttftMs }), ...(options.error && { error: options.error }),
      system: here && open.system ? [seen({ role: "system", parts: [{ type: "text", content: open.system }] }, "system_instructions", 0)] : [],
      carried: here ? carried : 0,
      input: here ? added.map((m, i) => seen(m, "input.messages", carried + i)) : [],
      output: here ? (options.output ?? []).map((m, i) => seen(m, "output.messages", i)) : [],
      content, ...(options.hint && { hint: options.hint }), ...(options.rewrites && { break: options.rewrites }), ...(options.toolsChanged && { toolsChanged: true as const }), ...(options.evaluations && { evaluations: options.evaluations }),
    };
    if (options.other && call.output[0]) {
      call.output[0].versions = [{ message: this.put(options.other), source: this.#source("log_details", row.span, undefined, undefined) }];
    }
    if (open.tools.length) {
      call.tools = hash(open.tools);
      this.tools[call.tools] = open.tools;
    }
    if (here) open.history.push(...call.input.map((s) => s.message), ...call.output.map((s) => s.message));
    const size = (role: string) => open.history.reduce((sum, h) => sum + (this.messages[h]?.role === role ? JSON.stringify(this.messages[h]?.parts).length : 0), 0);
    open.chain.growth.push({ call: ordinal, system: open.system.length, tools: open.tools.length ? JSON.stringify(open.tools).length : 0, user: size("user"), assistant: size("assistant"), toolResults: size("tool") });
    open.made.push(call);
    open.chain.calls = open.made.length;
    for (const one of open.made) one.of = open.made.length;
    this.calls.push(call);

    own.request.push(...attributes({ "gen_ai.request.model": options.requestModel ?? model, "gen_ai.request.temperature": 0.2, "gen_ai.request.max_tokens": 2048, ...(options.ttftMs && { "gen_ai.request.stream": true }) }));
    own.attributes.push(...attributes({
      "gen_ai.operation.name": "chat", "gen_ai.provider.name": provider, "gen_ai.request.model": options.requestModel ?? model, "gen_ai.response.model": model, "gen_ai.response.id": `resp_${row.span}`,
      ...(usage?.input !== undefined && { "gen_ai.usage.input_tokens": usage.input }), ...(usage?.output !== undefined && { "gen_ai.usage.output_tokens": usage.output }),
      ...(usage?.cacheRead && { "gen_ai.usage.cache_read.input_tokens": usage.cacheRead }), ...(usage?.reasoning && { "gen_ai.usage.reasoning.output_tokens": usage.reasoning }),
      ...(options.finish && { "gen_ai.response.finish_reasons": [options.finish] }), ...(this.conversation && { "gen_ai.conversation.id": this.conversation }), ...(open.chain.agent && { "gen_ai.agent.name": open.chain.agent }),
      "server.address": provider === "anthropic" ? "api.anthropic.example" : "api.openai.example", "server.port": 443,
      ...(here && carriers.includes("span_attribute") && { "gen_ai.input.messages": JSON.stringify(open.history.slice(0, -1).map((h) => this.messages[h])), "gen_ai.output.messages": JSON.stringify(options.output ?? []) }),
    }));
    if (options.error?.message) {
      own.message = options.error.message;
      own.events.push({ name: "exception", at: row.at + ms, attributes: attributes({ "exception.type": options.error.type, "exception.message": options.error.message }) });
    }
    return call;
  }

  /** Runs a tool that the last answer asked for, and joins both ends by the call's id. */
  tool(name: string, options: { id?: string; ms?: number; result?: unknown; error?: { type: string; message: string }; retry?: number; mcp?: boolean; body?: () => void; op?: Op; own?: Partial<Row>; documents?: Document[]; query?: string; repeats?: number }): Row {
    const open = this.#open.at(-1);
    const asked = open?.made.at(-1);
    const own: Partial<Row> = { ...(options.error && { error: true, errorType: options.error.type }), ...(options.retry && { retry: options.retry }), ...(options.id && { toolCall: options.id }), ...(open?.chain.agent && { agent: open.chain.agent }), ...options.own };
    const op: Op = options.op ?? (options.mcp ? "mcp" : "execute_tool");
    const title = options.mcp ? `tools/call ${name}` : op === "execute_tool" ? `execute_tool ${name}` : `${op} ${name}`;
    const chain = this.chains.length;
    const row = this.span({ name: title, op, tool: name, ...(op === "mcp" && { kind: "client" as const }), ...own }, options.ms ?? this.random.between(40, 900), options.body);
    const kept = this.own.get(row.span) as Own;
    if (options.documents) {
      kept.documents = options.documents;
      row.count = options.documents.length;
    }
    if (options.query) kept.query = options.query;
    if (options.mcp) kept.mcp = { method: "tools/call", session: `ses_${this.id.slice(0, 8)}`, protocol: "2025-11-25", transport: "streamable http", requestId: String(this.random.int(2, 90)) };
    if (options.error) {
      kept.message = options.error.message;
      kept.events.push({ name: "exception", at: row.at + row.durationMs, attributes: attributes({ "exception.type": options.error.type, "exception.message": options.error.message }) });
    }
    let args: unknown;
    for (const seen of asked?.output ?? []) {
      for (const part of this.messages[seen.message]?.parts ?? []) {
        if (part.type !== "tool_call" || part.id !== options.id || !options.id) continue;
        args = part.arguments ?? part.raw;
        part.join = {
          span: row.span, by: "call_id", durationMs: row.durationMs, kind: options.mcp ? "mcp" : this.chains.length > chain ? "agent" : op === "retrieval" ? "retrieval" : "tool",
          ...(options.error && { error: options.error.type }), ...(this.chains.length > chain && { chain }), ...(options.repeats && { repeats: options.repeats }),
        };
      }
    }
    kept.attributes.push(...attributes({
      "gen_ai.operation.name": op === "mcp" ? "execute_tool" : op, "gen_ai.tool.name": name, "gen_ai.tool.type": "function", ...(options.id && { "gen_ai.tool.call.id": options.id }), ...(options.mcp && { "mcp.method.name": "tools/call" }),
      ...(args !== undefined && { "gen_ai.tool.call.arguments": JSON.stringify(args) }), ...(options.result !== undefined && { "gen_ai.tool.call.result": JSON.stringify(options.result) }), ...(options.error && { "error.type": options.error.type }),
    }));
    return row;
  }

  /** The message that carries a tool's result back; joined with the call that asked. */
  result(id: string, response: unknown, name?: string): Message {
    const message: Message = { role: "tool", ...(name && { name }), parts: [{ type: "tool_call_response", id, response }] };
    const key = this.put(message);
    for (const call of this.calls) {
      for (const seen of call.output) {
        for (const part of this.messages[seen.message]?.parts ?? []) {
          if (part.type === "tool_call" && part.id === id) {
            if (part.join) part.join.response = key;
            else part.join = { by: "call_id", kind: "tool", response: key };
            const answered = message.parts[0];
            if (answered?.type === "tool_call_response") answered.join = { ...(part.join.span && { span: part.join.span }), by: "call_id", kind: part.join.kind, asked: seen.message };
          }
        }
      }
    }
    return message;
  }

  /** Adds facts to a row's details. */
  tell(row: Row, own: Partial<Own>): void {
    Object.assign(this.own.get(row.span) as Own, own);
  }

  finish(): Trace & { transcript: Transcript } {
    const index = new Map(this.rows.map((row) => [row.span, row]));
    for (const row of this.rows) {
      for (let up = row.parent && index.get(row.parent); up; up = up.parent ? index.get(up.parent) : undefined) up.children++;
      if (row.own) {
        const below = [row];
        const spans = new Set([row.span]);
        for (const other of this.rows) if (other.parent && spans.has(other.parent)) spans.add(other.span) && below.push(other);
        row.total = { usage: sum(below), cost: { amount: money(below), source: "table" }, llmCalls: below.filter((r) => r.op === "chat").length, toolCalls: below.filter((r) => r.tool).length };
      }
    }
    const transcript: Transcript = { rev: 1, chains: this.chains, calls: this.calls, messages: this.messages, tools: this.tools, orphanTools: [] };
    return { summary: this.#summary(), startNs: `${Math.floor(this.startMs)}000000`, rows: this.rows, totalRows: this.rows.length, transcript };
  }

  #summary(): TraceRow {
    const rows = this.rows;
    const end = rows.reduce((most, row) => Math.max(most, row.at + row.durationMs), 0);
    const calls = rows.filter((row) => row.op === "chat");
    const tools = rows.filter((row) => row.tool);
    const root = rows[0];
    const ttft = calls.find((row) => row.ttftMs)?.ttftMs;
    const content = calls.some((c) => c.content === "here") ? "here" : calls.some((c) => c.content === "absent") ? "absent" : "unknown";
    const cost = money(rows);
    const saved = rows.reduce((all, row) => all + (row.cost?.saved ?? 0), 0);
    return {
      id: this.id, rev: 1, ...(this.synthetic && { synthetic: true as const }), startMs: this.startMs, durationMs: end, state: this.running ? "running" : "done", name: root?.name ?? "", service: this.service,
      ...(root?.op && { op: root.op }), ...(root && { root: root.span }), ...(this.#title && { title: this.#title }),
      services: fewOf(rows.map((r) => r.service)), agents: fewOf(rows.map((r) => r.agent)), models: fewOf(rows.map((r) => r.model)), tools: fewOf(rows.map((r) => r.tool)), conversations: fewOf([this.conversation]), dialects: this.dialects,
      spans: rows.length, errors: rows.filter((r) => r.error).length, logs: calls.length * (this.carriers.some((c) => c.startsWith("log")) ? 1 : 0), llmCalls: calls.length, llmErrors: calls.filter((r) => r.error).length,
      toolCalls: tools.length, toolErrors: tools.filter((r) => r.error).length, usage: sum(rows), ...(cost && { cost: { amount: cost, ...(saved && { saved }), source: "table" as const } }), unpriced: calls.filter((c) => c.usage && !c.cost).length,
      ...(ttft && { ttftMs: ttft }), content, bars: bars(rows, end),
    };
  }
}

function fewOf(names: (string | undefined)[]): Few {
  const all = [...new Set(names.filter((n): n is string => !!n))];
  return { list: all.slice(0, 3), more: Math.max(0, all.length - 3) };
}

function sum(rows: Row[]): Usage {
  const usage: Usage = {};
  for (const row of rows) if (!row.wrapper) for (const [key, value] of Object.entries(row.usage ?? {})) usage[key as keyof Usage] = (usage[key as keyof Usage] ?? 0) + (value ?? 0);
  return usage;
}

function money(rows: Row[]): number {
  return rows.reduce((all, row) => all + (row.cost?.amount ?? 0), 0);
}

/** Up to 40 bars of the spans that tell most, in lanes that do not overlap. */
function bars(rows: Row[], end: number): Bar[] {
  const ends: number[] = [];
  const told = rows.filter((row) => row.op && row.op !== "http").slice(0, 40);
  return told.map((row) => {
    let lane = Math.min(row.depth, 5);
    while (lane < 5 && (ends[lane] ?? -1) > row.at) lane++;
    ends[lane] = row.at + row.durationMs;
    return { op: row.op as Op, ...(row.error && { error: true as const }), lane, at: row.at / (end || 1), width: row.durationMs / (end || 1) };
  });
}

export function attributes(values: Record<string, unknown>): Attribute[] {
  return Object.entries(values).map(([key, value]) => {
    if (Array.isArray(value)) return { key, value: { list: value as string[] } };
    if (typeof value === "string" && /^[[{]/.test(value)) {
      const cut = value.length > 65_536;
      return { key, value: cut ? value.slice(0, 65_536) : value, json: true as const, ...(cut && { cut: value.length }) };
    }
    return { key, value: value as string };
  });
}

export const text = (content: string): Part => ({ type: "text", content });
export const user = (content: string): Message => ({ role: "user", parts: [text(content)] });
export const assistant = (...parts: (Part | string)[]): Message => ({ role: "assistant", parts: parts.map((p) => (typeof p === "string" ? text(p) : p)) });
export const reasoning = (content: string): Part => ({ type: "reasoning", content });
export const asks = (id: string, name: string, args: unknown): Part => ({ type: "tool_call", id, name, arguments: args });
export const tool = (name: string, description: string, properties: Record<string, string>): ToolDefinition => ({
  type: "function", name, description,
  parameters: { type: "object", properties: Object.fromEntries(Object.entries(properties).map(([k, t]) => [k, { type: t }])), required: Object.keys(properties).slice(0, 1) },
});
