/** Pages that are fetched when first opened. */
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
