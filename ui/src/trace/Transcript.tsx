/** The run as a conversation: each message once, tools with their answers, sub-agents where they were asked. */
import { useMemo, useState } from "preact/hooks";
import type { Call, Message, Seen, Transcript as Told } from "../api";
import { getText } from "../client";
import { guess, type Item, messageText, quiet, read } from "../lib/conversation";
import { bytes, cached, cost, count, duration, plural, shortId, tokens } from "../lib/format";
import { Button, Empty, Glyph, Pill, Text } from "../ui/bits";
import { CopyText } from "../ui/CopyText";
import { Icon } from "../ui/Icon";
import { Long } from "../ui/Long";
import { VirtualFlow } from "../ui/VirtualFlow";
import { type Around, PartView } from "./PartView";
import { breakText, Sources, Versions } from "./Source";

interface Props {
  transcript: Told;
  currency: string | undefined;
  /** The chosen span; the place it is told of is scrolled to when `turn` changes. */
  selected: string | undefined;
  turn: number;
  /** Only what is new in the chosen call. */
  delta: boolean;
  /** What a call or a tool leads to, where it is no span. */
  leadsTo?: string | undefined;
  onSpan: (span: string, trace?: string) => void;
  onAll: () => void;
  /** More calls are wanted: the end is near. */
  onNear?: (() => void) | undefined;
}

export function Transcript({ transcript, currency, selected, turn, delta, leadsTo, onSpan, onAll, onNear }: Props) {
  const [closed, setClosed] = useState<ReadonlySet<number>>(() => new Set());
  const chosen = transcript.calls.find((call) => call.span === selected);
  const only = delta ? (chosen ?? transcript.calls.at(-1))?.ordinal : undefined;
  const reading = useMemo(() => read(transcript, { closed, only }), [transcript, closed, only]);
  const around: Around = useMemo(() => ({ messages: transcript.messages, onSpan, selected, leadsTo }), [transcript, selected, leadsTo]);
  const goal = selected === undefined ? undefined : reading.bySpan.get(selected);
  const target = goal === undefined || turn === 0 ? undefined : { id: goal, turn };
  if (transcript.calls.length === 0) return <Empty title="No conversation in this trace" icon="conversations">No span or log of it tells of a call to a model.</Empty>;
  const toggle = (chain: number) => {
    const next = new Set(closed);
    if (!next.delete(chain)) next.add(chain);
    setClosed(next);
  };
  return (
    <VirtualFlow
      class="transcript"
      label="Transcript"
      items={reading.items}
      id={(item) => item.id}
      guess={guess}
      target={target}
      onNear={onNear}
      draw={(item, i) => (
        <div class={`item d${Math.min(item.depth, 4)}`} role="article" aria-posinset={i + 1} aria-setsize={reading.items.length} aria-label={spoken(item)}>
          <ItemView item={item} around={"call" in item ? { ...around, trace: item.call.trace } : around} currency={currency} toggle={toggle} onAll={onAll} />
        </div>
      )}
    />
  );
}

function spoken(item: Item): string {
  switch (item.type) {
    case "message":
      return `${item.message.role}, call ${item.call.ordinal + 1}`;
    case "chain":
      return `Agent ${item.chain.agent ?? ""}`;
    case "call":
      return `Call ${item.call.ordinal + 1}`;
    default:
      return item.type;
  }
}

function ItemView({ item, around, currency, toggle, onAll }: { item: Item; around: Around; currency: string | undefined; toggle: (chain: number) => void; onAll: () => void }) {
  switch (item.type) {
    case "system":
      return <System item={item} around={around} />;
    case "message":
      return <MessageView item={item} around={around} currency={currency} />;
    case "call":
      return <CallView call={item.call} slim={item.slim === true} around={around} currency={currency} />;
    case "notice":
      return <NotCaptured call={item.call} calls={item.calls} />;
    case "break":
      return item.call.break ? (
        <p class="break">
          <Icon name="error" size={13} />
          <span>{breakText(item.call.break)}</span>
          {item.call.break.cachedBefore !== undefined && <span class="mut">cached tokens {count(item.call.break.cachedBefore)} → {count(item.call.break.cachedNow ?? 0)}</span>}
        </p>
      ) : null;
    case "carried":
      return <p class="carried"><span class="mut">{plural(item.count, "message")} carried from before</span><button type="button" class="link" onClick={onAll}>Show all</button></p>;
    case "chain":
      return (
        <button type="button" class="chain" aria-expanded={item.open} onClick={() => toggle(item.chain.id)}>
          <Icon name={item.open ? "down" : "chevron"} size={12} />
          <Glyph op="invoke_agent" />
          <b class="ell"><bdi><Text value={item.chain.agent ?? "agent"} /></bdi></b>
          <span class="mut">{plural(item.chain.calls, "call")}{item.chain.parent !== undefined ? " · sub-agent" : ""}</span>
        </button>
      );
  }
}

