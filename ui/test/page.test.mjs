// The page as a person uses it, in a browser, against the mock.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { serve } from "../mock/server.mjs";
import { axe, launch, open } from "./browser.mjs";

let mock;
let browser;
const ids = {};

before(async () => {
  mock = await serve({ still: true });
  browser = await launch();
  for (const { scene, row } of mock.world.made) ids[scene.name] ??= row.id;
});
after(async () => {
  await browser?.close();
  await mock?.stop();
});

/** Runs `body` on a page of its own, on which nothing forbidden may happen. */
async function on(path, body, options = {}) {
  const { page, context, wrong } = await open(browser, mock, options);
  try {
    await page.goto(mock.url + path);
    await body(page);
    assert.deepEqual(wrong, [], path);
  } finally {
    await context.close();
  }
}

const chosen = (page) => page.locator(".wf-row.sel .name").textContent();
const where = (page) => new URL(page.url());

test("every page is sound by axe, in both themes, wide and narrow", async () => {
  const trace = `/trace/${ids.travel}`;
  const retrieval = mock.world.full(ids.travel).rows.find((row) => row.op === "retrieval").span;
  const pages = {
    "/": ".newest", "/traces": ".table .row:nth-child(2)", [trace]: ".m.asst", [`${trace}?span=${retrieval}&tab=span`]: ".docs", [`${trace}?span=${retrieval}&tab=attributes`]: ".kv", [`${trace}?tab=usage`]: ".growth", [`${trace}?tab=tools`]: ".tool-def",
    [`${trace}?tab=evals`]: ".panel .grid", [`${trace}?tab=raw`]: ".code", [`${trace}?view=logs`]: ".logs", [`${trace}?view=flame`]: ".flame", [`${trace}?view=graph`]: ".node", [`/trace/${ids.silent}`]: ".absent", [`/trace/${ids.running}`]: ".waiting", [`/trace/${ids.languages}`]: ".m.asst", [`/trace/${ids.coding}`]: ".m.asst",
    "/conversations": ".conv", "/conversation/conv_5j66KpQ2": ".m.asst", "/agents": ".matrix", "/models": ".grid", "/logs": ".log-table .row", [`/logs?log=${ids.travel.slice(0, 8)}-0`]: ".log-body .kv", "/search?q=paris": ".hit", "/services": ".grid td", "/doctor": ".finding", "/settings": ".snippet", "/metrics": ".exemplar", "/metrics?name=process.memory.usage": ".chart path", "/nowhere": ".empty",
  };
  const all = [];
  const bots = mock.world.made.filter((one) => one.row.service === "support-bot").map((one) => one.row.id);
  pages[`/compare?a=${bots[0]}&b=${bots[1]}`] = ".steps td";
  pages["/compare"] = ".empty";
  // Dark and wide is tried over the program.
  for (const [theme, width] of [["light", 1440], ["dark", 900]]) {
    const { page, context, wrong } = await open(browser, mock, { theme, width });
    for (const [path, ready] of Object.entries(pages)) {
      await page.goto(mock.url + path);
      await page.locator(ready).first().waitFor();
      all.push(...(await axe(page)).map((one) => `${path} ${theme} ${width}: ${one}`));
    }
    assert.deepEqual(wrong, []);
    await context.close();
  }
  assert.deepEqual(all, []);
});

