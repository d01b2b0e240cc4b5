/** Where a message was told, and what else was told in its place. */
import { useState } from "preact/hooks";
import type { Call, Carrier, Hash, Message, Seen, Source } from "../api";
import { diff } from "../lib/diff";
import { messageText } from "../lib/conversation";
import { Text } from "../ui/bits";

const CARRIERS: Record<Carrier, string> = {
  log_details: "log", span_attribute: "span", span_event: "event", reference: "reference", log_legacy: "log events", span_event_legacy: "span events", oldest: "oldest", openllmetry: "OpenLLMetry", openinference: "OpenInference",
  vercel: "Vercel AI", logfire: "Logfire", mlflow: "MLflow", traceloop: "Traceloop", coding_agent: "coding agent", tool_span: "tool span",
};

function name(source: Source): string {
  return `${CARRIERS[source.carrier] ?? source.carrier} ${source.name}${source.index === undefined ? "" : `[${source.index}]`}`;
}

const MATCHED = { span: "", response_id: "found by the response's id", conversation_time: "found by conversation and time", none: "belongs to no span" } as const;

export function Sources({ seen, brief }: { seen: Seen; brief?: boolean }) {
  const [open, setOpen] = useState(false);
  const first = seen.sources[0];
  if (!first) return null;
  const rest = seen.sources.length - 1;
  return (
    <span class={`src-box${brief ? " brief" : ""}`}>
      <button type="button" class="src" aria-expanded={open} title={seen.sources.map(name).join("\n")} onClick={(event) => { event.stopPropagation(); setOpen(!open); }}>
        <bdi>{brief ? [...new Set(seen.sources.map((source) => CARRIERS[source.carrier] ?? source.carrier))].join(" · ") : name(first)}</bdi>
        {rest > 0 && !brief && <b>+{rest}</b>}
        {first.partial && <b class="t-warn">partial</b>}
        {seen.onlyIn && <b>only in the {seen.onlyIn}</b>}
      </button>
      {open && (
        <span class="src-list" role="note">
          {seen.sources.map((source, i) => (
            <span key={i}>
              <bdi>{name(source)}</bdi>
              {source.partial && " · partial: what could be read of broken JSON"}
              {MATCHED[source.matched] && ` · ${MATCHED[source.matched]}`}
            </span>
          ))}
        </span>
      )}
    </span>
  );
}

/** The same message as another carrier told it, with what differs marked. */
export function Versions({ seen, message, messages }: { seen: Seen; message: Message; messages: Record<Hash, Message> }) {
  const [open, setOpen] = useState(false);
  if (!seen.versions?.length) return null;
  return (
    <div class="versions">
      <button type="button" class="link" aria-expanded={open} onClick={() => setOpen(!open)}>{seen.versions.length + 1} versions</button>
      {open && seen.versions.map((version, i) => {
        const other = messages[version.message];
        return other && (
          <div key={i} class="version">
            <p class="mut"><bdi>{name(version.source)}</bdi></p>
            <p class="diff-text" dir="auto">{diff(messageText(message), messageText(other)).map(([op, text], n) => (op === 0 ? <Text key={n} value={text} /> : op < 0 ? <del key={n}><Text value={text} /></del> : <ins key={n}><Text value={text} /></ins>))}</p>
          </div>
        );
      })}
    </div>
  );
}

const WHY: Record<NonNullable<Call["break"]>["why"], string> = { system_changed: "the system prompt changed", tools_changed: "the tools changed", message_changed: "a message changed", message_removed: "a message was removed", compaction: "the history was compacted" };

/** The prefix of the prompt is not what it was: why, and what that did to the cache. */
export function breakText(told: NonNullable<Call["break"]>): string {
  return `History rewritten from message ${told.at + 1} on: ${WHY[told.why]}`;
}
