import assert from "node:assert/strict";
import { test } from "node:test";
import type { Finding } from "../../src/api";
import { together } from "../../src/lib/findings";

test("one finding of one service is told once, with all who made it; the worst first", () => {
  const one = (more: Partial<Finding>): Finding => ({ code: "old", severity: "info", title: "Old names", why: "w", fix: "f", service: "bot", count: 1, ...more });
  const all = together([one({ scope: "ai" }), one({ scope: "bot", count: 2 }), one({ service: "other" }), one({ title: "Other names", count: 9 }), one({ code: "lost", severity: "error" })]);
  assert.deepEqual(all.map((each) => [each.code, each.service, each.title, each.count, each.each.map((maker) => maker.scope)]), [
    ["lost", "bot", "Old names", 1, [undefined]], ["old", "bot", "Other names", 9, [undefined]], ["old", "bot", "Old names", 3, ["ai", "bot"]], ["old", "other", "Old names", 1, [undefined]],
  ]);
});
