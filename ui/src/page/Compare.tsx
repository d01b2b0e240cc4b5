/** Two runs, or two calls, side by side: what took longer, what cost more, what was said otherwise. */
import { useState } from "preact/hooks";
import type { Comparison, Hash, Message, Side } from "../api";
import { api, useGet } from "../client";
import { useKeys } from "../keys";
import { diff } from "../lib/diff";
import { beginning, count, duration, money, shortId } from "../lib/format";
import { messageText } from "../lib/conversation";
import { brief, headline, kind } from "../lib/ops";
import { about } from "../live";
import { href, param, set } from "../state/url";
import { Busy, Button, Check, Empty, Failed, Glyph, Pill, Skeleton, Text, Time } from "../ui/bits";
import { Top } from "../ui/Top";

export function Compare() {
  const a = param("a");
  const b = param("b");
  const answer = useGet<Comparison>(a && b ? api("/compare", { a, b }) : undefined, { hold: true });
  const same = param("same") === "1";
  const data = answer.data;
  const swap = () => set({ a: b, b: a });
  useKeys([{ keys: "x", does: "Swap the sides", group: "Compare", run: swap }]);
  if (!a || !b) {
    return (
      <div class="page">
        <Top crumbs={<h1>Compare</h1>} />
        <Empty title="Two things to compare" icon="link">Open a trace, press <kbd>c</kbd>; open another, press <kbd>c</kbd> again. With a call chosen, calls are compared.{(a ?? b) && <p><bdi>{shortId(a ?? b ?? "")}</bdi> is picked; one more is needed.</p>}</Empty>
      </div>
    );
  }
  return (
    <div class="page">
      <Top crumbs={<h1>Compare</h1>}>
        <Check checked={same} onChange={(on) => set({ same: on ? "1" : undefined })}>What is the same, too</Check>
        <Button onClick={swap} title="Swap the sides (x)">Swap</Button>
      </Top>
      <div class="scroll" tabIndex={0} role="region" aria-label="Comparison">
        <Busy of={answer} />
        {answer.error && !data ? <Failed error={answer.error} again={answer.again} /> : !data ? <Skeleton rows={10} height={44} /> : <Both data={data} same={same} />}
      </div>
    </div>
  );
}

function Both({ data, same }: { data: Comparison; same: boolean }) {
  const rows = data.rows.filter((row) => same || !row.same);
  const messages = data.messages.filter((one) => same || one.how !== "same");
  return (
    <div class="pages compare">
      <div class="sides"><SideHead side={data.a} name="A" /><SideHead side={data.b} name="B" /></div>
      <section class="card">
        <h2>In numbers</h2>
        <table class="grid"><thead><tr><th>What</th><th class="right">A</th><th class="right">B</th><th class="right">Change</th></tr></thead>
          <tbody>{data.metrics.map((one) => <tr key={one.name}><td>{one.name}</td><td class="right">{shown(one.name, one.a)}</td><td class="right">{shown(one.name, one.b)}</td><td class="right"><Change a={one.a} b={one.b} /></td></tr>)}</tbody>
        </table>
      </section>
      <section class="card">
        <h2>Messages <span class="n">{messages.length}</span></h2>
        <div class="cmp-list">
          {messages.length === 0 && <p class="mut none">{data.messages.length ? "Both said the same." : "Of neither is known what was said."}</p>}
          {messages.slice(0, 200).map((one) => <Pair key={`${data.messages.indexOf(one)} ${one.a} ${one.b}`} one={one} data={data} />)}
        </div>
      </section>
      <section class="card">
        <h2>Steps <span class="n">{rows.length}</span></h2>
        {rows.length === 0 ? <p class="mut none">Both took the same steps.</p> : (
          <table class="grid steps"><tbody>
            {rows.slice(0, 500).map((one, i) => <tr key={i} class={one.same ? undefined : "changed"}><Step side={data.a} at={one.a} /><Step side={data.b} at={one.b} /></tr>)}
          </tbody></table>
        )}
      </section>
      {data.attributes.length > 0 && (
        <section class="card">
          <h2>Attributes <span class="n">{data.attributes.length}</span></h2>
          <table class="grid"><thead><tr><th>Key</th><th>A</th><th>B</th></tr></thead><tbody>{data.attributes.map((one) => <tr key={one.key}><td><bdi><Text value={one.key} /></bdi></td><td class="ell" title={one.a}>{one.a === undefined ? <span class="nil">none</span> : <bdi><Text value={one.a} /></bdi>}</td><td class="ell" title={one.b}>{one.b === undefined ? <span class="nil">none</span> : <bdi><Text value={one.b} /></bdi>}</td></tr>)}</tbody></table>
        </section>
      )}
    </div>
  );
}

