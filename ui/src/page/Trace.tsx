/** One run: what was said beside when it happened. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Row, Trace as Told, Transcript as Conversation } from "../api";
import { api } from "../client";
import { type Growing, type Pages, useGrowing } from "../growing";
import { useKeys } from "../keys";
import { beginning, count, plural } from "../lib/format";
import { logged } from "../lib/logged";
import { headline, isCall, isGenAi } from "../lib/ops";
import { joined } from "../lib/conversation";
import { type Folding, found, joined as joinedRows, key, onlyHttp, visible } from "../lib/tree";
import { about, follow } from "../live";
import { depth, go, param, place, set } from "../state/url";
import { Header } from "../trace/Header";
import { MiniTimeline } from "../trace/MiniTimeline";
import { choose, chosenIn, picked, pickForCompare, setZoom, tab as tabNow, TABS, type Tab, view as viewNow, type View, zoom as zoomNow } from "../trace/state";
import { DeltaButton, Notes, Transcript } from "../trace/Transcript";
import { Waterfall } from "../trace/Waterfall";
import { Busy, Button, Check, copy, Empty, Failed, Id, Menu, Skeleton, Stuck, Tabs, Text } from "../ui/bits";
import { Icon } from "../ui/Icon";
import { Split, useNarrow } from "../ui/Split";
import { title, Top } from "../ui/Top";
import { lazy } from "../ui/lazy";
import { lastList } from "./Traces";

// What is not seen at first is fetched when it is.
const Graph = lazy(async () => (await import("./more")).Graph);
const Flame = lazy(async () => (await import("./more")).Flame);
const Tools = lazy(async () => (await import("./more")).Tools);
const Usage = lazy(async () => (await import("./more")).Usage);
const Evals = lazy(async () => (await import("./more")).Evals);
const Raw = lazy(async () => (await import("./more")).Raw);
const TraceLogs = lazy(async () => (await import("./more")).TraceLogs);
const SpanTabs = lazy(async () => (await import("./more")).SpanTabs);

const TAB_NAMES: Record<Tab, string> = { transcript: "Transcript", span: "Span", attributes: "Attributes", tools: "Tools", usage: "Usage", evals: "Evals", raw: "Raw" };

/** As many rows as the program draws together. */
const MOST_ROWS = 50_000;
/** So many calls at a time on the way to one that is far behind. */
const MORE_CALLS = 1_000;
/** A span that is farther behind is told of without its row. */
const FAR = 200_000;
const ROWS: Pages<Told> = { size: (told) => told.rows.length, joined: joinedRows, by: "cursor", one: 10_000, most: MOST_ROWS, rev: (told) => told.summary.rev };
const CALLS: Pages<Conversation> = { size: (told) => told.calls.length, joined, by: "after", one: 200, most: 5_000, rev: (told) => told.rev };

