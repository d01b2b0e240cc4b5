import assert from "node:assert/strict";
import { test } from "node:test";
import { Builder } from "../../mock/builder";
import { coding, large, running, silent, travel, type Scene } from "../../mock/scenes";
import type { Row } from "../../src/api";
import { pretty, whole } from "../../src/ui/Json";
import { read } from "../../src/lib/conversation";
import { boxes } from "../../src/lib/flame";
import { diff } from "../../src/lib/diff";
import { found, visible } from "../../src/lib/tree";

function make(scene: Scene) {
  const builder = new Builder(1, Date.UTC(2026, 10, 22), "test");
  scene(builder);
  return builder.finish();
}

const NONE = { closed: new Set<string>(), opened: new Set<string>(), genai: false };

test("HTTP below a call is folded until it is asked for", () => {
  const { rows } = make(travel);
  const names = (folding = NONE) => [...visible(rows, folding)].map((i) => rows[i]?.name);
  assert.ok(!names().some((name) => name?.startsWith("POST")));
  const call = rows.find((row) => row.op === "chat") as Row;
  assert.ok(names({ ...NONE, opened: new Set([call.span]) }).includes("POST api.openai.example/v1/responses"));
});

test("a closed row hides all below it, and nothing else", () => {
  const { rows } = make(travel);
  const agent = rows.find((row) => row.agent === "restaurant-agent") as Row;
  const before = [...visible(rows, NONE)];
  const after = [...visible(rows, { ...NONE, closed: new Set([agent.span]) })];
  const gone = before.filter((i) => !after.includes(i)).map((i) => rows[i] as Row);
  assert.ok(gone.length >= 4);
  for (const row of gone) assert.equal(row.parent, agent.span);
});

test("ten thousand rows fold in a blink", () => {
  const { rows } = make(large);
  assert.ok(rows.length >= 9_990);
  assert.equal(visible(rows, { ...NONE, closed: new Set([rows[0]?.span ?? ""]) }).length, 1);
  assert.ok(found(rows, "save_label").size > 1000);
  assert.equal(found(rows, "  ").size, 0);
});

test("in a flame chart no two boxes lie on each other, and none lies above its parent", () => {
  for (const scene of [travel, running, large]) {
    const { rows } = make(scene);
    const { list, lanes } = boxes(rows);
    assert.equal(list.length, rows.length);
    const lane = new Map(list.map((box) => [rows[box.index]?.span, box.lane]));
    const byLane = new Map<number, number>();
    for (const box of list) {
      const parent = rows[box.index]?.parent;
      if (parent !== undefined) assert.ok(box.lane > (lane.get(parent) ?? -1));
      assert.ok((byLane.get(box.lane) ?? 0) <= box.at + 1e-3);
      byLane.set(box.lane, box.end);
    }
    assert.ok(lanes < 20);
  }
});

test("each message is read once, sub-agents where they were asked", () => {
  const { transcript } = make(travel);
  const { items, bySpan } = read(transcript, { closed: new Set() });
  const ids = items.map((item) => item.id);
  assert.equal(new Set(ids).size, ids.length, "ids are unique");
  const told = items.filter((item) => item.type === "message").length;
  const all = transcript.calls.reduce((sum, call) => sum + call.input.length + call.output.length, 0);
  assert.equal(told, all, "no message is left out");
  const chain = items.findIndex((item) => item.type === "chain" && item.chain.agent === "restaurant-agent");
  const before = items[chain - 1];
  assert.ok(before?.type === "message" && before.message.parts.some((part) => part.type === "tool_call" && part.name === "ask_restaurant_agent"));
  assert.equal(items[chain]?.depth, 1);
  for (const call of transcript.calls) assert.ok(call.span && bySpan.has(call.span), "each call can be scrolled to");
});

test("a call keeps its name when one that began before it comes later", () => {
  const { transcript } = make(travel);
  const [first, ...rest] = transcript.calls;
  const later = rest.map((call) => ({ ...call, ordinal: call.ordinal - 1 }));
  const names = (calls: typeof rest) => new Map(read({ ...transcript, calls }, { closed: new Set() }).items.flatMap((item) => (item.type === "message" && item.slot === "output" ? [[item.call.span, item.id]] : [])));
  const before = names(later);
  const after = names([first as (typeof rest)[number], ...rest]);
  for (const [span, id] of before) assert.equal(after.get(span), id);
  const twice = read({ ...transcript, calls: transcript.calls.map((call) => ({ ...call, span: "00f067aa0ba902b7" })) }, { closed: new Set() }).items.map((item) => item.id);
  assert.equal(new Set(twice).size, twice.length, "also where all spans have one id");
});

test("a closed sub-agent leads its spans to its head", () => {
  const { transcript } = make(travel);
  const { items, bySpan } = read(transcript, { closed: new Set([1]) });
  const inner = transcript.calls.find((call) => call.chain === 1);
  assert.equal(bySpan.get(inner?.span ?? ""), "chain:1");
  assert.ok(!items.some((item) => item.type === "message" && item.call.chain === 1));
});

test("one call alone tells how much it carried", () => {
  const { transcript } = make(travel);
  const { items } = read(transcript, { closed: new Set(), only: 1 });
  assert.deepEqual(items.map((item) => item.type), ["carried", "message", "message", "message"]);
  assert.equal(items[0]?.type === "carried" && items[0].count, 2);
});

test("a call without content, with an error, or still going has its place", () => {
  const quiet = read(make(silent).transcript, { closed: new Set() }).items;
  assert.deepEqual(quiet.map((item) => item.type), ["notice", "call", "call", "call"], "what was not captured is said once");
  const { transcript } = make(running);
  const calls = read(transcript, { closed: new Set() }).items.filter((item) => item.type === "call");
  assert.ok(calls.some((item) => item.type === "call" && item.call.error));
  assert.ok(calls.some((item) => item.type === "call" && item.call.state === "running"));
  assert.ok(read(make(coding).transcript, { closed: new Set() }).items.length > 5);
});

test("differences say both texts", () => {
  for (const [a, b] of [["", ""], ["a", ""], ["", "b"], ["one two three", "one 2 three"], ["x y", "y x"], ["同じ文", "同じ文章"], ["a".repeat(5000), "b ".repeat(5000)]] as const) {
    const out = diff(a, b);
    assert.equal(out.filter(([op]) => op <= 0).map(([, text]) => text).join(""), a);
    assert.equal(out.filter(([op]) => op >= 0).map(([, text]) => text).join(""), b);
  }
  assert.deepEqual(diff("You charged me twice for it.", "The parcel comes tomorrow, I hope."), [[-1, "You charged me twice for it."], [1, "The parcel comes tomorrow, I hope."]]);
  assert.deepEqual(diff("one two three", "one 2 three"), [[0, "one "], [-1, "two"], [1, "2"], [0, " three"]]);
});

test("JSON that fits stays on a line, and is the same JSON", () => {
  assert.equal(pretty({ city: "Paris", day: 1 }, ""), "{ \"city\": \"Paris\", \"day\": 1 }");
  const value = { list: [{ at: "10:00", mm: 1.2 }, { at: "13:00", mm: 2.8 }, { text: "long ".repeat(20) }], empty: [], none: null, deep: { a: { b: {} } } };
  assert.deepEqual(JSON.parse(pretty(value, "")), value);
  let nested: unknown = 1;
  for (let i = 0; i < 3000; i++) nested = [nested];
  assert.equal(whole(nested), undefined, "what is deeper than anybody reads is opened step by step");
  assert.equal(whole([[[1]]]), "[[[1]]]");
});
