/** What there is to choose from, with how often. A chosen value stays in sight even where its count is nil. */
import { useState } from "preact/hooks";
import type { Facets as Counts } from "../api";
import { count } from "../lib/format";
import { anyFilter, clearFilters, FACETS, type Facet, toggle } from "../state/filters";
import { param, params, set } from "../state/url";
import { Check } from "./bits";

const NAMES: Record<Facet, string> = { service: "Service", agent: "Agent", model: "Model", tool: "Tool", dialect: "Convention" };
const FEW = 6;

export function Facets({ data, failed }: { data: Counts | undefined; failed: boolean }) {
  return (
    <aside class="facets" aria-label="Filters" tabIndex={0}>
      <div class="facet-head">
        <h2>Filters</h2>
        {anyFilter() && <button type="button" class="link" onClick={clearFilters}>Clear</button>}
      </div>
      <div class="facet">
        <Check checked={param("error") === "1"} onChange={(on) => set({ error: on ? "1" : undefined })}>With errors</Check>
        <Check checked={param("genai") === "1"} onChange={(on) => set({ genai: on ? "1" : undefined })}>GenAI only</Check>
      </div>
      <label class="facet">
        <h3>Longer than</h3>
        <select class="select wide" value={param("minMs") ?? ""} onChange={(event) => set({ minMs: event.currentTarget.value || undefined })}>
          <option value="">any duration</option>
          {[["1000", "1 s"], ["3000", "3 s"], ["10000", "10 s"], ["30000", "30 s"], ["60000", "1 minute"]].map(([value, name]) => <option key={value} value={value}>{name}</option>)}
        </select>
      </label>
      {FACETS.map((name) => <Group key={name} name={name} values={data ? (data[name] ?? []) : failed ? [] : undefined} />)}
    </aside>
  );
}

function Group({ name, values }: { name: Facet; values: { value: string; count: number }[] | undefined }) {
  const [all, setAll] = useState(false);
  const chosen = params(name);
  const known = values ?? [];
  const list = [...known, ...chosen.filter((value) => !known.some((one) => one.value === value)).map((value) => ({ value, count: 0 }))];
  if (values && list.length === 0) return null;
  const shown = all ? list : list.filter((one, i) => i < FEW || chosen.includes(one.value));
  const most = Math.max(1, ...list.map((one) => one.count));
  return (
    <fieldset class="facet">
      <legend>{NAMES[name]}</legend>
      {!values && list.length === 0 && [0, 1, 2].map((i) => <div key={i} class="facet-row ghost"><i /></div>)}
      {shown.map((one) => (
        <label key={one.value} class="facet-row" title={one.value}>
          <input type="checkbox" checked={chosen.includes(one.value)} onChange={() => toggle(name, one.value)} />
          <bdi class="facet-name">{one.value}</bdi>
          <span class="n">{count(one.count)}</span>
          <i aria-hidden="true" style={{ width: `${(one.count / most) * 100}%` }} />
        </label>
      ))}
      {list.length > FEW && <button type="button" class="link" onClick={() => setAll(!all)}>{all ? "Fewer" : `${list.length - FEW} more`}</button>}
    </fieldset>
  );
}
