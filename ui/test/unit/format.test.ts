import assert from "node:assert/strict";
import { test } from "node:test";
import { ago, beginning, bytes, cached, clock, costNote, count, duration, few, money, percent, short, shortId, tick, timeLabel, tokens } from "../../src/lib/format";
import { step, ticks, timeTicks } from "../../src/lib/scale";

test("durations keep three figures and change their unit without a gap", () => {
  const cases: [number, string][] = [[0, "0 ms"], [0.0004, "0 µs"], [0.412, "412 µs"], [0.9996, "1.0 ms"], [1.234, "1.2 ms"], [9.96, "10 ms"], [38.4, "38 ms"], [999.6, "1.00 s"], [1210, "1.21 s"], [59_994, "59.99 s"], [59_999, "1 m 00 s"], [125_000, "2 m 05 s"], [3_599_600, "1 h 00 m"], [11_520_000, "3 h 12 m"], [3 * 86_400_000, "3 d"]];
  for (const [ms, text] of cases) assert.equal(duration(ms), text, String(ms));
  assert.equal(duration(undefined), "–");
  assert.equal(duration(Number.NaN), "–");
  assert.equal(tick(2000), "2 s");
  assert.equal(tick(1500), "1.5 s");
  assert.equal(tick(200), "200 ms");
});

test("numbers", () => {
  assert.equal(count(18204), "18,204");
  assert.deepEqual([842, 999.6, 4102, 9_949, 9_960, 18_204, 999_600, 1_200_000, -4102].map(short), ["842", "999.6", "4.1k", "9.9k", "10k", "18k", "1.0M", "1.2M", "-4.1k"]);
  assert.deepEqual([0, 999, 1000, 41_203_112, 2_147_483_648].map(bytes), ["0 B", "999 B", "1.0 kB", "41 MB", "2.1 GB"]);
  assert.equal(percent(1, 3), "33%");
  assert.equal(percent(1, 10_000), "<0.1%");
  assert.equal(percent(9_999, 10_000), ">99.9%");
  assert.equal(percent(1, 0), "–");
});

test("a beginning ends with a word, or with a character, and stands on one line", () => {
  assert.equal(beginning(" Where is\n my  order? ", 60), "Where is my order?");
  assert.equal(beginning("Plan a rainy-day Saturday in Paris for two", 30), "Plan a rainy-day Saturday in…");
  assert.equal(beginning("天".repeat(90), 5), "天天天天天…");
  assert.equal(beginning("a👍👍👍", 4), "a👍…");
});

test("small sums of money keep the digits that tell them apart", () => {
  assert.equal(money(0.0412), "$0.0412");
  assert.equal(money(0.000_31), "$0.00031");
  assert.equal(money(0.000_001), "<$0.00001");
  assert.equal(money(12.4), "$12.40");
  assert.equal(money(12_400), "$12,400");
  assert.equal(money(0), "$0");
  assert.equal(money(3, "CHF"), "CHF 3.00");
  assert.equal(money(-1.5), "-$1.50");
});

test("what was not told is not shown as nought", () => {
  assert.equal(tokens(undefined), undefined);
  assert.equal(tokens({}), undefined);
  assert.equal(tokens({ input: 4102 }), "4.1k → ?");
  assert.equal(tokens({ input: 0, output: 0 }), "0 → 0");
  assert.equal(cached({ input: 0, cacheRead: 0 }), undefined);
  assert.equal(cached({ input: 100, cacheRead: 71 }), "71% cached");
});

test("times", () => {
  const now = new Date(2026, 10, 22, 12, 0, 0).getTime();
  assert.equal(ago(now - 2_000, now), "now");
  assert.equal(ago(now - 59_000, now), "59 s ago");
  assert.equal(ago(now - 3_599_000, now), "59 m ago");
  assert.equal(ago(now - 7_200_000, now), "2 h ago");
  assert.equal(ago(now - 3 * 86_400_000, now), "11-19 12:00:00");
  assert.equal(ago(now + 3_600_000, now), "13:00:00", "a clock that runs ahead is shown as a time");
  assert.equal(clock(new Date(1970, 0, 2).getTime(), now), "1970-01-02");
});

test("a time on an axis has its seconds or its day where it needs them", () => {
  const at = new Date(2025, 11, 24, 18, 5).getTime();
  assert.equal(timeLabel(at, 240_000), "18:05:00", "minutes would be told twice");
  assert.deepEqual([1, 24, 48, 96].map((hours) => timeLabel(at, hours * 3_600_000)), ["18:05", "18:05", "12-24 18:05", "12-24"]);
});

test("a sum of costs says what it leaves out, also where something was saved", () => {
  assert.equal(costNote({ cost: { amount: 1, saved: 0.5, source: "table" }, unpriced: 3 }), "3 calls unpriced · saved $0.5000");
  assert.equal(costNote({ unpriced: 0 }), "");
});

test("lists and ids", () => {
  assert.equal(few({ list: ["a", "b"], more: 3 }), "a, b +3");
  assert.equal(shortId("4bf92f3577b34da6a3ce929d0e0e4736"), "4bf92f35…4736");
  assert.equal(shortId("call_1"), "call_1");
});

test("axes have round steps", () => {
  assert.equal(step(8.4, 4), 5);
  assert.deepEqual(ticks(0, 1, 2), [0, 0.5, 1]);
  assert.deepEqual(timeTicks(0, 8390, 6), [0, 2000, 4000, 6000, 8000]);
  assert.ok(timeTicks(0, 90 * 86_400_000, 5).length < 30);
  assert.deepEqual(ticks(0, 0, 3), [0]);
});
