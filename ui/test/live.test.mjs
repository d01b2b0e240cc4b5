// The page while things happen, in a browser, against the mock: what a person reads stays where it is, and is what there is.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { load, serve } from "../mock/server.mjs";
import { launch, open } from "./browser.mjs";

const { everyday } = await load("scenes");
const START = Date.UTC(2026, 10, 22, 10, 20);
let browser;

before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** Runs `body` on a page of its own, over a mock of its own, on which nothing forbidden may happen. `tell` tells of a run. */
async function on(path, body, options = {}) {
  const mock = await serve({ still: true, traces: 300 });
  const tell = (scene, seed, startMs = START) => {
    const row = mock.world.tell(scene, seed, startMs);
    mock.send("traces", { items: [row], more: 0 });
    return row;
  };
  const { page, context, wrong } = await open(browser, mock, options);
  try {
    const address = typeof path === "function" ? path(mock, tell) : path;
    await page.goto(mock.url + address);
    await page.locator(".line.live").waitFor();
    await body(page, { mock, tell });
    // What fails on purpose is told on the console, too.
    assert.deepEqual(wrong.filter((one) => !(options.fails && /status of 503/.test(one))), [], address);
  } finally {
    await context.close();
    await mock.stop();
  }
}

const where = (page) => new URL(page.url()).searchParams;
const chosen = (page) => page.locator(".wf-row.sel .name").textContent();
const top = (locator) => locator.evaluate((element) => Math.round(element.getBoundingClientRect().top));
/** The same, once heights that are known only when drawn have come to rest. */
async function settled(locator) {
  let before;
  for (let now = await top(locator); now !== before; now = await top(locator)) {
    before = now;
    await locator.page().waitForTimeout(250);
  }
  return before;
}
/** As by the wheel, without its momentum. */
const scroll = (page, list, to) => page.locator(list).evaluate((element, to) => {
  element.dispatchEvent(new WheelEvent("wheel"));
  element.scrollTop = to < 0 ? element.scrollHeight : to;
}, to);

/** Scrolls to the end, wherever it is by then, until `wanted` is there. */
async function toEnd(page, list, wanted) {
  for (let i = 0; i < 100 && !(await wanted.count()); i++) {
    await scroll(page, list, -1);
    await page.waitForTimeout(60);
  }
  await wanted.first().waitFor();
}

const user = (content) => ({ role: "user", parts: [{ type: "text", content }] });
const assistant = (content) => ({ role: "assistant", parts: [{ type: "text", content }] });

/** So many calls, one after the other. */
const calls = (count, running = true) => (b) => {
  b.running = running;
  for (let i = 1; i <= count; i++) b.chat({ ms: 100, finish: "stop", usage: { input: 10, output: 2 }, input: [user(`question ${i}.`)], output: [assistant(`answer ${i}.`)] });
};
/** So many plain spans, of which the last holds a call. */
const spans = (count) => (b) => {
  b.running = true;
  for (let i = 1; i < count; i++) b.span({ name: `step ${i}` }, 1);
  b.span({ name: "the last step" }, 20, () => b.chat({ ms: 10, finish: "stop", http: "POST far.example", input: [user("Are we there?")], output: [assistant("At the very end.")] }));
};

test("a chosen trace, and what is in sight, stay where they are while traces come", async () => {
  await on("/traces", async (page, { mock, tell }) => {
    await page.locator(".table .row").nth(3).waitFor();
    const first = await page.locator(".table .row").nth(1).getAttribute("id");
    await page.keyboard.press("j");
    await page.locator(`#${first}.sel`).waitFor();
    await scroll(page, ".vlist", 1600);
    const seen = page.locator(`#t-${mock.world.made[60].row.id}`);
    await seen.waitFor();
    const before = await top(seen);
    const count = Number(await page.locator(".top .mut").first().textContent());
    for (let i = 0; i < 3; i++) tell(everyday, 9100 + i, mock.world.now + i);
    await page.waitForFunction((count) => Number(document.querySelector(".top .mut").textContent) === count, count + 3);
    assert.equal(await top(seen), before);
    // At the top the newest are in sight.
    await scroll(page, ".vlist", 0);
    await page.locator('[aria-rowindex="2"]').waitFor();
    const last = tell(everyday, 9200, mock.world.now + 10);
    await page.locator(`#t-${last.id}[aria-rowindex="2"]`).waitFor();
  });
});

