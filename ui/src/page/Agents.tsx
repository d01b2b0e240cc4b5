/** Who worked, with which tools, and where it went wrong. */
import { useState } from "preact/hooks";
import type { AgentRow, Agents as Told, ToolRow, Tools } from "../api";
import { api, useGet } from "../client";
import { bytes, cost, count, duration, percent, plural, short } from "../lib/format";
import { about } from "../live";
import { ofAgent, ofTool } from "../lib/leads";
import { UNNAMED } from "../lib/ops";
import { asked, sameRange } from "../state/filters";
import { go, href, type Params } from "../state/url";
import { Busy, Empty, Failed, Glyph, Named, Skeleton, Text } from "../ui/bits";
import { type Column, Sorted } from "../ui/Sorted";
import { TimeRange } from "../ui/TimeRange";
import { Top } from "../ui/Top";

const RANGE = "-24h";

export function Agents() {
  const query = asked({}, RANGE);
  const range = sameRange(RANGE);
  const agents = useGet<Told>(api("/agents", query), { hold: true, poll: 30_000 });
  const tools = useGet<Tools>(api("/tools", query), { hold: true, poll: 30_000 });
  const [by, setBy] = useState("runs");
  const [toolBy, setToolBy] = useState("calls");
  const currency = about.value?.currency;
  const columns: Column<AgentRow>[] = [
    { id: "agent", name: "Agent", value: (row) => row.agent, cell: (row) => <span class="with-glyph"><Glyph op="invoke_agent" /><Named name={row.agent} to={ofAgent(row, range)} /></span>, wide: true },
    { id: "service", name: "Service", value: (row) => row.service, cell: (row) => <span class="mut"><bdi><Text value={row.service} /></bdi></span> },
    { id: "runs", name: "Runs", value: (row) => row.runs, cell: (row) => count(row.runs), right: true, bar: true },
    { id: "errors", name: "Failed", value: (row) => row.errors / Math.max(1, row.runs), cell: (row) => (row.errors ? <span class="t-err">{percent(row.errors, row.runs)}</span> : <span class="nil">–</span>), right: true },
    { id: "own", name: "Own time", title: "A run's mean time in its own calls", value: (row) => row.ownMs / (row.runs || 1), cell: (row) => duration(row.ownMs / (row.runs || 1)), right: true },
    { id: "total", name: "Whole time", title: "A run's mean time with all below it", value: (row) => row.totalMs / (row.runs || 1), cell: (row) => duration(row.totalMs / (row.runs || 1)), right: true },
    { id: "calls", name: "Model calls", value: (row) => row.total.calls, cell: (row) => count(row.total.calls), right: true },
    { id: "tokens", name: "Tokens", value: (row) => (row.total.usage.input ?? 0) + (row.total.usage.output ?? 0), cell: (row) => `${short(row.total.usage.input)} → ${short(row.total.usage.output)}`, right: true },
    { id: "cost", name: "Cost", value: (row) => row.total.cost?.amount, cell: (row) => (row.total.cost ? cost(row.total.cost, currency) : <span class="nil">–</span>), right: true },
  ];
  const toolColumns: Column<ToolRow>[] = [
    { id: "tool", name: "Tool", value: (row) => row.tool, cell: (row) => <span class="with-glyph"><Glyph op="execute_tool" /><Named name={row.tool} to={ofTool(row, range)} /></span>, wide: true },
    { id: "calls", name: "Calls", value: (row) => row.stat.calls, cell: (row) => count(row.stat.calls), right: true, bar: true },
    { id: "errors", name: "Failed", value: (row) => row.stat.errors / Math.max(1, row.stat.calls), cell: (row) => (row.stat.errors ? <span class="t-err" title={row.lastError}>{percent(row.stat.errors, row.stat.calls)}</span> : <span class="nil">–</span>), right: true },
    { id: "retries", name: "Retries", value: (row) => row.retries, cell: (row) => row.retries || <span class="nil">–</span>, right: true },
    { id: "p50", name: "p50", value: (row) => row.stat.p50Ms, cell: (row) => duration(row.stat.p50Ms), right: true },
    { id: "p95", name: "p95", value: (row) => row.stat.p95Ms, cell: (row) => duration(row.stat.p95Ms), right: true },
    { id: "args", name: "Arguments", title: "Median size", value: (row) => row.argumentsP50, cell: (row) => bytes(row.argumentsP50), right: true },
    { id: "result", name: "Result", title: "Median size", value: (row) => row.resultP50, cell: (row) => bytes(row.resultP50), right: true },
  ];
  const failed = [agents, tools].find((one) => one.error && !one.data);
  return (
    <div class="page">
      <Top crumbs={<h1>Agents &amp; tools</h1>}><TimeRange fallback={RANGE} /></Top>
      <div class="scroll" tabIndex={0} role="region" aria-label="Agents and tools">
        <Busy of={agents} />
        <Busy of={tools} />
        {failed?.error ? <Failed error={failed.error} again={() => { agents.again(); tools.again(); }} /> : !agents.data || !tools.data ? <Skeleton /> : agents.data.items.length === 0 && tools.data.items.length === 0 ? (
          <Empty title="No agent ran in this time" icon="agents">Spans of <code>invoke_agent</code> and <code>execute_tool</code> are shown here.</Empty>
        ) : (
          <div class="pages">
            <section class="card"><h2>Agents</h2><Sorted rows={agents.data.items} columns={columns} id={(row) => `${row.service}/${row.agent}`} by={by} onBy={setBy} onOpen={(row) => go(ofAgent(row, range))} label="Agents" /></section>
            <section class="card"><h2>Tools</h2><Sorted rows={tools.data.items} columns={toolColumns} id={(row) => row.tool} by={toolBy} onBy={setToolBy} onOpen={(row) => go(ofTool(row, range))} label="Tools" /></section>
            <Matrix data={agents.data} range={range} />
            {agents.data.sampled !== undefined && <p class="mut small">Hand-offs from a sample of {plural(agents.data.sampled, "trace")}.</p>}
          </div>
        )}
      </div>
    </div>
  );
}