test("from the list to a message by the keyboard alone, and back", async () => {
  await on("/", async (page) => {
    // Keys are heard once the page is drawn.
    await page.locator(".newest").waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("t");
    await page.locator(".table .row").nth(3).waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.locator(".table .row.sel", { hasText: "travel-planner" }).waitFor();
    await page.keyboard.press("Enter");
    await page.locator(".wf-row").nth(5).waitFor();
    assert.equal(where(page).pathname, `/trace/${ids.travel}`);
    await page.keyboard.press("j");
    assert.equal(await chosen(page), "travel-planner");
    await page.keyboard.press("J");
    assert.equal(await chosen(page), "gpt-5.4-mini");
    await page.keyboard.press("l");
    await page.locator(".wf-row", { hasText: "POST api.openai.example" }).first().waitFor();
    await page.keyboard.press("l");
    assert.match(await chosen(page), /^POST/);
    await page.keyboard.press("h");
    assert.equal(await chosen(page), "gpt-5.4-mini");
    await page.keyboard.press("n");
    assert.equal(await chosen(page), "book_table");
    await page.locator(".tc.sel, .m.sel").or(page.locator(".item", { hasText: "book_table" })).first().waitFor();
    await page.keyboard.press("Enter");
    await page.locator(".span-head", { hasText: "book_table" }).waitFor();
    assert.equal(where(page).searchParams.get("tab"), "span");
    await page.keyboard.press("r");
    await page.locator(".code", { hasText: "spanId" }).waitFor();
    await page.keyboard.press("t");
    await page.locator(".transcript").waitFor();
    await page.keyboard.press("z");
    assert.ok(where(page).searchParams.get("zoom"));
    await page.keyboard.press("Z");
    assert.equal(where(page).searchParams.get("zoom"), null);
    await page.keyboard.press("Escape");
    assert.equal(where(page).searchParams.get("span"), null);
    await page.keyboard.press("Escape");
    await page.locator(".table .row.sel", { hasText: "travel-planner" }).waitFor();
    await page.keyboard.press("?");
    await page.locator("dialog.help").waitFor();
    await page.keyboard.press("Escape");
    await page.locator("dialog.help").waitFor({ state: "detached" });
  });
});

test("the graph leads from an agent's tools to their spans, one after the other", async () => {
  await on(`/trace/${ids.travel}`, async (page) => {
    await page.locator(".wf-row").nth(5).waitFor();
    await page.keyboard.press("a");
    await page.locator(".node", { hasText: "book_table" }).click();
    const spans = mock.world.full(ids.travel).rows.filter((row) => row.tool === "book_table").map((row) => row.span);
    await page.locator(".node[aria-pressed=true]", { hasText: "book_table" }).waitFor();
    assert.equal(where(page).searchParams.get("span"), spans[0]);
    await page.locator(".node", { hasText: "book_table" }).click();
    await page.waitForFunction((span) => location.search.includes(span), spans[1]);
    await page.keyboard.press("w");
    await page.locator(".wf-row.sel", { hasText: "book_table" }).waitFor();
  });
});

test("the palette finds a page, a trace and a command", async () => {
  await on("/traces", async (page) => {
    await page.locator(".table .row").nth(3).waitFor();
    await page.keyboard.press("Control+k");
    await page.locator("dialog.palette input").fill("rainy-day");
    await page.locator("[role=option]", { hasText: "Plan a rainy-day" }).first().waitFor();
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/trace\//);
    await page.locator("dialog").waitFor({ state: "detached" });
    await page.keyboard.press("Control+k");
    await page.locator("dialog.palette input").fill("models");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/models$/);
  });
});

test("filters stand in the URL; Back brings the list as it was", async () => {
  await on("/traces", async (page) => {
    await page.locator(".facet-row", { hasText: "support-bot" }).click();
    await page.locator(".check", { hasText: "With errors" }).click();
    // The list of before is shown until the answer is here.
    const sorted = page.waitForResponse(/\/traces\?.*sort=duration/);
    await page.locator("[role=columnheader] button", { hasText: "Duration" }).click();
    await sorted;
    await page.waitForFunction(() => !document.querySelector(".busy.on"));
    assert.ok((await page.locator(".c-service").allTextContents()).slice(1).every((name) => name === "support-bot"));
    assert.deepEqual([...where(page).searchParams], [["service", "support-bot"], ["error", "1"], ["sort", "duration"]]);
    const first = await page.locator(".table .row .c-duration").nth(1).textContent();
    await page.locator(".table .row .c-what a").first().click();
    await page.locator(".transcript").waitFor();
    await page.goBack();
    await page.locator(".table .row").nth(2).waitFor();
    assert.equal(await page.locator(".table .row .c-duration").nth(1).textContent(), first);
    assert.equal(await page.locator(".facet-row input:checked").count(), 1);
  });
});

test("a list of six hundred is read to its end", async () => {
  await on("/traces", async (page) => {
    await page.locator(".table .row").nth(3).waitFor();
    for (let i = 0; i < 40 && !(await page.locator('[aria-rowindex="600"]').count()); i++) {
      await page.locator(".vlist").evaluate((list) => { list.scrollTop = list.scrollHeight; });
      await page.waitForTimeout(60);
    }
    assert.equal(await page.locator('[aria-rowindex="600"]').count(), 1);
    assert.ok((await page.locator(".table .row").count()) < 80, "only what is seen is in the document");
  });
});

