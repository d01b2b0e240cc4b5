/** Log records, newest first; the chosen one with all that came with it. Those of a call lead to it. */
import { useRef } from "preact/hooks";
import type { LogList, LogRow } from "../api";
import { api } from "../client";
import { listOf, useGrowing } from "../growing";
import { useKeys } from "../keys";
import { exact } from "../lib/format";
import { href, param, set } from "../state/url";
import { LogBody } from "../trace/LogBody";
import { Severity } from "../trace/Panels";
import { Busy, Button, Empty, Failed, Skeleton, Stuck, Text, Time } from "../ui/bits";
import { Icon } from "../ui/Icon";
import { TimeRange } from "../ui/TimeRange";
import { Top } from "../ui/Top";
import { VirtualList } from "../ui/VirtualList";

const LIST = listOf<LogList>(200);

export function Logs() {
  const url = api("/logs", { from: param("from"), to: param("to"), q: param("q"), severity: param("severity"), event: param("event"), service: param("service"), limit: "200" });
  const answer = useGrowing<LogList>(url, LIST, { hold: true, poll: 10_000 });
  const rows = answer.data?.items ?? [];
  const search = useRef<HTMLInputElement>(null);
  const chosen = param("log");
  const active = rows.findIndex((row) => row.id === chosen);
  const close = () => set({ log: undefined });
  const move = (by: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, active + by))];
    if (row) set({ log: row.id });
  };
  useKeys([
    { keys: "j", does: "Next record", group: "Logs", run: () => move(1) },
    { keys: "k", does: "Previous record", group: "Logs", run: () => move(-1) },
    { keys: "/", does: "Search in the logs", group: "Logs", run: () => search.current?.focus() },
    { keys: "Escape", does: "Close the record", group: "Logs", run: () => { if (document.activeElement === search.current) search.current?.blur(); else close(); } },
  ]);
  return (
    <div class="page">
      <Top crumbs={<h1>Logs</h1>} />
      <div class="bar">
        <label class="field grow"><Icon name="search" size={14} /><input ref={search} type="search" placeholder="Search in the logs" aria-label="Search in the logs" value={param("q") ?? ""} onInput={(event) => set({ q: event.currentTarget.value || undefined })} onKeyDown={(event) => { if (event.key === "Escape") event.currentTarget.blur(); }} /><kbd>/</kbd></label>
        <select class="select" aria-label="Severity" value={param("severity") ?? ""} onChange={(event) => set({ severity: event.currentTarget.value || undefined })}>
          <option value="">Any severity</option><option value="9">Info and above</option><option value="13">Warnings and above</option><option value="17">Errors</option>
        </select>
        <TimeRange />
      </div>
      <div class={`beside${chosen ? " two-panes" : ""}`}>
      <div class="list-pane tall">
        <Busy of={answer} />
        {answer.error && !answer.data ? <Failed error={answer.error} again={answer.again} /> : !answer.data ? <Skeleton /> : rows.length === 0 ? (
          <Empty title="No log records" icon="logs">{param("q") || param("severity") ? "None fits this search." : "Programs that export logs by OTLP are shown here, with the calls they belong to."}</Empty>
        ) : (
          <VirtualList class="table log-table" count={rows.length} height={30} place={url} active={active < 0 ? undefined : active} name={(i) => rows[i]?.id} onNear={answer.near} onSight={answer.onSight} attributes={{ role: "list", "aria-label": "Logs", tabIndex: 0 }} row={(i) => {
            const row = rows[i] as LogRow;
            return (
              <div key={row.id} role="listitem" aria-posinset={i + 1} aria-setsize={-1} class={`row${row.id === chosen ? " sel" : ""}`} title={exact(row.atMs)} onClick={(event) => { if (!(event.target as Element).closest("a, button")) set({ log: row.id }); }}>
                <div class="mut"><Time at={row.atMs} /></div>
                <div><Severity n={row.severity} text={row.severityText} /></div>
                <div class="mut ell"><bdi><Text value={row.service} /></bdi></div>
                <div class="ell mono"><bdi><Text value={row.event ?? ""} /></bdi></div>
                <div class="ell" dir="auto"><button type="button" class="ell plain-text" aria-expanded={row.id === chosen} onClick={() => set({ log: row.id === chosen ? undefined : row.id })}><Text value={row.text || "no text"} /></button></div>
                <div class="right">{row.trace && <a class="link" href={href(`/trace/${row.trace}`, { span: row.span })}>{row.genai ? "call" : "trace"}</a>}</div>
              </div>
            );
          }} />
        )}
        <Stuck of={answer} />
      </div>
      {chosen && (
        <aside class="pane log-pane" aria-label="The chosen record">
          <header class="pane-head"><h2>Record</h2><span class="grow" /><Button kind="ghost" icon="close" title="Close (Esc)" onClick={close} /></header>
          <div class="panel-box" tabIndex={0} role="region" aria-label="All of the record"><LogBody key={chosen} id={chosen} /></div>
        </aside>
      )}
      </div>
    </div>
  );
}
