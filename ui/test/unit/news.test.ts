import assert from "node:assert/strict";
import { test } from "node:test";
import type { TraceRow } from "../../src/api";
import { heard, MOST_NEWS, NONE, placed, since, waiting } from "../../src/lib/news";

const row = (id: string, startMs: number, rev = 1) => ({ id, startMs, rev }) as TraceRow;
const ids = (rows: readonly TraceRow[]) => rows.map((one) => one.id).join(" ");

test("news replace what they are of, never by what was before, and stand where they began", () => {
  const rows = [row("d", 40), row("b", 20, 5)];
  const news = heard([], [row("b", 20, 4), row("e", 50), row("c", 30)], 0);
  const list = placed(rows, news, true);
  assert.equal(ids(list), "e d c b");
  assert.equal(list.at(-1)?.rev, 5);
  assert.equal(placed(rows, heard(news, [row("b", 20, 6)], 0), true).at(-1)?.rev, 6);
  assert.equal(placed(rows, heard(heard([], [row("b", 20, 9)], 0), [row("b", 20, 7)], 0), true).at(-1)?.rev, 9);
});

test("what began before the last row waits for its page; at the end of all it is shown", () => {
  const rows = [row("d", 40), row("b", 20)];
  const old = heard([], [row("a", 10)], 0);
  assert.equal(ids(placed(rows, old, false)), "d b");
  assert.equal(ids(placed(rows, old, true)), "d b a");
  assert.equal(ids(placed([...rows, row("a", 10)], old, false)), "d b a", "once");
});

test("an answer tells all that was told before it was asked for, and what is deleted does not come back", () => {
  const first = heard([], [row("gone", 60)], 1);
  const both = heard(first, [row("new", 70)], 2);
  assert.equal(ids(placed([row("a", 10)], since(both, 1), true)), "new gone a");
  // Asking 2 began after the first was told, and does not tell of it.
  assert.equal(ids(placed([row("a", 10)], since(both, 2), true)), "new a");
});

test("news are bounded, and the last told are kept", () => {
  let news = heard([], [], 0);
  for (let i = 0; i < 5000; i++) news = heard(news, [row(String(i), i)], 0);
  assert.equal(news.length, 2 * MOST_NEWS);
  assert.equal(news.at(-1)?.row.id, "4999");
});

test("a list that stands still counts what is new, each once, and not what it shows", () => {
  const isListed = (id: string) => id === "shown";
  let held = waiting(NONE, [row("shown", 1, 9)], 0, isListed);
  assert.equal(held.ids.size, 0);
  for (let i = 0; i < 3; i++) held = waiting(held, [row("x", 2, i), row("shown", 1, i)], 0, isListed);
  assert.deepEqual([...held.ids], ["x"]);
  assert.equal(held.more, false);
  assert.equal(waiting(held, [], 40, isListed).more, true);
  for (let i = 0; i < 3000; i++) held = waiting(held, [row(String(i), i)], 0, isListed);
  assert.equal(held.ids.size, 1000);
  assert.equal(held.more, true);
});
