import type { SeriesAnswer } from "../api";

/** The counts of all series together: a column a step, a number a bucket. */
export function summed(answer: SeriesAnswer): number[][] {
  const steps = answer.series[0]?.at.length ?? 0;
  return Array.from({ length: steps }, (_, step) => {
    const out: number[] = [];
    for (const one of answer.series) (one.counts?.[step] ?? []).forEach((n, bucket) => { out[bucket] = (out[bucket] ?? 0) + n; });
    return Array.from(out, (n) => n ?? 0);
  });
}

/** Which bucket a value falls into: bounds are upper ends, and included. */
export function bucketOf(bounds: readonly number[], value: number): number {
  const at = bounds.findIndex((bound) => value <= bound);
  return at < 0 ? bounds.length : at;
}
