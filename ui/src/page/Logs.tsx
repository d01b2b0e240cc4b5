/** Log records, newest first; those of a call lead to it. */
import { useRef } from "preact/hooks";
import type { LogList, LogRow } from "../api";
import { api, useGet } from "../client";
import { useKeys } from "../keys";
import { exact } from "../lib/format";
import { go, href, param, set } from "../state/url";
import { Severity } from "../trace/Panels";
import { Busy, Empty, Failed, Skeleton, Text, Time } from "../ui/bits";
import { Icon } from "../ui/Icon";
import { TimeRange } from "../ui/TimeRange";
import { Top } from "../ui/Top";
import { VirtualList } from "../ui/VirtualList";

export function Logs() {
  const answer = useGet<LogList>(api("/logs", { from: param("from"), to: param("to"), q: param("q"), severity: param("severity"), event: param("event"), service: param("service"), limit: "200" }), { hold: true, poll: 10_000 });
  const rows = answer.data?.items ?? [];
  const search = useRef<HTMLInputElement>(null);
  useKeys([{ keys: "/", does: "Search in the logs", group: "Logs", run: () => search.current?.focus() }]);
  const open = (row: LogRow) => row.trace && go(href(`/trace/${row.trace}`, { span: row.span }));
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
      <div class="list-pane tall">
        <Busy on={answer.loading && !answer.data} />
        {answer.error && !answer.data ? <Failed error={answer.error} again={answer.again} /> : !answer.data ? <Skeleton /> : rows.length === 0 ? (
          <Empty title="No log records" icon="logs">{param("q") || param("severity") ? "None fits this search." : "Programs that export logs by OTLP are shown here, with the calls they belong to."}</Empty>
        ) : (
          <VirtualList class="table log-table" count={rows.length} height={30} place="logs" attributes={{ role: "list", "aria-label": "Logs", tabIndex: 0 }} row={(i) => {
            const row = rows[i] as LogRow;
            return (
              <div key={row.id} role="listitem" class="row" title={exact(row.atMs)} onClick={(event) => { if (!(event.target as Element).closest("a")) open(row); }}>
                <div class="mut"><Time at={row.atMs} /></div>
                <div><Severity n={row.severity} text={row.severityText} /></div>
                <div class="mut ell"><bdi><Text value={row.service} /></bdi></div>
                <div class="ell mono"><bdi><Text value={row.event ?? ""} /></bdi></div>
                <div class="ell" dir="auto"><Text value={row.text} /></div>
                <div class="right">{row.trace && <a class="link" href={href(`/trace/${row.trace}`, { span: row.span })}>{row.genai ? "call" : "trace"}</a>}</div>
              </div>
            );
          }} />
        )}
      </div>
    </div>
  );
}
