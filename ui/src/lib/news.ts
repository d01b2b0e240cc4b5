/** What the stream tells of traces, laid over a list that was asked for. */
import type { TraceRow } from "../api";

/** A trace as the stream told it, and which asking for the list had begun before. */
export interface News {
  row: TraceRow;
  asking: number;
}

/** What is told of more traces than these is asked for again. */
export const MOST_NEWS = 500;

/** `news` with what was told now; of a trace the last counts. Where the list cannot be asked for, the newest are kept. */
export function heard(news: readonly News[], items: readonly TraceRow[], asking: number): News[] {
  const all = new Map(news.map((one) => [one.row.id, one]));
  for (const row of items) {
    const before = all.get(row.id);
    all.delete(row.id);
    all.set(row.id, before && before.row.rev > row.rev ? before : { row, asking });
  }
  return [...all.values()].slice(-2 * MOST_NEWS);
}

/** What an answer does not tell yet: it was told after the asking began. */
export function since(news: readonly News[], asking: number): readonly News[] {
  return news.some((one) => one.asking < asking) ? news.filter((one) => one.asking >= asking) : news;
}

/**
 * The newest first, as the list stands: what is known is renewed, what is new comes where its start belongs. What began before
 * the last row is for the pages that follow, if there are any.
 */
export function placed(rows: readonly TraceRow[], news: readonly News[], isWhole: boolean): readonly TraceRow[] {
  if (news.length === 0) return rows;
  const fresh = new Map(news.map(({ row }) => [row.id, row]));
  const out = rows.map((row) => {
    const other = fresh.get(row.id);
    fresh.delete(row.id);
    return other && other.rev >= row.rev ? other : row;
  });
  const last = isWhole ? Number.NEGATIVE_INFINITY : (rows.at(-1)?.startMs ?? Number.NEGATIVE_INFINITY);
  for (const row of fresh.values()) if (row.startMs > last) out.push(row);
  return out.sort((a, b) => b.startMs - a.startMs);
}

/** New traces of which a list that stands still does not tell: which, and whether there are others. */
export interface Waiting {
  ids: ReadonlySet<string>;
  more: boolean;
}

export const NONE: Waiting = { ids: new Set(), more: false };
const MOST_WAITING = 1000;

export function waiting(before: Waiting, items: readonly TraceRow[], more: number, isListed: (id: string) => boolean): Waiting {
  const unknown = items.filter((row) => !isListed(row.id) && !before.ids.has(row.id));
  if (unknown.length === 0 && (more === 0 || before.more)) return before;
  const ids = [...before.ids, ...unknown.map((row) => row.id)];
  return { ids: new Set(ids.slice(0, MOST_WAITING)), more: before.more || more > 0 || ids.length > MOST_WAITING };
}
