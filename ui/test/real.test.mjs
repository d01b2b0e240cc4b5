// The page over the program itself: OTEL_GENAI_BIN names it. What is sent are the mock's runs, as OTLP.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { launch, open } from "./browser.mjs";
import { dashboard, durations, run } from "./real.mjs";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

const now = Date.now();
const told = Object.fromEntries(["large", "languages", "hostile", "megabyte", "silent", "travel", "running"].map((scene, i) => [scene, run(scene, 100 + i, now - (8 - i) * 60_000)]));
const bots = [run("everyday", 11, now - 30_000), run("everyday", 12, now - 20_000)];
let real;
let browser;

before(async () => {
  real = await dashboard(process.env.OTEL_GENAI_BIN);
  browser = await launch();
  await real.send(...Object.values(told), ...bots);
  await real.metrics(durations(now - 900_000, ["gpt-5.5", "gpt-5.4-mini"]));
});
after(async () => {
  await browser?.close();
  await real?.stop();
});

/** Runs `body` on a page of its own, on which nothing forbidden may happen. */
async function on(path, body, options = {}) {
  const { page, context, wrong } = await open(browser, real, options);
  await page.clock.setFixedTime(new Date());
  try {
    await page.goto(real.url + path);
    await body(page);
    assert.deepEqual(wrong, [], path);
  } finally {
    await context.close();
  }
}

test("every page shows what was sent, and is sound by axe in both themes", async () => {
  const trace = `/trace/${told.travel.id}`;
  const call = told.travel.rows.find((row) => row.op === "chat").span;
  const retrieval = told.travel.rows.find((row) => row.op === "retrieval").span;
  const pages = {
    "/": ".newest", "/traces": ".table .row:nth-child(2)", [trace]: ".m.asst", [`${trace}?span=${retrieval}&tab=span`]: ".docs", [`${trace}?span=${call}&tab=attributes`]: ".kv", [`${trace}?tab=usage`]: ".growth", [`${trace}?tab=tools`]: ".tool-def", [`${trace}?tab=evals`]: ".panel .grid",
    [`${trace}?tab=raw`]: ".code", [`${trace}?view=logs`]: ".logs", [`${trace}?view=flame`]: ".flame", [`${trace}?view=graph`]: ".node", [`/trace/${told.silent.id}`]: ".absent", [`/trace/${told.languages.id}`]: ".m.asst", [`/trace/${told.running.id}`]: ".wf-row.run",
    "/conversations": ".conv", "/conversation/conv_5j66KpQ2": ".m.asst", "/agents": ".matrix", "/models": ".grid", "/logs": ".log-table .row", "/search?q=impressionists": ".hit", "/services": ".grid td", "/doctor": ".finding", "/settings": ".limits", "/metrics": ".chart path",
    [`/compare?a=${bots[0].id}&b=${bots[1].id}&same=1`]: ".steps td", [`/compare?a=${told.travel.id}.${call}&b=${told.travel.id}`]: ".steps td",
  };
  const all = [];
  for (const theme of ["light", "dark"]) {
    const { page, context, wrong } = await open(browser, real, { theme });
    await page.clock.setFixedTime(new Date());
    for (const [path, ready] of Object.entries(pages)) {
      await page.goto(real.url + path);
      await page.locator(ready).first().waitFor().catch((error) => { throw new Error(`${path}: ${error.message}`); });
      await page.evaluate(AXE);
      const found = await page.evaluate((rules) => globalThis.axe.run(document, { runOnly: rules }), RULES);
      all.push(...found.violations.map((one) => `${path} ${theme}: ${one.id}: ${one.nodes.slice(0, 3).map((node) => `${node.target} ${node.any[0]?.message ?? ""}`).join(" | ")}`));
    }
    assert.deepEqual(wrong, []);
    await context.close();
  }
  assert.deepEqual(all, []);
});

test("the numbers of a run are those that were sent", async () => {
  await on(`/trace/${told.travel.id}`, async (page) => {
    await page.locator(".m.asst").first().waitFor();
    const figures = await page.locator(".figures dl").innerText();
    for (const number of ["8.39 s", "380 ms", "21,654", "1,187"]) assert.ok(figures.includes(number), `${number} in ${figures}`);
    assert.equal(await page.locator(".wf-row .name", { hasText: "book_table" }).count(), 2);
    assert.equal(await page.locator(".tc", { hasText: "find_museums" }).first().locator(".pill", { hasText: "retrieval" }).count(), 1);
  });
});

