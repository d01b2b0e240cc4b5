/** What is kept where and for how long, how to connect, and how the page looks. */
import { useState } from "preact/hooks";
import type { Deleted, Settings as Told, Setting, SettingsChange } from "../api";
import { api, change, problem, useGet } from "../client";
import { bytes, count, duration, percent, plural } from "../lib/format";
import { about } from "../live";
import { choose, theme, type Theme } from "../state/theme";
import { Busy, Button, Failed, Skeleton } from "../ui/bits";
import { CopyText } from "../ui/CopyText";
import { Dialog } from "../ui/Dialog";
import { Top } from "../ui/Top";

const FROM = { flag: "flag", environment: "environment", page: "this page", default: "default" } as const;
const DAY = 86_400_000;
const GIB = 1 << 30;

export function Settings() {
  const answer = useGet<Told>(api("/settings"), { hold: true, poll: 15_000 });
  const [asking, setAsking] = useState(false);
  const [said, setSaid] = useState("");
  const data = answer.data;
  const status = data?.status;
  const remove = async () => {
    setAsking(false);
    try {
      const gone = (await (await change("DELETE", api("/data", { all: "1" }))).json()) as Deleted;
      setSaid(`${plural(gone.traces, "trace")} deleted, ${bytes(gone.bytes)} free again.`);
      answer.again();
    } catch (error) {
      setSaid(problem(error).message);
    }
  };
  return (
    <div class="page">
      <Top crumbs={<h1>Settings</h1>} />
      <div class="scroll" tabIndex={0} role="region" aria-label="Settings">
        <Busy of={answer} />
        {answer.error && !data ? <Failed error={answer.error} again={answer.again} /> : !data || !status ? <Skeleton height={48} rows={8} /> : (
          <div class="pages settings">
            <section class="card">
              <h2>Theme</h2>
              <div class="segments inline" role="group" aria-label="Theme">{(["auto", "light", "dark"] as Theme[]).map((one) => <button key={one} type="button" aria-pressed={theme.value === one} onClick={() => choose(one)}>{one === "auto" ? "As the system" : one === "light" ? "Light" : "Dark"}</button>)}</div>
            </section>
            <section class="card">
              <h2>Storage</h2>
              <dl class="facts-grid">
                <div><dt>Where</dt><dd><code>{data.dataDir}</code></dd></div>
                <div><dt>Used</dt><dd>{bytes(status.bytes)}{data.maxBytes ? ` of ${bytes(data.maxBytes)} (${percent(status.bytes, data.maxBytes)})` : ", without a limit"}</dd></div>
                <div><dt>Kept for</dt><dd>{data.maxAgeMs ? duration(data.maxAgeMs) : "ever"}</dd></div>
                <div><dt>Held</dt><dd>{plural(status.traces, "trace")}, {plural(status.spans, "span")}, {plural(status.logs, "log")}</dd></div>
                <div><dt>Longest content</dt><dd>{data.maxContent ? bytes(data.maxContent) : "not cut"}</dd></div>
                <div><dt>Written to disk</dt><dd>{data.sync === "full" ? "before each answer" : "soon after"}</dd></div>
              </dl>
              {!data.readOnly && <Limits key={`${data.maxAgeMs} ${data.maxBytes}`} data={data} done={(words) => { setSaid(words); answer.again(); }} />}
              {!data.readOnly && <p><Button onClick={() => setAsking(true)}>Delete everything…</Button> <span role="status" class="mut">{said}</span></p>}
              {data.readOnly && <p class="t-warn">Opened only to look at: nothing is taken, deleted or changed here.</p>}
            </section>
            {data.connect.length > 0 && <section class="card">
              <h2>Connect a program</h2>
              {data.connect.map((way) => <figure key={way.language} class="snippet"><figcaption>{way.language}</figcaption><CopyText text={way.text} /><pre tabIndex={0}>{way.text}</pre></figure>)}
            </section>}
            {data.mcp && <section class="card">
              <h2>Ask from a coding agent (MCP)</h2>
              <p class="mut">Read-only tools: list traces, read a transcript, search, list errors, explain a span.</p>
              {[["stdio", data.mcp.stdio], ["http", data.mcp.http]].map(([name, text]) => <figure key={name} class="snippet"><figcaption>{name}</figcaption><CopyText text={text as string} /><pre tabIndex={0}>{text}</pre></figure>)}
            </section>}
            <section class="card">
              <h2>Settings in force</h2>
              <div class="x-scroll">
                <table class="grid"><thead><tr><th>Name</th><th>Value</th><th>From</th></tr></thead><tbody>{data.variables.map((one) => <tr key={one.name}><td><code>{one.name}</code></td><td class="wrap"><code>{one.value}</code></td><td class={one.from === "default" ? "mut" : undefined}>{FROM[one.from]}</td></tr>)}</tbody></table>
              </div>
            </section>
            {about.value && <p class="mut small">otel-genai {about.value.version}{about.value.pricesDate ? ` · prices of ${about.value.pricesDate}` : ""}{status.damaged.length ? ` · ${count(status.damaged.length)} damaged files kept aside` : ""}</p>}
          </div>
        )}
      </div>
      {asking && (
        <Dialog label="Delete everything" onClose={() => setAsking(false)} class="ask">
          <h2>Delete everything that is kept?</h2>
          <p class="mut">{status && `${plural(status.traces, "trace")}, ${bytes(status.bytes)}.`} This cannot be undone.</p>
          <div class="ask-buttons"><Button onClick={() => setAsking(false)}>Keep it</Button><button type="button" class="btn danger" onClick={remove}>Delete everything</button></div>
        </Dialog>
      )}
    </div>
  );
}