test("the list of traces is what there is: of many at once, of old ones, and of those that are deleted", async () => {
  await on("/traces", async (page, { mock, tell }) => {
    await page.locator(".table .row").nth(3).waitFor();
    const row = (id) => page.locator(`#t-${id}`);
    // Began long ago: it has its place far below.
    tell(everyday, 9300, mock.world.now - 400 * 86_400_000);
    const fresh = tell(everyday, 9301, mock.world.now + 1);
    await row(fresh.id).waitFor();
    assert.equal(await page.locator(".table .row").nth(1).getAttribute("id"), `t-${fresh.id}`);
    // More than are told at once.
    const many = Array.from({ length: 30 }, (_, i) => mock.world.tell(everyday, 9400 + i, mock.world.now + 10 + i));
    mock.send("traces", { items: many.slice(20), more: 20 });
    await row(many[0].id).waitFor();
    assert.deepEqual(await page.locator(".table .row .c-what a").evaluateAll((links) => links.slice(0, 31).map((link) => link.pathname.slice(7))), [...many.map((one) => one.id).reverse(), fresh.id]);
    // Deleted on another page.
    const gone = mock.world.made.splice(0, 2);
    mock.send("deleted", { fromMs: 0, toMs: mock.world.now });
    await row(gone[0].row.id).waitFor({ state: "detached" });
    assert.equal(await row(gone[1].row.id).count(), 0);
    await row(many[0].id).waitFor();
  });
});

test("a list whose next page could not be had says that it goes on, and does", async () => {
  await on("/traces", async (page) => {
    await page.locator(".table .row").nth(3).waitFor();
    await page.route("**/traces?*cursor=*", (route) => route.fulfill({ status: 503, json: { error: { code: "busy", message: "Too much is asked at once." } } }));
    await scroll(page, ".vlist", -1);
    const failed = page.locator(".stale", { hasText: "More could not be loaded: Too much is asked at once." });
    await failed.waitFor();
    await page.unroute("**/traces?*cursor=*");
    await failed.locator("button").click();
    await failed.waitFor({ state: "detached" });
    await toEnd(page, ".vlist", page.locator('[aria-rowindex="180"]'));
  }, { fails: true });
});

test("a filtered list is renewed with the pages that are in sight", async () => {
  await on("/traces?error=&service=support-bot&service=docs-rag&service=code-review&service=data-analyst", async (page, { mock, tell }) => {
    await page.locator(".table .row").nth(3).waitFor();
    await toEnd(page, ".vlist", page.locator('[aria-rowindex="180"]'));
    const seen = page.locator('[aria-rowindex="180"]');
    const id = await seen.getAttribute("id");
    const before = await top(seen);
    for (let i = 0; i < 3; i++) tell(everyday, 9500 + i, mock.world.now + i);
    await page.locator(`#${id}[aria-rowindex="183"]`).waitFor();
    assert.equal(await top(page.locator(`#${id}`)), before);
    const list = mock.world.made.map((one) => one.row).filter((one) => ["support-bot", "docs-rag", "code-review", "data-analyst"].includes(one.service));
    assert.equal(`t-${list[181].id}`, id);
  });
});

