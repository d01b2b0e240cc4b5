/** A table of tens of rows that sorts by a click on its head. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { onRow } from "../state/url";
import { Icon } from "./Icon";

export interface Column<T> {
  id: string;
  name: string;
  title?: string;
  right?: boolean;
  wide?: boolean;
  /** Draws a bar below the number, by its share of the largest. */
  bar?: boolean;
  value?: (row: T) => number | string | undefined;
  cell: (row: T) => ComponentChildren;
}

interface Props<T> {
  rows: readonly T[];
  columns: readonly Column<T>[];
  id: (row: T) => string;
  by: string;
  onBy: (id: string) => void;
  onOpen?: (row: T) => void;
  label: string;
}

export function Sorted<T>({ rows, columns, id, by, onBy, onOpen, label }: Props<T>) {
  const [up, setUp] = useState(false);
  const column = columns.find((one) => one.id === by);
  const value = column?.value;
  const sorted = value ? [...rows].sort((a, b) => compare(value(a), value(b)) * (up ? 1 : -1)) : rows;
  const most = new Map(columns.filter((one) => one.bar).map((one) => [one.id, Math.max(1e-9, ...rows.map((row) => Number(one.value?.(row) ?? 0)))]));
  return (
    <div class="x-scroll">
      <table class="grid" aria-label={label}>
        <thead>
          <tr>
            {columns.map((one) => (
              <th key={one.id} scope="col" class={one.right ? "right" : undefined} title={one.title} aria-sort={one.id === by ? (up ? "ascending" : "descending") : undefined}>
                {one.value ? (
                  <button type="button" onClick={() => { setUp(one.id === by ? !up : false); onBy(one.id); }}>
                    {one.name}
                    {one.id === by && <Icon name={up ? "up" : "dim"} size={10} />}
                  </button>
                ) : one.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.map((row) => (
            <tr key={id(row)} class={onOpen ? "go" : undefined} onClick={onOpen && onRow(() => onOpen(row))}>
              {columns.map((one) => (
                <td key={one.id} class={`${one.right ? "right" : ""}${one.wide ? " ell" : ""}${one.bar ? " num-bar" : ""}`}>
                  {one.cell(row)}
                  {one.bar && <i aria-hidden="true" style={{ width: `${(Number(one.value?.(row) ?? 0) / (most.get(one.id) ?? 1)) * 100}%` }} />}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function compare(a: number | string | undefined, b: number | string | undefined): number {
  if (typeof a === "string" || typeof b === "string") return -String(a ?? "").localeCompare(String(b ?? ""));
  return (a ?? -Infinity) - (b ?? -Infinity);
}