function SideHead({ side, name }: { side: Side; name: string }) {
  return (
    <a class="card side" href={href(`/trace/${side.trace.id}`, { span: side.span })}>
      <span class="side-name" aria-hidden="true">{name}</span>
      <span class="side-text"><b class="ell" dir="auto"><Text value={beginning(headline(side.trace), 160)} /></b><span class="mut ell"><bdi><Text value={side.span ? `${brief(side.rows[0] ?? side.trace)} in ${side.trace.name}` : side.trace.title ? side.trace.name : side.trace.id} /></bdi></span></span>
      <span class="mut"><Time at={side.trace.startMs} /></span>
    </a>
  );
}

function shown(name: string, value: number | undefined) {
  if (value === undefined) return <span class="nil">–</span>;
  if (/cost|saved/i.test(name)) return money(value, about.value?.currency);
  if (/ms$|duration|ttft|latency/i.test(name)) return duration(value);
  return count(value);
}

function Change({ a, b }: { a: number | undefined; b: number | undefined }) {
  if (a === undefined || b === undefined || a === b) return <span class="nil">{a === b && a !== undefined ? "same" : "–"}</span>;
  if (a === 0) return <>new</>;
  const by = ((b - a) / a) * 100;
  return <>{by > 0 ? "+" : "−"}{Math.abs(by) < 1 ? Math.abs(by).toFixed(1) : Math.round(Math.abs(by))}%</>;
}

const HOW = { same: "same", changed: "changed", only_a: "only in A", only_b: "only in B" } as const;

function Pair({ one, data }: { one: Comparison["messages"][number]; data: Comparison }) {
  const [open, setOpen] = useState(one.how === "changed");
  const find = (hash: Hash | undefined, side: Side): Message | undefined => (hash === undefined ? undefined : side.messages[hash]);
  const left = find(one.a, data.a);
  const right = find(one.b, data.b);
  const message = left ?? right;
  if (!message) return null;
  const parts = left && right ? (one.diff ?? diff(messageText(left), messageText(right))) : [[left ? -1 : 1, messageText(message)] as const];
  return (
    <article class={`m ${message.role === "assistant" ? "asst" : message.role === "user" ? "user" : message.role === "tool" ? "tool" : "sys"}`}>
      <header><button type="button" class="fold" aria-expanded={open} onClick={() => setOpen(!open)}><b><Text value={message.role} /></b><Pill tone={one.how === "same" ? "ok" : "warn"}>{HOW[one.how]}</Pill><span class="ell" dir="auto"><Text value={messageText(message).slice(0, 160)} /></span></button></header>
      {open && <div class="body"><p class="diff-text" dir="auto">{parts.map(([op, text], i) => (op === 0 || one.how === "same" ? <Text key={i} value={text} /> : op < 0 ? <del key={i}><Text value={text} /></del> : <ins key={i}><Text value={text} /></ins>))}</p></div>}
    </article>
  );
}

function Step({ side, at }: { side: Side; at: number | undefined }) {
  const row = at === undefined ? undefined : side.rows[at];
  if (!row) return <td class="gone"><span class="sr">no such step</span></td>;
  return <td class={`k-${kind(row.op)}`}><span class="step" style={{ paddingLeft: `${Math.min(row.depth, 12) * 14}px` }}><Glyph op={row.op} error={!!row.error} /><a class="ell" href={href(`/trace/${side.trace.id}`, { span: row.span })}><bdi><Text value={brief(row)} /></bdi></a><span class="grow" /><span class="mut">{duration(row.durationMs)}</span></span></td>;
}
