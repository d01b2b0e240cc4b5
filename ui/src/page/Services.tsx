/** Who sends: with which SDK, which instrumentations, which convention. */
import { useState } from "preact/hooks";
import type { Services as Told, ServiceRow } from "../api";
import { api, useGet } from "../client";
import { count, percent, plural, short } from "../lib/format";
import { sameRange } from "../state/filters";
import { go, href } from "../state/url";
import { Busy, Empty, Failed, Pill, Skeleton, Text, Time } from "../ui/bits";
import { type Column, Sorted } from "../ui/Sorted";
import { TimeRange } from "../ui/TimeRange";
import { Top } from "../ui/Top";

const RANGE = "-24h";

export function Services() {
  const answer = useGet<Told>(api("/services", sameRange(RANGE)), { hold: true, poll: 30_000 });
  const [by, setBy] = useState("spans");
  const data = answer.data;
  const columns: Column<ServiceRow>[] = [
    { id: "name", name: "Service", value: (row) => row.name, cell: (row) => <a href={href("/traces", { service: row.name })}><b><bdi><Text value={row.name} /></bdi></b></a>, wide: true },
    { id: "sdk", name: "SDK", value: (row) => row.sdk ?? "", cell: (row) => <span class="mut">{[row.language, row.sdk].filter(Boolean).join(" · ") || "–"}</span> },
    { id: "scopes", name: "Instrumentations", value: (row) => row.scopes.length, cell: (row) => <span class="mut" title={row.scopes.map((one) => `${one.name} ${one.version}: ${plural(one.spans, "span")}`).join("\n")}><bdi><Text value={row.scopes[0] ? `${row.scopes[0].name} ${row.scopes[0].version}` : "–"} /></bdi>{row.scopes.length > 1 && ` +${row.scopes.length - 1}`}</span> },
    { id: "dialects", name: "Convention", cell: (row) => <span class="pills">{row.dialects.map((one) => <Pill key={one.dialect} title={plural(one.spans, "span")}>{one.dialect}</Pill>)}</span> },
    { id: "content", name: "Content", title: "Calls of which messages were captured", value: (row) => row.withContent / Math.max(1, row.calls), cell: (row) => (row.calls ? <span class={row.withContent ? undefined : "t-warn"}>{row.withContent ? percent(row.withContent, row.calls) : "off"}</span> : <span class="nil">–</span>), right: true },
    { id: "calls", name: "LLM calls", title: "Calls of models that make text", value: (row) => row.calls, cell: (row) => count(row.calls), right: true },
    { id: "spans", name: "Spans", value: (row) => row.spans, cell: (row) => short(row.spans), right: true, bar: true },
    { id: "logs", name: "Logs", value: (row) => row.logs, cell: (row) => short(row.logs), right: true },
    { id: "points", name: "Metrics", value: (row) => row.points, cell: (row) => short(row.points), right: true },
    { id: "last", name: "Last seen", value: (row) => row.lastMs, cell: (row) => <span class="mut"><Time at={row.lastMs} /></span>, right: true },
  ];
  return (
    <div class="page">
      <Top crumbs={<h1>Services</h1>}><TimeRange fallback={RANGE} /></Top>
      <div class="scroll" tabIndex={0} role="region" aria-label="Services">
        <Busy of={answer} />
        {answer.error && !data ? <Failed error={answer.error} again={answer.again} /> : !data ? <Skeleton /> : data.items.length === 0 ? (
          <Empty title="Nobody sent anything in this time" icon="services">Choose a longer range, or send something.</Empty>
        ) : (
          <div class="pages"><section class="card"><Sorted rows={data.items} columns={columns} id={(row) => row.name} by={by} onBy={setBy} onOpen={(row) => go(href("/traces", { service: row.name }))} label="Services" /></section></div>
        )}
      </div>
    </div>
  );
}
