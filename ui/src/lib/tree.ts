/** The rows of a trace that are to be seen. They come in drawing order, parents before children. */
import type { Row, Trace } from "../api";
import { isGenAi } from "./ops";

export interface Folding {
  /** Spans that a person closed. */
  closed: ReadonlySet<string>;
  /** Spans whose HTTP children a person opened. */
  opened: ReadonlySet<string>;
  /** Spans of the GenAI conventions alone. */
  genai: boolean;
}

/** What tells a row from all others: senders may give one id to several spans. */
export function key(row: Row): string {
  return row.variant ? `${row.span}.${row.variant}` : row.span;
}

/** One answer after the other: rows that were asked for later, behind those that are here. */
export function joined(first: Trace, next: Trace): Trace {
  const { next: _, ...rest } = first;
  const here = new Set(first.rows.map(key));
  return { ...rest, rows: [...first.rows, ...next.rows.filter((row) => !here.has(key(row)))], ...(next.next !== undefined && { next: next.next }) };
}

/** Whether all below a row is the HTTP of its call: closed until asked for. */
export function onlyHttp(rows: readonly Row[], index: number): boolean {
  const row = rows[index];
  const next = rows[index + 1];
  return !!row && !!next && next.fold === "http" && next.parent === row.span && next.children + 1 === row.children;
}

export function isOpen(rows: readonly Row[], index: number, folding: Folding): boolean {
  const span = rows[index]?.span ?? "";
  return onlyHttp(rows, index) ? folding.opened.has(span) : !folding.closed.has(span);
}

/** Indices of the rows to draw, in order. O(n): a closed row jumps over all that is below it. */
export function visible(rows: readonly Row[], folding: Folding): Int32Array {
  const out = new Int32Array(rows.length);
  let count = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as Row;
    if (folding.genai && !isGenAi(row.op) && !row.error && row.depth > 0) continue;
    if (row.fold === "http" && row.parent && !folding.opened.has(row.parent)) {
      i += row.children;
      continue;
    }
    out[count++] = i;
    if (folding.closed.has(row.span)) i += row.children;
  }
  return out.slice(0, count);
}

/** Rows whose text holds `query`, by their keys. */
export function found(rows: readonly Row[], query: string): Set<string> {
  const needle = query.trim().toLowerCase();
  const out = new Set<string>();
  if (!needle) return out;
  for (const row of rows) {
    const hay = `${row.name}\n${row.service}\n${row.model ?? ""}\n${row.tool ?? ""}\n${row.agent ?? ""}\n${row.errorType ?? ""}\n${row.span}\n${row.toolCall ?? ""}`.toLowerCase();
    if (hay.includes(needle)) out.add(key(row));
  }
  return out;
}
