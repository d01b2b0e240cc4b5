import assert from "node:assert/strict";
import { test } from "node:test";
import { Builder } from "../../mock/builder";
import { travel } from "../../mock/scenes";
import type { Op, Row } from "../../src/api";
import { graph } from "../../src/lib/graph";

function row(span: string, parent: string | undefined, op: Op | undefined, name: string, more: Partial<Row> = {}): Row {
  return { span, ...(parent && { parent }), depth: 0, children: 0, name, service: "s", kind: "internal", at: 0, durationMs: 10, state: "ended", ...(op && { op }), ...more };
}

test("agents stand before what they call, sub-agents between", () => {
  const builder = new Builder(1, Date.UTC(2026, 10, 22), "test");
  travel(builder);
  const seen = graph(builder.finish().rows);
  const at = (name: string) => seen.nodes.find((node) => node.name === name)?.layer as number;
  assert.equal(at("travel-planner"), 0);
  assert.ok(at("restaurant-agent") > at("travel-planner"));
  assert.ok(at("claude-sonnet-4-6") > at("restaurant-agent"));
  assert.equal(seen.nodes.find((node) => node.name === "book_table")?.errors, 1);
  assert.equal(seen.edges.find((edge) => edge.to === "tool:book_table")?.calls, 2);
  assert.ok(!seen.nodes.some((node) => node.kind === "http"));
});

test("an agent that is called by one that it calls makes no endless layers", () => {
  const seen = graph([
    row("1", undefined, "invoke_agent", "invoke_agent a", { agent: "a" }),
    row("2", "1", "invoke_agent", "invoke_agent b", { agent: "b" }),
    row("3", "2", "invoke_agent", "invoke_agent a", { agent: "a" }),
    row("4", "3", undefined, "plain"),
    row("5", "4", "execute_tool", "execute_tool t", { tool: "t" }),
  ]);
  assert.deepEqual(seen.nodes.map((node) => [node.name, node.layer]), [["a", 0], ["b", 1], ["t", 1]]);
  assert.deepEqual(seen.edges.map((edge) => `${edge.from}>${edge.to}`), ["agent:a>agent:b", "agent:b>agent:a", "agent:a>tool:t"]);
  assert.deepEqual(seen.nodes[0]?.spans, ["1", "3"]);
});

test("the same rows give the same picture, at most two hundred nodes of it", () => {
  const rows = [row("r", undefined, "invoke_agent", "invoke_agent root", { agent: "root" }), ...Array.from({ length: 300 }, (_, i) => row(`t${i}`, "r", "execute_tool", `execute_tool t${i}`, { tool: `t${i}` }))];
  const seen = graph(rows);
  assert.deepEqual(graph(rows), seen);
  assert.deepEqual([seen.nodes.length, seen.more, seen.layers, seen.most], [200, 101, 2, 199]);
});