test("new traces come by themselves; a paused list says how many wait", async () => {
  const { page, context, wrong } = await open(browser, mock);
  await page.goto(`${mock.url}/traces`);
  await page.locator(".line.live").waitFor();
  const head = () => page.locator(".table .row").nth(1).getAttribute("id");
  const before = await head();
  mock.arrive();
  await page.waitForFunction((id) => document.querySelectorAll(".table .row")[1]?.id !== id, before);
  await page.keyboard.press("Space");
  const held = await head();
  mock.arrive();
  mock.arrive();
  await page.locator(".live-word", { hasText: "2 new" }).waitFor();
  assert.equal(await head(), held);
  await page.keyboard.press("Space");
  await page.waitForFunction((id) => document.querySelectorAll(".table .row")[1]?.id !== id, held);
  assert.deepEqual(wrong, []);
  await context.close();
});

test("two runs picked by c, the second in a tab of its own, are laid side by side", async () => {
  const [first, second] = mock.world.made.filter((one) => one.row.service === "support-bot").map((one) => one.row.id);
  await on(`/trace/${first}`, async (other) => {
    await other.locator(".transcript").waitFor();
    await other.keyboard.press("c");
    await other.locator(".btn", { hasText: "Picked" }).waitFor();
    const page = await other.context().newPage();
    await page.goto(`${mock.url}/trace/${second}`);
    await page.locator(".transcript").waitFor();
    await page.locator(".btn", { hasText: "Compare with picked" }).waitFor();
    await page.keyboard.press("c");
    await other.locator(".btn", { hasText: /^Compare$/ }).waitFor();
    await page.locator(".sides").waitFor();
    assert.deepEqual([where(page).searchParams.get("a"), where(page).searchParams.get("b")], [first, second]);
    await page.locator(".steps td").first().waitFor();
    const before = await page.locator(".cmp-list article").count();
    await page.locator(".check", { hasText: "What is the same" }).click();
    await page.waitForFunction((n) => document.querySelectorAll(".cmp-list article").length > n, before);
  });
});

test("a run of which only logs tell has bars, which lead to what was said", async () => {
  await on(`/trace/${ids.coding}`, async (page) => {
    await page.locator(".pane.when .note", { hasText: "No span was sent" }).waitFor();
    await page.locator(".figure", { hasText: "Log records" }).waitFor();
    await page.locator(".wf-row", { hasText: "Bash" }).click();
    await page.locator(".tc.sel", { hasText: "cargo test" }).waitFor();
    await page.locator("[role=tab]", { hasText: "Attributes" }).click();
    await page.locator(".empty", { hasText: "No span was sent" }).waitFor();
    await page.locator("[role=tab]", { hasText: "Graph" }).click();
    await page.locator(".node", { hasText: "Grep" }).waitFor();
  });
});

test("ten thousand spans: few nodes, every row within reach", async () => {
  await on(`/trace/${ids.large}`, async (page) => {
    await page.locator(".wf-row").nth(5).waitFor();
    assert.ok((await page.locator(".wf-row").count()) < 80);
    await page.keyboard.press("N");
    await page.locator(".wf-row.sel").waitFor();
    await page.locator(".field.small input").fill("ticket 1990");
    await page.locator(".field.small .n", { hasText: /^1$/ }).waitFor();
    await page.locator(".field.small input").press("Enter");
    await page.locator(".wf-row.sel", { hasText: "ticket 1990" }).waitFor();
  });
});

test("a prompt of one megabyte opens whole", async () => {
  await on(`/trace/${ids.megabyte}`, async (page) => {
    await page.locator(".m.user .long-foot button", { hasText: "Show all" }).click();
    await page.waitForFunction(() => (document.querySelector(".m.user .long")?.textContent?.length ?? 0) > 1_048_576);
    await page.locator(".m.user .long-foot button", { hasText: "Fold" }).waitFor();
  });
});

