import assert from "node:assert/strict";
import { test } from "node:test";
import { type Pages, upTo } from "../../src/growing";

interface Told {
  items: number[];
  next?: number;
}
const PAGES: Pages<Told> = { size: (told) => told.items.length, joined: (first, next) => ({ ...next, items: [...first.items, ...next.items] }), by: "after", one: 10, most: 50 };

/** So many items, told as a server does. */
function server(count: number) {
  const asked: unknown[] = [];
  const ask = async (more: Record<string, unknown>) => {
    asked.push(more);
    const after = Number(more["after"] ?? 0);
    const items = Array.from({ length: count }, (_, i) => i).slice(after, after + Number(more["limit"] ?? 10));
    const end = after + items.length;
    return { data: { items, ...(end < count && { next: end }) } as Told, size: items.length };
  };
  return { asked, ask };
}

test("what is shown is asked for at once, and in pages where it is more than is told at a time", async () => {
  const few = server(200);
  assert.equal((await upTo(PAGES, few.ask, () => 0)).data.items.length, 10);
  assert.deepEqual(few.asked, [{}]);
  const some = server(200);
  assert.equal((await upTo(PAGES, some.ask, () => 35)).data.items.length, 35);
  assert.deepEqual(some.asked, [{ limit: "35" }]);
  const many = server(200);
  const { data, size } = await upTo(PAGES, many.ask, () => 120);
  assert.deepEqual(data.items, Array.from({ length: 120 }, (_, i) => i));
  assert.equal(size, 120);
  assert.deepEqual(many.asked, [{ limit: "50" }, { limit: "50", after: "50" }, { limit: "20", after: "100" }]);
});

test("what is wanted while the answer is on its way comes with it, and it ends where there is no more", async () => {
  const one = server(24);
  let wanted = 10;
  const answer = upTo(PAGES, one.ask, () => wanted);
  wanted = 1000;
  assert.equal((await answer).data.items.length, 24);
});
