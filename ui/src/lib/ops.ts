/** What a span is, to the eye: a letter, a colour, a word. Never the colour alone. */
import type { Op, Row, TraceRow } from "../api";

export type Kind = "agent" | "llm" | "tool" | "retrieval" | "embedding" | "mcp" | "memory" | "http" | "other";

const KINDS: Record<Op, [Kind, string, string]> = {
  chat: ["llm", "L", "LLM call"],
  text_completion: ["llm", "L", "LLM call"],
  generate_content: ["llm", "L", "LLM call"],
  fetch_response: ["llm", "L", "response fetched"],
  embeddings: ["embedding", "E", "embeddings"],
  create_agent: ["agent", "A", "agent created"],
  invoke_agent: ["agent", "A", "agent"],
  invoke_workflow: ["agent", "W", "workflow"],
  plan: ["agent", "P", "plan"],
  react_step: ["agent", "I", "step"],
  entry: ["agent", "N", "entry"],
  chain: ["other", "C", "chain"],
  execute_tool: ["tool", "T", "tool"],
  retrieval: ["retrieval", "R", "retrieval"],
  rerank: ["retrieval", "K", "rerank"],
  memory: ["memory", "S", "memory"],
  mcp: ["mcp", "M", "MCP"],
  guardrail: ["other", "G", "guardrail"],
  evaluator: ["other", "V", "evaluator"],
  prompt: ["other", "P", "prompt"],
  http: ["http", "H", "HTTP"],
  database: ["http", "D", "database"],
  rpc: ["http", "R", "RPC"],
};

export function kind(op: Op | undefined): Kind {
  return op ? (KINDS[op]?.[0] ?? "other") : "other";
}
export function letter(op: Op | undefined): string {
  return op ? (KINDS[op]?.[1] ?? "·") : "·";
}
export function word(op: Op | undefined): string {
  return op ? (KINDS[op]?.[2] ?? op) : "span";
}
export function isCall(row: Row): boolean {
  return kind(row.op) === "llm" && !row.wrapper;
}
/** Whether a row is of the GenAI conventions (and not the HTTP, database or plain span around it). */
export function isGenAi(op: Op | undefined): boolean {
  return op !== undefined && op !== "http" && op !== "database" && op !== "rpc";
}
/** A span's name without the operation that its icon tells already: `invoke_agent planner` → `planner`. */
export function brief(row: Pick<Row, "name" | "ghost" | "op" | "agent">): string {
  const name = label(row);
  const rest = row.op && name.startsWith(`${row.op} `) ? name.slice(row.op.length + 1).trim() : "";
  return rest || name;
}
/** What a run is called: by what was asked, else by its first span. */
export function headline(row: Pick<TraceRow, "name" | "title" | "op">): string {
  return row.title ?? label({ name: row.name, ...(row.op && { op: row.op }), ...(!row.name && !row.op && { ghost: true as const }) });
}
/** What a sender left without a name. */
export const UNNAMED = "(unnamed)";
/** A span's name, or what stands for it. */
export function label(row: Pick<Row, "name" | "ghost" | "op" | "agent">): string {
  return row.name || row.agent || (row.ghost || !row.op ? "not here yet" : word(row.op));
}