test("from the list to a message and a span by the keyboard alone, and back", async () => {
  await on("/", async (page) => {
    // Keys are heard once the page is drawn.
    await page.locator(".newest").waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("t");
    const row = page.locator(".table .row", { hasText: "travel-planner" });
    await row.waitFor();
    const selected = () => document.querySelector(".table .row.sel")?.id ?? "";
    for (let i = 0; i < 30 && !(await page.locator(".table .row.sel", { hasText: "travel-planner" }).count()); i++) {
      const before = await page.evaluate(selected);
      await page.keyboard.press("j");
      // Drawn later, it would be missed, and passed by.
      await page.waitForFunction((before) => (document.querySelector(".table .row.sel")?.id ?? "") !== before, before);
    }
    await page.keyboard.press("Enter");
    await page.locator(".wf-row").nth(5).waitFor();
    await page.keyboard.press("n");
    await page.locator(".wf-row.sel", { hasText: "book_table" }).waitFor();
    await page.keyboard.press("Enter");
    await page.locator(".span-head", { hasText: "book_table" }).waitFor();
    await page.keyboard.press("r");
    await page.locator(".code", { hasText: "spanId" }).waitFor();
    await page.keyboard.press("a");
    await page.locator(".node[aria-pressed=true]", { hasText: "book_table" }).waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await page.locator(".table .row.sel", { hasText: "travel-planner" }).waitFor();
  });
});

test("filters are the server's", async () => {
  await on("/traces", async (page) => {
    const first = page.locator(".facet", { hasText: "Service" }).locator(".facet-row").first();
    const service = await first.locator(".facet-name").textContent();
    assert.ok(await first.locator(".n").isVisible(), "the count stands beside a name of any length");
    await first.click();
    await page.waitForFunction((name) => [...document.querySelectorAll(".table .row .c-service")].slice(1).every((cell) => cell.textContent === name), service);
    await first.click();
    await page.locator(".check", { hasText: "With errors" }).click();
    await page.waitForFunction(() => [...document.querySelectorAll(".table .row .c-what")].slice(1).every((cell) => cell.querySelector(".badge.err")));
  });
});

test("new runs and new spans come by themselves; a paused list says how many wait", async () => {
  await on("/traces", async (page) => {
    await page.locator(".line.live").waitFor();
    const first = run("everyday", 31, Date.now() - 8_000);
    await real.send(first);
    await page.locator(`#t-${first.id}`).waitFor();
    await page.keyboard.press("Space");
    const second = run("everyday", 32, Date.now() - 5_000);
    await real.send(second);
    await page.locator(".live-word", { hasText: "1 new" }).waitFor();
    assert.equal(await page.locator(`#t-${second.id}`).count(), 0);
    await page.keyboard.press("Space");
    await page.locator(`#t-${second.id}`).waitFor();
  });
  await on(`/trace/${told.running.id}`, async (page) => {
    await page.locator(".wf-row").nth(2).waitFor();
    const open = told.running.rows.find((row) => row.state === "running");
    const ended = { traceId: told.running.id, spanId: open.span, ...(open.parent && { parentSpanId: open.parent }), name: "settled at last", kind: 1, startTimeUnixNano: `${now - 60_000}000000`, endTimeUnixNano: `${Date.now()}000000` };
    const body = structuredClone(told.running.traces);
    body.resourceSpans[0].scopeSpans[0].spans = [ended];
    await real.send({ traces: body, logs: { resourceLogs: [{ scopeLogs: [{ logRecords: [] }] }] } });
    await page.locator(".wf-row .name", { hasText: "settled at last" }).waitFor();
  });
});

test("ten thousand spans: few nodes, every row within reach", async () => {
  await on(`/trace/${told.large.id}`, async (page) => {
    await page.locator(".wf-row").nth(5).waitFor();
    assert.ok((await page.locator(".wf-row").count()) < 80);
    await page.locator(".field.small input").fill("ticket 1990");
    await page.locator(".field.small .n", { hasText: /^1$/ }).waitFor();
    await page.locator(".field.small input").press("Enter");
    await page.locator(".wf-row.sel", { hasText: "ticket 1990" }).waitFor();
  });
});

test("a prompt of one megabyte opens whole", async () => {
  await on(`/trace/${told.megabyte.id}`, async (page) => {
    await page.locator(".m.user .long-foot button", { hasText: "Show all" }).click();
    await page.waitForFunction(() => (document.querySelector(".m.user .long")?.textContent?.length ?? 0) > 1_000_000);
  });
});

test("scripts in every string stay text", async () => {
  const paths = [`/trace/${told.hostile.id}`, ...["span", "attributes", "tools", "raw"].flatMap((tab) => told.hostile.rows.map((row) => `/trace/${told.hostile.id}?span=${row.span}&tab=${tab}`)), `/trace/${told.hostile.id}?view=graph`, "/traces", "/models", "/agents", "/conversations", "/logs", "/services", "/doctor", "/search?q=script"];
  await on("/", async (page) => {
    for (const path of paths) {
      await page.goto(real.url + path);
      await page.locator(".page").first().waitFor();
      await page.waitForFunction(() => !document.querySelector(".skeleton, [aria-busy=true]"));
      for (const button of await page.locator(".fold[aria-expanded=false], .long-foot button").all()) await button.click({ timeout: 1000 }).catch(() => {});
      assert.equal(await page.evaluate(() => globalThis.hurt), undefined, path);
      assert.equal(await page.locator("main script, main iframe, main img, main style, main a[href^='javascript' i], main a[href^='data' i], main [onerror], main [onload]").count(), 0, path);
    }
  });
});
