/** One span: what it was, by its kind. */
import type { Document, Row, SpanDetail, Transcript, Usage } from "../api";
import { cost, count, duration, exact, percent, plural } from "../lib/format";
import { isCall, kind, label, word } from "../lib/ops";
import { Glyph, Id, Pill, Text } from "../ui/bits";
import { Icon } from "../ui/Icon";
import { Long } from "../ui/Long";
import { AnyView, Table } from "./Attributes";
import { Value } from "./PartView";

interface Props {
  detail: SpanDetail;
  startMs: number;
  transcript: Transcript | undefined;
  currency: string | undefined;
  onSpan: (span: string) => void;
}

export function SpanPanel({ detail, startMs, transcript, currency, onSpan }: Props) {
  const row = detail.row;
  const args = detail.attributes.find((one) => one.key === "gen_ai.tool.call.arguments");
  const result = detail.attributes.find((one) => one.key === "gen_ai.tool.call.result");
  return (
    <div class="panel">
      <div class="span-head">
        <Glyph op={row.op} error={!!row.error} />
        <h2><bdi><Text value={label(row)} /></bdi></h2>
        <Id value={row.span} label="span id" />
      </div>
      <dl class="facts-grid">
        <Fact name="Kind">{word(row.op)}{row.kind !== "internal" && row.kind !== "unspecified" ? ` · ${row.kind}` : ""}</Fact>
        <Fact name="Service"><bdi>{row.service}</bdi></Fact>
        <Fact name="Started"><span title={exact(startMs + row.at)}>after {duration(row.at)}</span></Fact>
        <Fact name="Duration">{row.state === "running" ? "running" : duration(row.durationMs)}</Fact>
        {row.ttftMs !== undefined && <Fact name="First token">after {duration(row.ttftMs)}</Fact>}
        {row.ttftMs !== undefined && row.usage?.output !== undefined && row.durationMs > row.ttftMs && <Fact name="Speed">{Math.round(row.usage.output / ((row.durationMs - row.ttftMs) / 1000))} tokens/s</Fact>}
        {row.model && <Fact name="Model"><bdi>{row.requestModel && row.requestModel !== row.model ? `${row.requestModel} → ${row.model}` : row.model}</bdi></Fact>}
        {row.provider && <Fact name="Provider"><bdi>{row.provider}</bdi></Fact>}
        {row.finish && <Fact name="Finished by"><bdi>{row.finish}</bdi></Fact>}
        {row.agent && <Fact name="Agent"><bdi>{row.agent}</bdi></Fact>}
        {row.tool && <Fact name="Tool"><bdi>{row.tool}</bdi></Fact>}
        {row.toolCall && <Fact name="Call id"><Id value={row.toolCall} label="call id" /></Fact>}
        {row.cost && <Fact name="Cost">{cost(row.cost, currency)}{row.cost.source === "reported" ? " reported" : ""}</Fact>}
        {row.conversation && <Fact name="Conversation"><a href={`/conversation/${encodeURIComponent(row.conversation)}`}><bdi>{row.conversation}</bdi></a></Fact>}
      </dl>
      {(detail.status.code === "error" || row.error) && (
        <section class="failure">
          <h3 class="t-err"><Icon name="error" size={13} /> <Text value={row.errorType ?? "error"} /></h3>
          {detail.status.message && <Long content={detail.status.message} markdown={false} />}
        </section>
      )}
      {(row.own || row.total) && <OwnTotal row={row} currency={currency} />}
      {isCall(row) && row.usage && <UsageBar usage={row.usage} />}
      {(args || result) && (
        <section class="two">
          {[{ name: "Arguments", told: args }, { name: "Result", told: result }].map(({ name, told }) => <div key={name}><h3>{name}</h3>{told ? <AnyView attribute={told} /> : <p class="mut none">nothing told</p>}</div>)}
        </section>
      )}
      {detail.query !== undefined && <section><h3>Query</h3><Long content={detail.query} markdown={false} /></section>}
      {detail.documents && <Documents list={detail.documents} />}
      {detail.memory && <section><h3>Memory</h3><p class="mut">{[detail.memory.operation, detail.memory.store].filter(Boolean).join(" · ")}</p><Value value={detail.memory.records} /></section>}
      {detail.mcp && (
        <section>
          <h3>MCP</h3>
          <dl class="facts-grid">
            {Object.entries({ Method: detail.mcp.method, Transport: detail.mcp.transport, Session: detail.mcp.session, Protocol: detail.mcp.protocol, Request: detail.mcp.requestId }).map(([name, value]) => value && <Fact key={name} name={name}><bdi>{value}</bdi></Fact>)}
            {detail.mcp.peer && <Fact name="Other side"><button type="button" class="link" onClick={() => onSpan(detail.mcp?.peer as string)}>→ span</button></Fact>}
          </dl>
        </section>
      )}
      {detail.request.length > 0 && <section><h3>Request</h3><Table list={detail.request} /></section>}
      {detail.evaluations.length > 0 && <Evaluations list={detail.evaluations} />}
      {detail.events.length > 0 && (
        <section>
          <h3>Events <span class="n">{detail.events.length}</span></h3>
          {detail.events.map((event, i) => <details key={i} class="event"><summary><b><Text value={event.name} /></b> <span class="mut">after {duration(event.at)}</span></summary><Table list={event.attributes} /></details>)}
        </section>
      )}
      {detail.links.length > 0 && <section><h3>Links</h3>{detail.links.map((link) => <p key={link.span}>{link.known ? <a href={`/trace/${link.trace}?span=${link.span}`}>{link.trace} · {link.span}</a> : <span class="mut">{link.trace} · {link.span} (not kept here)</span>}</p>)}</section>}
      {transcript && <Asked row={row} transcript={transcript} onSpan={onSpan} />}
      {detail.dropped && <p class="t-warn small">The SDK dropped {plural(detail.dropped.attributes, "attribute")}, {plural(detail.dropped.events, "event")}, {plural(detail.dropped.links, "link")} of this span (its limits).</p>}
    </div>
  );
}

