// What the page of a running dashboard says, as JSON: `node test/look.mjs URL said TRACE…` or `… URL snippets`.
// The end-to-end tests hold it against what real SDKs were made to say, and do what the snippets say.
import { launch, open } from "./browser.mjs";

const [url, what, ...traces] = process.argv.slice(2);
const browser = await launch();
const { page, wrong } = await open(browser, { url }, { height: 3000 });
await page.clock.setFixedTime(new Date());

/** Each message of a trace: who said it, then its texts, tools and answers in the order in which they are read. */
async function said(trace) {
  await page.goto(`${url}/trace/${trace}`);
  await page.locator(".transcript .m.asst").first().waitFor();
  const folded = page.locator(".transcript .m > header .fold[aria-expanded=false]");
  while (await folded.count()) await folded.first().click();
  return page.locator(".transcript .m").evaluateAll((all) => all.map((message) => [message.querySelector("header b"), ...message.querySelectorAll(".body .long, .body .json, .tc > header b, .io-label")].map((one) => one.innerText.trim())));
}

async function snippets() {
  const found = {};
  for (const path of ["/", "/settings"]) {
    await page.goto(url + path);
    await page.locator(".snippet").first().waitFor();
    found[path] = await page.locator(".snippet").evaluateAll((all) => all.map((one) => [one.querySelector("figcaption").textContent, one.querySelector("pre").textContent]));
  }
  return found;
}

try {
  const seen = what === "snippets" ? await snippets() : [];
  if (what === "said") for (const trace of traces) seen.push(await said(trace));
  if (wrong.length) throw new Error(wrong.join("\n"));
  console.log(JSON.stringify(seen));
} finally {
  await browser.close();
}
