/** A run in 96 by 18 pixels. */
import type { Bar } from "../api";
import { kind } from "../lib/ops";

export function Spark({ bars }: { bars: readonly Bar[] }) {
  const lanes = Math.max(1, ...bars.map((bar) => bar.lane + 1));
  const height = Math.max(2, Math.min(5, Math.floor(18 / lanes) - 1));
  const step = Math.min(6, 18 / lanes);
  const top = (18 - step * lanes) / 2;
  return (
    <svg class="spark" viewBox="0 0 96 18" preserveAspectRatio="none" aria-hidden="true">
      {bars.map((bar, i) => (
        <rect key={i} class={`f-${bar.error ? "err" : kind(bar.op)}`} x={bar.at * 96} y={top + bar.lane * step} width={Math.max(1, bar.width * 96)} height={height} rx={1} />
      ))}
    </svg>
  );
}
