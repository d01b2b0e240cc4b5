/** Views of a trace that are fetched when first opened. */
export { Flame } from "./Flame";
export { Graph } from "./Graph";
