import { EVER, RANGES, spoken } from "../state/filters";
import { param, set } from "../state/url";
import { now } from "../live";

/** The range that a page speaks of. A pair of moments (brushed in a chart) and a range of a link are shown as they are. */
export function TimeRange({ fallback = "" }: { fallback?: string }) {
  const told = param("from") ?? fallback;
  const from = told === EVER ? "" : told;
  const to = param("to");
  const own = to !== undefined || !RANGES.some(([value]) => value === from);
  return (
    <select class="select" aria-label="Time range" value={own ? "own" : from} onChange={(event) => {
      const value = event.currentTarget.value;
      set({ from: value === fallback ? undefined : value || EVER, to: undefined });
    }}>
      {own && <option value="own">{spoken(from, to, now.value)}</option>}
      {RANGES.map(([value, name]) => <option key={value} value={value}>{name}</option>)}
    </select>
  );
}
