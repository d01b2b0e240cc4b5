/** Conversations over their traces, and one of them as a whole. */
import { useEffect, useState } from "preact/hooks";
import type { Conversation as Told, ConversationList, ConversationRow } from "../api";
import { api } from "../client";
import { listOf, type Pages, useGrowing } from "../growing";
import { useKeys } from "../keys";
import { joined } from "../lib/conversation";
import { beginning, cost, count, duration, few, plural, tokens } from "../lib/format";
import { about } from "../live";
import { asked } from "../state/filters";
import { go, href, param, set } from "../state/url";
import { DeltaButton, Notes, Transcript } from "../trace/Transcript";
import { Busy, Empty, Failed, Glyph, Id, Skeleton, Stuck, Text, Time } from "../ui/bits";
import { Icon } from "../ui/Icon";
import { Spark } from "../ui/Spark";
import { TimeRange } from "../ui/TimeRange";
import { title, Top } from "../ui/Top";
import { VirtualList } from "../ui/VirtualList";

const LIST = listOf<ConversationList>(200);
const CALLS: Pages<Told> = {
  size: (told) => told.transcript?.calls.length ?? 0,
  joined: (first, next) => ({ ...next, ...(first.transcript && next.transcript && { transcript: joined(first.transcript, next.transcript) }) }),
  next: (told) => told.transcript?.next,
  rev: (told) => told.transcript?.rev ?? 0,
  by: "after",
  one: 200,
  most: 5_000,
};

export function Conversations() {
  const url = api("/conversations", asked({ limit: "200" }));
  const answer = useGrowing<ConversationList>(url, LIST, { hold: true, poll: 15_000 });
  const rows = answer.data?.items ?? [];
  const [at, setAt] = useState(-1);
  const open = (row: ConversationRow | undefined) => row && go(`/conversation/${encodeURIComponent(row.id)}`);
  const currency = about.value?.currency;
  const move = (by: number) => setAt((now) => Math.max(0, Math.min(rows.length - 1, now + by)));
  const group = "Conversations";
  useKeys([
    { keys: "j", does: "Next conversation", group, run: () => move(1) },
    { keys: "k", does: "Previous conversation", group, run: () => move(-1) },
    { keys: "Enter", does: "Open", group, run: () => open(rows[at]) },
  ]);
  return (
    <div class="page">
      <Top crumbs={<><h1>Conversations</h1>{answer.data && <span class="mut">{count(rows.length)}{answer.data.next ? "+" : ""}</span>}</>}><TimeRange /></Top>
      <div class="list-pane tall">
        <Busy of={answer} />
        {answer.error && !answer.data ? <Failed error={answer.error} again={answer.again} /> : !answer.data ? <Skeleton height={52} /> : rows.length === 0 ? (
          <Empty title="No conversations yet" icon="conversations">Spans that carry <code>gen_ai.conversation.id</code> (or a session or thread id of another convention) are gathered here.</Empty>
        ) : (
          <VirtualList class="convs" count={rows.length} height={52} active={at < 0 ? undefined : at} place={url} name={(i) => rows[i]?.id} onNear={answer.near} onSight={answer.onSight} attributes={{ role: "list", "aria-label": "Conversations", tabIndex: 0 }} row={(i) => {
            const row = rows[i] as ConversationRow;
            return (
              <div key={row.id} role="listitem"><a class={`conv${i === at ? " sel" : ""}`} href={`/conversation/${encodeURIComponent(row.id)}`}>
                <div class="conv-text">
                  <p class="ell" dir="auto"><b><Text value={row.first ?? row.id} /></b></p>
                  <p class="ell mut" dir="auto">{row.last && row.last !== row.first ? <Text value={row.last} /> : <bdi class="mono">{row.id}</bdi>}</p>
                </div>
                {row.errors > 0 && <span class="badge err"><Icon name="error" size={11} />{row.errors}</span>}
                <span class="mut conv-who ell opt" title={few(row.agents)}><bdi>{few(row.agents) || row.service}</bdi></span>
                <span class="mut conv-n">{plural(row.traces, "trace")}</span>
                <span class="conv-n right opt">{tokens(row.usage)}</span>
                <span class="conv-n right">{row.cost ? cost(row.cost, currency) : <span class="nil">–</span>}</span>
                <span class="mut conv-n right"><Time at={row.endMs} /></span>
              </a></div>
            );
          }} />
        )}
        <Stuck of={answer} />
      </div>
    </div>
  );
}

export function Conversation({ id }: { id: string }) {
  const answer = useGrowing<Told>(api(`/conversations/${encodeURIComponent(id)}`, { transcript: "1" }), CALLS, { hold: true, poll: 15_000 });
  const currency = about.value?.currency;
  const data = answer.data;
  const delta = param("delta") === "1";
  const span = param("span");
  const first = data?.summary.first;
  useEffect(() => {
    title.value = first === undefined ? "" : beginning(first, 60);
    return () => { title.value = ""; };
  }, [first]);
  useKeys([
    { keys: "Escape", does: "Back to the conversations", group: "Conversation", run: () => go("/conversations") },
    { keys: "d", does: "Only what is new in the chosen call", group: "Conversation", run: () => set({ delta: delta ? undefined : "1" }) },
  ]);
  return (
    <div class="page">
      <Top crumbs={<><a href="/conversations" class="mut opt">Conversations</a><span class="mut opt">/</span><h1 class="ell" dir="auto"><Text value={data?.summary.first ?? id} /></h1><Id value={id} label="conversation id" /></>}>
        {data && <span class="mut opt">{plural(data.summary.traces, "trace")} · {plural(data.summary.llmCalls, "call")}{data.summary.cost ? ` · ${cost(data.summary.cost, currency)}` : ""}</span>}
        <DeltaButton on={delta} toggle={() => set({ delta: delta ? undefined : "1" })} />
      </Top>
      <Busy of={answer} />
      {answer.error && !data ? <Failed error={answer.error} again={answer.again} /> : !data ? <Skeleton height={84} rows={8} /> : (
        <div class="with-facets conv-page">
          <nav class="facets" aria-label="Traces of this conversation">
            {data.traces.map((row) => (
              <a key={row.id} class="turn" href={`/trace/${row.id}`}>
                <span class="turn-head"><Glyph op={row.op} error={row.errors > 0} /><Time at={row.startMs} /><span class="grow" /><span class="mut">{duration(row.durationMs)}</span></span>
                <Spark bars={row.bars} />
                <span class="ell mut" dir="auto"><Text value={row.title ?? row.name} /></span>
              </a>
            ))}
          </nav>
          <div class="pane">
            <div class="panel-box">
              {data.transcript ? <Transcript transcript={data.transcript} currency={currency} selected={span} turn={0} delta={delta} onSpan={(to, trace) => go(href(`/trace/${trace}`, { span: to }))} onAll={() => set({ delta: undefined })} onNear={answer.near} /> : <Empty title="No content was captured" icon="conversations" />}
            </div>
            <Stuck of={answer} />
            {data.summary.traces > data.traces.length && <p class="note">The first {count(data.traces.length)} of {plural(data.summary.traces, "trace")}: <a class="link" href={href("/traces", { conversation: id })}>all of them</a>.</p>}
            {data.transcript && <Notes transcript={data.transcript} />}
          </div>
        </div>
      )}
    </div>
  );
}