test("scripts in every string stay text", async () => {
  const { rows } = mock.world.full(ids.hostile);
  const paths = [`/trace/${ids.hostile}`, ...rows.map((row) => `/trace/${ids.hostile}?span=${row.span}&tab=span`), ...["attributes", "tools", "usage", "raw"].flatMap((tab) => rows.slice(0, 3).map((row) => `/trace/${ids.hostile}?span=${row.span}&tab=${tab}`)), `/trace/${ids.hostile}?view=logs`, "/traces", "/models", "/agents", "/conversations", "/logs", "/services", "/doctor", "/search?q=script"];
  await on("/", async (page) => {
    for (const path of paths) {
      await page.goto(mock.url + path);
      await page.locator(".page").first().waitFor();
      await page.waitForFunction(() => !document.querySelector(".skeleton, [aria-busy=true]"));
      for (const button of await page.locator(".fold[aria-expanded=false], .long-foot button").all()) await button.click({ timeout: 1000 }).catch(() => {});
      assert.equal(await page.evaluate(() => globalThis.hurt), undefined, path);
      assert.equal(await page.locator("main script, main iframe, main img, main style, main a[href^='javascript' i], main a[href^='data' i], main [onerror], main [onload]").count(), 0, path);
    }
  });
});

test("what has no data, is missing or fails says so", async () => {
  const empty = await serve({ still: true, empty: true });
  const { page, context } = await open(browser, empty);
  for (const path of ["/", "/traces"]) {
    await page.goto(empty.url + path);
    await page.locator(".connect .snippet").first().waitFor();
  }
  for (const path of ["/conversations", "/agents", "/models", "/logs", "/services", "/doctor", "/metrics"]) {
    await page.goto(empty.url + path);
    await page.locator(".empty").waitFor();
  }
  await context.close();
  await empty.stop();
  const other = await open(browser, mock);
  await other.page.goto(`${mock.url}/trace/ffffffffffffffffffffffffffffffff`);
  await other.page.locator("[role=alert]", { hasText: "No trace is kept under this id" }).waitFor();
  await other.page.route("**/api/v1/models*", (route) => route.abort());
  await other.page.goto(`${mock.url}/models`);
  await other.page.locator("[role=alert]", { hasText: "does not answer" }).waitFor();
  await other.page.unroute("**/api/v1/models*");
  await other.page.locator("[role=alert] button").click();
  await other.page.locator(".grid td").first().waitFor();
  await other.context.close();
});

test("what is shown of a span is that span's, also after another was read in full", async () => {
  const [a, b] = mock.world.full(ids.travel).rows.filter((row) => row.op === "chat").map((row) => row.span);
  const tools = mock.world.full(ids.travel).rows.filter((row) => row.tool && row.op !== "mcp").slice(0, 2);
  const values = (span) => ({
    args: { asked: `by ${span}` },
    long: `${span} `.repeat(4_000),
    map: Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`key ${i}`, `${span} ${i}`])),
  });
  await on(`/trace/${ids.travel}?span=${tools[0].span}&tab=span`, async (page) => {
    // Every span has arguments, a long text and a large structure of its own, of which the beginning is told.
    await page.route("**/api/v1/traces/*/spans/*", async (route) => {
      const answer = await route.fetch();
      const detail = await answer.json();
      const { args, long, map } = values(detail.row.span);
      const more = (key) => `/api/v1/traces/${ids.travel}/spans/${detail.row.span}/value?key=${key}`;
      detail.attributes = [
        { key: "gen_ai.tool.call.arguments", value: JSON.stringify(args), json: true },
        { key: "a.long", value: long.slice(0, 30_000), cut: long.length, more: more("a.long") },
        { key: "a.map", value: { map: Object.entries(map).slice(0, 2) }, cut: JSON.stringify(map).length, more: more("a.map") },
      ];
      await route.fulfill({ json: detail });
    });
    await page.route("**/spans/*/value?*", async (route) => {
      const [, span, key] = /spans\/(\w+)\/value\?key=a\.(\w+)/.exec(route.request().url());
      const value = values(span)[key];
      await route.fulfill({ contentType: "text/plain", body: typeof value === "string" ? value : JSON.stringify(value) });
    });
    const select = (span) => page.waitForFunction((span) => location.search.includes(span), span);
    const shown = (text) => page.locator(".panel", { hasText: text }).waitFor();
    await page.reload();
    await shown(`by ${tools[0].span}`);
    for (let i = 0; i < 20 && where(page).searchParams.get("span") !== tools[1].span; i++) {
      const before = where(page).searchParams.get("span");
      await page.keyboard.press("j");
      await page.waitForFunction((before) => !location.search.includes(before), before);
    }
    await shown(`by ${tools[1].span}`);
    assert.equal(await page.locator(".panel", { hasText: `by ${tools[0].span}` }).count(), 0);
    // As long as the next one's answer is on its way, nothing of the one before is shown.
    const called = new Promise((resolve) => void page.route(`**/spans/${a}`, (route) => resolve(() => route.fallback())));
    await page.locator(".wf-row", { hasText: "gpt-5.4-mini" }).first().click();
    const answer = await called;
    await page.locator(".said .skeleton").waitFor();
    assert.equal(await page.locator(".span-head").count(), 0);
    await answer();
    await shown(`by ${a}`);
    await page.unroute(`**/spans/${a}`);
    // Calls, by their attributes: both values in full, then the next call.
    await page.goto(`${mock.url}/trace/${ids.travel}?span=${a}&tab=attributes`);
    const long = page.locator(".kv tr", { hasText: "a.long" });
    const map = page.locator(".kv tr", { hasText: "a.map" });
    await long.locator("button", { hasText: "Show all" }).click();
    await page.waitForFunction((length) => [...document.querySelectorAll(".kv .long")].some((one) => one.textContent.length >= length), values(a).long.length);
    await map.locator(".long-foot", { hasText: /The beginning of 1\.\d kB/ }).waitFor();
    await map.locator("button", { hasText: "Load all" }).click();
    await map.locator("button", { hasText: "Show all" }).click();
    await map.locator("pre", { hasText: `${a} 39` }).waitFor();
    await page.keyboard.press("J");
    await select(b);
    await long.locator("pre", { hasText: b }).waitFor();
    assert.ok(!(await page.locator(".panel").textContent()).includes(a), "nothing is left of the call before");
    await map.locator(".long-foot", { hasText: "The beginning of" }).waitFor();
  });
});

