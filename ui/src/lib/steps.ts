/** Steps of time without a gap: those in which nothing happened are not sent. */
import type { Overview } from "../api";

type Step = Overview["steps"][number];

const MOST = 2000;

export function evenSteps({ range, steps }: Pick<Overview, "range" | "steps">): Step[] {
  const { stepMs } = range;
  const first = steps[0];
  if (!first || !(stepMs > 0)) return steps;
  // Counted from a step that was sent: where steps begin is the server's affair.
  const from = first.atMs - Math.max(0, Math.ceil((first.atMs - range.fromMs) / stepMs)) * stepMs;
  const count = Math.ceil((range.toMs - from) / stepMs);
  if (count > MOST) return steps;
  const known = new Map(steps.map((step) => [Math.round((step.atMs - from) / stepMs), step]));
  return Array.from({ length: Math.max(count, Math.max(...known.keys()) + 1) }, (_, i) => known.get(i) ?? { atMs: from + i * stepMs, calls: 0, errors: 0, input: 0, output: 0, cacheRead: 0 });
}
