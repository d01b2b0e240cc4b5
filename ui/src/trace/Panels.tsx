/** The smaller tabs of a trace: tools offered, tokens by call, evaluations, raw OTLP, logs. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Chain, LogList, Transcript, ToolDefinition, Trace } from "../api";
import { api, getText, useGet, useRenewed } from "../client";
import { listOf, useGrowing } from "../growing";
import { bytes, cost, count, duration, exact, percent, plural } from "../lib/format";
import { Busy, Button, Empty, Failed, Glyph, Skeleton, Stuck, Text } from "../ui/bits";
import { CopyText } from "../ui/CopyText";
import { Json } from "../ui/Json";
import { Chunks, Long } from "../ui/Long";
import { LogBody } from "./LogBody";
import { Evaluations, UsageBar } from "./SpanPanel";

interface OfCalls {
  transcript: Transcript;
  /** Fetches calls that are not here yet. */
  onMore: () => void;
}

/** What is said of calls is said of those that are here: how many there are, and more of them. */
function Rest({ transcript, onMore }: OfCalls) {
  if (transcript.next === undefined) return null;
  return <p class="rest mut small">Of the first {count(transcript.calls.length)} of {plural(transcript.chains.reduce((sum, chain) => sum + chain.calls, 0), "call")}. <button type="button" class="link" onClick={onMore}>Load more</button></p>;
}

/** The tools offered to the model: of the chosen call, or of all. */
export function Tools({ transcript, span, onMore }: OfCalls & { span: string | undefined }) {
  const call = transcript.calls.find((one) => one.span === span);
  const wanted = call ? [call.tools] : transcript.calls.map((one) => one.tools);
  const used = new Map<string, number>();
  for (const message of Object.values(transcript.messages)) for (const part of message.parts) if (part.type === "tool_call") used.set(part.name, (used.get(part.name) ?? 0) + 1);
  const known = new Map<string, ToolDefinition>();
  for (const key of wanted) for (const tool of (key && transcript.tools[key]) || []) known.set(`${tool.name}\n${JSON.stringify(tool.parameters)}`, tool);
  const tools = [...known];
  if (tools.length === 0) return <Empty title="No tools were offered" icon="agents">{call ? "This call told of none." : "No call of this trace told of any."}<Rest transcript={transcript} onMore={onMore} /></Empty>;
  return (
    <div class="panel">
      <p class="mut">{call ? `Offered in call ${call.ordinal + 1}` : "Offered in this trace"}</p>
      <Rest transcript={transcript} onMore={onMore} />
      {tools.map(([key, tool]) => (
        <details key={key} class="tool-def">
          <summary>
            <Glyph op="execute_tool" />
            <b><bdi><Text value={tool.name} /></bdi></b>
            <span class="mut ell" dir="auto"><Text value={tool.description?.split("\n")[0] ?? ""} /></span>
            <span class="grow" />
            <span class={used.has(tool.name) ? "" : "nil"}>{used.has(tool.name) ? plural(used.get(tool.name) ?? 0, "call") : transcript.next === undefined ? "not called" : "not called so far"}</span>
          </summary>
          {tool.description && tool.description.includes("\n") && <Long content={tool.description} />}
          {tool.parameters !== undefined && <Json value={tool.parameters} />}
        </details>
      ))}
    </div>
  );
}