function System({ item, around }: { item: Extract<Item, { type: "system" }>; around: Around }) {
  const [open, setOpen] = useState(false);
  const message = around.messages[item.seen.message];
  const text = message ? messageText(message) : "";
  return (
    <article class="m sys">
      <header>
        <button type="button" class="fold" aria-expanded={open} onClick={() => setOpen(!open)}>
          <Icon name={open ? "down" : "chevron"} size={11} />
          <b>system</b>
          <span class="ell">{bytes(text.length)}{item.same > 1 ? ` · same in ${plural(item.same, "call")}` : ""} · <Text value={text.replace(/\s+/g, " ").slice(0, 120)} /></span>
        </button>
        <Sources seen={item.seen} />
      </header>
      {open && message && <div class="body">{message.parts.map((part, i) => <PartView key={i} part={part} around={around} role="system" />)}</div>}
    </article>
  );
}

/** For copying: parts that were cut are fetched in full. */
async function wholeMessage(message: Message): Promise<string> {
  const parts = await Promise.all(message.parts.map(async (part) => {
    if (!("more" in part) || !part.more) return part;
    const all = await getText(part.more);
    return part.type === "tool_call_response" ? { ...part, response: all } : { ...part, content: all };
  }));
  return messageText({ ...message, parts });
}

const LOOKS: Record<string, string> = { user: "user", assistant: "asst", tool: "tool", system: "sys", developer: "sys" };

function MessageView({ item, around, currency }: { item: Extract<Item, { type: "message" }>; around: Around; currency: string | undefined }) {
  const { message, seen, call, slot } = item;
  if (quiet(message)) return <Quiet message={message} seen={seen} around={around} first={item.open === true} />;
  const chosen = slot === "output" && call.span !== undefined && call.span === around.selected;
  return (
    <article class={`m ${LOOKS[message.role] ?? "other"}${chosen ? " sel" : ""}`}>
      <header>
        {slot === "output" && <Glyph op={call.op} error={!!call.error} />}
        <b><bdi><Text value={message.role} /></bdi></b>
        {message.name && <span class="mut"><bdi><Text value={message.name} /></bdi></span>}
        {slot === "output" ? <CallFacts call={call} currency={currency} /> : <span class="mut">call {call.ordinal + 1}</span>}
        <span class="grow" />
        <CopyText text={() => wholeMessage(message)} label="Copy the message" />
        <Sources seen={seen} brief={slot === "output"} />
        {slot === "output" && call.span && <button type="button" class="src go" onClick={() => around.onSpan(call.span as string, call.trace)}>→ {around.leadsTo ?? "span"}</button>}
      </header>
      <div class="body">
        {message.parts.map((part, i) => <PartView key={i} part={part} around={around} role={message.role} />)}
        {message.parts.length === 0 && <p class="mut none">an empty message</p>}
        <Versions seen={seen} message={message} messages={around.messages} />
        {slot === "output" && call.evaluations?.map((one, i) => (
          <p key={i} class="eval"><Icon name="doctor" size={13} /><b><Text value={one.name} /></b>{one.label && <Pill tone={/fail|bad|unsafe/i.test(one.label) ? "err" : "ok"}>{one.label}</Pill>}{one.score !== undefined && <span>{one.score}</span>}{one.explanation && <span class="mut"><Text value={one.explanation} /></span>}</p>
        ))}
      </div>
    </article>
  );
}

/** A tool's answer that stands with its call above: one line, which opens. */
function Quiet({ message, seen, around, first }: { message: Message; seen: Seen; around: Around; first: boolean }) {
  const [open, setOpen] = useState(first);
  const part = message.parts[0];
  const id = part?.type === "tool_call_response" ? part.id : undefined;
  return (
    <article class="m tool quiet">
      <header>
        <button type="button" class="fold" aria-expanded={open} onClick={() => setOpen(!open)}>
          <Icon name={open ? "down" : "chevron"} size={11} />
          <b>tool</b>
          <span class="ell">{message.name && <bdi><Text value={message.name} /> · </bdi>}{id && `${shortId(id)} · `}{first ? "what it answered" : "given back to the model, shown with its call"}</span>
        </button>
        <Sources seen={seen} />
      </header>
      {open && <div class="body">{message.parts.map((one, i) => <PartView key={i} part={one} around={around} role="tool" />)}</div>}
    </article>
  );
}

