/** The run in one line of numbers. */
import type { TraceRow } from "../api";
import { cached, cost, costNote, count, duration, few } from "../lib/format";
import type { ComponentChildren } from "preact";

function Figure({ name, value, note, tone, title }: { name: string; value: ComponentChildren; note?: ComponentChildren; tone?: "err"; title?: string | undefined }) {
  return (
    <div class={`figure${tone ? ` t-${tone}` : ""}`} title={title}>
      <dt>{name}</dt>
      <dd>
        <b>{value}</b>
        {note && <small>{note}</small>}
      </dd>
    </div>
  );
}

export function Header({ summary, currency }: { summary: TraceRow; currency: string | undefined }) {
  const { usage } = summary;
  return (
    <div class="figures" tabIndex={0} role="region" aria-label="The run in numbers">
    <dl>
      <Figure name="Duration" value={duration(summary.durationMs)} note={summary.state === "running" ? "and running" : undefined} />
      {summary.ttftMs !== undefined && <Figure name="TTFT" value={duration(summary.ttftMs)} note="first call" title="Time to the first token of the first call that streamed" />}
      <Figure name="Model calls" value={count(summary.llmCalls)} note={summary.llmErrors > 0 && <span class="t-err">{summary.llmErrors} failed</span>} title={few(summary.models)} />
      {summary.toolCalls > 0 && <Figure name="Tools" value={count(summary.toolCalls)} note={summary.toolErrors > 0 && <span class="t-err">{summary.toolErrors} failed</span>} title={few(summary.tools)} />}
      {usage.input !== undefined && <Figure name="Tokens in" value={count(usage.input)} note={cached(usage)} />}
      {usage.output !== undefined && <Figure name="Tokens out" value={count(usage.output)} note={usage.reasoning ? `${count(usage.reasoning)} reasoning` : undefined} />}
      {(summary.cost || summary.unpriced > 0) && <Figure name="Cost" value={cost(summary.cost, currency)} note={costNote(summary, currency)} title={summary.cost?.saved ? "Saved by the prompt cache, against the full price" : undefined} />}
      {summary.agents.list.length > 0 && <Figure name="Agents" value={summary.agents.list.length + summary.agents.more} title={few(summary.agents)} />}
      {summary.synthetic ? <Figure name="Log records" value={count(summary.logs)} note="no spans" title="No span was sent: only log records tell of this run" /> : <Figure name="Spans" value={count(summary.spans)} />}
      {summary.errors > 0 && <Figure name="Errors" value={count(summary.errors)} tone="err" />}
    </dl>
    </div>
  );
}
