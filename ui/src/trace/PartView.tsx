/** One part of a message, by its type. Nothing is dropped: what is not known is shown as its JSON. */
import { useMemo, useState } from "preact/hooks";
import type { Hash, Message, Part } from "../api";
import { answerTo } from "../lib/conversation";
import { bytes, duration } from "../lib/format";
import { Glyph, Id, Pill, Text } from "../ui/bits";
import { Icon } from "../ui/Icon";
import { Json, parsed } from "../ui/Json";
import { Long } from "../ui/Long";
import { Outside } from "../ui/Markdown";
import { safeLink } from "../lib/markdown";
import { CopyText } from "../ui/CopyText";

export interface Around {
  messages: Record<Hash, Message>;
  /** Shows a span; which trace has it is told where it may be another one than that of the message. */
  onSpan: (span: string, trace?: string) => void;
  /** The trace in which what is drawn was said. */
  trace?: string;
  selected: string | undefined;
  /** What a call or a tool leads to, where it is no span. */
  leadsTo?: string | undefined;
}

export function PartView({ part, around, role }: { part: Part; around: Around; role: string }) {
  switch (part.type) {
    case "text":
      return <Long content={part.content} cut={part.cut} more={part.more} markdown={role !== "tool"} />;
    case "reasoning":
      return <Reasoning part={part} />;
    case "compaction":
      return <div class="compaction"><span class="mut">History compacted</span><Long content={part.content} cut={part.cut} more={part.more} /></div>;
    case "tool_call":
      return <ToolCard part={part} around={around} />;
    case "tool_call_response":
      return <Value value={part.response} cut={part.cut} more={part.more} />;
    case "server_tool_call":
      return <div class="tc"><header><Glyph op="execute_tool" /><b><bdi><Text value={part.name} /></bdi></b><Pill>run by the provider</Pill></header><Value value={part.call} /></div>;
    case "server_tool_call_response":
      return <div class="tc"><header><Glyph op="execute_tool" /><b>result</b><Pill>run by the provider</Pill></header><Value value={part.response} /></div>;
    case "media":
      return <Media part={part} />;
    case "generic":
      return <div class="tc"><header><b><bdi><Text value={part.kind} /></bdi></b><Pill title="A type of part that this version does not know">other</Pill></header><Value value={part.value} /></div>;
  }
}

function Reasoning({ part }: { part: Extract<Part, { content: string }> }) {
  const [open, setOpen] = useState(false);
  const line = part.content.replace(/\s+/g, " ").slice(0, 200);
  return (
    <div class="reasoning">
      <button type="button" class="fold" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name={open ? "down" : "chevron"} size={11} />
        <span>reasoning</span>
        {!open && <span class="ell" dir="auto"><Text value={line} /></span>}
      </button>
      {open && <Long content={part.content} cut={part.cut} more={part.more} />}
    </div>
  );
}

/** A value as a tool gives or takes it: JSON as such, text as text. */
export function Value({ value, cut, more }: { value: unknown; cut?: number | undefined; more?: string | undefined }) {
  const told = useMemo(() => (typeof value === "string" && /^\s*[[{]/.test(value) && value.length < 200_000 && cut === undefined ? parsed(value) : undefined), [value, cut]);
  if (typeof value === "string") {
    if (told !== undefined) return <Json value={told} />;
    return <Long content={value} cut={cut} more={more} markdown={false} />;
  }
  if (value === undefined) return <p class="mut none">nothing told</p>;
  return <Json value={value} />;
}

const OPS = { tool: "execute_tool", mcp: "mcp", agent: "invoke_agent", retrieval: "retrieval" } as const;

/** What was asked of a tool, and what it answered: one card, as a person thinks of it. */
function ToolCard({ part, around }: { part: Extract<Part, { type: "tool_call" }>; around: Around }) {
  const join = part.join;
  const answer = answerTo(part, around.messages);
  const args = part.arguments ?? part.raw;
  const span = join?.span;
  return (
    <div class={`tc${join?.error ? " failed" : ""}${span && span === around.selected ? " sel" : ""}`}>
      <header>
        <Glyph op={OPS[join?.kind ?? "tool"]} error={!!join?.error} />
        <b class="ell"><bdi><Text value={part.name} /></bdi></b>
        {join && join.kind !== "tool" && <Pill>{join.kind === "mcp" ? "mcp tools/call" : join.kind}</Pill>}
        {join?.error && <Pill tone="err">{join.error}</Pill>}
        {join?.repeats !== undefined && join.repeats > 1 && <Pill tone="warn" title="Called again with the same arguments">× {join.repeats}</Pill>}
        {join?.durationMs !== undefined && <Pill>{duration(join.durationMs)}</Pill>}
        <span class="grow" />
        {part.id && <Id value={part.id} label="call id" />}
        {span ? <button type="button" class="src go" onClick={(event) => { event.stopPropagation(); around.onSpan(span, join?.trace ?? around.trace); }}>→ {around.leadsTo ?? "span"}</button> : <span class="mut small" title="No span of this tool was found: is the tool instrumented?">no span</span>}
      </header>
      <div class="io">
        {part.raw !== undefined && part.arguments === undefined && <p class="t-warn small">These arguments are no valid JSON.</p>}
        <CopyText text={() => (typeof args === "string" ? args : JSON.stringify(args, null, 2))} label="Copy the arguments" />
        <Value value={args} />
      </div>
      {answer && (
        <div class="io answer">
          <span class="io-label">result{join?.by === "name_arguments" ? <i title="No call id was told: matched by name and arguments">~</i> : null}</span>
          <Value value={answer.response} cut={answer.cut} more={answer.more} />
        </div>
      )}
    </div>
  );
}

const LOADS_ALONE = 2_000_000;
const IMAGES = /^image\/(png|jpe?g|gif|webp|avif)$/;
const SOUNDS = /^audio\//;
const FILMS = /^video\/(mp4|webm)$/;

function Media({ part }: { part: Extract<Part, { type: "media" }> }) {
  const [wanted, setWanted] = useState((part.bytes ?? 0) <= LOADS_ALONE);
  const name = `${part.modality}${part.mime ? ` · ${part.mime}` : ""}${part.bytes ? ` · ${bytes(part.bytes)}` : ""}`;
  // Only what our own server keeps is ever loaded; an address elsewhere is a link.
  const own = part.src && (part.src.startsWith("/api/v1/content/") || part.src.startsWith("data:"));
  const mime = part.mime ?? "";
  return (
    <figure class="media">
      {own && wanted && IMAGES.test(mime) && <img src={part.src} alt={name} loading="lazy" decoding="async" />}
      {own && wanted && SOUNDS.test(mime) && <audio src={part.src} controls preload="metadata" />}
      {own && wanted && FILMS.test(mime) && <video src={part.src} controls preload="metadata" />}
      <figcaption>
        <Text value={name} />
        {own && !wanted && <button type="button" class="link" onClick={() => setWanted(true)}>Load</button>}
        {part.fileId && <Id value={part.fileId} label="file id" />}
        {part.uri && (safeLink(part.uri) ? <Outside href={safeLink(part.uri) as string}>Open elsewhere</Outside> : <code><Text value={part.uri.slice(0, 200)} /></code>)}
      </figcaption>
    </figure>
  );
}
