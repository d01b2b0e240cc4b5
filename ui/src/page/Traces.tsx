/** Every run, newest first: what it was about, what it took, and whether it went well. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Facets as Counts, StreamEvent, TraceList, TraceRow } from "../api";
import { api, useGet } from "../client";
import { listOf, useGrowing } from "../growing";
import { useKeys } from "../keys";
import { cached, cost, count, duration, few, plural, tokens } from "../lib/format";
import { brief } from "../lib/ops";
import { heard, MOST_NEWS, type News, NONE, placed, since, waiting } from "../lib/news";
import { about, follow, line } from "../live";
import { anyFilter, asked, clearFilters, FACETS } from "../state/filters";
import { go, href, onRow, param, set } from "../state/url";
import { Busy, Button, Empty, Failed, Glyph, Skeleton, Stuck, Text, Time } from "../ui/bits";
import { Connect } from "../ui/Connect";
import { Facets } from "../ui/Facets";
import { Icon } from "../ui/Icon";
import { Spark } from "../ui/Spark";
import { TimeRange } from "../ui/TimeRange";
import { Top } from "../ui/Top";
import { VirtualList } from "../ui/VirtualList";

const ROW = 32;

/** The list that was last shown, for `[` and `]` on a trace. */
export const lastList: { ids: string[] } = { ids: [] };

interface Column {
  id: string;
  name: string;
  sort?: string;
  title?: string;
  right?: boolean;
}

const COLUMNS: Column[] = [
  { id: "start", name: "Start", sort: "start" },
  { id: "what", name: "Trace" },
  { id: "service", name: "Service" },
  { id: "bars", name: "Shape", title: "The run in small: each bar a span, red where it failed" },
  { id: "duration", name: "Duration", sort: "duration", right: true },
  { id: "ttft", name: "TTFT", sort: "ttft", right: true, title: "Time to the first token, of the first call that streamed" },
  { id: "llm", name: "Calls", sort: "llm", right: true, title: "Calls to a model: text, embeddings, rerank" },
  { id: "tools", name: "Tools", right: true, title: "Tools run" },
  { id: "tokens", name: "Tokens", sort: "tokens", right: true, title: "In → out" },
  { id: "cost", name: "Cost", sort: "cost", right: true },
];

const LIST = listOf<TraceList>(100);

