/** One box over ids, names and the text of messages and logs. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Hit, SearchAnswer, Snippet } from "../api";
import { api, useGet } from "../client";
import { useKeys } from "../keys";
import { duration, plural } from "../lib/format";
import { once } from "../lib/hits";
import { href, param, set } from "../state/url";
import { Busy, Empty, Failed, Skeleton, Text, Time } from "../ui/bits";
import { Icon } from "../ui/Icon";
import { TimeRange } from "../ui/TimeRange";
import { Top } from "../ui/Top";

export function Search() {
  const query = param("q") ?? "";
  const [typed, setTyped] = useState(query);
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    box.current?.focus();
  }, []);
  // What the box asked for last. Another query comes from outside (Back, a link) and goes into the box.
  const sent = useRef(query);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useLayoutEffect(() => {
    if (query === sent.current) return;
    sent.current = query;
    clearTimeout(timer.current);
    setTyped(query);
  }, [query]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const type = (text: string) => {
    setTyped(text);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      sent.current = text.trim();
      set({ q: sent.current || undefined });
    }, 200);
  };
  const answer = useGet<SearchAnswer>(query ? api("/search", { q: query, from: param("from"), to: param("to"), limit: "100" }) : undefined, { hold: true });
  const hits = query ? once(answer.data?.hits ?? []) : [];
  useKeys([{ keys: "/", does: "Search", group: "Search", run: () => box.current?.focus() }]);
  return (
    <div class="page">
      <Top crumbs={<h1>Search</h1>} />
      <div class="bar">
        <label class="field grow"><Icon name="search" size={14} /><input ref={box} type="search" placeholder="Words in messages, a “whole phrase”, a name, an id" aria-label="Search" value={typed} onInput={(event) => type(event.currentTarget.value)} onKeyDown={(event) => { if (event.key === "Escape") event.currentTarget.blur(); }} /></label>
        <TimeRange />
      </div>
      <div class="scroll" tabIndex={0} role="region" aria-label="Results">
        <Busy of={answer} />
        {!query ? <Empty title="Search everything that is kept" icon="search">Messages, tool calls, logs, names and ids, in any language. “Quotes” look for a phrase exactly.</Empty> : answer.error && !answer.data ? <Failed error={answer.error} again={answer.again} /> : !answer.data || (answer.held && hits.length === 0) ? <Skeleton /> : hits.length === 0 ? (
          <Empty title={`Nothing holds “${query}”`} icon="search">{answer.data.complete ? "Try fewer words, or a longer time." : "The index is still behind: what came in just now may be missing."}</Empty>
        ) : (
          <div class="hits">
            <p class="mut small" role="status">{plural(hits.length, "hit")}{answer.data.next ? ", the newest" : ""}{answer.data.complete ? "" : " · the index is still behind"}</p>
            {hits.map((hit, i) => <HitView key={i} hit={hit} />)}
          </div>
        )}
      </div>
    </div>
  );
}

function HitView({ hit }: { hit: Hit }) {
  if (hit.type === "trace") {
    return <a class="hit" href={`/trace/${hit.trace.id}`}><Icon name="traces" /><span><b><bdi><Text value={hit.trace.name} /></bdi></b> <span class="mut" dir="auto"><Text value={hit.trace.title ?? ""} /></span></span><span class="mut">{duration(hit.trace.durationMs)} · <Time at={hit.trace.startMs} /></span></a>;
  }
  if (hit.type === "name") return <a class="hit" href={href("/traces", { [hit.of]: hit.text })}><Icon name="agents" /><span><b><bdi><Text value={hit.text} /></bdi></b></span><span class="mut">{hit.of} · {plural(hit.traces, "trace")}</span></a>;
  const to = hit.type === "content" ? href(`/trace/${hit.trace}`, { span: hit.span }) : hit.trace ? href(`/trace/${hit.trace}`, { span: hit.span }) : href("/logs", { log: hit.log });
  return <a class="hit" href={to}><Icon name={hit.type === "content" ? "conversations" : "logs"} /><p dir="auto"><Marked snippet={hit.snippet} /></p><span class="mut"><Time at={hit.atMs} /></span></a>;
}

function Marked({ snippet }: { snippet: Snippet }) {
  const out = [];
  let at = 0;
  for (const [from, to] of snippet.marks) {
    out.push(<Text key={at} value={snippet.text.slice(at, from)} />, <mark key={`m${from}`}><Text value={snippet.text.slice(from, to)} /></mark>);
    at = to;
  }
  out.push(<Text key="end" value={snippet.text.slice(at)} />);
  return <>{out}</>;
}