function Fact({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return <div><dt>{name}</dt><dd>{children}</dd></div>;
}

/** Which call asked for this tool. */
function Asked({ row, transcript, onSpan }: { row: Row; transcript: Transcript; onSpan: (span: string) => void }) {
  if (kind(row.op) !== "tool" && row.op !== "mcp" && row.op !== "retrieval") return null;
  for (const call of transcript.calls) {
    for (const seen of call.output) {
      for (const part of transcript.messages[seen.message]?.parts ?? []) {
        if (part.type === "tool_call" && part.join?.span === row.span && call.span) return <p class="mut small">Asked for by <button type="button" class="link" onClick={() => onSpan(call.span as string)}>call {call.ordinal + 1}</button>.</p>;
      }
    }
  }
  return null;
}

function OwnTotal({ row, currency }: { row: Row; currency: string | undefined }) {
  const line = (name: string, of: NonNullable<Row["total"]> | undefined) => of && (
    <tr><th scope="row">{name}</th><td class="right">{count(of.llmCalls)}</td><td class="right">{count(of.toolCalls)}</td><td class="right">{count(of.usage.input)}</td><td class="right">{count(of.usage.output)}</td><td class="right">{cost(of.cost, currency)}</td></tr>
  );
  return (
    <section>
      <h3>Own and total</h3>
      <table class="grid"><thead><tr><td /><th class="right">Model calls</th><th class="right">Tools</th><th class="right">Tokens in</th><th class="right">out</th><th class="right">Cost</th></tr></thead><tbody>{line("Own", row.own)}{line("With all below", row.total)}</tbody></table>
    </section>
  );
}

/** Tokens by what they were: the whole bar is input and output together. */
export function UsageBar({ usage }: { usage: Usage }) {
  const input = usage.input ?? 0;
  const output = usage.output ?? 0;
  const parts = [
    { name: "cached", tokens: usage.cacheRead ?? 0, look: "u-cache" },
    { name: "written to the cache", tokens: usage.cacheWrite ?? 0, look: "u-write" },
    { name: "input", tokens: Math.max(0, input - (usage.cacheRead ?? 0) - (usage.cacheWrite ?? 0)), look: "u-in" },
    { name: "reasoning", tokens: usage.reasoning ?? 0, look: "u-reason" },
    { name: "output", tokens: Math.max(0, output - (usage.reasoning ?? 0)), look: "u-out" },
  ].filter((part) => part.tokens > 0);
  const all = parts.reduce((sum, part) => sum + part.tokens, 0);
  if (all === 0) return null;
  return (
    <section>
      <h3>Tokens</h3>
      <div class="ubar" role="img" aria-label={parts.map((part) => `${part.name} ${part.tokens}`).join(", ")}>{parts.map((part) => <i key={part.name} class={part.look} style={{ flexGrow: part.tokens }} />)}</div>
      <ul class="legend">{parts.map((part) => <li key={part.name}><i class={part.look} />{part.name} <b>{count(part.tokens)}</b> <span class="mut">{percent(part.tokens, all)}</span></li>)}</ul>
    </section>
  );
}

function Documents({ list }: { list: readonly Document[] }) {
  const most = Math.max(...list.map((one) => one.score ?? 0), 1e-9);
  return (
    <section>
      <h3>Documents <span class="n">{list.length}</span></h3>
      <table class="grid docs">
        <thead><tr><th>Score</th><th>Document</th><th>Text</th></tr></thead>
        <tbody>
          {list.map((one, i) => (
            <tr key={one.id ?? i}>
              <td class="score"><span>{one.score?.toFixed(2) ?? "–"}</span><i style={{ width: `${((one.score ?? 0) / most) * 100}%` }} /></td>
              <td><bdi><Text value={one.id ?? `#${i + 1}`} /></bdi>{one.quoted && <Pill tone="ok" title="Its text occurs in a later answer">quoted</Pill>}</td>
              <td dir="auto">{one.text ? <Long content={one.text} /> : <span class="nil">not captured</span>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

export function Evaluations({ list }: { list: SpanDetail["evaluations"] }) {
  return (
    <section>
      <h3>Evaluations <span class="n">{list.length}</span></h3>
      <table class="grid"><thead><tr><th>Name</th><th>Verdict</th><th class="right">Score</th><th>Why</th></tr></thead>
        <tbody>{list.map((one, i) => <tr key={i}><td><bdi><Text value={one.name} /></bdi></td><td>{one.label && <Pill tone={/fail|bad|unsafe/i.test(one.label) ? "err" : "ok"}>{one.label}</Pill>}</td><td class="right">{one.score ?? "–"}</td><td dir="auto">{one.explanation ? <Text value={one.explanation} /> : <span class="nil">–</span>}{one.by && <span class="mut"> · by {one.by}</span>}</td></tr>)}</tbody>
      </table>
    </section>
  );
}
