/** How it goes: the last day (or hour, or week) at a glance. */
import { computed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { Overview as Told, Stat } from "../api";
import { api, useGet } from "../client";
import { cached, cost, costNote, count, duration, exact, money, percent, plural, short } from "../lib/format";
import { ofAgent, ofModel, ofTool } from "../lib/leads";
import { brief } from "../lib/ops";
import { evenSteps } from "../lib/steps";
import { about, status } from "../live";
import { asked, lately, sameRange } from "../state/filters";
import { go, href, onRow, type Params, set } from "../state/url";
import { Bars, Lines } from "../ui/Bars";
import { Busy, Empty, Failed, Glyph, Named, Skeleton, Text, Time } from "../ui/bits";
import { Connect } from "../ui/Connect";
import { Icon } from "../ui/Icon";
import { Spark } from "../ui/Spark";
import { TimeRange } from "../ui/TimeRange";
import { Top } from "../ui/Top";

const usual = computed(() => lately(status.value?.oldestMs, Date.now()));

function change(now: number | undefined, before: number | undefined): string | undefined {
  if (now === undefined || !before) return undefined;
  const by = (now - before) / before;
  if (Math.abs(by) < 0.005) return "as before";
  return `${by > 0 ? "+" : "−"}${Math.abs(by) < 10 ? `${Math.round(Math.abs(by) * 100)}%` : `${Math.round(Math.abs(by))}×`}`;
}

function Tile({ name, value, note, change: by, tone, href: to }: { name: string; value: string; note?: string | undefined; change?: string | undefined; tone?: "err" | undefined; href?: string }) {
  const number = <b class={tone ? `t-${tone}` : undefined}>{value}</b>;
  return (
    <div class="tile">
      <dt>{name}</dt>
      <dd>{to ? <a href={to}>{number}</a> : number}{by && <span class="by" title="Against the time before, of the same length">{by}</span>}{note && <small>{note}</small>}</dd>
    </div>
  );
}

function tiles(stat: Stat, before: Stat | undefined, traces: number, currency: string | undefined, range: Params) {
  return (
    <dl class="tiles">
      <Tile name="Traces" value={count(traces)} href={href("/traces", range)} />
      <Tile name="Model calls" value={count(stat.calls)} change={change(stat.calls, before?.calls)} href={href("/models", range)} />
      <Tile name="Failed" value={percent(stat.errors, stat.calls)} note={plural(stat.errors, "call")} tone={stat.errors ? "err" : undefined} href={href("/traces", { ...range, error: "1" })} />
      <Tile name="Latency p50" value={duration(stat.p50Ms)} note={`p95 ${duration(stat.p95Ms)}`} change={change(stat.p50Ms, before?.p50Ms)} />
      <Tile name="TTFT p50" value={duration(stat.ttftP50Ms)} note={`p95 ${duration(stat.ttftP95Ms)}`} change={change(stat.ttftP50Ms, before?.ttftP50Ms)} />
      <Tile name="Tokens in" value={short(stat.usage.input)} note={cached(stat.usage)} change={change(stat.usage.input, before?.usage.input)} />
      <Tile name="Tokens out" value={short(stat.usage.output)} change={change(stat.usage.output, before?.usage.output)} />
      <Tile name="Cost" value={cost(stat.cost, currency)} note={costNote(stat, currency)} change={change(stat.cost?.amount, before?.cost?.amount)} />
    </dl>
  );
}

export function Overview() {
  const query = asked({}, usual.value);
  const range = sameRange(usual.value);
  const answer = useGet<Told>(api("/overview", query), { hold: true, poll: 15_000 });
  const currency = about.value?.currency;
  const data = answer.data;
  const zoom = (from: number, to: number) => set({ from: String(Math.round(from)), to: String(Math.round(to)) });
  const steps = useMemo(() => (data ? evenSteps(data) : []), [data]);
  const at = steps.map((step) => step.atMs);
  // Agents of several programs may have one name.
  const several = new Set(data?.agents.map((row) => row.service)).size > 1;
  return (
    <div class="page">
      <Top crumbs={<h1>Overview</h1>}><TimeRange fallback={usual.value} /></Top>
      <div class="scroll" tabIndex={0} role="region" aria-label="Overview">
        <Busy of={answer} />
        {answer.error && !data && <Failed error={answer.error} again={answer.again} />}
        {!data && !answer.error && <div class="dash"><div class="tiles ghost" /><Skeleton rows={10} height={48} /></div>}
        {data?.empty && data.traces === 0 && <Connect />}
        {data && !data.empty && (
          <div class="dash">
            {tiles(data.stat, data.before, data.traces, currency, range)}
            <div class="charts">
              <Bars title="Calls" at={at} step={data.range.stepMs} onZoom={zoom} series={[{ name: "failed", look: "err", values: steps.map((s) => s.errors) }, { name: "ended well", look: "llm", values: steps.map((s) => s.calls - s.errors) }]} format={count} />
              <Lines title="Latency" at={at} step={data.range.stepMs} onZoom={zoom} series={[{ name: "p50", look: "llm", values: steps.map((s) => s.p50Ms) }, { name: "p95", look: "warn", values: steps.map((s) => s.p95Ms) }]} format={duration} />
              <Bars title="Tokens" at={at} step={data.range.stepMs} onZoom={zoom} series={[{ name: "out", look: "agent", values: steps.map((s) => s.output) }, { name: "in", look: "embedding", values: steps.map((s) => s.input - s.cacheRead) }, { name: "cached", look: "dim", values: steps.map((s) => s.cacheRead) }]} format={short} />
              <Bars title="Cost" at={at} step={data.range.stepMs} onZoom={zoom} series={[{ name: "cost", look: "ok", values: steps.map((s) => s.cost ?? 0) }]} format={(n) => money(n, currency)} />
            </div>
            <div class="cards">
              <section class="card">
                <h2><a href="/models">Models</a></h2>
                <table class="grid">
                  <thead><tr><th>Model</th><th class="right">Calls</th><th class="right">Failed</th><th class="right">p95</th><th class="right">Cost</th></tr></thead>
                  <tbody>{data.models.map((row) => <tr key={`${row.provider}/${row.model}`} class="go" onClick={onRow(() => go(ofModel(row, range)))}><td class="ell"><Named name={row.model} to={ofModel(row, range)} /></td><td class="right">{count(row.stat.calls)}</td><td class="right">{row.stat.errors ? <span class="t-err">{percent(row.stat.errors, row.stat.calls)}</span> : <span class="nil">–</span>}</td><td class="right">{duration(row.stat.p95Ms)}</td><td class="right">{row.stat.cost ? cost(row.stat.cost, currency) : <span class="nil">{row.priced ? "–" : "unpriced"}</span>}</td></tr>)}</tbody>
                </table>
              </section>
              <section class="card">
                <h2><a href="/agents">Agents</a></h2>
                <table class="grid">
                  <thead><tr><th>Agent</th><th class="right">Runs</th><th class="right">Failed</th><th class="right">Mean time</th><th class="right">Cost</th></tr></thead>
                  <tbody>{data.agents.map((row) => <tr key={`${row.service}/${row.agent}`} class="go" onClick={onRow(() => go(ofAgent(row, range)))}><td class="ell"><Named name={row.agent} to={ofAgent(row, range)} />{several && <span class="mut small"> <bdi><Text value={row.service} /></bdi></span>}</td><td class="right">{count(row.runs)}</td><td class="right">{row.errors ? <span class="t-err">{percent(row.errors, row.runs)}</span> : <span class="nil">–</span>}</td><td class="right">{duration(row.totalMs / (row.runs || 1))}</td><td class="right">{cost(row.total.cost, currency)}</td></tr>)}</tbody>
                </table>
              </section>
              <section class="card">
                <h2><a href="/agents">Failing tools</a></h2>
                {data.failingTools.length === 0 ? <p class="mut none"><Icon name="check" size={13} /> No tool failed.</p> : (
                  <table class="grid">
                    <thead><tr><th>Tool</th><th class="right">Calls</th><th class="right">Failed</th><th>Last error</th></tr></thead>
                    <tbody>{data.failingTools.map((row) => <tr key={row.tool} class="go" onClick={onRow(() => go(ofTool(row, { ...range, error: "1" })))}><td class="ell"><Named name={row.tool} to={ofTool(row, { ...range, error: "1" })} /></td><td class="right">{count(row.stat.calls)}</td><td class="right t-err">{percent(row.stat.errors, row.stat.calls)}</td><td class="ell mut"><Text value={row.lastError ?? ""} /></td></tr>)}</tbody>
                  </table>
                )}
              </section>
              <section class="card wide">
                <h2><a href="/traces">Newest traces</a></h2>
                {data.newest.length === 0 ? <Empty title="No traces in this time" icon="filter" /> : (
                  <table class="grid newest">
                    <tbody>{data.newest.map((row) => <tr key={row.id} class="go" onClick={onRow(() => go(`/trace/${row.id}`))}><td class="when mut"><Time at={row.startMs} /></td><td class="what"><Glyph op={row.op} /><a href={`/trace/${row.id}`}><bdi><Text value={brief(row)} /></bdi></a>{row.errors > 0 && <span class="badge err"><Icon name="error" size={11} />{row.errors}</span>}<span class="mut ell" dir="auto"><Text value={row.title ?? ""} /></span></td><td class="opt"><Spark bars={row.bars} /></td><td class="right">{duration(row.durationMs)}</td><td class="right opt">{cost(row.cost, currency)}</td></tr>)}</tbody>
                  </table>
                )}
              </section>
            </div>
            <p class="mut small">{exact(data.range.fromMs)} to {exact(data.range.toMs)}{about.value?.pricesDate ? ` · prices of ${about.value.pricesDate}` : ""}</p>
          </div>
        )}
      </div>
    </div>
  );
}
