/** Range and filters as the URL has them, and as the server is asked. */
import { clock, plural } from "../lib/format";
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

/** All time, where a page without a range speaks of the last day: a hundred years. */
export const EVER = "-36500d";

/** The last day, or the part of it that holds everything: what is new fills its charts. */
export function lately(oldestMs: number | undefined, now: number): string {
  const age = oldestMs === undefined ? Number.POSITIVE_INFINITY : now - oldestMs;
  return age < 3_600_000 ? "-1h" : age < 6 * 3_600_000 ? "-6h" : "-24h";
}

const UNITS: Record<string, string> = { s: "second", m: "minute", h: "hour", d: "day" };

/** A range that is none of these, in words: moments, or times before now. */
export function spoken(from: string, to: string | undefined, now: number): string {
  const before = (text: string) => {
    const [, n, unit] = /^-(\d+)([smhd])$/.exec(text) ?? [];
    return unit && plural(Number(n), UNITS[unit] as string);
  };
  const moment = (text: string) => {
    const gone = before(text);
    return gone ? `${gone} ago` : Number.isFinite(Number(text)) ? clock(Number(text), now) : text;
  };
  const last = before(from);
  if (to === undefined) return last ? `Last ${last}` : `${moment(from)} – now`;
  return from === "" ? `until ${moment(to)}` : `${moment(from)} – ${moment(to)}`;
}

/** The range that is chosen, or else from `range` on: to ask in, and the same for a link. */
export function sameRange(range: string | undefined): { from: string | undefined; to: string | undefined } {
  return { from: param("from") ?? range, to: param("to") };
}

/** The query of a list: what stands in the URL and nothing else, so that a stray parameter is no filter. */
export function asked(extra: Record<string, string | undefined> = {}, range: string | undefined = undefined): URLSearchParams {
  const out = new URLSearchParams();
  const { from, to } = sameRange(range);
  if (from) out.set("from", from);
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