/** Ends that go without saying: the message shows them itself. */
const EXPECTED = /^(stop|end_turn|tool_calls?|tool_use|function_call)$/;

function CallFacts({ call, currency }: { call: Call; currency: string | undefined }) {
  const facts = [
    call.model && <bdi title={call.requestModel && call.requestModel !== call.model ? `asked for ${call.requestModel}` : call.provider}>{call.model}</bdi>,
    `call ${call.ordinal + 1}`,
    call.durationMs !== undefined && duration(call.durationMs),
    call.ttftMs !== undefined && <span title="time to the first token">ttft {duration(call.ttftMs)}</span>,
    tokens(call.usage) && <span title={cached(call.usage)}>{tokens(call.usage)}</span>,
    call.cost && cost(call.cost, currency),
    call.finish && !EXPECTED.test(call.finish) && <span class={/length|filter/.test(call.finish) ? "t-warn" : undefined}>{call.finish}</span>,
  ].filter(Boolean);
  return <span class="facts">{facts.map((fact, i) => <span key={i}>{fact}</span>)}{call.toolsChanged && <Pill title="Other tools were offered than in the call before">tools changed</Pill>}</span>;
}

/** A call of which no answer is shown: it runs, it failed, or its content was not captured. */
function CallView({ call, slim, around, currency }: { call: Call; slim: boolean; around: Around; currency: string | undefined }) {
  const chosen = call.span !== undefined && call.span === around.selected;
  return (
    <article class={`m asst ${slim ? "slim" : ""}${call.error ? " failed" : ""}${chosen ? " sel" : ""}`}>
      <header>
        <Glyph op={call.op} error={!!call.error} />
        <b>{call.error ? "failed" : call.state === "running" ? "running" : "assistant"}</b>
        <CallFacts call={call} currency={currency} />
        <span class="grow" />
        {call.span && <button type="button" class="src go" onClick={() => around.onSpan(call.span as string, call.trace)}>→ {around.leadsTo ?? "span"}</button>}
      </header>
      {!slim && <div class="body">
        {call.error && (
          <div class="failure">
            <b class="t-err"><Text value={call.error.type} /></b>
            {call.error.message && <Long content={call.error.message} markdown={false} />}
          </div>
        )}
        {!call.error && call.state === "running" && <p class="waiting"><i /><i /><i /><span class="sr">waiting for the answer</span></p>}
        {!call.error && call.state !== "running" && <p class="mut none">No answer was told.</p>}
      </div>}
    </article>
  );
}

function NotCaptured({ call, calls }: { call: Call; calls: number }) {
  // What is typed stands out from the sentence around it.
  const hint = call.hint?.split(/(\w+=\w+|[A-Z][A-Z0-9]*_[A-Z0-9_]+|otel-genai run --content true)/) ?? [];
  return (
    <div class="absent">
      <p><b>{call.content === "by_reference" ? "The content lies elsewhere and could not be read" : "Messages were not captured"}</b> in {calls ? plural(calls, "call") : "these calls"}.{hint.length > 0 && call.content !== "by_reference" && " To see them next time:"}</p>
      {hint.length > 0 && <p>{hint.map((text, i) => (i % 2 ? <code key={i}>{text}</code> : <Text key={i} value={text} />))}</p>}
    </div>
  );
}

/** What of the transcript is not told, and why. */
export function Notes({ transcript: { cut, lookedAt } }: { transcript: Told }) {
  return (
    <>
      {cut && <p class="note">{plural(cut.messages, "message")} ({bytes(cut.bytes)}) of one call {cut.messages === 1 ? "is" : "are"} left out of the transcript: too large together. Raw has all.</p>}
      {lookedAt !== undefined && <p class="note">The transcript is told from the first {plural(lookedAt, "span")}.</p>}
    </>
  );
}

export function DeltaButton({ on, toggle }: { on: boolean; toggle: () => void }) {
  return <Button kind="ghost" pressed={on} title="Only what is new in the chosen call (d)" onClick={toggle}>Δ new only</Button>;
}
