/** Pages, and parts of a trace, that are fetched when first opened: together, for each file costs more than it has. */
export { Agents } from "./Agents";
export { Conversation, Conversations } from "./Conversations";
export { Logs } from "./Logs";
export { Models } from "./Models";
export { Search } from "./Search";
export { Doctor } from "./Doctor";
export { Services } from "./Services";
export { Settings } from "./Settings";
export { Metrics } from "./Metrics";
export { Compare } from "./Compare";
export { Flame } from "../trace/Flame";
export { Graph } from "../trace/Graph";
export { Evals, Raw, Tools, TraceLogs, Usage } from "../trace/Panels";
export { SpanTabs } from "../trace/SpanTabs";