/** Which agent called which tool, how often. */
function Matrix({ data, range }: { data: Told; range: Params }) {
  const workflows = new Set(data.items.filter((row) => row.workflow).map((row) => row.agent));
  const agents = [...new Set(data.matrix.map((one) => one.agent))];
  const tools = [...new Set(data.matrix.map((one) => one.tool))];
  if (agents.length === 0 || tools.length === 0) return null;
  const most = Math.max(...data.matrix.map((one) => one.calls));
  const at = new Map(data.matrix.map((one) => [`${one.agent}\n${one.tool}`, one]));
  return (
    <section class="card">
      <h2>Who calls what</h2>
      <div class="x-scroll" tabIndex={0} role="region" aria-label="Calls of tools by agents">
        <table class="matrix">
          <thead><tr><td />{tools.map((tool) => <th key={tool} scope="col"><span><bdi><Text value={tool || UNNAMED} /></bdi></span></th>)}</tr></thead>
          <tbody>
            {agents.map((agent) => (
              <tr key={agent}>
                <th scope="row"><bdi><Text value={agent || UNNAMED} /></bdi></th>
                {tools.map((tool) => {
                  const cell = at.get(`${agent}\n${tool}`);
                  return (
                    <td key={tool}>
                      {cell && <a href={href("/traces", { ...range, agent: workflows.has(agent) ? undefined : agent, tool })} title={`${agent || UNNAMED} → ${tool || UNNAMED}: ${plural(cell.calls, "call")}${cell.errors ? `, ${cell.errors} failed` : ""}`} style={{ "--heat": `${Math.round(8 + (cell.calls / most) * 34)}%` }} class={cell.errors ? "bad" : undefined}>{short(cell.calls)}</a>}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
