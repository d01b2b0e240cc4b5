/** Shapes of /api/v1. Times are milliseconds since 1970 (fraction to the microsecond), durations milliseconds. What is not known is absent, never null. Ids are lower-case hex. */
export type Ms = number;
export type Id = string;
export type Op = "chat" | "text_completion" | "generate_content" | "embeddings" | "create_agent" | "invoke_agent" | "execute_tool" | "retrieval" | "rerank"
  | "invoke_workflow" | "plan" | "fetch_response" | "memory" | "entry" | "react_step" | "mcp" | "chain" | "guardrail" | "evaluator" | "prompt" | "http" | "database" | "rpc";
export type Dialect = "2026-08" | "2026-10" | "loongsuite" | "v1.30" | "gen_ai" | "openinference" | "openllmetry" | "vercel" | "logfire" | "mlflow" | "claude_code" | "codex";
export type ContentState = "unknown" | "absent" | "here" | "by_reference";

export interface ApiError { error: { code: string; message: string; hint?: string; parameter?: string } }
export interface Usage { input?: number; output?: number; cacheRead?: number; cacheWrite?: number; reasoning?: number; audioInput?: number; audioOutput?: number }
/** amount in `currency` units; `unpriced` calls have no price and are in no sum. */
export interface Cost { amount: number; saved?: number; source: "reported" | "table" | "mixed" }
export interface Few { list: string[]; more: number }

export interface About { name: "otel-genai"; version: string; needsToken: boolean; epoch?: string; startedMs?: Ms; page?: string; otlp?: { http?: string; grpc?: string }; store?: string; readOnly?: boolean; currency?: string; pricesDate?: string }
export interface Status { spans: number; logs: number; points: number; traces: number; bytes: number; limitBytes?: number; maxAgeMs?: Ms; oldestMs?: Ms; perSecond: number; queuedBytes: number; indexBehind: number;
  damaged: string[]; location: string; readOnly: boolean; dialects: { dialect: Dialect; services: number }[]; findings: number }

export interface Bar { op: Op; error?: true; lane: number; at: number; width: number }           // 0..1 of the trace
export interface TraceRow {
  id: Id; rev: number; synthetic?: true /* a session that only logs tell of */; startMs: Ms; durationMs: Ms; state: "running" | "done"; name: string; service: string; op?: Op; root?: Id; title?: string;
  services: Few; agents: Few; models: Few; tools: Few; conversations: Few; dialects: Dialect[];
  spans: number; errors: number; logs: number; llmCalls: number; llmErrors: number; toolCalls: number; toolErrors: number;
  usage: Usage; cost?: Cost; unpriced: number; ttftMs?: Ms; content: ContentState; bars: Bar[];
}
export interface TraceList { items: TraceRow[]; next?: string; total?: number }

/** Rows come in drawing order: parents before children, siblings by start. */
export interface Row {
  span: Id; variant?: number; parent?: Id; depth: number; children: number /* all below */; ghost?: true; orphan?: true; cycle?: true;
  name: string; service: string; scope?: string; kind: "internal" | "server" | "client" | "producer" | "consumer" | "unspecified";
  at: Ms /* after the trace's start; exact to the ns below 104 days */; durationMs: Ms; state: "ended" | "running"; error?: true; errorType?: string;
  op?: Op; provider?: string; model?: string; requestModel?: string; agent?: string; tool?: string; toolCall?: Id; finish?: string; conversation?: string;
  usage?: Usage; wrapper?: true /* its tokens are told again by a span below */; cost?: Cost; ttftMs?: Ms; count?: number; inferred?: true; retry?: number; content?: ContentState; fold?: "http"; call?: number /* ordinal in the transcript */;
  own?: { usage: Usage; cost?: Cost; llmCalls: number; toolCalls: number; ms: Ms }; total?: { usage: Usage; cost?: Cost; llmCalls: number; toolCalls: number };   // agents and workflows
}
export interface Trace { summary: TraceRow; startNs: string; rows: Row[]; next?: string; totalRows: number; skewMs?: Ms }

