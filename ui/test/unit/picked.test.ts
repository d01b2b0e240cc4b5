import assert from "node:assert/strict";
import { test } from "node:test";
import { remembered, written } from "../../src/lib/picked";

test("what was picked is remembered for an hour, and nothing else is taken for it", () => {
  const now = Date.UTC(2026, 10, 22);
  const kept = written("aa.bb", now);
  assert.equal(remembered(kept, now + 3_599_000), "aa.bb");
  assert.equal(remembered(kept, now + 3_601_000), undefined);
  for (const other of [null, "", "aa", "null", "{}", '{"name":1,"at":2}']) assert.equal(remembered(other, now), undefined);
});
