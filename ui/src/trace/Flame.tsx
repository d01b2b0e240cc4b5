/** The run as a flame chart: time from left to right, callers above what they called. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Row } from "../api";
import { colours, repaint, surface } from "../lib/colours";
import { boxes } from "../lib/flame";
import { duration, tick } from "../lib/format";
import { brief, kind } from "../lib/ops";
import { timeTicks } from "../lib/scale";
import { Text } from "../ui/bits";
import { key } from "../lib/tree";
import type { Zoom } from "./state";

const LANE = 22;
const HEAD = 22;

export function Flame({ rows, zoom, selected, onChoose }: { rows: readonly Row[]; zoom: Zoom; selected: string | undefined; onChoose: (row: Row) => void }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { list, lanes } = useMemo(() => boxes(rows), [rows]);
  const [hover, setHover] = useState<{ row: Row; x: number; y: number } | undefined>();
  const height = HEAD + lanes * LANE + 8;
  const paint = useRef(() => {});
  paint.current = () => {
    const element = canvas.current;
    if (!element) return;
    const width = element.clientWidth;
    const context = surface(element, width, height);
    if (!context) return;
    const colour = colours();
    const x = (at: number) => ((at - zoom.from) / (zoom.to - zoom.from)) * width;
    context.font = `11px ${getComputedStyle(element).fontFamily}`;
    context.textBaseline = "middle";
    context.fillStyle = colour("--line");
    for (const at of timeTicks(zoom.from, zoom.to, 6)) context.fillRect(Math.round(x(at)), 0, 1, height);
    context.fillStyle = colour("--mut");
    for (const at of timeTicks(zoom.from, zoom.to, 6)) context.fillText(tick(at), x(at) + 4, HEAD / 2);
    for (const box of list) {
      const left = Math.max(0, x(box.at));
      const right = Math.min(width, x(box.end));
      if (right < 0 || left > width) continue;
      const row = rows[box.index] as Row;
      const top = HEAD + box.lane * LANE;
      context.fillStyle = colour(row.error ? "--err" : `--k-${kind(row.op)}`);
      context.fillRect(left, top, Math.max(1, right - left - 1), LANE - 2);
      if (key(row) === selected) {
        context.strokeStyle = colour("--fg");
        context.lineWidth = 2;
        context.strokeRect(left + 1, top + 1, Math.max(2, right - left - 3), LANE - 4);
      }
      if (right - left > 34) {
        context.save();
        context.beginPath();
        context.rect(left, top, right - left - 5, LANE);
        context.clip();
        context.fillStyle = colour("--glyph");
        context.fillText(`${brief(row)}  ${duration(row.durationMs)}`, left + 6, top + LANE / 2 - 0.5);
        context.restore();
      }
    }
  };
  useEffect(() => paint.current());
  useEffect(() => repaint(canvas.current as HTMLCanvasElement, () => paint.current()), []);
  const at = (event: MouseEvent): Row | undefined => {
    const rect = (canvas.current as HTMLCanvasElement).getBoundingClientRect();
    const lane = Math.floor((event.clientY - rect.top - HEAD) / LANE);
    const perPixel = (zoom.to - zoom.from) / rect.width;
    const time = zoom.from + (event.clientX - rect.left) * perPixel;
    // The last that covers the point lies on top; a span of no width can be hit by a pixel.
    return rows[list.findLast((box) => box.lane === lane && box.at - perPixel <= time && Math.max(box.end, box.at + perPixel) >= time)?.index ?? -1];
  };
  return (
    <div class="flame" tabIndex={0} role="region" aria-label="Flame chart">
      <canvas
        ref={canvas}
        role="img"
        aria-label="The spans as a flame chart. The waterfall tells the same as a table."
        style={{ height: `${height}px` }}
        onClick={(event) => { const row = at(event); if (row) onChoose(row); }}
        onMouseMove={(event) => { const row = at(event); setHover(row && { row, x: event.offsetX, y: event.offsetY }); }}
        onMouseLeave={() => setHover(undefined)}
      />
      {hover && <p class="flame-tip" style={{ left: `${hover.x}px`, top: `${hover.y + 16}px` }}><b><bdi><Text value={hover.row.name} /></bdi></b> {duration(hover.row.durationMs)}{hover.row.errorType && <span class="t-err"> <Text value={hover.row.errorType} /></span>}</p>}
    </div>
  );
}