/** Tokens and cost, call by call, and how each context grew. */
export function Usage({ trace, transcript, currency, onSpan, onMore, selected, waiting }: { trace: Trace; transcript: Transcript | undefined; currency: string | undefined; onSpan: (span: string) => void; onMore: () => void; selected: string | undefined; waiting: ComponentChildren }) {
  const calls = transcript?.calls ?? [];
  const shown = calls.slice(0, 500);
  return (
    <div class="panel">
      <UsageBar usage={trace.summary.usage} />
      {transcript ? <Rest transcript={transcript} onMore={onMore} /> : waiting}
      {transcript?.chains.filter((chain) => chain.growth.length > 1).map((chain) => <Growth key={chain.id} chain={chain} />)}
      {calls.length > 0 && (
        <section>
          <h3>By call <span class="n">{calls.length}</span></h3>
          <table class="grid">
            <thead><tr><th>Call</th><th>Model</th><th class="right">In</th><th class="right">Cached</th><th class="right">Out</th><th class="right">Reasoning</th><th class="right">Cost</th><th class="right">Time</th></tr></thead>
            <tbody>
              {shown.map((call) => (
                <tr key={call.ordinal} class={call.span === selected ? "sel" : undefined}>
                  <td>{call.span ? <button type="button" class="link" onClick={() => onSpan(call.span as string)}>{call.ordinal + 1}</button> : call.ordinal + 1}</td>
                  <td class="ell"><bdi>{call.model ?? "–"}</bdi></td>
                  <td class="right">{count(call.usage?.input)}</td>
                  <td class="right">{call.usage?.cacheRead ? <>{percent(call.usage.cacheRead, call.usage.input)}</> : <span class="nil">–</span>}</td>
                  <td class="right">{count(call.usage?.output)}</td>
                  <td class="right">{call.usage?.reasoning ? count(call.usage.reasoning) : <span class="nil">–</span>}</td>
                  <td class="right">{call.cost ? cost(call.cost, currency) : <span class="nil">–</span>}</td>
                  <td class="right">{duration(call.durationMs)}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {calls.length > shown.length && <p class="mut small">The first {count(shown.length)} of {count(calls.length)} calls.</p>}
        </section>
      )}
    </div>
  );
}

const LAYERS = [["system", "u-system"], ["tools", "u-tools"], ["user", "u-user"], ["assistant", "u-out"], ["toolResults", "u-results"]] as const;
const LAYER_NAMES = { system: "system", tools: "tool definitions", user: "user", assistant: "assistant", toolResults: "tool results" } as const;

/** What fills the context, call by call: tells what to shorten. */
function Growth({ chain }: { chain: Chain }) {
  const points = chain.growth.slice(0, 200);
  const most = Math.max(1, ...points.map((point) => LAYERS.reduce((sum, [key]) => sum + point[key], 0)));
  const last = points.at(-1);
  return (
    <section>
      <h3>Context of {chain.agent ? <bdi>{chain.agent}</bdi> : "the calls"}</h3>
      <div class="growth" role="img" aria-label={last ? LAYERS.map(([key]) => `${LAYER_NAMES[key]} ${bytes(last[key])}`).join(", ") : ""}>
        {points.map((point) => (
          <div key={point.call} class="growth-col" title={`call ${point.call + 1}\n${LAYERS.map(([key]) => `${LAYER_NAMES[key]} ${bytes(point[key])}`).join("\n")}`}>
            {LAYERS.map(([key, look]) => <i key={key} class={look} style={{ height: `${(point[key] / most) * 100}%` }} />)}
          </div>
        ))}
      </div>
      {last && <ul class="legend">{LAYERS.filter(([key]) => last[key] > 0).map(([key, look]) => <li key={key}><i class={look} />{LAYER_NAMES[key]} <b>{bytes(last[key])}</b></li>)}</ul>}
    </section>
  );
}

export function Evals({ transcript, onMore }: OfCalls) {
  const list = transcript.calls.flatMap((call) => call.evaluations ?? []);
  const rest = <Rest transcript={transcript} onMore={onMore} />;
  if (list.length === 0) return <Empty title={transcript.next === undefined ? "Nothing was evaluated" : "Nothing was evaluated so far"} icon="doctor">Results arrive as <code>gen_ai.evaluation.result</code> events, now or days later.{rest}</Empty>;
  return <div class="panel">{rest}<Evaluations list={list} /></div>;
}

async function laidOut(url: string, signal: AbortSignal) {
  const data = JSON.stringify(JSON.parse(await getText(url, signal)), null, 2);
  return { data, size: data.length };
}

/** So much of it is drawn: beyond, a browser has much to do. */
const DRAWN = 4_000_000;

/** What was received, as OTLP JSON. */
export function Raw({ trace, span, rev }: { trace: string; span: string | undefined; rev: number }) {
  const [whole, setWhole] = useState(false);
  const url = api(`/traces/${trace}/raw`, { span: whole ? undefined : span });
  const { data: text, error, again } = useGet<string>(url, { read: laidOut });
  useRenewed(again, url, rev);
  return (
    <div class="panel">
      <div class="raw-head">
        <span class="mut">{span && !whole ? "This span" : "The whole trace"}, as OTLP JSON{text && ` · ${bytes(text.length)}`}</span>
        <span class="grow" />
        {span && <Button kind="ghost" pressed={whole} onClick={() => setWhole(!whole)}>Whole trace</Button>}
        {text && <CopyText text={text} label="Copy the JSON" />}
      </div>
      {text !== undefined ? <>{text.length > DRAWN && <p class="rest mut small">The first {bytes(DRAWN)}; all of it is copied.</p>}<div class="code"><Chunks text={text.slice(0, DRAWN)} /></div></> : error ? <Failed error={error} again={again} /> : <Skeleton rows={14} height={20} />}
    </div>
  );
}

const LOGS = listOf<LogList>(500);

/** Logs of the trace, on its time axis. */
export function TraceLogs({ trace, startMs, rev, onSpan }: { trace: string; startMs: number; rev: number; onSpan: (span: string) => void }) {
  const [open, setOpen] = useState<string | undefined>();
  const url = api(`/traces/${trace}/logs`, { limit: "500" });
  const logs = useGrowing<LogList>(url, LOGS);
  useRenewed(logs.again, url, rev);
  if (logs.error && !logs.data) return <Failed error={logs.error} again={logs.again} />;
  if (!logs.data) return <Skeleton />;
  if (logs.data.items.length === 0) return <Empty title="No logs belong to this trace" icon="logs">A log belongs to a trace when it was written inside a span and carries its ids.</Empty>;
  return (
    <div class="panel flush" tabIndex={0} role="region" aria-label="Logs of the trace">
      <Busy of={logs} />
      <table class="grid logs">
        <thead><tr><th class="right">After</th><th>Severity</th><th>Event</th><th>Text</th><td /></tr></thead>
        <tbody>
          {logs.data.items.map((log) => [
            <tr key={log.id}>
              <td class="right" title={exact(log.atMs)}>{duration(log.atMs - startMs)}</td>
              <td><Severity n={log.severity} text={log.severityText} /></td>
              <td class="ell mono"><bdi><Text value={log.event ?? ""} /></bdi></td>
              <td class="ell" dir="auto"><button type="button" class="ell plain-text" aria-expanded={open === log.id} onClick={() => setOpen(open === log.id ? undefined : log.id)}><Text value={log.text || "no text"} /></button></td>
              <td>{log.span && <button type="button" class="link" onClick={() => onSpan(log.span as string)}>span</button>}</td>
            </tr>,
            open === log.id && <tr key={`${log.id} open`}><td colSpan={5}><LogBody id={log.id} /></td></tr>,
          ])}
        </tbody>
      </table>
      <Stuck of={logs} />
      {logs.data.next !== undefined && <p class="rest mut small">The first {plural(logs.data.items.length, "record")}. <button type="button" class="link" onClick={() => void logs.more()}>Load more</button></p>}
    </div>
  );
}

export function Severity({ n, text }: { n: number; text?: string | undefined }) {
  const tone = n >= 17 ? "err" : n >= 13 ? "warn" : "";
  return <span class={`sev ${tone && `t-${tone}`}`}>{text || (n >= 21 ? "FATAL" : n >= 17 ? "ERROR" : n >= 13 ? "WARN" : n >= 9 ? "INFO" : n >= 5 ? "DEBUG" : n >= 1 ? "TRACE" : "–")}</span>;
}