test("an answer that fails is not another's answer, and what polls recovers by itself", async () => {
  const failing = (route) => route.fulfill({ status: 503, contentType: "application/json", body: JSON.stringify({ error: { code: "busy", message: "The store is busy.", hint: "Ask again." } }) });
  const { page, context } = await open(browser, mock);
  await page.goto(`${mock.url}/models`);
  await page.locator(".grid td").first().waitFor();
  await page.route("**/api/v1/models?from=-7d*", failing);
  await page.locator(".top select").selectOption("-7d");
  await page.locator(".empty.failed", { hasText: "The store is busy." }).waitFor();
  assert.equal(await page.locator(".grid td").count(), 0, "the last day's numbers are not the week's");
  await page.unroute("**/api/v1/models?from=-7d*");
  await page.clock.fastForward(31_000);
  await page.locator(".grid td").first().waitFor();
  // The same question, asked again in vain: its last answer stays, and is said to be old.
  await page.route("**/api/v1/models?from=-7d*", failing);
  await page.clock.fastForward(31_000);
  await page.locator(".stale", { hasText: "could not be renewed: The store is busy." }).waitFor();
  assert.notEqual(await page.locator(".grid td").count(), 0);
  await page.unroute("**/api/v1/models?from=-7d*");
  await page.clock.fastForward(31_000);
  await page.locator(".stale").waitFor({ state: "detached" });
  await page.goto(`${mock.url}/search?q=zzzz`);
  await page.locator(".empty", { hasText: "Nothing holds “zzzz”" }).waitFor();
  const asked = new Promise((resolve) => void page.route("**/api/v1/search?q=abcd*", (route) => resolve(() => failing(route))));
  await page.locator(".bar input").fill("abcd");
  await page.waitForURL(/q=abcd/);
  await page.locator(".scroll .skeleton").waitFor();
  assert.equal(await page.locator(".empty").count(), 0, "nothing is said of what was not answered");
  await (await asked)();
  await page.locator(".empty.failed", { hasText: "The store is busy." }).waitFor();
  await context.close();
});

test("what is told of the first calls says so, and what was not answered is not nothing", async () => {
  await on(`/trace/${ids.large}?tab=evals`, async (page) => {
    await page.locator(".empty", { hasText: "Nothing was evaluated so far" }).waitFor();
    const rest = page.locator(".rest");
    assert.match(await rest.textContent(), /^Of the first 200 of 1,9\d\d calls/);
    await rest.locator("button").click();
    await page.locator(".rest", { hasText: "Of the first 400" }).waitFor();
    await page.locator("[role=tab]", { hasText: "Usage" }).click();
    await page.locator(".rest", { hasText: "Of the first 400" }).waitFor();
  });
  const { page, context } = await open(browser, mock);
  await page.route("**/transcript", (route) => route.fulfill({ status: 503, json: { error: { code: "busy", message: "The store is busy." } } }));
  for (const tab of ["transcript", "tools", "usage", "evals"]) {
    await page.goto(`${mock.url}/trace/${ids.travel}?tab=${tab}`);
    await page.locator(".said .failed", { hasText: "The store is busy." }).waitFor();
  }
  await page.unroute("**/transcript");
  await page.locator(".said .failed button").click();
  await page.locator(".said .grid td", { hasText: "faithfulness" }).waitFor();
  await context.close();
});

