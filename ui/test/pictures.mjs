// Pictures of every page: `node test/pictures.mjs DIR [page…]`. Builds nothing: run build.mjs first.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { serve } from "../mock/server.mjs";
import { launch, open } from "./browser.mjs";

const [dir = "pictures", ...only] = process.argv.slice(2);
await mkdir(dir, { recursive: true });
const mock = await serve({ still: true });
const empty = await serve({ still: true, empty: true });
const find = (name) => mock.world.made.find((one) => one.scene.name === name).row.id;
const id = find("travel");
const second = mock.world.full(id).rows.filter((row) => row.op === "chat")[1].span;
const tool = mock.world.full(id).rows.find((row) => row.op === "retrieval").span;
const PAGES = {
  overview: "/", traces: "/traces", trace: `/trace/${id}?span=${second}`, top: `/trace/${id}`, span: `/trace/${id}?span=${tool}&tab=span`, attributes: `/trace/${id}?span=${second}&tab=attributes`, usage: `/trace/${id}?tab=usage`, tools: `/trace/${id}?tab=tools`, raw: `/trace/${id}?span=${second}&tab=raw`,
  delta: `/trace/${id}?span=${second}&delta=1`, graph: `/trace/${id}?view=graph&span=${second}`, flame: `/trace/${id}?view=flame&span=${second}`, flamelarge: `/trace/${find("large")}?view=flame&zoom=0,4000`, logsview: `/trace/${id}?view=logs`, running: `/trace/${find("running")}`, large: `/trace/${find("large")}`, languages: `/trace/${find("languages")}`, hostile: `/trace/${find("hostile")}`, megabyte: `/trace/${find("megabyte")}`, silent: `/trace/${find("silent")}`, coding: `/trace/${find("coding")}`,
  odd: `/trace/${find("odd")}?tab=attributes`, filtered: "/traces?service=support-bot&error=1&sort=duration", none: "/traces?q=zzzz", conversations: "/conversations", conversation: "/conversation/conv_120", models: "/models", agents: "/agents", logs: "/logs", record: `/logs?log=${id.slice(0, 8)}-0`, search: "/search?q=paris", compare: `/compare?a=${mock.world.made.filter((one) => one.row.service === "support-bot")[0].row.id}&b=${mock.world.made.filter((one) => one.row.service === "support-bot")[1].row.id}`, services: "/services", metrics: "/metrics", metricsby: "/metrics?name=gen_ai.client.token.usage&by=gen_ai.request.model", doctor: "/doctor", settings: "/settings", missing: "/trace/ffffffffffffffffffffffffffffffff",
};
const browser = await launch();
for (const theme of ["light", "dark"]) {
  for (const width of [1440, 900]) {
    const { page, context, wrong } = await open(browser, mock, { width, theme });
    for (const [name, path] of Object.entries(PAGES)) {
      const picture = `${name}-${theme}-${width}`;
      if (only.length && !only.some((one) => picture.startsWith(one))) continue;
      await page.goto(mock.url + path);
      await page.waitForTimeout(350);
      await page.screenshot({ path: join(dir, `${picture}.png`) });
    }
    if (!only.length || only.some((one) => `empty-${theme}-${width}`.startsWith(one))) {
      await page.unroute("**/*");
      await page.goto(`${empty.url}/`);
      await page.waitForTimeout(300);
      await page.screenshot({ path: join(dir, `empty-${theme}-${width}.png`) });
    }
    const told = wrong.filter((one) => !one.includes("404"));
    if (told.length) console.log(theme, width, told.slice(0, 5));
    await context.close();
  }
}
await browser.close();
await mock.stop();
await empty.stop();
