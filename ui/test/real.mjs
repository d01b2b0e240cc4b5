// The program itself, with a dashboard of its own on free ports, and what a sender would say to it. Its data are in memory,
// or in a database of its own in the ClickHouse that OTEL_GENAI_TEST_CLICKHOUSE names.
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { load } from "../mock/server.mjs";

const { durations, hostileSignals, run } = await load("otlp");
export { durations, hostileSignals, run };

async function freePort() {
  const server = createServer();
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

const SERVER = process.env.OTEL_GENAI_TEST_CLICKHOUSE;
/** Whether data are in ClickHouse. */
export const onServer = Boolean(SERVER);
let databases = 0;

/** Starts `otel-genai dashboard`; answers its address, how to send to it, and how to end it. */
export async function dashboard(program) {
  const [page, http] = [await freePort(), await freePort()];
  const data = SERVER ? ["--store", `${SERVER}/page_${process.pid}_${Date.now()}_${databases++}`] : ["--memory"];
  const child = spawn(program, ["dashboard", ...data, "--page", `127.0.0.1:${page}`, "--http", `127.0.0.1:${http}`, "--grpc", "off"], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stdout.on("data", (text) => { said += text; });
  child.stderr.on("data", (text) => { said += text; });
  const ended = new Promise((done) => child.once("exit", done));
  const url = `http://127.0.0.1:${page}`;
  for (const deadline = Date.now() + 30_000; ; ) {
    if (await fetch(`${url}/api/v1/about`).then((answer) => answer.ok, () => false)) break;
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`the dashboard does not answer: ${said}`);
    await new Promise((later) => setTimeout(later, 30));
  }
  const post = async (signal, body) => {
    const answer = await fetch(`http://127.0.0.1:${http}/v1/${signal}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    const told = await answer.text();
    if (!answer.ok || told !== "{}") throw new Error(`/v1/${signal}: ${answer.status} ${told}`);
  };
  return {
    url,
    /** The runs of scenes, one after the other in time; the last one ends now. */
    async send(...told) {
      for (const one of told) {
        await post("traces", one.traces);
        if (one.logs.resourceLogs[0].scopeLogs[0].logRecords.length) await post("logs", one.logs);
      }
    },
    logs: (body) => post("logs", body),
    metrics: (body) => post("metrics", body),
    get: async (path) => (await fetch(`${url}/api/v1${path}`)).json(),
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
