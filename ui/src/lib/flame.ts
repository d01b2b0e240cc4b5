/** Where each span lies in a flame chart: below its parent, beside none that runs at the same time. */
import type { Row } from "../api";

export interface Box {
  index: number;
  lane: number;
  at: number;
  end: number;
}

/** Rows in drawing order → boxes. Siblings that overlap in time get lanes of their own. */
export function boxes(rows: readonly Row[]): { list: Box[]; lanes: number } {
  const list: Box[] = [];
  const laneOf = new Map<string, number>();
  // When the last box of each lane ends.
  const ends: number[] = [];
  let lanes = 0;
  rows.forEach((row, index) => {
    let lane = (row.parent === undefined ? -1 : (laneOf.get(row.parent) ?? -1)) + 1;
    while ((ends[lane] ?? Number.NEGATIVE_INFINITY) > row.at + 1e-6 && lane < 400) lane++;
    ends[lane] = Math.max(ends[lane] ?? 0, row.at + row.durationMs);
    laneOf.set(row.span, lane);
    lanes = Math.max(lanes, lane + 1);
    list.push({ index, lane, at: row.at, end: row.at + row.durationMs });
  });
  return { list, lanes };
}
