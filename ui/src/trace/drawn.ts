/** Parts of a trace that are fetched when first opened. */
export { Flame } from "./Flame";
export { Graph } from "./Graph";
export { Evals, Raw, Tools, TraceLogs, Usage } from "./Panels";
export { SpanTabs } from "./SpanTabs";