test("lists are read to their end, and say so where more could not be had", async () => {
  const logs = mock.world.answer("/logs", new URLSearchParams({ limit: "500" })).body.items;
  assert.ok(logs.length > 200);
  const { page, context } = await open(browser, mock);
  const down = () => page.locator(".vlist").evaluate((list) => { list.scrollTop = list.scrollHeight; });
  const busy = (route) => route.fulfill({ status: 503, json: { error: { code: "busy", message: "The store is busy." } } });
  await page.route("**/logs?*cursor=*", busy);
  await page.goto(`${mock.url}/logs`);
  await page.locator(".log-table .row").nth(3).waitFor();
  await down();
  await page.locator(".stale", { hasText: "More could not be loaded: The store is busy." }).waitFor();
  await page.unroute("**/logs?*cursor=*");
  await page.locator(".stale button").click();
  await page.locator(".stale").waitFor({ state: "detached" });
  await down();
  await page.locator(`.log-table .row[aria-posinset="${logs.length}"]`).waitFor();
  // A conversation's later calls, two at a time.
  const talk = mock.world.answer("/conversations", new URLSearchParams()).body.items.find((one) => one.traces > 2);
  const last = mock.world.answer(`/conversations/${talk.id}`, new URLSearchParams({ transcript: "1" })).body.transcript.calls.at(-1);
  await page.route("**/api/v1/conversations/*", (route) => {
    const url = new URL(route.request().url());
    if (!url.searchParams.has("limit")) url.searchParams.set("limit", "2");
    return route.continue({ url: url.href });
  });
  await page.goto(`${mock.url}/conversation/${talk.id}`);
  await page.locator(".m.asst").first().waitFor();
  const end = page.locator(".m.asst .facts span", { hasText: new RegExp(`^call ${last.ordinal + 1}$`) });
  for (let i = 0; i < 100 && !(await end.count()); i++) {
    await page.locator(".vflow").evaluate((flow) => { flow.scrollTop = flow.scrollHeight; });
    await page.waitForTimeout(60);
  }
  assert.equal(await end.count(), 1);
  await context.close();
});

test("a tool of a conversation leads to the trace in which it ran", async () => {
  const { items } = mock.world.answer("/conversations", new URLSearchParams()).body;
  const tools = (id) => mock.world.answer(`/conversations/${id}`, new URLSearchParams({ transcript: "1" })).body;
  const talk = items.filter((one) => one.traces > 1 && one.traces < 8).map((one) => tools(one.id)).find(({ traces, transcript }) => Object.values(transcript.messages).some((one) => one.parts.some((part) => part.type === "tool_call" && part.join?.span && part.join.trace !== traces[0].id)));
  const { join } = Object.values(talk.transcript.messages).flatMap((one) => one.parts).find((part) => part.type === "tool_call" && part.join?.span && part.join.trace !== talk.traces[0].id);
  await on(`/conversation/${encodeURIComponent(talk.summary.id)}?span=${join.span}`, async (page) => {
    for (let i = 0; i < 40 && !(await page.locator(".tc.sel").count()); i++) {
      await page.locator(".vflow").evaluate((flow) => { flow.scrollTop += 500; });
      await page.waitForTimeout(60);
    }
    await page.locator(".tc.sel .go").click();
    await page.locator(".wf-row.sel").waitFor();
    assert.deepEqual([where(page).pathname, where(page).searchParams.get("span")], [`/trace/${join.trace}`, join.span]);
  });
});

