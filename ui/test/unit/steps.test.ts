import assert from "node:assert/strict";
import { test } from "node:test";
import { evenSteps } from "../../src/lib/steps";

const step = (atMs: number, calls: number) => ({ atMs, calls, errors: 0, input: 0, output: 0, cacheRead: 0 });

test("steps in which nothing happened are drawn as such", () => {
  const seen = evenSteps({ range: { fromMs: 1005, toMs: 1045, stepMs: 10 }, steps: [step(1020, 3), step(1040, 1)] });
  assert.deepEqual(seen.map((one) => [one.atMs, one.calls]), [[1000, 0], [1010, 0], [1020, 3], [1030, 0], [1040, 1]]);
});

test("nothing at all stays nothing, and a range without bounds is not filled", () => {
  assert.deepEqual(evenSteps({ range: { fromMs: 0, toMs: 100, stepMs: 10 }, steps: [] }), []);
  assert.equal(evenSteps({ range: { fromMs: 0, toMs: 1e12, stepMs: 10 }, steps: [step(1020, 3)] }).length, 1);
});