export function Traces() {
  const sort = param("sort") ?? "start";
  const order = param("order") ?? "desc";
  // What comes stands at the top of a list of the newest, and of no other.
  const newest = sort === "start" && order === "desc";
  const live = newest && param("live") !== "0";
  const query = asked({ sort: sort === "start" ? undefined : sort, order: order === "desc" ? undefined : order, limit: "100" });
  const text = query.toString();
  const list = useGrowing<TraceList>(api("/traces", query), LIST, { hold: true });
  const facetQuery = asked();
  for (const name of FACETS) facetQuery.append("of", name);
  const facets = useGet<Counts>(api("/facets", facetQuery), { hold: true });

  const [news, setNews] = useState<readonly News[]>([]);
  const [held, setHeld] = useState(NONE);
  // The stream tells of every trace; whether one belongs to a filtered list, only the server knows.
  const filtered = anyFilter() || param("from") !== undefined;
  const fresh = useMemo(() => since(news, list.asking), [news, list.asking]);
  const rows = useMemo(() => placed(list.data?.items ?? [], fresh, list.data?.next === undefined), [list.data, fresh]);
  const isLive = useRef(live);
  isLive.current = live;
  const again = () => {
    setHeld(NONE);
    list.again();
  };
  const later = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => {
    clearTimeout(later.current);
    later.current = undefined;
    setNews([]);
    setHeld(NONE);
  }, [text]);
  const onEvent = useRef((_: StreamEvent) => {});
  onEvent.current = (event) => {
    if (event.event === "reset" || event.event === "deleted") {
      facets.again();
      return again();
    }
    if (event.event !== "traces" || !newest) return;
    const { items, more } = event.data;
    if (!live) {
      if (filtered) return;
      const listed = new Set(lastList.ids);
      setHeld((before) => waiting(before, items, more, (id) => listed.has(id)));
    } else if (filtered) {
      // A long list takes longer to be asked for.
      later.current ??= setTimeout(() => {
        later.current = undefined;
        if (isLive.current) again();
      }, 2000 * Math.ceil((list.sight() + 1) / LIST.most));
    } else {
      setNews((before) => heard(since(before, list.asking), items, list.lastAsking()));
      if (more > 0 || fresh.length > MOST_NEWS) again();
    }
  };
  useEffect(() => follow((event) => onEvent.current(event)), []);

  lastList.ids = rows.map((row) => row.id);
  const selected = param("at");
  const active = selected ? rows.findIndex((row) => row.id === selected) : -1;
  const open = (row: TraceRow) => go(`/trace/${row.id}`);
  const move = (by: number) => {
    const next = rows[Math.max(0, Math.min(rows.length - 1, active + by))];
    if (next) set({ at: next.id });
  };
  const search = useRef<HTMLInputElement>(null);
  const [facetsOpen, setFacetsOpen] = useState(false);
  const pause = () => {
    if (!newest) return set({ sort: undefined, order: undefined, live: undefined });
    set({ live: live ? "0" : undefined });
    if (!live) again();
  };
  useKeys([
    { keys: "j", does: "Next trace", group: "Traces", run: () => move(1) },
    { keys: "k", does: "Previous trace", group: "Traces", run: () => move(-1) },
    { keys: "ArrowDown", does: "Next trace", group: "Traces", run: () => move(1) },
    { keys: "ArrowUp", does: "Previous trace", group: "Traces", run: () => move(-1) },
    { keys: "Enter", does: "Open", group: "Traces", run: () => { const row = rows[active]; if (row) open(row); } },
    { keys: "/", does: "Search in the list", group: "Traces", run: () => search.current?.focus() },
    { keys: "Space", does: "Pause or go on, with the newest first", group: "Traces", run: pause },
    { keys: "Escape", does: "Clear the filters", group: "Traces", run: () => { if (document.activeElement === search.current) search.current?.blur(); else clearFilters(); } },
  ]);

  // Those that are placed in the list began after it was counted.
  const total = list.data?.total === undefined ? undefined : list.data.total + rows.length - list.data.items.length;
  const waits = `${held.ids.size}${held.more ? "+" : ""}`;
  const currency = about.value?.currency;
  return (
    <div class="page traces">
      <Top crumbs={<><h1>Traces</h1>{total !== undefined && <span class="mut">{count(total)}</span>}</>}>
        <Button kind="plain" icon={live ? "pause" : "play"} pressed={live} title={live ? "Pause (space)" : newest ? "Follow new traces (space)" : "Show the newest first, and follow new ones (space)"} onClick={pause}>
          <span class={`live-word ${live && line.value === "live" ? "on" : ""}`}>{live ? "Live" : !newest ? "Newest first" : held.ids.size ? `${waits} new` : "Paused"}</span>
        </Button>
      </Top>
      <div class="bar">
        <label class="field grow">
          <Icon name="search" size={14} />
          <input ref={search} type="search" placeholder="Search names and messages" aria-label="Search names and messages" value={param("q") ?? ""} onInput={(event) => set({ q: event.currentTarget.value || undefined })} />
          <kbd>/</kbd>
        </label>
        <span class="only-narrow"><Button icon="filter" pressed={facetsOpen} onClick={() => setFacetsOpen(!facetsOpen)}>Filters</Button></span>
        <TimeRange />
      </div>
      <div class={`with-facets${facetsOpen ? " show" : ""}`}>
        <Facets data={facets.data} failed={facets.error !== undefined} />
        <div class="list-pane">
          <Busy of={list} />
          <span class="sr" role="status">{held.ids.size > 0 ? `${waits} new ${held.ids.size === 1 ? "trace" : "traces"}` : ""}</span>
          {list.error && !list.data ? <Failed error={list.error} again={list.again} /> : (
            <VirtualList
              class="table"
              count={list.data ? rows.length : 0}
              height={ROW}
              headHeight={30}
              place={`traces?${text}`}
              active={active < 0 ? undefined : active}
              name={(i) => rows[i]?.id}
              onNear={list.near}
              onSight={list.onSight}
              attributes={{ role: "grid", "aria-label": "Traces", "aria-rowcount": total ?? -1, "aria-colcount": COLUMNS.length, tabIndex: 0, "aria-activedescendant": active >= 0 ? `t-${rows[active]?.id}` : undefined }}
              head={
                <div class="row head" role="row">
                  {COLUMNS.map((column) => (
                    <div key={column.id} role="columnheader" class={`c-${column.id}${column.right ? " right" : ""}`} aria-sort={column.sort === sort ? (order === "asc" ? "ascending" : "descending") : undefined} title={column.title}>
                      {column.sort ? (
                        <button type="button" onClick={() => set({ sort: column.sort === "start" ? undefined : column.sort, order: column.sort === sort && order === "desc" ? "asc" : undefined })}>
                          {column.name}
                          {column.sort === sort && <Icon name={order === "asc" ? "up" : "dim"} size={11} />}
                        </button>
                      ) : column.name}
                    </div>
                  ))}
                </div>
              }
              row={(i) => <Line key={rows[i]?.id} row={rows[i] as TraceRow} index={i} active={i === active} currency={currency} open={open} />}
            />
          )}
          <Stuck of={list} />
          {!list.data && !list.error && <Skeleton height={ROW} rows={18} />}
          {list.data && rows.length === 0 && (anyFilter() || param("from") ? (
            <Empty title="No trace fits these filters" icon="filter"><Button onClick={() => { clearFilters(); set({ from: undefined, to: undefined }); }}>Show all</Button></Empty>
          ) : <Connect />)}
        </div>
      </div>
    </div>
  );
}