test("a row leads once, where its numbers come from; a range that is in no list is told in words", async () => {
  await on("/", async (page) => {
    await page.locator(".newest").waitFor();
    const range = page.locator(".top select");
    await range.selectOption("");
    await page.waitForURL(/from=-36500d/);
    assert.equal(await range.evaluate((select) => select.selectedOptions[0].textContent), "All time");
    await page.goto(`${mock.url}/?from=-2h`);
    assert.equal(await range.evaluate((select) => select.selectedOptions[0].textContent), "Last 2 hours");
    const to = String(mock.world.now - 60_000);
    await page.goto(`${mock.url}/?from=-7d&to=${to}`);
    const link = page.locator(".cards tr.go a").first();
    const text = await link.textContent();
    const [other] = await Promise.all([page.context().waitForEvent("page"), link.click({ modifiers: ["ControlOrMeta"] })]);
    await other.close();
    assert.equal(where(page).pathname, "/", "what opens a new tab leaves this one");
    const before = await page.evaluate(() => history.length);
    await link.click();
    await page.waitForURL(/traces/);
    assert.equal(await page.evaluate(() => history.length), before + 1);
    assert.deepEqual(["from", "to", "model"].map((name) => where(page).searchParams.get(name)), ["-7d", to, text]);
    assert.ok(where(page).searchParams.get("provider"));
  });
});

test("the search box has the words that are looked for, and a command of the palette reaches what lies under it", async () => {
  await on("/search?q=paris", async (page) => {
    const box = page.locator(".bar input");
    await page.locator(".hit").first().waitFor();
    assert.equal(await box.inputValue(), "paris");
    await page.locator(".rail a[aria-label=Search]").click();
    await page.waitForFunction(() => document.querySelector(".bar input").value === "");
    await page.goBack();
    await page.waitForFunction(() => document.querySelector(".bar input").value === "paris");
    await box.fill("museums");
    await page.waitForURL(/q=museums/);
    await page.goto(`${mock.url}/trace/${ids.travel}`);
    await page.locator(".wf-row").nth(5).waitFor();
    await page.keyboard.press("Control+k");
    await page.locator("dialog.palette input").fill("Search in this trace");
    await page.locator("[role=option]", { hasText: "Search in this trace" }).first().waitFor();
    await page.keyboard.press("Enter");
    await page.locator("dialog").waitFor({ state: "detached" });
    await page.waitForFunction(() => document.activeElement?.getAttribute("aria-label") === "Find in this trace");
    // The list has what told something in this time.
    await page.route("**/api/v1/metrics?*", async (route) => {
      const { items } = await (await route.fetch()).json();
      await route.fulfill({ json: { items: items.filter((one) => one.name !== "process.memory.usage") } });
    });
    await page.goto(`${mock.url}/metrics?name=process.memory.usage`);
    await page.locator(".empty", { hasText: "This metric told nothing in this time" }).waitFor();
  });
});

test("a window's title says what is in it, and an address that leads nowhere says so", async () => {
  await on(`/trace/${ids.travel}`, async (page) => {
    await page.locator(".top .under", { hasText: "invoke_agent travel-planner" }).waitFor();
    assert.match(await page.locator(".top h1").textContent(), /^Plan a rainy-day Saturday/);
    await page.waitForFunction(() => /^Plan a rainy-day Saturday.* · otel-genai$/.test(document.title));
    for (const [path, title] of [["/compare", "Compare"], ["/doctor", "Doctor"], ["/nowhere", "No such page"], ["/models/5", "No such page"], ["/trace", "No such page"]]) {
      await page.goto(mock.url + path);
      await page.waitForFunction((title) => document.title === `${title} · otel-genai`, title);
      assert.equal(await page.locator(".places a").count(), title === "No such page" ? 11 : 0, path);
    }
    await page.locator(".places a", { hasText: "Models" }).click();
    await page.locator(".grid td").first().waitFor();
  });
});

test("on a telephone no page is wider than its window", async () => {
  await on("/doctor", async (page) => {
    for (const [path, ready] of [["/doctor", ".finding"], ["/metrics", ".exemplar"], ["/settings", ".snippet"], ["/", ".newest"]]) {
      await page.goto(mock.url + path);
      await page.locator(ready).first().waitFor();
      assert.deepEqual(await page.evaluate(() => [document.scrollingElement, document.querySelector(".scroll")].filter((box) => box.scrollWidth > box.clientWidth).map((box) => box.scrollWidth)), [], path);
    }
  }, { width: 390, height: 844 });
});

test("below 980 pixels the two sides take turns", async () => {
  await on(`/trace/${ids.travel}`, async (page) => {
    await page.locator(".transcript").waitFor();
    assert.equal(await page.locator(".wf").count(), 0);
    await page.locator(".segments button", { hasText: "Waterfall" }).click();
    await page.locator(".wf-row").nth(3).waitFor();
    assert.equal(await page.locator(".transcript").count(), 0);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing sticks out");
  }, { width: 900 });
});