export type Any = string | number | boolean | { int: string } | { bytes: string; length: number } | { list: Any[] } | { map: [string, Any][] } | { empty: true };
/** A long value is cut at 64 KiB; `more` fetches all. */
export interface Attribute { key: string; value: Any; cut?: number /* whole length in bytes */; more?: string /* URL */; json?: true /* text that is JSON */ }
export interface SpanDetail {
  row: Row; trace: Id; startNs: string; endNs: string; status: { code: "unset" | "ok" | "error"; message?: string }; traceState?: string; flags: number;
  attributes: Attribute[]; events: { name: string; at: Ms; attributes: Attribute[]; dropped?: number }[]; links: { trace: Id; span: Id; known: boolean; attributes: Attribute[] }[];
  resource: Attribute[]; scope: { name: string; version?: string; schemaUrl?: string; attributes: Attribute[] }; dropped?: { attributes: number; events: number; links: number };
  request: Attribute[] /* the settings, by their 2026-08 names */; documents?: Document[]; query?: string; memory?: { store?: string; operation?: string; records?: unknown }; mcp?: { method?: string; session?: string; protocol?: string; transport?: string; requestId?: string; peer?: Id };
  evaluations: Evaluation[]; logs: number; exemplars: { metric: string; value: number; at: Ms }[];
}
export interface Document { id?: string; score?: number; text?: string; rankBefore?: number; rankAfter?: number; quoted?: true; metadata?: unknown }
export interface Evaluation { name: string; score?: number; label?: string; explanation?: string; at: Ms; span?: Id; by?: string }

// Transcript. Messages and tool lists stand once in `messages` / `tools` and are named by hash.
export type Hash = string;
export type Carrier = "log_details" | "span_attribute" | "span_event" | "reference" | "log_legacy" | "span_event_legacy" | "oldest" | "openllmetry" | "openinference" | "vercel" | "logfire" | "mlflow" | "traceloop" | "coding_agent" | "tool_span";
export interface Source { carrier: Carrier; name: string /* attribute or event name */; index?: number; span?: Id; log?: string; matched: "span" | "response_id" | "conversation_time" | "none"; partial?: true; loose?: true /* told there with other white space */ }
export type Part =
  | { type: "text" | "reasoning" | "compaction"; content: string; cut?: number; more?: string }
  | { type: "tool_call"; id?: string; name: string; arguments?: unknown; raw?: string /* as told, if it was no JSON */; join?: Join }
  | { type: "tool_call_response"; id?: string; response: unknown; cut?: number; more?: string; join?: Join }
  | { type: "server_tool_call"; id?: string; name: string; call: unknown }
  | { type: "server_tool_call_response"; id?: string; response: unknown }
  | { type: "media"; modality: string; mime?: string; bytes?: number; src?: string /* /api/v1/content/… or, in exports, data: */; uri?: string; fileId?: string }
  | { type: "generic"; kind: string; value: unknown };
export interface Join { span?: Id; trace?: Id /* of that span, in a conversation */; by: "call_id" | "name_arguments"; durationMs?: Ms; error?: string; kind: "tool" | "mcp" | "agent" | "retrieval"; chain?: number /* a sub-agent's */; response?: Hash; asked?: Hash; repeats?: number /* the how manieth call with these arguments, from 2 */ }
export interface Message { role: string; name?: string; parts: Part[]; finish?: string; tokens?: number /* if told */ }
export interface Seen { message: Hash; sources: Source[]; versions?: { message: Hash; source: Source }[]; onlyIn?: "log" | "span" }
export interface Call {
  ordinal: number /* in the trace */; of: number /* calls of this chain */; chain: number; span?: Id /* none: a call that only logs tell of */; trace: Id; op: Op; at: Ms; durationMs?: Ms; ttftMs?: Ms; state: "running" | "ended";
  provider?: string; model?: string; requestModel?: string; usage?: Usage; cost?: Cost; finish?: string; error?: { type: string; message?: string };
  system: Seen[]; carried: number /* messages of the input that are the chain's from before */; previous?: number /* the call whose input and output they are the beginning of */; input: Seen[] /* only the new ones */; output: Seen[]; tools?: Hash; toolsChanged?: true;
  break?: { at: number; why: "system_changed" | "tools_changed" | "message_changed" | "message_removed" | "compaction"; cachedBefore?: number; cachedNow?: number };
  content: ContentState; hint?: string /* which setting brings the content */; evaluations?: Evaluation[];
}
export interface Chain { id: number; agent?: string; span?: Id; parent?: number; asked?: { call: number; toolCall: string }; calls: number; answer?: Hash; reported?: Usage /* told by the agent itself, in no sum */; growth: { call: number; system: number; tools: number; user: number; assistant: number; toolResults: number }[] /* bytes */ }
export interface Transcript { rev: number; chains: Chain[]; calls: Call[]; messages: Record<Hash, Message>; tools: Record<Hash, ToolDefinition[]>; orphanTools: { span: Id; at: Ms }[]; next?: number; cut?: { messages: number; bytes: number }; lookedAt?: number /* so many of the spans, the first, where the trace has too many */ }
export interface ToolDefinition { type: string; name: string; description?: string; parameters?: unknown }

