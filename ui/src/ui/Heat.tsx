/** A histogram over time: each cell how many values fell into a bucket; dots are single values that lead to their trace. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { SeriesAnswer } from "../api";
import { colours, repaint, surface } from "../lib/colours";
import { clock, count, timeLabel } from "../lib/format";
import { bucketOf, summed } from "../lib/heat";
import { now } from "../live";
import { href } from "../state/url";

const HEIGHT = 190;
const LEFT = 58;
const BOTTOM = 18;

export function Heat({ answer, format, axis }: { answer: SeriesAnswer; format: (n: number) => string; axis: (n: number) => string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(600);
  const [hover, setHover] = useState<{ step: number; bucket: number } | undefined>();
  const bounds = answer.bounds ?? [];
  const cells = summed(answer);
  const at = answer.series[0]?.at ?? [];
  // Buckets at both ends into which nothing fell are left out: they would take the room of the others.
  let low = bounds.length;
  let high = 0;
  for (const column of cells) column.forEach((n, bucket) => { if (n > 0) { low = Math.min(low, bucket); high = Math.max(high, bucket); } });
  if (low > high) { low = 0; high = Math.max(0, bounds.length); }
  const rows = high - low + 1;
  const tall = (HEIGHT - BOTTOM) / rows;
  const wide = (width - LEFT) / Math.max(1, at.length);
  const paint = useRef(() => {});
  paint.current = () => {
    const element = canvas.current;
    const context = element && surface(element, width, HEIGHT);
    if (!element || !context) return;
    const colour = colours();
    const most = Math.max(1, ...cells.flat());
    context.font = `11px ${getComputedStyle(element).fontFamily}`;
    context.textBaseline = "middle";
    cells.forEach((column, step) => {
      for (let bucket = low; bucket <= high; bucket++) {
        const n = column[bucket] ?? 0;
        if (n === 0) continue;
        context.globalAlpha = 0.14 + 0.86 * (Math.log1p(n) / Math.log1p(most));
        context.fillStyle = colour("--acc");
        context.fillRect(LEFT + step * wide, (high - bucket) * tall, Math.max(1, wide - 1), Math.max(1, tall - 1));
      }
    });
    context.globalAlpha = 1;
    context.fillStyle = colour("--mut");
    context.textAlign = "right";
    const every = Math.max(1, Math.ceil(16 / tall));
    for (let bucket = low; bucket < high; bucket += every) context.fillText(axis(bounds[bucket] ?? 0), LEFT - 6, (high - bucket) * tall);
    context.textAlign = "center";
    for (let step = 0; step < at.length; step += Math.max(1, Math.ceil(84 / wide))) context.fillText(timeLabel(at[step] ?? 0, answer.stepMs * at.length), LEFT + (step + 0.5) * wide, HEIGHT - 7);
    if (hover) {
      context.strokeStyle = colour("--fg");
      context.strokeRect(LEFT + hover.step * wide, (high - hover.bucket) * tall, wide, tall);
    }
  };
  useLayoutEffect(() => {
    const element = canvas.current as HTMLCanvasElement;
    return repaint(element, () => {
      setWidth(element.clientWidth);
      paint.current();
    });
  }, []);
  useEffect(() => paint.current());
  const named = (bucket: number) => `${bucket === 0 ? "up to" : `${format(bounds[bucket - 1] ?? 0)} to`} ${bucket < bounds.length ? format(bounds[bucket] ?? 0) : "more"}`;
  return (
    <div class="heat">
      <canvas ref={canvas} role="img" aria-label={`Heat map of ${answer.info.name}`} style={{ height: `${HEIGHT}px` }}
        onMouseMove={(event) => {
          const step = Math.floor((event.offsetX - LEFT) / wide);
          const bucket = high - Math.floor(event.offsetY / tall);
          setHover(step >= 0 && step < at.length && bucket >= low && bucket <= high ? { step, bucket } : undefined);
        }}
        onMouseLeave={() => setHover(undefined)}
      />
      {answer.exemplars.filter((one) => one.trace && at.length > 0).slice(0, 100).map((one, i) => {
        const x = LEFT + ((one.at - (at[0] ?? 0)) / (answer.stepMs * at.length)) * (width - LEFT);
        const y = (high - bucketOf(bounds, one.value) + 0.5) * tall;
        return x >= LEFT && x <= width && y >= 0 && y <= HEIGHT - BOTTOM ? <a key={i} class="exemplar" tabIndex={-1} aria-hidden="true" href={href(`/trace/${one.trace}`, { span: one.span })} style={{ left: `${x}px`, top: `${y}px` }} title={`${format(one.value)} · open the trace`} /> : null;
      })}
      <p class="mut small heat-note" aria-live="off">{hover ? `${clock(at[hover.step] ?? 0, now.value)} · ${named(hover.bucket)} · ${count(cells[hover.step]?.[hover.bucket] ?? 0)}` : answer.exemplars.length ? "A dot is one value; it leads to its trace." : "\u00a0"}</p>
      {/* The dots lie on each other where there are many: the same links as a list, for fingers and for the keyboard. */}
      {answer.exemplars.some((one) => one.trace) && (
        <ul class="examples" aria-label="Single values">
          {answer.exemplars.filter((one) => one.trace).slice(0, 12).map((one, i) => <li key={i}><a class="pill" href={href(`/trace/${one.trace}`, { span: one.span })}>{format(one.value)}</a></li>)}
        </ul>
      )}
    </div>
  );
}
