import assert from "node:assert/strict";
import { test } from "node:test";
import type { Hit } from "../../src/api";
import { once } from "../../src/lib/hits";

test("what a span and its log tell alike is found once; other spans, traces and words are their own", () => {
  const snippet = (text: string) => ({ text, marks: [] as [number, number][] });
  const log = (id: string, trace: string | undefined, span: string | undefined, text: string): Hit => ({ type: "log", log: id, ...(trace && { trace }), ...(span && { span }), atMs: 2, snippet: snippet(text) });
  const content = (trace: string, span: string, text: string): Hit => ({ type: "content", trace, span, atMs: 1, snippet: snippet(text) });
  const hits = [log("1", "a", "s", "a river "), content("b", "s", "a river"), content("a", "s", "a river"), content("a", "t", "a river"), content("a", "s", "another river"), log("2", undefined, undefined, "a river"), log("3", undefined, undefined, "a river")];
  assert.deepEqual(once(hits), [hits[2], hits[1], hits[3], hits[4], hits[5], hits[6]]);
});
