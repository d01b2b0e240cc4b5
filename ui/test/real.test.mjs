// The page over the program itself: OTEL_GENAI_BIN names it. What is sent are the mock's runs, as OTLP.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { axe, launch, open, openFile } from "./browser.mjs";
import { dashboard, durations, hostileSignals, onServer, run } from "./real.mjs";

/** What says nothing of where data are kept is tried with data in memory alone. */
const whereverKept = onServer && { skip: "the same wherever data are kept" };
const now = Date.now();
const told = Object.fromEntries(["large", "languages", "hostile", "media", "megabyte", "silent", "travel", "running"].map((scene, i) => [scene, run(scene, 100 + i, now - (9 - i) * 60_000)]));
const example = { trace: told.travel.id, span: told.travel.rows.find((row) => row.op === "chat").span, seconds: 1.21 };
const scripts = hostileSignals(now - 120_000, told.hostile.id);
const bots = [run("everyday", 11, now - 30_000), run("everyday", 12, now - 20_000)];
const record = { resourceLogs: [{ scopeLogs: [{ logRecords: [{ timeUnixNano: `${now}000000`, severityNumber: 13, eventName: "checkout.failed", body: { stringValue: "The basket was empty. ".repeat(9_000) }, attributes: [{ key: "order.id", value: { stringValue: "PDM-4471" } }] }] }] }] };
let real;
let browser;

