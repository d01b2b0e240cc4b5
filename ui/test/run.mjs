// All tests of the page: `node test/run.mjs [--unit]`. Units are bundled (they are TypeScript) and run
// by Node's own runner; then the page is built and tried in a browser, where there is one. With `--real`
// it is tried over the program that OTEL_GENAI_BIN names, and nothing else is run.
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { browserPath } from "./browser.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const UI = dirname(HERE);

function run(args, options = {}) {
  const done = spawnSync(process.execPath, args, { cwd: UI, stdio: "inherit", ...options });
  if (done.status !== 0) process.exitCode = 1;
  return done.status === 0;
}

const NO_BROWSER = "no Chromium at /usr/bin/chromium, and CHROMIUM names none";

if (process.argv.includes("--real")) {
  if (!(await browserPath())) console.log(`skipped: ${NO_BROWSER}`);
  else run(["--test", "--test-reporter=spec", "--test-timeout=1200000", join(HERE, "real.test.mjs")]);
} else await all();

async function all() {
  const out = await mkdtemp(join(tmpdir(), "otel-genai-ui-test-"));
  try {
    const units = (await readdir(join(HERE, "unit"))).filter((name) => name.endsWith(".test.ts"));
    await build({ entryPoints: units.map((name) => join(HERE, "unit", name)), outdir: out, outExtension: { ".js": ".mjs" }, bundle: true, format: "esm", platform: "node", jsx: "automatic", jsxImportSource: "preact", logLevel: "warning" });
    run(["--test", "--test-timeout=120000", ...units.map((name) => join(out, name.replace(/\.ts$/, ".mjs")))]);
    if (!process.argv.includes("--unit") && process.exitCode !== 1) {
      if (!(await browserPath())) console.log(`skipped: the browser tests (${NO_BROWSER})`);
      else if (run(["build.mjs", "--budget"])) run(["--test", "--test-reporter=spec", "--test-timeout=1200000", ...["page", "live"].map((name) => join(HERE, `${name}.test.mjs`))]);
    }
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}