function Tally({ all, failed }: { all: number; failed: number }) {
  if (!all) return <span class="nil">–</span>;
  return failed ? <span class="tally" title={`${failed} of ${all} failed`}><Icon name="error" size={10} class="t-err" />{count(all)}</span> : <>{count(all)}</>;
}

function Line({ row, index, active, currency, open }: { row: TraceRow; index: number; active: boolean; currency: string | undefined; open: (row: TraceRow) => void }) {
  return (
    <div id={`t-${row.id}`} class={`row${active ? " sel" : ""}${row.errors ? " bad" : ""}`} role="row" aria-rowindex={index + 2} aria-selected={active} onClick={onRow(() => open(row))}>
      <div role="gridcell" class="c-start"><Time at={row.startMs} /></div>
      <div role="gridcell" class="c-what">
        <Glyph op={row.op} error={row.op === undefined && row.errors > 0} />
        <a href={href(`/trace/${row.id}`)} tabIndex={-1} title={row.name}><bdi><Text value={brief(row)} /></bdi></a>
        {row.state === "running" && <span class="badge run">running</span>}
        {row.errors > 0 && <span class="badge err" title={plural(row.errors, "error")}><Icon name="error" size={11} />{row.errors}</span>}
        {row.synthetic && <span class="badge" title="Only logs tell of this run">logs</span>}
        {row.title && <span class="mut ell" dir="auto"><Text value={row.title} /></span>}
      </div>
      <div role="gridcell" class="c-service ell" title={few(row.services)}><bdi>{row.service}</bdi></div>
      <div role="gridcell" class="c-bars"><Spark bars={row.bars} /></div>
      <div role="gridcell" class="c-duration right">{duration(row.durationMs)}</div>
      <div role="gridcell" class="c-ttft right">{row.ttftMs === undefined ? <span class="nil">–</span> : duration(row.ttftMs)}</div>
      <div role="gridcell" class="c-llm right"><Tally all={row.llmCalls} failed={row.llmErrors} /></div>
      <div role="gridcell" class="c-tools right" title={few(row.tools)}><Tally all={row.toolCalls} failed={row.toolErrors} /></div>
      <div role="gridcell" class="c-tokens right" title={cached(row.usage)}>{tokens(row.usage) ?? <span class="nil">–</span>}</div>
      <div role="gridcell" class="c-cost right" title={row.unpriced ? `${plural(row.unpriced, "call")} without a price` : undefined}>{row.cost ? cost(row.cost, currency) : <span class="nil">–</span>}{row.unpriced > 0 && row.cost && "+"}</div>
    </div>
  );
}