test("a paused list counts what is new and nothing else; a sorted one says how to see the newest", async () => {
  await on("/traces", async (page, { mock, tell }) => {
    await page.locator(".table .row").nth(3).waitFor();
    await page.keyboard.press("Space");
    await page.locator(".live-word", { hasText: "Paused" }).waitFor();
    const { scene, seed, row } = mock.world.made[5];
    for (let i = 0; i < 3; i++) tell(scene, seed, row.startMs);
    for (let i = 0; i < 3; i++) tell(everyday, 9600, mock.world.now + 1);
    await page.locator(".live-word", { hasText: "1 new" }).waitFor();
    // What is told after them all is seen: the count is no longer on its way to another one.
    mock.send("status", { ...mock.world.status(), perSecond: 777 });
    await page.locator(".foot", { hasText: "777 spans/s" }).waitFor();
    assert.equal(await page.locator(".live-word").textContent(), "1 new");
    await page.keyboard.press("Space");
    const fresh = page.locator(`#t-${mock.world.made[0].row.id}[aria-rowindex="2"]`);
    await fresh.waitFor();
    await page.locator("[role=columnheader] button", { hasText: "Duration" }).click();
    await page.locator(".live-word", { hasText: "Newest first" }).waitFor();
    await page.locator(".top .btn", { hasText: "Newest first" }).click();
    await fresh.waitFor();
    assert.equal(where(page).get("sort"), null);
    await page.locator(".live-word", { hasText: "Live" }).waitFor();
  });
});

test("a paused list with a filter shows what came when it goes on", async () => {
  await on("/traces?genai=1&live=0", async (page, { mock, tell }) => {
    await page.locator(".table .row").nth(3).waitFor();
    const { id } = tell(everyday, 9650, mock.world.now + 1);
    await page.keyboard.press("Space");
    await page.locator(`#t-${id}`).waitFor();
  });
});

test("a run of more than two hundred calls is read where one is while it goes on", async () => {
  let id;
  await on((_, tell) => `/trace/${(id = tell(calls(300), 9700).id)}`, async (page, { mock, tell }) => {
    await page.locator(".transcript .item").first().waitFor();
    const call = (n) => page.locator(".transcript .item", { hasText: `answer ${n}.` });
    await toEnd(page, ".transcript", call(300));
    for (let i = 0; i < 100 && !(await call(250).count()); i++) {
      await page.locator(".transcript").evaluate((element) => { element.scrollTop -= 600; });
      await page.waitForTimeout(60);
    }
    await call(250).scrollIntoViewIfNeeded();
    const before = await settled(call(250));
    for (const more of [301, 302, 303]) {
      tell(calls(more), 9700);
      await page.locator(".figures", { hasText: String(more) }).waitFor();
      assert.ok(Math.abs((await top(call(250))) - before) <= 2, "call 250 stays where it is");
    }
    await scroll(page, ".transcript", -1);
    await call(303).waitFor();
    assert.equal(mock.world.full(id).transcript.calls.length, 303);
  });
});

test("a run that grows beyond ten thousand spans is scrolled to its end, each span once", async () => {
  await on((_, tell) => `/trace/${tell(spans(9_900), 9800).id}`, async (page, { tell }) => {
    await page.locator(".wf-row").nth(5).waitFor();
    tell(spans(20_500), 9800);
    await page.locator(".note", { hasText: "10,000 of" }).waitFor();
    await toEnd(page, ".wf", page.locator(".wf-row", { hasText: "the last step" }));
    assert.equal(await page.locator(".note").count(), 0);
    // Renewed as a whole: what is shown at the end is not told from before.
    tell(spans(20_600), 9800);
    await page.locator(`[role=treegrid][aria-rowcount="20602"]`).waitFor();
    await toEnd(page, ".wf", page.locator(".wf-row", { hasText: "the last step" }));
    const ids = await page.locator(".wf-row[id]").evaluateAll((rows) => rows.map((row) => row.id));
    assert.equal(new Set(ids).size, ids.length);
  });
});

test("a link to a span behind the first ten thousand leads to it, in both panes, also where it is folded away", async () => {
  let rows;
  await on((mock, tell) => {
    const { id } = tell(spans(12_000), 9900);
    ({ rows } = mock.world.full(id));
    return `/trace/${id}?span=${rows.at(-1).span}`;
  }, async (page, { mock }) => {
    await page.locator(".wf-row.sel", { hasText: "POST far.example" }).waitFor();
    await page.locator(".transcript", { hasText: "At the very end." }).waitFor();
    const call = rows.find((row) => row.op === "chat").span;
    const { id } = mock.world.made.find((one) => one.row.spans === rows.length).row;
    await page.goto(`${mock.url}/trace/${id}?span=${call}&tab=span`);
    await page.locator(".span-head", { hasText: "gpt-5.4-mini" }).waitFor();
    await page.locator(".wf-row.sel").waitFor();
  });
});