before(async () => {
  real = await dashboard(process.env.OTEL_GENAI_BIN);
  browser = await launch();
  await real.send(...Object.values(told), ...bots);
  await real.metrics(durations(now - 900_000, ["gpt-5.5", "gpt-5.4-mini"], example));
  await real.logs(scripts.logs);
  await real.logs(record);
  await real.metrics(scripts.metrics);
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
    "/conversations": ".conv", "/conversation/conv_5j66KpQ2": ".m.asst", "/agents": ".matrix", "/models": ".grid", "/logs": ".log-table .row", "/search?q=impressionists": ".hit", "/services": ".grid td", "/doctor": ".finding", "/settings": onServer ? ".facts-grid" : ".limits", "/metrics": ".exemplar", [`/trace/${told.media.id}`]: ".media audio",
    [`/compare?a=${bots[0].id}&b=${bots[1].id}&same=1`]: ".steps td", [`/compare?a=${told.travel.id}.${call}&b=${told.travel.id}`]: ".steps td",
  };
  const all = [];
  for (const theme of onServer ? ["light"] : ["light", "dark"]) {
    const { page, context, wrong } = await open(browser, real, { theme });
    await page.clock.setFixedTime(new Date());
    for (const [path, ready] of Object.entries(pages)) {
      await page.goto(real.url + path);
      await page.locator(ready).first().waitFor().catch((error) => { throw new Error(`${path}: ${error.message}`); });
      if (!onServer) all.push(...(await axe(page, { colours: theme === "dark" })).map((one) => `${path} ${theme}: ${one}`));
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

test("filters are the server's, stand in the address, and Back brings the list as it was", async () => {
  await on("/traces", async (page) => {
    const where = () => new URL(page.url()).search;
    const first = page.locator(".facet", { hasText: "Service" }).locator(".facet-row").first();
    const service = await first.locator(".facet-name").textContent();
    assert.ok(await first.locator(".n").isVisible(), "the count stands beside a name of any length");
    await first.click();
    await page.waitForFunction((name) => {
      const [, ...cells] = document.querySelectorAll(".table .row .c-service");
      return cells.length && cells.every((cell) => cell.textContent === name);
    }, service);
    assert.equal(where(), `?${new URLSearchParams({ service })}`);
    await first.click();
    await page.locator(".check", { hasText: "With errors" }).click();
    await page.waitForFunction(() => {
      const [, ...cells] = document.querySelectorAll(".table .row .c-what");
      return cells.length && cells.every((cell) => cell.querySelector(".badge.err"));
    });
    const kept = where();
    const ids = () => page.locator(".table .row[id]").evaluateAll((rows) => rows.map((row) => row.id));
    const list = await ids();
    await page.locator(".table .row .c-what a").first().click();
    await page.locator(".wf-row").nth(1).waitFor();
    await page.goBack();
    await page.locator(`#${list[0]}`).waitFor();
    assert.equal(where(), kept);
    assert.deepEqual(await ids(), list);
    await page.reload();
    await page.locator(`#${list[0]}`).waitFor();
    assert.deepEqual(await ids(), list, "an address that is sent to another shows the same");
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

test("what was measured in a call leads to it", async () => {
  await on("/metrics?name=gen_ai.client.operation.duration&by=gen_ai.request.model", async (page) => {
    await page.locator(".examples a", { hasText: "1.21 s" }).click();
    await page.locator(".wf-row.sel", { hasText: "gpt-5.4-mini" }).waitFor();
    assert.equal(new URL(page.url()).pathname, `/trace/${example.trace}`);
    await page.goBack();
    await page.locator(".exemplar").waitFor();
    assert.deepEqual(await page.locator(".by option").allTextContents(), ["all together", "gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model"]);
  });
});

test("pictures and sounds stand where they were said", async () => {
  await on(`/trace/${told.media.id}`, async (page) => {
    await page.locator(".media audio").waitFor();
    const picture = page.locator(".m.user .media img");
    await page.waitForFunction(() => document.querySelector(".media img")?.naturalWidth === 96);
    assert.equal(await picture.count(), 1, "a drawing that could hold scripts is not drawn");
    await page.locator(".media", { hasText: "image/svg+xml" }).waitFor();
    await page.waitForFunction(() => document.querySelector(".media audio")?.duration === 0.5);
  });
});

test("a log record opens with all that came with it", async () => {
  await on("/logs?event=checkout.failed", async (page) => {
    await page.locator(".log-table .row").first().waitFor();
    await page.keyboard.press("j");
    await page.locator(".log-body .kv", { hasText: "PDM-4471" }).waitFor();
    assert.deepEqual(await axe(page), []);
    await page.locator(".log-body .long-foot button", { hasText: "Show all" }).click();
    await page.waitForFunction(() => (document.querySelector(".log-body .long")?.textContent?.length ?? 0) > 190_000);
    await page.keyboard.press("Escape");
    await page.locator(".log-pane").waitFor({ state: "detached" });
    assert.equal(new URL(page.url()).search, "?event=checkout.failed");
  });
});

test("the palette finds a run by its words, and the pages", async () => {
  await on("/traces", async (page) => {
    await page.locator(".table .row").nth(3).waitFor();
    await page.keyboard.press("Control+k");
    await page.locator("dialog.palette input").fill("rainy-day Saturday");
    await page.locator("[role=option]", { hasText: "Plan a rainy-day" }).first().waitFor();
    await page.keyboard.press("Enter");
    await page.waitForURL(new RegExp(`/trace/${told.travel.id}`));
    await page.locator("dialog").waitFor({ state: "detached" });
    await page.keyboard.press("Control+k");
    await page.locator("dialog.palette input").fill("doctor");
    await page.keyboard.press("Enter");
    await page.locator(".finding").first().waitFor();
  });
});

test("light and dark follow the system until one is chosen", { ...whereverKept }, async () => {
  await on("/settings", async (page) => {
    const colour = () => page.evaluate(() => getComputedStyle(document.querySelector(".card")).backgroundColor);
    await page.locator(".card").first().waitFor();
    const light = await colour();
    await page.emulateMedia({ colorScheme: "dark" });
    const dark = await colour();
    assert.notEqual(light, dark);
    await page.locator("[aria-label=Theme] button", { hasText: "Light" }).click();
    assert.equal(await colour(), light);
    await page.reload();
    await page.locator("[aria-label=Theme] button[aria-pressed=true]", { hasText: "Light" }).waitFor();
    assert.equal(await colour(), light);
    await page.locator("[aria-label=Theme] button", { hasText: "As the system" }).click();
    assert.equal(await colour(), dark);
  });
});

test("an empty dashboard says how to connect, and shows what then comes by itself", async () => {
  const empty = await dashboard(process.env.OTEL_GENAI_BIN);
  const { page, context, wrong } = await open(browser, empty);
  await page.clock.setFixedTime(new Date());
  for (const path of ["/conversations", "/agents", "/models", "/logs", "/services", "/doctor", "/metrics", "/traces"]) {
    await page.goto(empty.url + path);
    await page.locator(".empty, .connect").first().waitFor();
  }
  await page.locator(".connect .snippet").first().waitFor();
  await page.locator(".line.live").waitFor();
  await empty.send(run("travel", 7, Date.now() - 20_000));
  await page.locator(".table .row[id] .c-what a").first().click();
  await page.locator(".m.asst").first().waitFor();
  assert.deepEqual(wrong, []);
  await context.close();
  await empty.stop();
});

test("a run kept as a file opens from its folder, in both themes, and nothing in it runs or is loaded", { ...whereverKept }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "otel-genai-ui-test-"));
  /** By the page's own menu, as a person does it. */
  const save = async (one) => {
    const file = join(folder, `${one.id}.html`);
    await on(`/trace/${one.id}`, async (page) => {
      await page.locator("button", { hasText: "Export" }).click();
      const [download] = await Promise.all([page.waitForEvent("download"), page.locator("[role=menu] a, [role=menuitem]", { hasText: /html/i }).first().click()]);
      await download.saveAs(file);
    });
    return file;
  };
  const found = [];
  const read = async (file, options, body) => {
    const { page, context, wrong } = await openFile(browser, file, options);
    await body(page);
    assert.equal(await page.evaluate(() => globalThis.hurt), undefined);
    assert.equal(await page.locator("script, iframe, svg, link, object, form, [onload], [onerror], a:not([href^='#'])").count(), 0);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing sticks out");
    found.push(...(await axe(page, { colours: options.theme === "dark" })).map((one) => `${file} ${JSON.stringify(options)} ${one}`));
    assert.deepEqual(wrong, []);
    await context.close();
  };
  const travel = await save(told.travel);
  const { rows } = await real.get(`/traces/${told.travel.id}`);
  const colours = new Set();
  for (const options of [{ theme: "light" }, { theme: "dark" }, { theme: "light", width: 420 }]) {
    await read(travel, options, async (page) => {
      assert.equal(await page.locator(".wf li").count(), rows.filter((row) => !row.fold).length);
      colours.add(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
      await page.locator(".wf li a", { hasText: "gpt-5.5" }).click();
      await page.locator(".call:target", { hasText: "Would you like me to book the museum slots" }).waitFor();
      await page.locator(".call:target .go").first().click();
      await page.locator("li:target", { hasText: "gpt-5.5" }).waitFor();
    });
  }
  assert.equal(colours.size, 2);
  await read(await save(told.hostile), { theme: "light" }, async (page) => {
    assert.ok((await page.locator("main").textContent()).includes("<script>globalThis.hurt=1</script>"));
    for (const fold of await page.locator("summary").all()) await fold.click();
  });
  await read(await save(told.media), { theme: "light" }, async (page) => {
    await page.waitForFunction(() => document.querySelector("img")?.naturalWidth === 96);
    assert.deepEqual([await page.locator("img").count(), await page.locator("audio").count()], [1, 1]);
  });
  const large = await openFile(browser, await save(told.large));
  await large.page.locator(".note", { hasText: "The first 3,000 of 9,99" }).waitFor();
  assert.deepEqual(large.wrong, []);
  await large.context.close();
  assert.deepEqual(found, []);
  await rm(folder, { recursive: true });
});

test("scripts in every string stay text", { ...whereverKept }, async () => {
  const paths = [`/trace/${told.hostile.id}`, ...["span", "attributes", "tools", "raw"].flatMap((tab) => told.hostile.rows.map((row) => `/trace/${told.hostile.id}?span=${row.span}&tab=${tab}`)), `/trace/${told.hostile.id}?view=graph`, "/traces", "/models", "/agents", "/conversations", "/logs", "/services", "/doctor", "/search?q=script"];
  for (const name of scripts.names) paths.push(`/metrics?${new URLSearchParams({ name, by: name })}`);
  paths.push(`/trace/${told.hostile.id}?view=logs`, `/conversation/${encodeURIComponent(told.hostile.rows.find((row) => row.conversation)?.conversation ?? "")}`);
  await on("/", async (page) => {
    for (const path of paths) {
      await page.goto(real.url + path);
      await page.locator(".page").first().waitFor();
      await page.waitForFunction(() => !document.querySelector(".skeleton, [aria-busy=true]"));
      if (path === "/logs") {
        // What is open pushes others out of the list.
        const rows = await page.locator(".log-table .row .plain-text", { hasText: "hurt" }).all();
        for (const row of rows.slice(0, 10)) await row.click({ timeout: 1000 }).catch(() => {});
        await page.locator(".log-body .kv").first().waitFor();
      }
      for (const button of await page.locator(".fold[aria-expanded=false], .long-foot button").all()) await button.click({ timeout: 1000 }).catch(() => {});
      assert.equal(await page.evaluate(() => globalThis.hurt), undefined, path);
      assert.equal(await page.locator("main script, main iframe, main img, main style, main a[href^='javascript' i], main a[href^='data' i], main [onerror], main [onload]").count(), 0, path);
    }
  });
});