export interface Stat { calls: number; errors: number; usage: Usage; cost?: Cost; unpriced: number; p50Ms?: Ms; p95Ms?: Ms; p99Ms?: Ms; ttftP50Ms?: Ms; ttftP95Ms?: Ms; tokensPerSecond?: number }
export interface Overview { range: { fromMs: Ms; toMs: Ms; stepMs: Ms }; stat: Stat; before?: Stat; traces: number; steps: { atMs: Ms; calls: number; errors: number; input: number; output: number; cacheRead: number; cost?: number; p50Ms?: Ms; p95Ms?: Ms; ttftP95Ms?: Ms }[];
  models: ModelRow[]; agents: AgentRow[]; failingTools: ToolRow[]; newest: TraceRow[]; empty?: { connect: { language: string; text: string }[] } }
export interface ModelRow { provider: string; model: string; stat: Stat; finish: { reason: string; count: number }[]; priced: boolean }
export interface Models { items: ModelRow[]; unpriced: { provider: string; model: string; calls: number }[]; currency: string; pricesDate: string }
export interface AgentRow { agent: string; workflow?: true /* no agent is called so */; service: string; runs: number; errors: number; ownMs: Ms; totalMs: Ms /* of all runs together */; own: Stat; total: Stat; versions: string[] }
export interface Agents { items: AgentRow[]; matrix: { agent: string; tool: string; calls: number; errors: number }[]; edges: { from: string; to: string; calls: number; kind: "tool" | "nested" | "link" }[]; sampled?: number }
export interface ToolRow { tool: string; kind?: string; stat: Stat; argumentsP50?: number; resultP50?: number; retries: number; lastError?: string }
export interface Tools { items: ToolRow[] }
export interface ConversationRow { id: string; service: string; startMs: Ms; endMs: Ms; traces: number; llmCalls: number; errors: number; usage: Usage; cost?: Cost; unpriced: number; models: Few; agents: Few; first?: string; last?: string }
export interface ConversationList { items: ConversationRow[]; next?: string }
export interface Conversation { summary: ConversationRow; traces: TraceRow[]; transcript?: Transcript }
export interface LogRow { id: string; atMs: Ms; severity: number; severityText?: string; event?: string; service: string; trace?: Id; span?: Id; text: string /* ≤ 300 */; op?: Op; genai?: true }
export interface LogList { items: LogRow[]; next?: string; total?: number }
export interface LogDetail { row: LogRow; body?: Any; cut?: number; more?: string; attributes: Attribute[]; resource: Attribute[]; scope: { name: string; version?: string; schemaUrl?: string; attributes?: Attribute[] }; timeNs: string; observedNs?: string }
export interface MetricInfo { name: string; unit: string; description?: string; kind: "gauge" | "sum" | "histogram" | "exponential_histogram" | "summary"; temporality?: "delta" | "cumulative"; monotonic?: boolean; series: number; keys: string[]; lastMs: Ms; preset?: true }
export interface MetricList { items: MetricInfo[] }
export interface SeriesAnswer { info: MetricInfo; stepMs: Ms; series: { labels: Record<string, string>; at: Ms[]; value?: (number | null)[]; count?: number[]; sum?: number[]; counts?: number[][]; p50?: (number | null)[]; p95?: (number | null)[]; p99?: (number | null)[] }[]; bounds?: number[]; exemplars: { at: Ms; value: number; trace?: Id; span?: Id; labels: Record<string, string> }[]; more?: number }
export interface ServiceRow { name: string; instances: number; language?: string; sdk?: string; scopes: { name: string; version: string; spans: number }[]; dialects: { dialect: Dialect; spans: number }[]; spans: number; logs: number; points: number; calls: number; withContent: number; firstMs: Ms; lastMs: Ms; schemaUrls: string[] }
export interface Services { items: ServiceRow[] }
export interface Snippet { text: string; marks: [number, number][] }
export type Hit = { type: "content"; trace: Id; span: Id; atMs: Ms; snippet: Snippet } | { type: "log"; log: string; trace?: Id; span?: Id; atMs: Ms; snippet: Snippet } | { type: "trace"; trace: TraceRow } | { type: "name"; of: string; text: string; traces: number };
export interface SearchAnswer { hits: Hit[]; next?: string; complete: boolean /* false: the index is behind */ }
export interface Facets { [of: string]: { value: string; count: number }[] }
export interface Finding { code: string; severity: "error" | "warning" | "info"; title: string; why: string; fix: string; setting?: string; trace?: Id; span?: Id; service?: string; scope?: string; count: number }
export interface Findings { items: Finding[]; services: { service: string; dialects: Dialect[]; capture: ContentState; calls: number /* of models */; withContent: number /* of them */; signals: { traces: boolean; logs: boolean; metrics: boolean }; findings: number }[]; looked: { traces: number /* the newest of the range */; more?: true /* there are others; asked again, more of them are looked at */ } }
export interface Comparison { a: Side; b: Side; metrics: { name: string; a?: number; b?: number }[]; rows: { a?: number; b?: number; same: boolean }[]; messages: { a?: Hash; b?: Hash; how: "same" | "changed" | "only_a" | "only_b"; diff?: Diff[] }[]; attributes: { key: string; a?: string; b?: string }[] }
export interface Side { trace: TraceRow; span?: Id; rows: Row[]; messages: Record<Hash, Message> }
export type Diff = [op: 0 | 1 | -1, text: string];
export interface Prices { date: string; currency: string; source: string; rows: { provider: string; model: string; from: string; until?: string; over?: number /* for calls with more input tokens */; input: number; output?: number; cacheRead?: number; cacheWrite?: number; per: 1000000; override?: true }[]; unpriced: { provider: string; model: string; calls: number }[] }
export interface Settings { dataDir: string; maxAgeMs?: Ms; maxBytes?: number; maxContent?: number; sync: "full" | "normal"; readOnly: boolean; status: Status; connect: { language: string; text: string }[]; mcp?: { stdio: string; http: string }; variables: { name: string; value: string; from: "flag" | "environment" | "page" | "default" }[]; changeable?: Setting[] /* what PATCH may change here: the others are decided by a flag or a variable */ }
export type Setting = "maxAgeMs" | "maxBytes";
/** The body of PATCH /settings: what is left out stays, null takes a limit away. Answered by Settings. */
export type SettingsChange = { [setting in Setting]?: number | null };
export interface Imported { spans: number; logs: number; points: number; known: number; rejected: { why: string; count: number }[]; traces: Id[] }
export interface Deleted { traces: number; bytes: number }
export type StreamEvent = { event: "hello"; data: { epoch: string; n: number } } | { event: "traces"; data: { items: TraceRow[]; more: number } } | { event: "trace"; data: { id: Id; rev: number } } | { event: "status"; data: Status } | { event: "deleted"; data: { fromMs: Ms; toMs: Ms } } | { event: "reset"; data: Record<string, never> };
