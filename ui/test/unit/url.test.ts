import assert from "node:assert/strict";
import { test } from "node:test";
import { ofAgent, ofModel, ofTool } from "../../src/lib/leads";
import { split } from "../../src/pages";
import { lately, spoken } from "../../src/state/filters";
import { changed, href } from "../../src/state/url";

test("a day that began just now is told as the hours that there are", () => {
  const now = Date.UTC(2026, 10, 22, 12);
  const hours = (n: number) => now - n * 3_600_000;
  assert.deepEqual([undefined, hours(0.2), hours(2), hours(7), hours(300)].map((oldest) => lately(oldest, now)), ["-24h", "-1h", "-6h", "-24h", "-24h"]);
});

test("a change keeps what it does not name, and takes away what is empty", () => {
  const query = new URLSearchParams("service=a&service=b&q=x&sort=cost");
  assert.equal(changed(query, { q: undefined }).toString(), "service=a&service=b&sort=cost");
  assert.equal(changed(query, { q: "" }).toString(), "service=a&service=b&sort=cost");
  assert.equal(changed(query, { service: ["c"] }).toString(), "q=x&sort=cost&service=c");
  assert.equal(changed(query, { service: [] }).toString(), "q=x&sort=cost");
  assert.equal(query.toString(), "service=a&service=b&q=x&sort=cost", "the former one is left alone");
});

test("links survive any value and stay readable", () => {
  for (const value of ["a&b=c", "#x", "ü 中文", "a+b", "%2C", "a,b:c/d", "\"><script>"]) {
    const url = new URL(href("/traces", { q: value }), "http://x");
    assert.equal(url.searchParams.get("q"), value);
    assert.equal(url.pathname, "/traces");
  }
  assert.equal(href("/trace/1", { zoom: "1,2" }), "/trace/1?zoom=1,2");
  assert.equal(href("/traces", {}), "/traces");
});

test("paths", () => {
  assert.deepEqual(split("/"), { name: "", id: "" });
  assert.deepEqual(split("/trace/abc"), { name: "trace", id: "abc" });
  assert.deepEqual(split("/conversation/a%2Fb%20c"), { name: "conversation", id: "a/b c" });
  assert.deepEqual(split("/conversation/100%"), { name: "conversation", id: "100%" });
});

test("a range is told in words, whatever a link has in it", () => {
  const now = new Date(2026, 10, 22, 12).getTime();
  const at = String(new Date(2026, 10, 22, 9, 30).getTime());
  assert.equal(spoken("-2h", undefined, now), "Last 2 hours");
  assert.equal(spoken("-1d", undefined, now), "Last 1 day");
  assert.equal(spoken(at, undefined, now), "09:30:00 – now");
  assert.equal(spoken("-2d", at, now), "2 days ago – 09:30:00");
  assert.equal(spoken("", at, now), "until 09:30:00");
  assert.equal(spoken("yesterday", undefined, now), "yesterday – now");
});

test("rows of sums lead to what they are counted from", () => {
  const range = { from: "-24h", to: undefined };
  assert.equal(ofAgent({ agent: "Boss", service: "shop" }, range), "/traces?from=-24h&agent=Boss");
  assert.equal(ofAgent({ agent: "nightly", service: "shop", workflow: true }, range), "/traces?from=-24h&service=shop&op=invoke_workflow");
  assert.equal(ofAgent({ agent: "", service: "shop" }, { from: "1", to: "2" }), "/traces?from=1&to=2&service=shop&op=invoke_agent");
  assert.equal(ofModel({ model: "", provider: "openai" }, range), "/traces?from=-24h&provider=openai");
  assert.equal(ofTool({ tool: "find" }, { ...range, error: "1" }), "/traces?from=-24h&error=1&tool=find");
  assert.equal(ofTool({ tool: "" }, range), "/traces?from=-24h&op=execute_tool");
});