test("a link to a call behind the first two hundred leads to what it said", async () => {
  await on((mock, tell) => {
    const { id } = tell(calls(300), 9940);
    return `/trace/${id}?span=${mock.world.full(id).rows[279].span}`;
  }, async (page) => {
    await page.locator(".transcript .m.sel", { hasText: "answer 280." }).waitFor();
  });
});

test("the waterfall stays where it is while spans come, also with one chosen that is out of sight", async () => {
  await on((_, tell) => `/trace/${tell(spans(300), 9950).id}`, async (page, { tell }) => {
    await page.locator(".wf-row").nth(5).waitFor();
    await page.keyboard.press("j");
    await page.locator(".wf-row.sel").waitFor();
    await scroll(page, ".wf", 3000);
    const seen = page.locator(".wf-row", { hasText: "step 110" });
    await seen.waitFor();
    const before = await top(seen);
    tell(spans(330), 9950);
    await page.locator("[role=treegrid][aria-rowcount='332']").waitFor();
    assert.equal(await top(seen), before);
  });
});

test("what a person folds stays so while spans come, also with the chosen one in it", async () => {
  const growing = (count) => (b) => {
    b.running = true;
    b.span({ name: "the fold" }, 20, () => b.span({ name: "the chosen" }, 10));
    for (let i = 1; i <= count; i++) b.span({ name: `step ${i}` }, 1);
  };
  await on((_, tell) => `/trace/${tell(growing(3), 9955).id}`, async (page, { tell }) => {
    const rows = (count) => page.locator(`[role=treegrid][aria-rowcount='${count + 1}']`).waitFor();
    await page.locator(".wf-row", { hasText: "the chosen" }).click();
    await page.locator(".wf-row.sel").waitFor();
    await rows(5);
    await page.locator(".wf-row", { hasText: "the fold" }).locator(".twisty").click();
    await rows(4);
    for (const count of [4, 5]) {
      tell(growing(count), 9955);
      await rows(count + 1);
    }
    assert.equal(await page.locator(".wf-row.sel").count(), 0);
    // Another one that is folded away is shown: its link leads to it.
    await page.reload();
    await page.locator(".wf-row.sel", { hasText: "the chosen" }).waitFor();
  });
});

test("each answer of a trace is asked for again by itself", async () => {
  await on("/traces", async (page, { mock, tell }) => {
    const refuse = (route) => route.fulfill({ status: 503, json: { error: { code: "busy", message: "Too much is asked at once." } } });
    const { id } = tell(calls(3), 9957);
    await page.route("**/traces/*/transcript", refuse);
    await page.goto(`${mock.url}/trace/${id}`);
    const failed = page.locator(".said .failed");
    await failed.waitFor();
    await page.route(`**/api/v1/traces/${id}`, refuse);
    tell(calls(4), 9957);
    const stale = page.locator(".stale", { hasText: "What is shown could not be renewed" });
    await stale.waitFor();
    await page.unroute("**/traces/*/transcript");
    await failed.locator("button").click();
    await page.locator(".transcript .item", { hasText: "answer 4." }).waitFor();
    await page.unroute(`**/api/v1/traces/${id}`);
    await stale.locator("button").click();
    await page.locator("[role=treegrid][aria-rowcount='5']").waitFor();
    await stale.waitFor({ state: "detached" });
  }, { fails: true });
});

test("agents that could not be renewed do not hide that the tools are missing", async () => {
  await on("/traces", async (page, { mock }) => {
    const refuse = (route) => route.fulfill({ status: 503, json: { error: { code: "busy", message: "Too much is asked at once." } } });
    await page.route("**/api/v1/tools?*", refuse);
    await page.goto(`${mock.url}/agents`);
    const failed = page.locator(".failed");
    await failed.waitFor();
    await page.route("**/api/v1/agents?*", refuse);
    await failed.locator("button").click();
    await page.locator(".stale").waitFor();
    await failed.waitFor();
    await page.unroute("**/api/v1/tools?*");
    await page.unroute("**/api/v1/agents?*");
    await failed.locator("button").click();
    await page.locator("h2", { hasText: "Tools" }).waitFor();
    await page.locator(".stale").waitFor({ state: "detached" });
  }, { fails: true });
});

