/** What each model did, how fast, and for how much. */
import { useState } from "preact/hooks";
import type { ModelRow, Models as Told } from "../api";
import { api, useGet } from "../client";
import { count, duration, money, percent, plural, short } from "../lib/format";
import { ofModel } from "../lib/leads";
import { UNNAMED } from "../lib/ops";
import { asked, sameRange } from "../state/filters";
import { go } from "../state/url";
import { Busy, Empty, Failed, Named, Skeleton, Text } from "../ui/bits";
import { type Column, Sorted } from "../ui/Sorted";
import { TimeRange } from "../ui/TimeRange";
import { Top } from "../ui/Top";

const RANGE = "-24h";

export function Models() {
  const answer = useGet<Told>(api("/models", asked({}, RANGE)), { hold: true, poll: 30_000 });
  const [by, setBy] = useState("calls");
  const data = answer.data;
  const range = sameRange(RANGE);
  const currency = data?.currency;
  const columns: Column<ModelRow>[] = [
    { id: "model", name: "Model", value: (row) => row.model, cell: (row) => <Named name={row.model} to={ofModel(row, range)} />, wide: true },
    { id: "provider", name: "Provider", value: (row) => row.provider, cell: (row) => <span class="mut"><bdi><Text value={row.provider || UNNAMED} /></bdi></span> },
    { id: "calls", name: "Calls", value: (row) => row.stat.calls, cell: (row) => count(row.stat.calls), right: true, bar: true },
    { id: "errors", name: "Failed", value: (row) => row.stat.errors / Math.max(1, row.stat.calls), cell: (row) => (row.stat.errors ? <span class="t-err">{percent(row.stat.errors, row.stat.calls)}</span> : <span class="nil">–</span>), right: true },
    { id: "p50", name: "p50", value: (row) => row.stat.p50Ms, cell: (row) => duration(row.stat.p50Ms), right: true },
    { id: "p95", name: "p95", value: (row) => row.stat.p95Ms, cell: (row) => duration(row.stat.p95Ms), right: true },
    { id: "p99", name: "p99", value: (row) => row.stat.p99Ms, cell: (row) => duration(row.stat.p99Ms), right: true },
    { id: "ttft", name: "TTFT p95", value: (row) => row.stat.ttftP95Ms, cell: (row) => duration(row.stat.ttftP95Ms), right: true },
    { id: "speed", name: "Tokens/s", value: (row) => row.stat.tokensPerSecond, cell: (row) => (row.stat.tokensPerSecond === undefined ? "–" : Math.round(row.stat.tokensPerSecond)), right: true },
    { id: "input", name: "In", value: (row) => row.stat.usage.input, cell: (row) => short(row.stat.usage.input), right: true },
    { id: "cached", name: "Cached", value: (row) => (row.stat.usage.cacheRead ?? 0) / Math.max(1, row.stat.usage.input ?? 1), cell: (row) => (row.stat.usage.cacheRead ? percent(row.stat.usage.cacheRead, row.stat.usage.input) : <span class="nil">–</span>), right: true },
    { id: "output", name: "Out", value: (row) => row.stat.usage.output, cell: (row) => short(row.stat.usage.output), right: true },
    { id: "finish", name: "Finished by", cell: (row) => <Finish row={row} /> },
    { id: "cost", name: "Cost", value: (row) => row.stat.cost?.amount, cell: (row) => (row.stat.cost ? <span title={row.stat.cost.saved ? `${money(row.stat.cost.saved, currency)} saved by the cache` : undefined}>{money(row.stat.cost.amount, currency)}</span> : <span class="nil">{row.priced ? "–" : "unpriced"}</span>), right: true },
  ];
  return (
    <div class="page">
      <Top crumbs={<h1>Models</h1>}><TimeRange fallback={RANGE} /></Top>
      <div class="scroll" tabIndex={0} role="region" aria-label="Models">
        <Busy of={answer} />
        {answer.error && !data ? <Failed error={answer.error} again={answer.again} /> : !data ? <Skeleton /> : data.items.length === 0 ? (
          <Empty title="No model was called in this time" icon="models">Choose a longer range, or send something.</Empty>
        ) : (
          <div class="pages">
            <section class="card"><Sorted rows={data.items} columns={columns} id={(row) => `${row.provider}/${row.model}`} by={by} onBy={setBy} onOpen={(row) => go(ofModel(row, range))} label="Models" /></section>
            {data.unpriced.length > 0 && (
              <section class="card note-card">
                <h2>Without a price</h2>
                <p class="mut">{data.unpriced.map((one) => `${[one.provider, one.model || UNNAMED].filter(Boolean).join(" ")} (${plural(one.calls, "call")})`).join(", ")}. Their cost is in no sum; a file of prices can be given with <code>--prices</code>.</p>
              </section>
            )}
            <p class="mut small">Prices in {data.currency}, of {data.pricesDate}. Cached tokens are counted at their own price; reasoning is part of the output.</p>
          </div>
        )}
      </div>
    </div>
  );
}

const TONES = ["u-in", "u-out", "u-tools", "u-results", "u-system"];

function Finish({ row }: { row: ModelRow }) {
  const all = row.finish.reduce((sum, one) => sum + one.count, 0);
  if (all === 0) return <span class="nil">–</span>;
  return <div class="ubar mini-bar" role="img" aria-label={row.finish.map((one) => `${one.reason} ${one.count}`).join(", ")} title={row.finish.map((one) => `${one.reason} ${percent(one.count, all)}`).join("\n")}>{row.finish.map((one, i) => <i key={one.reason} class={TONES[i % TONES.length]} style={{ flexGrow: one.count }} />)}</div>;
}
