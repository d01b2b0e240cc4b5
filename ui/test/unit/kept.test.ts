import assert from "node:assert/strict";
import { test } from "node:test";
import { Kept } from "../../src/lib/kept";

test("the last answers are kept, so many and so large together", () => {
  const kept = new Kept(3, 100);
  for (const name of ["a", "b", "c", "d"]) kept.keep(name, name, 10);
  assert.deepEqual(["a", "b", "c", "d"].map((name) => kept.get(name)), [undefined, "b", "c", "d"]);
  kept.keep("b", "b again", 10);
  kept.keep("e", "e", 10);
  assert.deepEqual(["b", "c", "d", "e"].map((name) => kept.get(name)), ["b again", undefined, "d", "e"]);
  kept.keep("large", "large", 48);
  kept.keep("f", "f", 48);
  assert.deepEqual(["d", "e", "large", "f"].map((name) => kept.get(name)), [undefined, undefined, "large", "f"]);
  kept.keep("f", "too large", 60);
  assert.equal(kept.get("f"), undefined, "what is not kept is not told from before either");
  kept.keep("g", "g", 50);
  assert.deepEqual([kept.get("large"), kept.get("g")], ["large", "g"]);
});
