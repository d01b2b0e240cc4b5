/** Range and filters as the URL has them, and as the server is asked. */
import { param, params, place, set } from "./url";

export const FACETS = ["service", "agent", "model", "tool", "dialect"] as const;
export type Facet = (typeof FACETS)[number];

export const RANGES: [value: string, name: string][] = [
  ["-15m", "Last 15 minutes"],
  ["-1h", "Last hour"],
  ["-6h", "Last 6 hours"],
  ["-24h", "Last 24 hours"],
  ["-7d", "Last 7 days"],
  ["", "All time"],
];

/** The query of a list: what stands in the URL and nothing else, so that a stray parameter is no filter. */
export function asked(extra: Record<string, string | undefined> = {}, range: string | undefined = undefined): URLSearchParams {
  const out = new URLSearchParams();
  const from = param("from") ?? range;
  if (from) out.set("from", from);
  const to = param("to");
  if (to) out.set("to", to);
  for (const name of [...FACETS, "provider", "op", "conversation"]) for (const value of params(name)) out.append(name, value);
  for (const name of ["error", "genai", "minMs", "maxMs", "q"]) {
    const value = param(name);
    if (value) out.set(name, value);
  }
  for (const [name, value] of Object.entries(extra)) if (value) out.set(name, value);
  return out;
}

export function toggle(name: Facet, value: string): void {
  const now = params(name);
  set({ [name]: now.includes(value) ? now.filter((one) => one !== value) : [...now, value] });
}

export function anyFilter(): boolean {
  const query = place.value.query;
  return [...FACETS, "error", "genai", "minMs", "maxMs", "q", "conversation", "provider", "op"].some((name) => query.has(name));
}

export function clearFilters(): void {
  set(Object.fromEntries([...FACETS, "error", "genai", "minMs", "maxMs", "q", "conversation", "provider", "op"].map((name) => [name, undefined])));
}
