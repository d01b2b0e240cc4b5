/** Who asked whom in a run: agents, and the models and tools that they called. Pure, and the same for the same rows. */
import type { Op, Row, Usage } from "../api";
import { brief, isCall, kind, type Kind } from "./ops";
import { key } from "./tree";

export interface Node {
  id: string;
  name: string;
  kind: Kind;
  op: Op | undefined;
  /** Its spans, by their keys, in order. */
  spans: string[];
  errors: number;
  ms: number;
  usage: Usage;
  layer: number;
  /** Place within its layer. */
  at: number;
}

export interface Edge {
  from: string;
  to: string;
  calls: number;
  errors: number;
}

export interface Graph {
  nodes: Node[];
  edges: Edge[];
  layers: number;
  /** Nodes of the fullest layer. */
  most: number;
  /** Nodes that are not drawn. */
  more: number;
}

/** More than these are a picture of nothing. */
const MOST = 200;

/** What a row is in the graph, or nothing where it is part of something that is. */
function named(row: Row): string | undefined {
  switch (kind(row.op)) {
    case "agent":
      return row.op === "invoke_agent" || row.op === "invoke_workflow" ? row.agent || brief(row) : undefined;
    case "llm":
      return isCall(row) ? row.model || row.requestModel || brief(row) : undefined;
    case "tool":
      return row.tool || brief(row);
    case "mcp":
      return row.tool || brief(row);
    case "embedding":
      return row.model || brief(row);
    case "retrieval":
    case "memory":
      return brief(row);
    default:
      return undefined;
  }
}

export function graph(rows: readonly Row[]): Graph {
  const nodes = new Map<string, Node>();
  const edges = new Map<string, Edge>();
  // For each span: the node that answers for what happens below it.
  const owner = new Map<string, string>();
  for (const row of rows) {
    const above = row.parent === undefined ? undefined : owner.get(row.parent);
    const name = named(row);
    if (name === undefined) {
      if (above !== undefined) owner.set(row.span, above);
      continue;
    }
    const what = kind(row.op);
    const id = `${what}:${name}`;
    // An MCP call or a search within the tool that makes it is that tool, seen from nearer.
    if (above !== undefined && nodes.get(above)?.name === name && (what === "mcp" || what === "tool" || what === "retrieval")) {
      owner.set(row.span, above);
      continue;
    }
    let node = nodes.get(id);
    if (!node) nodes.set(id, (node = { id, name, kind: what, op: row.op, spans: [], errors: 0, ms: 0, usage: {}, layer: 0, at: 0 }));
    node.spans.push(key(row));
    node.ms += row.durationMs;
    if (row.error) node.errors++;
    if (what === "llm" || what === "embedding") {
      for (const way of ["input", "output"] as const) if (row.usage?.[way] !== undefined) node.usage[way] = (node.usage[way] ?? 0) + (row.usage[way] as number);
    }
    owner.set(row.span, id);
    if (above === undefined || above === id) continue;
    const both = `${above}\n${id}`;
    let edge = edges.get(both);
    if (!edge) edges.set(both, (edge = { from: above, to: id, calls: 0, errors: 0 }));
    edge.calls++;
    if (row.error) edge.errors++;
  }
  const all = [...nodes.values()];
  const kept = all.length <= MOST ? all : all.slice().sort((a, b) => Number(b.kind === "agent") - Number(a.kind === "agent") || b.spans.length - a.spans.length).slice(0, MOST);
  const known = new Set(kept.map((node) => node.id));
  const drawn = [...edges.values()].filter((edge) => known.has(edge.from) && known.has(edge.to));
  const layers = layer(kept, drawn);
  const most = order(kept, drawn, layers);
  return { nodes: kept, edges: drawn, layers, most, more: all.length - kept.length };
}

/** The longest way from where the run began; an edge that leads back into a circle counts for nothing. */
function layer(nodes: Node[], edges: Edge[]): number {
  const out = new Map<string, string[]>();
  const called = new Set(edges.map((edge) => edge.to));
  for (const edge of edges) out.set(edge.from, [...(out.get(edge.from) ?? []), edge.to]);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const state = new Map<string, "open" | "done">();
  const after: Node[] = [];
  const forward: [string, string][] = [];
  const visit = (id: string) => {
    state.set(id, "open");
    for (const next of out.get(id) ?? []) {
      if (state.get(next) === "open") continue;
      forward.push([id, next]);
      if (!state.has(next)) visit(next);
    }
    state.set(id, "done");
    after.push(byId.get(id) as Node);
  };
  for (const node of nodes) if (!called.has(node.id) && !state.has(node.id)) visit(node.id);
  for (const node of nodes) if (!state.has(node.id)) visit(node.id);
  const next = new Map<string, Node[]>();
  for (const [from, to] of forward) next.set(from, [...(next.get(from) ?? []), byId.get(to) as Node]);
  for (const node of after.reverse()) for (const to of next.get(node.id) ?? []) to.layer = Math.max(to.layer, node.layer + 1);
  return Math.max(0, ...nodes.map((node) => node.layer + 1));
}

/** Nodes beside those that they are called by, as first seen where that does not decide. */
function order(nodes: Node[], edges: Edge[], layers: number): number {
  const rank = new Map(nodes.map((node, i) => [node.id, i]));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  let most = 0;
  for (let i = 0; i < layers; i++) {
    const here = nodes.filter((node) => node.layer === i);
    const weight = new Map(here.map((node) => {
      const callers = edges.filter((edge) => edge.to === node.id && (byId.get(edge.from) as Node).layer < i).map((edge) => (byId.get(edge.from) as Node).at);
      return [node.id, callers.length ? callers.reduce((sum, at) => sum + at, 0) / callers.length : 0];
    }));
    here.sort((a, b) => (weight.get(a.id) as number) - (weight.get(b.id) as number) || (rank.get(a.id) as number) - (rank.get(b.id) as number));
    here.forEach((node, at) => { node.at = at; });
    most = Math.max(most, here.length);
  }
  return most;
}
