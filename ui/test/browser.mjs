// A browser for the tests and the pictures: Debian's Chromium (or CHROMIUM), driven by playwright-core.
import { access, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

export async function browserPath() {
  for (const path of [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]) {
    if (!path) continue;
    try {
      await access(path);
      return path;
    } catch {
      // Not this one.
    }
  }
  return undefined;
}

export async function launch() {
  return chromium.launch({ executablePath: await browserPath(), args: ["--no-sandbox", "--disable-gpu"] });
}

/**
 * A page of the mock, on which the clock stands, and which notes everything that must not happen:
 * a request to anywhere else, a violation of the content policy, an error.
 */
export async function open(browser, mock, { width = 1440, height = 900, theme = "light" } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, timezoneId: "UTC", locale: "en-US", reducedMotion: "reduce" });
  const page = await context.newPage();
  // Slow machines are no failure.
  page.setDefaultTimeout(120_000);
  const wrong = [];
  await page.route("**/*", (route) => {
    const url = route.request().url();
    if (url.startsWith(`${mock.url}/`) || url.startsWith("data:") || url.startsWith("blob:")) return route.continue();
    wrong.push(`request to ${url}`);
    return route.abort();
  });
  page.on("pageerror", (error) => wrong.push(`error: ${error.stack ?? error}`));
  page.on("console", (message) => {
    if (message.type() === "error") wrong.push(`console: ${message.text()}`);
  });
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
  });
  await page.clock.setFixedTime(new Date(Date.UTC(2026, 10, 22, 10, 30)));
  return { page, context, wrong };
}

/** A file as a person opens it from a folder: whatever it asks for besides itself is wrong. */
export async function openFile(browser, file, { width = 1440, height = 900, theme = "light" } = {}) {
  const url = pathToFileURL(file).href;
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, reducedMotion: "reduce" });
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  const wrong = [];
  page.on("request", (request) => {
    if (request.url().split("#")[0] !== url && !request.url().startsWith("data:")) wrong.push(`request to ${request.url()}`);
  });
  page.on("pageerror", (error) => wrong.push(`error: ${error}`));
  page.on("console", (message) => {
    if (message.type() === "error") wrong.push(`console: ${message.text()}`);
  });
  await page.goto(url);
  return { page, context, wrong };
}

/**
 * What axe finds wrong on a page. It is put in by the browser's own protocol: policies rightly refuse other scripts.
 * The second theme is the same document in other colours: `colours` looks for nothing else.
 */
export async function axe(page, { colours = false } = {}) {
  await page.evaluate(AXE);
  const found = await page.evaluate((run) => globalThis.axe.run(document, run), { runOnly: colours ? ["color-contrast"] : RULES, resultTypes: ["violations"] });
  return found.violations.map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => `${node.target} ${node.any[0]?.message ?? ""}`).join(" | ")}`);
}
