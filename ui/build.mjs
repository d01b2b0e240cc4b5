// Makes the page: `node build.mjs [--out DIR] [--watch] [--budget]`. With `--budget`, a page that is too large is a failure.
//
// What comes out depends on the sources alone (names carry a hash of the content), so that a
// build can be compared with another. Every file is compressed here once; the program that serves
// them never does it again. `page.list` tells that program what there is, in lines with tabs.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, context, transform } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));

/** Compressed bytes that a first visit and the whole page may cost. */
const BUDGET = { first: 70_000, main: 55_000, css: 12_000, all: 90_000 };

const TYPES = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8",
};

function options(out) {
  return {
    absWorkingDir: HERE,
    entryPoints: { main: "src/main.tsx", style: "src/style/all.css", icon: "src/icon.svg" },
    outdir: out,
    bundle: true,
    minify: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    metafile: true,
    charset: "utf8",
    legalComments: "linked",
    jsx: "automatic",
    jsxImportSource: "preact",
    loader: { ".svg": "copy" },
    entryNames: "assets/[name]-[hash]",
    chunkNames: "assets/[name]-[hash]",
    assetNames: "assets/[name]-[hash]",
    write: false,
    logLevel: "warning",
  };
}

/** Writes what esbuild made, the HTML around it, and the list of both. */
async function write(result, out) {
  await rm(out, { recursive: true, force: true });
  const files = [];
  const entries = {};
  for (const [path, made] of Object.entries(result.metafile.outputs)) {
    if (made.entryPoint) entries[made.entryPoint] = relative(out, resolve(HERE, path));
  }
  const keep = async (path, bytes, immutable) => {
    const packed = gzipSync(bytes, { level: 9 });
    const target = join(out, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, bytes);
    await writeFile(`${target}.gz`, packed);
    files.push({
      path,
      type: TYPES[path.split(".").pop()] ?? "application/octet-stream",
      bytes: bytes.length,
      gzipBytes: packed.length,
      hash: createHash("sha256").update(bytes).digest("hex").slice(0, 16),
      immutable,
    });
  };
  for (const file of result.outputFiles) {
    const path = relative(out, file.path);
    // An entry that only copies a file leaves a module with its name behind: nobody asks for it.
    if (/icon-[^/]*\.js$/.test(path)) continue;
    await keep(path, Buffer.from(file.contents), true);
  }

  await keep("licenses.txt", Buffer.from(await licenses(result.metafile)), false);

  const boot = (await transform(await readFile(join(HERE, "src/boot.js"), "utf8"), { minify: true, format: "iife" })).code.trim();
  const icon = files.find((file) => file.type === TYPES.svg);
  // What the first page loads besides its entry: fetched at once, not one after the other.
  const main = `/${entries["src/main.tsx"]}`;
  const first = chunks(result.metafile, out, entries["src/main.tsx"]);
  const preload = [main, ...first].map((path) => `<link rel="modulepreload" href="${path}">`).join("\n");
  const names = { boot, first, preload, icon: `/${icon.path}`, style: `/${entries["src/style/all.css"]}`, main };
  const template = await readFile(join(HERE, "index.html"), "utf8");
  const html = template.replace(/\{\{(\w+)\}\}/g, (_, name) => names[name]);
  await keep("index.html", Buffer.from(html), false);

  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  const lines = [
    ["boot", `sha256-${createHash("sha256").update(boot).digest("base64")}`],
    ...files.map((file) => ["file", file.path, file.type, file.hash, file.immutable ? "immutable" : "changing"]),
  ];
  await writeFile(join(out, "page.list"), `${lines.map((line) => line.join("\t")).join("\n")}\n`);
  return budget(files, names);
}

/** The licences of the packages that are in the page: they go where the page goes. */
async function licenses(metafile) {
  const packages = new Set(Object.keys(metafile.inputs).flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []));
  const told = [];
  for (const name of [...packages].sort()) {
    const folder = join(HERE, "node_modules", name);
    const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const file = (await readdir(folder)).find((one) => /^licen[sc]e/i.test(one));
    told.push(`${name} ${version} (${license})\n\n${file ? (await readFile(join(folder, file), "utf8")).trim() : ""}\n`);
  }
  return told.join("\n---\n\n");
}

/** The files that an entry imports by itself, and theirs. */
function chunks(metafile, out, entry) {
  const found = new Set();
  const visit = (path) => {
    for (const one of metafile.outputs[path].imports) {
      if (one.kind !== "import-statement" || found.has(one.path)) continue;
      found.add(one.path);
      visit(one.path);
    }
  };
  visit(Object.keys(metafile.outputs).find((path) => relative(out, resolve(HERE, path)) === entry));
  return [...found].map((path) => `/${relative(out, resolve(HERE, path))}`);
}

/** Prints what each file costs over the wire; answers whether it is within the budget. */
function budget(files, names) {
  const size = (path) => files.find((file) => `/${file.path}` === path)?.gzipBytes ?? 0;
  const counted = files.filter((file) => !file.path.endsWith(".txt"));
  const all = counted.reduce((sum, file) => sum + file.gzipBytes, 0);
  const main = size(names.main) + names.first.reduce((sum, path) => sum + size(path), 0);
  const sums = {
    main,
    css: size(names.style),
    first: main + size(names.style) + size("/index.html"),
    all,
  };
  const kb = (bytes) => `${(bytes / 1000).toFixed(1).padStart(6)} kB`;
  for (const file of counted) console.log(`${kb(file.gzipBytes)}  ${file.path}`);
  let within = true;
  for (const [name, most] of Object.entries(BUDGET)) {
    const over = sums[name] > most;
    within &&= !over;
    console.log(`${kb(sums[name])}  ${name} (budget ${kb(most).trim()})${over ? "  TOO LARGE" : ""}`);
  }
  return within;
}

/** What `page.list` says, for those that serve a folder. */
export async function listed(out) {
  const lines = (await readFile(join(out, "page.list"), "utf8")).trim().split("\n").map((line) => line.split("\t"));
  const files = lines.filter(([what]) => what === "file").map(([, path, type, hash, kind]) => ({ path, type, hash, immutable: kind === "immutable" }));
  return { boot: lines.find(([what]) => what === "boot")[1], files };
}

export async function page(out) {
  return write(await build(options(out)), out);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const args = process.argv.slice(2);
  const at = args.indexOf("--out");
  const out = resolve(at < 0 ? join(HERE, "dist") : args[at + 1]);
  if (args.includes("--watch")) {
    const again = { name: "again", setup: (b) => b.onEnd((result) => (result.errors.length ? undefined : write(result, out))) };
    const watching = await context({ ...options(out), plugins: [again] });
    await watching.watch();
  } else if (!(await page(out)) && args.includes("--budget")) {
    console.error("The page is larger than its budget (see BUDGET in build.mjs).");
    process.exitCode = 1;
  }
}
