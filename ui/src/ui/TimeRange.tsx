import { RANGES } from "../state/filters";
import { param, set } from "../state/url";
import { clock } from "../lib/format";
import { now } from "../live";

/** The range that a page speaks of. A pair of moments (brushed in a chart) is shown as it is. */
export function TimeRange({ fallback = "" }: { fallback?: string }) {
  const from = param("from") ?? fallback;
  const to = param("to");
  const own = to !== undefined || (from !== "" && !RANGES.some(([value]) => value === from));
  return (
    <select class="select" aria-label="Time range" value={own ? "own" : from} onChange={(event) => {
      const value = event.currentTarget.value;
      set({ from: value === fallback ? undefined : value || "-36500d", to: undefined });
    }}>
      {own && <option value="own">{`${clock(Number(from), now.value)} – ${to ? clock(Number(to), now.value) : "now"}`}</option>}
      {RANGES.map(([value, name]) => <option key={value} value={value}>{name}</option>)}
    </select>
  );
}