/** How long and how much is kept. What a flag or a variable decides is told and not offered. */
function Limits({ data, done }: { data: Told; done: (words: string) => void }) {
  const may = (setting: Setting) => data.changeable?.includes(setting) ?? false;
  const [days, setDays] = useState(inUnits(data.maxAgeMs, DAY));
  const [size, setSize] = useState(inUnits(data.maxBytes, GIB));
  const [wrong, setWrong] = useState("");
  const edited = days !== inUnits(data.maxAgeMs, DAY) || size !== inUnits(data.maxBytes, GIB);
  const fixed = ([["maxAgeMs", "_MAX_AGE", "how long"], ["maxBytes", "_MAX_BYTES", "how much"]] as const)
    .flatMap(([setting, ending, what]) => {
      const from = data.variables.find((one) => one.name.endsWith(ending))?.from;
      return may(setting) || from === undefined || from === "default" ? [] : [`A ${from === "flag" ? "flag" : "variable"} says ${what} is kept.`];
    });
  const save = async (event: Event) => {
    event.preventDefault();
    const body: SettingsChange = {};
    if (days !== inUnits(data.maxAgeMs, DAY)) body.maxAgeMs = outOf(days, DAY);
    if (size !== inUnits(data.maxBytes, GIB)) body.maxBytes = outOf(size, GIB);
    try {
      await change("PATCH", api("/settings"), JSON.stringify(body));
      setWrong("");
      done("Saved.");
    } catch (error) {
      setWrong(problem(error).message);
    }
  };
  if (!data.changeable?.length) return fixed.length ? <p class="mut">{fixed.join(" ")}</p> : null;
  const field = (label: string, unit: string, value: string, put: (value: string) => void) => (
    <label class="limit">{label} <span class="field small"><input type="number" min="0" step="any" placeholder="no limit" value={value} onInput={(event) => put(event.currentTarget.value)} />{unit}</span></label>
  );
  return (
    <form onSubmit={save}>
      <p class="limits">
        {may("maxAgeMs") && field("Keep for", "days", days, setDays)}
        {may("maxBytes") && field("Keep at most", "GiB", size, setSize)}
        <button type="submit" class="btn" disabled={!edited}>Save</button>
      </p>
      <p class="mut small">Whatever is beyond is deleted at once, whole days at a time. An empty field is no limit. {fixed.join(" ")}</p>
      {wrong && <p class="t-err" role="alert">{wrong}</p>}
    </form>
  );
}

function inUnits(value: number | undefined, unit: number): string {
  return value === undefined ? "" : String(Math.round((value / unit) * 1000) / 1000);
}

function outOf(text: string, unit: number): number | null {
  return text.trim() === "" ? null : Math.round(Number(text) * unit);
}
