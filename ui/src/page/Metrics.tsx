/** Metrics as they were sent: lines, quantiles, and heat maps of which a dot leads to its trace. */
import { useState } from "preact/hooks";
import type { MetricInfo, MetricList, SeriesAnswer } from "../api";
import { api, useGet } from "../client";
import { bytes, duration, plural, short } from "../lib/format";
import { sameRange } from "../state/filters";
import { param, params, set } from "../state/url";
import { Lines } from "../ui/Bars";
import { Busy, Empty, Failed, Pill, Skeleton, Text } from "../ui/bits";
import { Heat } from "../ui/Heat";
import { Icon } from "../ui/Icon";
import { TimeRange } from "../ui/TimeRange";
import { Top } from "../ui/Top";

const RANGE = "-1h";
const LOOKS = ["llm", "warn", "ok", "agent", "embedding", "mcp", "memory", "err"];

/** A value with its unit, as UCUM names it. */
export function unit(code: string): (n: number) => string {
  switch (code) {
    case "s": return (n) => duration(n * 1000);
    case "ms": return duration;
    case "By": return bytes;
    case "1": case "": return short;
    default: return (n) => `${short(n)} ${code.replace(/^\{(.*)\}$/, "$1")}`;
  }
}

/** As `unit`, where room is short: the unit's own word is left to the title. */
export function axis(code: string): (n: number) => string {
  return code === "s" || code === "ms" || code === "By" ? (n) => unit(code)(n).replace(/(\.\d*?)0+(?= )/, "$1").replace(/\.(?= )/, "").replace(/ 00 [sm]$/, "") : short;
}

export function Metrics() {
  const range = sameRange(RANGE);
  const list = useGet<MetricList>(api("/metrics", range), { hold: true, poll: 30_000 });
  const [filter, setFilter] = useState("");
  const items = list.data?.items ?? [];
  const name = param("name") ?? items.find((one) => one.preset)?.name ?? items[0]?.name;
  const info = items.find((one) => one.name === name);
  const by = params("by");
  const series = useGet<SeriesAnswer>(name && (info || !list.data) ? api("/metrics/series", { ...range, name, by }) : undefined, { hold: true, poll: 15_000 });
  const fitting = items.filter((one) => one.name.toLowerCase().includes(filter.toLowerCase()));
  return (
    <div class="page">
      <Top crumbs={<h1>Metrics</h1>}><TimeRange fallback={RANGE} /></Top>
      <Busy of={list} />
      {list.error && !list.data ? <Failed error={list.error} again={list.again} /> : !list.data ? <Skeleton /> : items.length === 0 ? (
        <Empty title="No metrics in this time" icon="metrics">Programs that export metrics by OTLP are shown here. GenAI instrumentations measure <code>gen_ai.client.operation.duration</code> and <code>gen_ai.client.token.usage</code>.</Empty>
      ) : (
        <div class="with-facets metrics">
          <nav class="facets" aria-label="Metrics">
            <label class="field small"><Icon name="search" size={12} /><input type="search" placeholder="Filter" aria-label="Filter the metrics" value={filter} onInput={(event) => setFilter(event.currentTarget.value)} /></label>
            {[true, false].map((genai) => {
              const some = fitting.filter((one) => /^(gen_ai|mcp)\./.test(one.name) === genai);
              return some.length > 0 && (
                <section key={String(genai)}>
                  <h2 class="facet-title">{genai ? "GenAI" : "Others"}</h2>
                  {some.map((one) => <a key={one.name} class="metric" href={`?name=${encodeURIComponent(one.name)}`} aria-current={one.name === name ? "true" : undefined} onClick={(event) => { event.preventDefault(); set({ name: one.name, by: undefined }); }}><bdi><Text value={one.name} /></bdi><span class="mut">{one.kind.replace("_", " ")} · {plural(one.series, "series", "series")}</span></a>)}
                </section>
              );
            })}
          </nav>
          <div class="scroll" tabIndex={0} role="region" aria-label="The chosen metric">
            <Busy of={series} />
            {!info ? !list.held && <Empty title="This metric told nothing in this time" icon="metrics"><bdi><Text value={name ?? ""} /></bdi></Empty> : series.error && !series.data ? <Failed error={series.error} again={series.again} /> : <One info={info} answer={series.data?.info.name === info.name ? series.data : undefined} by={by} />}
          </div>
        </div>
      )}
    </div>
  );
}

function One({ info, answer, by }: { info: MetricInfo; answer: SeriesAnswer | undefined; by: string[] }) {
  const format = unit(info.unit);
  const zoom = (from: number, to: number) => set({ from: String(Math.round(from)), to: String(Math.round(to)) });
  const label = (labels: Record<string, string>) => Object.values(labels).join(" · ") || "all";
  const shown = answer?.series.slice(0, LOOKS.length) ?? [];
  const some = (list: readonly (number | null)[] | undefined) => (list ?? []).map((n) => n ?? undefined);
  const at = answer?.series[0]?.at ?? [];
  const histogram = info.kind === "histogram" || info.kind === "exponential_histogram";
  return (
    <div class="pages">
      <header class="metric-head">
        <h2><bdi><Text value={info.name} /></bdi></h2>
        <Pill>{info.kind.replace("_", " ")}</Pill>{info.temporality && <Pill>{info.temporality}</Pill>}{info.unit && info.unit !== "1" && <Pill>{info.unit}</Pill>}
        <span class="grow" />
        <label class="by">by <select class="select" value={by[0] ?? ""} onChange={(event) => set({ by: event.currentTarget.value || undefined })}><option value="">all together</option>{info.keys.map((key) => <option key={key} value={key}>{key}</option>)}</select></label>
      </header>
      {info.description && <p class="mut"><Text value={info.description} /></p>}
      {!answer ? <Skeleton rows={6} height={40} /> : at.length === 0 ? <Empty title="Nothing in this time" icon="metrics" /> : histogram ? (
        <>
          {answer.bounds && <section class="card chart"><h3>Distribution</h3><Heat answer={answer} format={format} axis={axis(info.unit)} /></section>}
          {shown.length === 1 ? (
            <Lines title="Quantiles" at={at} step={answer.stepMs} onZoom={zoom} format={format} axis={axis(info.unit)} series={[{ name: "p50", look: "llm", values: some(shown[0]?.p50) }, { name: "p95", look: "warn", values: some(shown[0]?.p95) }, { name: "p99", look: "err", values: some(shown[0]?.p99) }]} />
          ) : (["p50", "p95"] as const).map((q) => <Lines key={q} title={q} at={at} step={answer.stepMs} onZoom={zoom} format={format} axis={axis(info.unit)} series={shown.map((one, i) => ({ name: label(one.labels), look: LOOKS[i] as string, values: some(one[q]) }))} />)}
          <Lines title="Count" at={at} step={answer.stepMs} onZoom={zoom} format={short} series={shown.map((one, i) => ({ name: label(one.labels), look: LOOKS[i] as string, values: some(one.count) }))} />
        </>
      ) : (
        <Lines title={info.kind === "sum" && info.monotonic ? "In each step" : "Value"} at={at} step={answer.stepMs} onZoom={zoom} format={format} axis={axis(info.unit)} series={shown.map((one, i) => ({ name: label(one.labels), look: LOOKS[i] as string, values: some(one.value) }))} />
      )}
      {answer?.more !== undefined && answer.more > 0 && <p class="mut small">{plural(answer.more, "more series", "more series")} not drawn: choose another key, or a shorter time.</p>}
    </div>
  );
}