export function Trace({ id }: { id: string }) {
  const run = useGrowing<Told>(api(`/traces/${id}`), ROWS);
  const said = useGrowing<Conversation>(api(`/traces/${id}/transcript`), CALLS);
  const { data } = run;
  // A run that goes on: asked again when the stream says that it changed.
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = follow((event) => {
      const touched = event.event === "reset" || event.event === "deleted" || (event.event === "trace" && event.data.id === id) || (event.event === "traces" && (event.data.more > 0 || event.data.items.some((row) => row.id === id)));
      if (touched) timer ??= setTimeout(() => {
        timer = undefined;
        run.again();
        said.again();
      }, 400);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [id]);
  const named = data && headline(data.summary);
  useEffect(() => {
    title.value = named ? beginning(named, 60) : "";
    return () => { title.value = ""; };
  }, [named]);
  if (run.error && !data) {
    return (
      <div class="page">
        <Top crumbs={<><a href="/traces" class="mut">Traces</a><span class="mut">/</span><h1>{id.slice(0, 8)}</h1></>} />
        <Failed error={run.error} again={run.again} />
      </div>
    );
  }
  if (!data) {
    return (
      <div class="page trace" aria-busy="true">
        <Top crumbs={<><a href="/traces" class="mut">Traces</a><span class="mut">/</span><h1 class="nil">…</h1></>} />
        <div class="figures" /><div class="mini" /><Busy of={run} /><Skeleton rows={16} />
      </div>
    );
  }
  return <Known key={id} id={id} run={{ ...run, data }} said={said} />;
}

function Known({ id, run, said }: { id: string; run: Growing<Told> & { data: Told }; said: Growing<Conversation> }) {
  const trace = run.data;
  const conversed = said.data;
  // Nothing but logs tells of it: drawn from what was said.
  const bare = trace.summary.synthetic === true && trace.rows.length === 0;
  const drawn = useMemo(() => (bare && conversed ? logged(trace.summary, conversed) : undefined), [bare, trace, conversed]);
  const rows = drawn?.rows ?? trace.rows;
  const transcript = drawn?.transcript ?? conversed;
  const index = useMemo(() => new Map(rows.map((row, i) => [key(row), i])), [rows]);
  const whole = Math.max(trace.summary.durationMs, 0.001);
  const zoom = zoomNow(whole);
  const chosen = param("span");
  const [span, variant] = chosen?.split(".") ?? [];
  const row = chosen === undefined ? undefined : rows[index.get(chosen) ?? -1];
  const tab = tabNow();
  const view = viewNow();
  const delta = param("delta") === "1";
  const genai = param("genai") === "1";
  const query = param("q") ?? "";
  const narrow = useNarrow();
  const side = param("side") ?? (param("view") ? "left" : "right");
  const currency = about.value?.currency;
  const [folding, setFolding] = useState<{ closed: ReadonlySet<string>; opened: ReadonlySet<string> }>({ closed: new Set(), opened: new Set() });
  const all: Folding = { ...folding, genai };
  const shown = useMemo(() => visible(rows, all), [rows, folding, genai]);
  const matches = useMemo(() => (query ? found(rows, query) : undefined), [rows, query]);
  const [turn, setTurn] = useState(span ? 1 : 0);
  // A chosen span is shown where it is folded away: once, since what a person folds then stays so.
  useEffect(() => {
    if (row) reveal(row);
  }, [chosen, row === undefined]);
  // One that is not here yet is asked for until it is.
  useEffect(() => {
    if (!row && chosen !== undefined && trace.next !== undefined && rows.length < FAR) void run.more(MOST_ROWS);
  }, [chosen, row === undefined, rows.length]);
  // What is told of it, too: calls come in the order in which they began.
  const told = transcript?.calls.at(-1)?.at ?? Number.POSITIVE_INFINITY;
  useEffect(() => {
    if (row && isGenAi(row.op) && transcript?.next !== undefined && told <= trace.summary.startMs + row.at) void said.more(MORE_CALLS);
  }, [row?.span, transcript]);
  const search = useRef<HTMLInputElement>(null);

  const pick = (next: Row | undefined, where: "waterfall" | "transcript" = "waterfall", extra: Record<string, string | undefined> = {}) => {
    if (!next) return;
    reveal(next);
    choose(key(next), where, extra);
    if (where === "waterfall") setTurn((n) => n + 1);
  };
  const pickSpan = (to: string) => {
    const next = rows[index.get(to) ?? -1];
    if (next) pick(next, "transcript");
    else choose(to, "transcript");
  };
  /** Opens what hides a row. */
  const reveal = (to: Row) => {
    const closed = new Set(folding.closed);
    const opened = new Set(folding.opened);
    let changed = false;
    let at: Row | undefined = to;
    for (let i = 0; at && i < 10_000; i++) {
      if (at.fold === "http" && at.parent && !opened.has(at.parent)) changed = !!opened.add(at.parent);
      at = at.parent === undefined ? undefined : rows[index.get(at.parent) ?? -1];
      if (at && closed.delete(at.span)) changed = true;
    }
    if (changed) setFolding({ closed, opened });
  };
  const fold = (to: Row, i: number, open?: boolean) => {
    const closed = new Set(folding.closed);
    const opened = new Set(folding.opened);
    const isOpen = onlyHttp(rows, i) ? opened.has(to.span) : !closed.has(to.span);
    const next = open ?? !isOpen;
    if (next === isOpen) return false;
    if (next) {
      closed.delete(to.span);
      opened.add(to.span);
    } else {
      opened.delete(to.span);
      if (!onlyHttp(rows, i)) closed.add(to.span);
    }
    setFolding({ closed, opened });
    return true;
  };
  const position = () => shown.findIndex((i) => rows[i] === row);
  const step = (by: number) => pick(rows[shown[Math.max(0, Math.min(shown.length - 1, position() + by))] as number]);
  const jump = (by: 1 | -1, fits: (row: Row) => boolean) => {
    const from = chosen === undefined ? (by > 0 ? -1 : rows.length) : (index.get(chosen) ?? -1);
    for (let i = from + by; i >= 0 && i < rows.length; i += by) if (fits(rows[i] as Row)) return pick(rows[i]);
  };
  const neighbour = (by: number) => {
    const at = lastList.ids.indexOf(id);
    const next = at < 0 ? undefined : lastList.ids[at + by];
    if (next) go(`/trace/${next}`);
  };
  const setTab = (next: Tab) => {
    set({ tab: next === "transcript" ? undefined : next, ...(narrow && { side: "right" }) });
    if (next === "transcript" && span) setTurn((n) => n + 1);
  };
  const group = "Trace";
  useKeys([
    { keys: "j", does: "Next span", group, run: () => step(1) },
    { keys: "k", does: "Previous span", group, run: () => step(-1) },
    { keys: "ArrowDown", does: "Next span", group, run: () => step(1) },
    { keys: "ArrowUp", does: "Previous span", group, run: () => step(-1) },
    { keys: "J", does: "Next LLM call", group, run: () => jump(1, isCall) },
    { keys: "K", does: "Previous LLM call", group, run: () => jump(-1, isCall) },
    { keys: "n", does: "Next error", group, run: () => jump(1, (one) => one.error === true) },
    { keys: "N", does: "Previous error", group, run: () => jump(-1, (one) => one.error === true) },
    { keys: "h", does: "Fold, then to the parent", group, run: () => out() },
    { keys: "ArrowLeft", does: "Fold, then to the parent", group, run: () => out() },
    { keys: "l", does: "Unfold, then to the first child", group, run: () => into() },
    { keys: "ArrowRight", does: "Unfold, then to the first child", group, run: () => into() },
    { keys: "Enter", does: "Open the span", group, run: () => setTab(tab === "span" ? "transcript" : "span") },
    { keys: "t", does: "Transcript", group, run: () => setTab("transcript") },
    { keys: "a", does: "Graph of agents, models and tools", group, run: () => set({ view: view === "graph" ? undefined : "graph", ...(narrow && { side: "left" }) }) },
    { keys: "f", does: "Flame chart", group, run: () => set({ view: view === "flame" ? undefined : "flame", ...(narrow && { side: "left" }) }) },
    { keys: "w", does: "Waterfall", group, run: () => set({ view: undefined, ...(narrow && { side: "left" }) }) },
    { keys: "r", does: "Raw", group, run: () => setTab("raw") },
    { keys: "d", does: "Only what is new in the chosen call", group, run: () => set({ delta: delta ? undefined : "1" }) },
    { keys: "z", does: "Zoom to the span", group, run: () => { if (row) setZoom({ from: Math.max(0, row.at - row.durationMs * 0.1), to: row.at + Math.max(row.durationMs, whole / 10_000) * 1.1 }); } },
    { keys: "Z", does: "The whole run", group, run: () => setZoom(undefined) },
    { keys: "[", does: "Previous trace of the list", group, run: () => neighbour(-1) },
    { keys: "]", does: "Next trace of the list", group, run: () => neighbour(1) },
    { keys: "/", does: "Search in this trace", group, run: () => search.current?.focus() },
    { keys: "c", does: "Pick for a comparison; the second opens it", group, run: forCompare },
    { keys: "y", does: "Copy a link to this place", group, run: () => void copy(location.href) },
    { keys: "Escape", does: "Back", group, run: () => {
      if (document.activeElement === search.current) search.current?.blur();
      else if (query) set({ q: undefined });
      else if (param("zoom")) setZoom(undefined);
      else if (span) choose(undefined, "link");
      else if (depth() > 0) history.back();
      else go("/traces");
    } },
  ]);
  function forCompare() {
    const to = pickForCompare(id, row && !bare && isCall(row) ? row.span : undefined);
    if (to) go(to);
  }
  function out() {
    if (!row) return;
    const i = index.get(key(row)) ?? -1;
    if (row.children > 0 && fold(row, i, false)) return;
    pick(row.parent === undefined ? undefined : rows[index.get(row.parent) ?? -1]);
  }
  function into() {
    if (!row) return;
    const i = index.get(key(row)) ?? -1;
    if (row.children === 0) return;
    if (!fold(row, i, true)) pick(rows[i + 1]);
  }

  const summary = trace.summary;
  const conversation = summary.conversations.list[0];
  const errors = summary.errors;
  const left = (
    <section class="pane when" aria-label="When it happened">
      <Tabs label="Views of the run" panel="left-panel" value={view} onChange={(next: View) => set({ view: next === "waterfall" ? undefined : next })} tabs={[{ id: "waterfall", text: "Waterfall" }, { id: "graph", text: "Graph" }, { id: "flame", text: "Flame" }, { id: "logs", text: "Logs", count: summary.logs || undefined }]}>
        {view === "waterfall" && (
          <>
            <label class="field small">
              <Icon name="search" size={12} />
              <input ref={search} type="search" placeholder="Find" aria-label="Find in this trace" value={query} onInput={(event) => set({ q: event.currentTarget.value || undefined })} onKeyDown={(event) => {
                if (event.key === "Enter" && matches?.size) jump(event.shiftKey ? -1 : 1, (one) => matches.has(key(one)));
              }} />
              {matches ? <span class="n">{count(matches.size)}</span> : <kbd>/</kbd>}
            </label>
            <Check checked={genai} onChange={(on) => set({ genai: on ? "1" : undefined })} title="Hide HTTP, database and other plain spans">GenAI</Check>
          </>
        )}
      </Tabs>
      <div id="left-panel" role="tabpanel" class="panel-box" aria-labelledby={`left-panel-${view}`}>
        {view === "waterfall" ? (
          <Waterfall rows={rows} visible={shown} zoom={zoom} selected={chosen} folding={all} matches={matches} currency={currency} onChoose={(one) => pick(one, "waterfall", narrow && tab !== "transcript" ? { side: "right" } : {})} onFold={(one, i) => void fold(one, i)} onNear={run.near ?? (bare ? said.near : undefined)} />
        ) : view === "graph" ? (
          <Graph rows={rows} selected={chosen} onChoose={(to) => pick(rows[index.get(to) ?? -1])} />
        ) : view === "flame" ? (
          <Flame rows={rows} zoom={zoom} selected={chosen} onChoose={(one) => pick(one)} />
        ) : <TraceLogs trace={id} startMs={summary.startMs} rev={summary.rev} onSpan={(to) => { set({ view: undefined }); pickSpan(to); }} />}
      </div>
      {trace.totalRows > rows.length && <p class="note">The first {count(rows.length)} of {plural(trace.totalRows, "span")}; scroll for more.</p>}
      {bare && <p class="note">No span was sent: this is what log records tell, {summary.llmCalls + summary.toolCalls > 0 ? "drawn by the times in them." : "which stand under Logs."}</p>}
      {transcript && <Notes transcript={transcript} />}
    </section>
  );
  const offered = transcript && Object.values(transcript.tools).reduce((most, list) => Math.max(most, list.length), 0);
  const evals = transcript?.calls.reduce((sum, call) => sum + (call.evaluations?.length ?? 0), 0);
  const waiting = said.error ? <Failed error={said.error} again={said.again} /> : <Skeleton rows={8} height={84} />;
  const right = (
    <section class="pane said" aria-label="What was said">
      <Tabs label="Details" panel="right-panel" value={tab} onChange={setTab} tabs={TABS.map((one) => ({ id: one, text: TAB_NAMES[one], count: (one === "tools" ? offered : one === "evals" ? evals : undefined) || undefined }))}>
        {tab === "transcript" && <DeltaButton on={delta} toggle={() => set({ delta: delta ? undefined : "1" })} />}
      </Tabs>
      <div id="right-panel" role="tabpanel" class="panel-box" aria-labelledby={`right-panel-${tab}`} tabIndex={tab === "transcript" ? undefined : 0}>
        {tab !== "span" && <h2 class="sr">{TAB_NAMES[tab]}</h2>}
        {tab === "transcript" ? (
          transcript ? <Transcript transcript={transcript} currency={currency} selected={span} turn={chosenIn === "transcript" ? 0 : turn} delta={delta} leadsTo={bare ? "bar" : undefined} onSpan={pickSpan} onAll={() => set({ delta: undefined })} onNear={said.near} /> : waiting
        ) : tab === "tools" ? (
          transcript ? <Tools transcript={transcript} span={span} onMore={() => void said.more()} /> : waiting
        ) : tab === "usage" ? (
          <Usage trace={trace} transcript={transcript} currency={currency} onSpan={pickSpan} onMore={() => void said.more()} selected={span} waiting={waiting} />
        ) : tab === "evals" ? (
          transcript ? <Evals transcript={transcript} onMore={() => void said.more()} /> : waiting
        ) : tab === "raw" ? (
          <Raw trace={id} span={bare ? undefined : span} rev={summary.rev} />
        ) : bare ? (
          <Empty title="No span was sent" icon="logs">Only log records tell of this run. <a class="link" href={`/trace/${id}?view=logs`}>Its records</a> hold their attributes.</Empty>
        ) : span !== undefined ? (
          <SpanTabs id={id} span={span} variant={variant} row={row} rev={summary.rev} tab={tab} startMs={summary.startMs} transcript={transcript} currency={currency} onSpan={(to) => pick(rows[index.get(to) ?? -1])} />
        ) : <Empty title="No span is chosen" icon="traces">Click a bar, or press <kbd>j</kbd> and <kbd>k</kbd>.</Empty>}
      </div>
    </section>
  );
  const exports = (["html", "md", "jsonl", "otlp", "fixture"] as const).map((format) => ({
    text: { html: "One HTML file", md: "Markdown", jsonl: "JSONL", otlp: "OTLP JSON", fixture: "Test fixture" }[format],
    hint: { html: "opens offline", md: "for a person or a model", jsonl: "a call a line, for fine-tuning", otlp: "exactly what was sent", fixture: "OTLP and its transcript" }[format],
    href: api(`/traces/${id}/export`, { format }),
  }));
  const at = lastList.ids.indexOf(id);
  return (
    <div class="page trace">
      <Top crumbs={
        <>
          <a href="/traces" class="mut opt">Traces</a><span class="mut opt">/</span>
          <div class="titles">
            <h1 class="ell" dir="auto" title={summary.title}><Text value={beginning(headline(summary), 160)} /></h1>
            {summary.title && summary.name && <p class="mut ell under"><bdi><Text value={summary.name} /></bdi></p>}
          </div>
          {summary.state === "running" && <span class="badge run">running</span>}
          {errors > 0 && <button type="button" class="badge err" title="Next error (n)" onClick={() => jump(1, (one) => one.error === true)}><Icon name="error" size={11} />{errors}</button>}
          <span class="opt"><Id value={id} label="trace id" /></span>
          {conversation && <a class="pill mono opt" title="The conversation" href={`/conversation/${encodeURIComponent(conversation)}`}><bdi>{conversation}</bdi></a>}
        </>
      }>
        {at >= 0 && (
          <span class="pair opt">
            <Button icon="up" kind="ghost" title="Previous trace ([)" disabled={at <= 0} onClick={() => neighbour(-1)} />
            <Button icon="dim" kind="ghost" title="Next trace (])" disabled={at >= lastList.ids.length - 1} onClick={() => neighbour(1)} />
          </span>
        )}
        <Button kind="plain" pressed={picked.value !== undefined} title={picked.value === undefined ? "Pick for a comparison (c)" : picked.value.startsWith(id) ? "Picked: now choose another trace or call (c)" : "Compare with what was picked (c)"} onClick={forCompare}>{picked.value === undefined ? "Compare" : picked.value.startsWith(id) ? "Picked" : "Compare with picked"}</Button>
        <Menu label="Export" icon="export" items={[...exports, { text: "Copy a link", hint: "to this very place", run: () => void copy(location.origin + place.value.path + location.search) }]} />
      </Top>
      <Header summary={summary} currency={currency} />
      <MiniTimeline rows={rows} whole={whole} zoom={zoom} selected={row} />
      <Busy of={run.error ? run : said} />
      <Stuck of={run.stuck ? run : said} />
      {narrow ? (
        <>
          <div class="segments" role="group" aria-label="Side">
            <button type="button" aria-pressed={side === "left"} onClick={() => set({ side: "left" })}>Waterfall</button>
            <button type="button" aria-pressed={side !== "left"} onClick={() => set({ side: "right" })}>Transcript</button>
          </div>
          {side === "left" ? left : right}
        </>
      ) : <Split left={left} right={right} />}
    </div>
  );
}
