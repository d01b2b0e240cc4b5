import assert from "node:assert/strict";
import { test } from "node:test";
import { Heights, scrollTo, shift, whereNow, windowOf } from "../../src/lib/window";

test("only the rows in sight, and some around them", () => {
  assert.deepEqual(windowOf(1000, 30, 300, 0, 2), { first: 0, last: 12, offset: 0, total: 30_000 });
  const middle = windowOf(1000, 30, 300, 1500, 2);
  assert.equal(middle.first, 48);
  assert.equal(middle.last, 62);
  assert.equal(middle.offset, 48 * 30);
  assert.equal(windowOf(0, 30, 300, 0).last, 0);
  assert.equal(windowOf(3, 30, 300, 9999).first, 0);
});

test("a million rows can be reached although browsers end at millions of pixels", () => {
  const count = 1_000_000;
  const end = windowOf(count, 30, 600, 15_000_000, 0);
  assert.equal(end.last, count);
  assert.ok(end.total <= 15_000_000);
  for (const index of [0, 17, 123_456, 500_000, 999_999]) {
    const top = scrollTo(index, count, 30, 600, 0, true);
    const seen = windowOf(count, 30, 600, top, 0);
    assert.ok(seen.first <= index && index < seen.last, `${index} in ${seen.first}..${seen.last}`);
  }
});

test("a row keeps its place on the screen when others come above it", () => {
  const names = (all: string) => (i: number) => all[i];
  assert.equal(whereNow("c", 2, 4, names("abcd")), 2);
  assert.equal(whereNow("c", 2, 6, names("xyabcd")), 4);
  assert.equal(whereNow("c", 2, 3, names("xyz")), undefined);
  assert.equal(shift(2, 4, 6, 30, 300), 60);
  assert.ok(shift(2, 4, 1_000_000, 30, 300) < 60, "in the scale of a very long list");
});

test("a row in sight does not move; one below comes up just far enough", () => {
  assert.equal(scrollTo(3, 100, 30, 300, 0), 0);
  assert.equal(scrollTo(10, 100, 30, 300, 0), 30);
  assert.equal(scrollTo(2, 100, 30, 300, 90), 60);
});

test("measured heights move what is behind them, and nothing before", () => {
  const heights = new Heights([100, 100, 100, 100]);
  assert.equal(heights.total, 400);
  assert.equal(heights.measure(1, 250), 150);
  assert.equal(heights.top(1), 100);
  assert.equal(heights.top(2), 350);
  assert.equal(heights.total, 550);
  assert.equal(heights.measure(1, 250.2), 0, "less than half a pixel is no change");
  assert.equal(heights.at(0), 0);
  assert.equal(heights.at(99), 0);
  assert.equal(heights.at(100), 1);
  assert.equal(heights.at(349), 1);
  assert.equal(heights.at(10_000), 3);
  assert.equal(new Heights([]).at(5), 0);
});
