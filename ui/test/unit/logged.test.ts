import assert from "node:assert/strict";
import { test } from "node:test";
import { World } from "../../mock/world";
import type { Trace, Transcript } from "../../src/api";
import { read } from "../../src/lib/conversation";
import { logged } from "../../src/lib/logged";

function coding(): { trace: Trace; transcript: Transcript } {
  const world = new World(Date.UTC(2026, 10, 22));
  const id = world.made.find((one) => one.scene.name === "coding")?.row.id as string;
  const { transcript, ...trace } = world.full(id) as Trace & { transcript: Transcript };
  return { trace, transcript };
}

test("calls and tools of which only logs tell are drawn, each where it began, and are found in the transcript", () => {
  const { trace, transcript } = coding();
  assert.deepEqual([trace.rows.length, trace.summary.spans], [0, 0]);
  const { rows, transcript: told } = logged(trace.summary, transcript);
  assert.deepEqual(rows.map((row) => row.tool ?? row.model), ["claude-opus-5", "Grep", "Read", "claude-opus-5", "Edit", "Bash", "claude-opus-5"]);
  assert.deepEqual(rows.filter((row) => row.error).map((row) => row.tool), ["Bash"]);
  assert.equal(Math.round(rows.find((row) => row.tool === "Bash")?.durationMs ?? 0), 14_200);
  const { bySpan } = read(told, { closed: new Set() });
  for (const row of rows) assert.ok(bySpan.has(row.span), row.span);
});

test("of a run too long for the list's bars, tools stand between the calls, marked as inferred", () => {
  const { trace, transcript } = coding();
  const { rows } = logged({ ...trace.summary, bars: [] }, transcript);
  const bash = rows.find((row) => row.tool === "Bash");
  const next = rows.filter((row) => row.op === "chat").at(-1);
  assert.ok(bash?.inferred && next && bash.at + bash.durationMs <= next.at + 1);
});
