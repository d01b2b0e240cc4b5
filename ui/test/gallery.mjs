// The pictures of docs/dashboard-gallery.md, of the program itself: `OTEL_GENAI_BIN=… node test/gallery.mjs [DIR]`.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { launch, open, openFile } from "./browser.mjs";
import { dashboard, durations, run } from "./real.mjs";

const dir = resolve(process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), "../../docs/images"));
await mkdir(dir, { recursive: true });
const real = await dashboard(process.env.OTEL_GENAI_BIN);
const browser = await launch();
const now = Date.now();
// A day's work: more by day than by night.
for (let i = 120; i > 0; i--) {
  const hours = (i / 120) * 23;
  if (i % 3 && Math.sin(hours / 3.8) < -0.2) continue;
  await real.send(run("everyday", 500 + i, Math.floor(now - hours * 3_600_000 - 60_000)));
}
const travel = run("travel", 1, now - 150_000);
const bots = [run("everyday", 7, now - 330_000), run("everyday", 37, now - 320_000)];
const media = run("media", 6, now - 200_000);
await real.send(run("languages", 3, now - 400_000), run("silent", 4, now - 300_000), ...bots, media, travel, run("running", 5, now - 9_000));
const calls = travel.rows.filter((row) => row.op === "chat");
await real.metrics(durations(now - 900_000, ["gpt-5.5", "gpt-5.4-mini"], { trace: travel.id, span: calls[0].span, seconds: 1.21 }));
const retrieval = travel.rows.find((row) => row.op === "retrieval").span;
const trace = `/trace/${travel.id}`;

/** A third of what PNG takes: made by the browser, which can. */
const encoder = await browser.newPage();
async function keep(name, page) {
  const png = (await page.screenshot()).toString("base64");
  const webp = await encoder.evaluate(async (png) => {
    const picture = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
    const canvas = new OffscreenCanvas(picture.width, picture.height);
    canvas.getContext("2d").drawImage(picture, 0, 0);
    const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/webp", quality: 0.85 })).arrayBuffer());
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    return btoa(text);
  }, png);
  await writeFile(join(dir, `dashboard-${name}.webp`), Buffer.from(webp, "base64"));
}

const PICTURES = {
  "trace-dark": [`${trace}?span=${calls[1].span}`, ".m.sel"],
  "trace-light": [`${trace}?span=${calls[1].span}`, ".m.sel"],
  "span-light": [`${trace}?span=${retrieval}&tab=span`, ".docs"],
  "compare-light": [`/compare?a=${bots[0].id}&b=${bots[1].id}`, ".steps td"],
  "graph-dark": [`${trace}?view=graph&tab=usage`, ".node"],
  "traces-dark": ["/traces", ".table .row:nth-child(3)"],
  "overview-light": ["/", ".newest"],
  "agents-light": ["/agents", ".matrix"],
  "media-dark": [`/trace/${media.id}`, ".media audio"],
  "doctor-dark": ["/doctor", ".finding"],
  "metrics-dark": ["/metrics", ".exemplar"],
};
for (const [name, [path, ready]] of Object.entries(PICTURES)) {
  const { page, context, wrong } = await open(browser, real, { theme: name.split("-").at(-1) });
  await page.clock.setFixedTime(new Date(now));
  await page.goto(real.url + path);
  await page.locator(ready).first().waitFor();
  await page.locator(".line.live").waitFor();
  await page.waitForTimeout(600);
  await keep(name, page);
  if (wrong.length) console.log(name, wrong);
  await context.close();
}
const folder = await mkdtemp(join(tmpdir(), "otel-genai-gallery-"));
const file = join(folder, "trace.html");
await writeFile(file, await (await fetch(`${real.url}/api/v1/traces/${travel.id}/export?format=html`)).text());
const { page } = await openFile(browser, file);
await keep("file-light", page);
await rm(folder, { recursive: true });
await browser.close();
await real.stop();
