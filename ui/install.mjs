// The packages of package-lock.json, in node_modules: `node install.mjs`. Does nothing where they are there already.
//
// They are put together in a folder of their own and moved into place at once, so that two builds at the same time, or
// one that is stopped half-way, never leave a half of them.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const MODULES = join(HERE, "node_modules");
const STAMP = ".otel-genai-lock";
const WINDOWS = process.platform === "win32";

const lock = await readFile(join(HERE, "package-lock.json"));
const wanted = createHash("sha256").update(lock).update(`${process.platform} ${process.arch}`).digest("hex");
const there = () => readFile(join(MODULES, STAMP), "utf8").then((found) => found === wanted, () => false);

async function install() {
  const fresh = join(HERE, `.install-${process.pid}`);
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh);
  try {
    for (const name of ["package.json", "package-lock.json", ".npmrc"]) await copyFile(join(HERE, name), join(fresh, name));
    // No package runs anything at its installation. A machine without a network finds out soon.
    const flags = ["ci", "--ignore-scripts", "--prefer-offline", "--fetch-retries=1", "--fetch-retry-mintimeout=500", "--fetch-timeout=60000", "--loglevel=error"];
    const npm = spawnSync(WINDOWS ? "npm.cmd" : "npm", flags, { cwd: fresh, shell: WINDOWS, encoding: "utf8" });
    if (npm.error) throw new Error(`npm cannot be run: ${npm.error.message}`);
    if (npm.status !== 0) throw new Error(`npm ci failed: ${(npm.stderr || npm.stdout).trim()}`);
    await writeFile(join(fresh, "node_modules", STAMP), wanted);
    if (await there()) return;
    await rename(MODULES, join(fresh, "former")).catch(() => {});
    await rename(join(fresh, "node_modules"), MODULES).catch(async (error) => {
      // Another build was faster.
      if (!(await there())) throw error;
    });
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

if (!(await there())) {
  try {
    await install();
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
