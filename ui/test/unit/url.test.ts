import assert from "node:assert/strict";
import { test } from "node:test";
import { split } from "../../src/pages";
import { changed, href } from "../../src/state/url";

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