test("spans with one id are two spans", async () => {
  const twins = (b) => {
    const { span } = b.span({ name: "one of two" }, 5);
    b.span({ name: "the other", span, variant: 1 }, 5);
    b.span({ name: "the third" }, 5);
  };
  await on((_, tell) => `/trace/${tell(twins, 9960).id}?tab=span`, async (page) => {
    const head = (text) => page.locator(".span-head", { hasText: text }).waitFor();
    await page.locator(".wf-row", { hasText: "one of two" }).click();
    await head("one of two");
    assert.equal(await chosen(page), "one of two");
    assert.equal(await page.locator(".wf-row.sel").count(), 1);
    await page.keyboard.press("j");
    await head("the other");
    await page.keyboard.press("j");
    await head("the third");
    await page.keyboard.press("k");
    await head("the other");
    await page.reload();
    await head("the other");
    assert.equal(await chosen(page), "the other");
  });
});

test("a span, its OTLP and the logs that are open are told anew when the run changes", async () => {
  const going = (done) => (b) => {
    b.running = !done;
    b.carriers = ["log_details"];
    b.chat({ ms: done ? 1500 : 200, running: !done, input: [user("How far?")], ...(done && { output: [assistant("Done.")], finish: "stop" }) });
    if (done) b.chat({ ms: 10, input: [user("And now?")], output: [assistant("More.")] });
  };
  await on((mock, tell) => {
    const { id } = tell(going(false), 9970);
    return `/trace/${id}?tab=span&view=logs&span=${mock.world.full(id).rows[0].span}`;
  }, async (page, { tell }) => {
    const duration = (text) => page.locator(".facts-grid > div", { hasText: "Duration" }).filter({ hasText: text }).waitFor();
    await duration("running");
    assert.equal(await page.locator(".logs tbody tr").count(), 1);
    tell(going(true), 9970);
    await duration("1.50 s");
    await page.locator(".logs tbody tr").nth(1).waitFor();
    await page.keyboard.press("r");
    await page.locator(".code", { hasText: "spanId" }).waitFor();
  });
});

test("the export menu is used by the keyboard, also while the run goes on", async () => {
  await on((_, tell) => `/trace/${tell(calls(3), 9980).id}`, async (page, { tell }) => {
    const button = page.locator(".menu > button");
    const at = (text) => page.locator("[role=menuitem]:focus", { hasText: text }).waitFor();
    await page.locator(".wf-row").nth(2).waitFor();
    await button.focus();
    await page.keyboard.press("Enter");
    await at("One HTML file");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await at("JSONL");
    tell(calls(4), 9980);
    await page.locator("[role=treegrid][aria-rowcount='5']").waitFor();
    await at("JSONL");
    await page.keyboard.press("End");
    await at("Copy a link");
    await page.keyboard.press("ArrowDown");
    await at("One HTML file");
    assert.equal(where(page).get("span"), null, "no span is chosen meanwhile");
    await page.keyboard.press("Escape");
    await page.locator(".menu > button:focus").waitFor();
    assert.equal(await page.locator("[role=menu]").count(), 0);
    assert.match(new URL(page.url()).pathname, /^\/trace\//);
    await page.keyboard.press("j");
    assert.ok(where(page).get("span"));
  });
});

test("code that is wider than its place is read by the arrows, and they choose no span", async () => {
  const wide = (b) => b.chat({ ms: 100, input: [user("Code?")], output: [assistant(`\`\`\`\nlet wide = "${"x ".repeat(400)}";\n\`\`\``)] });
  await on((_, tell) => `/trace/${tell(wide, 9990).id}`, async (page) => {
    const code = page.locator(".transcript pre").first();
    await code.focus();
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction(() => document.querySelector(".transcript pre").scrollLeft > 0);
    assert.equal(where(page).get("span"), null);
    await page.keyboard.press("ArrowDown");
    await page.locator(".wf-row.sel").waitFor();
  });
});
