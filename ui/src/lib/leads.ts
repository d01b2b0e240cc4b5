/** Where the rows of sums lead: to the traces that they are counted from. A nameless one is found by what else is known of it. */
import type { AgentRow, ModelRow, ToolRow } from "../api";
import { href, type Params } from "../state/url";

/** `range`: that of the sums. No agent is called as a workflow is, so a workflow's traces are found by what it does. */
export function ofAgent(row: Pick<AgentRow, "agent" | "service" | "workflow">, range: Params): string {
  if (row.agent && !row.workflow) return href("/traces", { ...range, agent: row.agent });
  return href("/traces", { ...range, service: row.service, op: row.workflow ? "invoke_workflow" : "invoke_agent" });
}

export function ofModel(row: Pick<ModelRow, "model" | "provider">, range: Params): string {
  return href("/traces", { ...range, model: row.model, provider: row.provider });
}

export function ofTool(row: Pick<ToolRow, "tool">, range: Params): string {
  return href("/traces", { ...range, tool: row.tool, op: row.tool ? undefined : "execute_tool" });
}
