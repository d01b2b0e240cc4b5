// The page and an /api/v1 with made-up data, on loopback: `node mock/server.mjs [--port N] [--still]
// [--empty] [--traces N] [--slow MS]`. `--still` fixes the clock and sends nothing live.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { listed } from "../build.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const UI = dirname(HERE);

/** A file of the mock's TypeScript, as a module of Node's. */
export async function load(name) {
  const folder = await mkdtemp(join(tmpdir(), "otel-genai-mock-"));
  const outfile = join(folder, `${name}.mjs`);
  await build({ entryPoints: [join(HERE, `${name}.ts`)], outfile, bundle: true, format: "esm", platform: "node", logLevel: "warning" });
  const module = await import(pathToFileURL(outfile));
  await rm(folder, { recursive: true, force: true });
  return module;
}

/** As the program sends it. */
export function headers(boot) {
  return {
    "content-security-policy":
      `default-src 'none'; script-src 'self' '${boot}'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self'; ` +
      "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
  };
}

/**
 * Starts the mock; answers its address and how to stop it.
 * @param {{port?: number, still?: boolean, empty?: boolean, traces?: number, slow?: number, dist?: string}} options
 */
export async function serve(options = {}) {
  const { World } = await load("world");
  const dist = options.dist ?? join(UI, "dist");
  const page = await listed(dist);
  const common = headers(page.boot);
  const files = new Map(await Promise.all(page.files.map(async (file) => [`/${file.path}`, { ...file, body: await readFile(join(dist, `${file.path}.gz`)) }])));
  const index = files.get("/index.html");
  const now = options.still ? Date.UTC(2026, 10, 22, 10, 30) : Date.now();
  const world = new World(now, options.empty ? -1 : (options.traces ?? 600));
  if (options.empty) world.made.length = 0;
  const streams = new Set();
  let sent = 0;

  const server = createServer(async (request, response) => {
    const url = new URL(request.url, "http://localhost");
    const answer = (status, type, body, extra = {}) => {
      response.writeHead(status, { ...common, "content-type": type, ...extra });
      response.end(body);
    };
    if (url.pathname === "/api/v1/stream") {
      response.writeHead(200, { ...common, "content-type": "text/event-stream", "cache-control": "no-store" });
      response.write(`id: mock-${sent}\nevent: hello\ndata: ${JSON.stringify({ epoch: "mock", n: sent })}\n\n`);
      response.write(`event: status\ndata: ${JSON.stringify(world.status())}\n\n`);
      streams.add(response);
      request.on("close", () => streams.delete(response));
      return;
    }
    if (url.pathname.startsWith("/api/v1/")) {
      if (options.slow) await new Promise((done) => setTimeout(done, options.slow));
      if (request.method === "DELETE") return answer(200, "application/json", JSON.stringify({ traces: world.made.splice(0).length, bytes: 41_203_112 }));
      const { status, body } = world.answer(decodeURIComponent(url.pathname.slice(7)), url.searchParams);
      const text = typeof body === "string" ? body : JSON.stringify(body);
      return answer(status, typeof body === "string" ? "text/plain; charset=utf-8" : "application/json", gzipSync(text, { level: 1 }), { "content-encoding": "gzip", "cache-control": "no-store" });
    }
    const file = files.get(url.pathname);
    if (file) return answer(200, file.type, file.body, { "content-encoding": "gzip", "cache-control": file.immutable ? "public, max-age=31536000, immutable" : "no-cache" });
    if (url.pathname.split("/").pop().includes(".")) return answer(404, "text/plain", "not found");
    return answer(200, index.type, index.body, { "content-encoding": "gzip", "cache-control": "no-cache" });
  });
  await new Promise((ready) => server.listen(options.port ?? 0, "127.0.0.1", ready));
  const send = (event, data) => {
    sent++;
    for (const stream of streams) stream.write(`id: mock-${sent}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  const timer = options.still ? undefined : setInterval(() => {
    send("traces", { items: [world.arrive(sent, Date.now())], more: 0 });
    send("status", { ...world.status(), perSecond: 180 + Math.round(Math.random() * 60) });
  }, 3000);
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    world,
    /** Tells every open page of what happened. */
    send,
    /** Sends a new trace to every open page. */
    arrive: () => send("traces", { items: [world.arrive(sent, now + sent)], more: 0 }),
    stop: () => {
      clearInterval(timer);
      for (const stream of streams) stream.end();
      server.closeAllConnections();
      return new Promise((done) => server.close(done));
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const args = process.argv.slice(2);
  const number = (flag) => (args.includes(flag) ? Number(args[args.indexOf(flag) + 1]) : undefined);
  const mock = await serve({ port: number("--port"), traces: number("--traces"), slow: number("--slow"), still: args.includes("--still"), empty: args.includes("--empty") });
  console.log(`The page with made-up data: ${mock.url}`);
}
