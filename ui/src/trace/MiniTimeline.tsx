/** The whole run on 38 pixels; drag over a part to look closer. The keys `z` and `Z` do the same. */
import { useEffect, useRef } from "preact/hooks";
import type { Row } from "../api";
import { colours, repaint, surface } from "../lib/colours";
import { kind } from "../lib/ops";
import { drag } from "../ui/drag";
import { setZoom, type Zoom } from "./state";

const HEIGHT = 38;
const LANES = 6;

export function MiniTimeline({ rows, whole, zoom, selected }: { rows: readonly Row[]; whole: number; zoom: Zoom; selected: Row | undefined }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const brush = useRef<{ from: number; to: number } | undefined>(undefined);
  const paint = useRef(() => {});

  paint.current = () => {
    const element = canvas.current;
    if (!element) return;
    const width = element.clientWidth;
    const context = surface(element, width, HEIGHT);
    if (!context) return;
    const colour = colours();
    const pad = 16;
    const x = (at: number) => pad + (at / whole) * (width - 2 * pad);
    const step = (HEIGHT - 8) / LANES;
    const draw = (row: Row) => {
      const lane = Math.min(row.depth, LANES - 1);
      context.fillStyle = colour(row.error ? "--err" : `--k-${kind(row.op)}`);
      context.globalAlpha = row.op === "http" || row.op === undefined ? 0.45 : row === selected ? 1 : 0.85;
      const left = x(row.at);
      context.fillRect(left, 4 + lane * step, Math.max(1, x(row.at + row.durationMs) - left), Math.max(2, step - 1.5));
    };
    for (const row of rows) draw(row);
    // What failed lies on top, so that one error among ten thousand spans is seen.
    for (const row of rows) if (row.error) draw(row);
    context.globalAlpha = 1;
    const seen = brush.current ?? (zoom.from > 0 || zoom.to < whole ? zoom : undefined);
    if (seen) {
      context.fillStyle = colour("--shade");
      context.fillRect(0, 0, x(Math.min(seen.from, seen.to)), HEIGHT);
      context.fillRect(x(Math.max(seen.from, seen.to)), 0, width, HEIGHT);
      context.fillStyle = colour("--acc");
      context.fillRect(x(seen.from) - 1, 0, 2, HEIGHT);
      context.fillRect(x(seen.to) - 1, 0, 2, HEIGHT);
    } else if (selected) {
      context.fillStyle = colour("--fg");
      context.fillRect(x(selected.at), HEIGHT - 3, Math.max(3, x(selected.at + selected.durationMs) - x(selected.at)), 2);
    }
  };

  useEffect(() => paint.current());
  useEffect(() => repaint(canvas.current as HTMLCanvasElement, () => paint.current()), []);

  return (
    <canvas
      ref={canvas}
      class="mini"
      aria-hidden="true"
      title="Drag to look closer, double-click to see all"
      onDblClick={() => setZoom(undefined)}
      onPointerDown={(event) => {
        const rect = event.currentTarget.getBoundingClientRect();
        const at = (x: number) => Math.max(0, Math.min(whole, ((x - rect.left - 16) / (rect.width - 32)) * whole));
        const from = at(event.clientX);
        drag(event, (next) => {
          brush.current = { from, to: at(next.clientX) };
          paint.current();
        }, (letGo) => {
          const made = letGo ? brush.current : undefined;
          brush.current = undefined;
          if (made && Math.abs(made.to - made.from) > whole / 400) setZoom({ from: Math.min(made.from, made.to), to: Math.max(made.from, made.to) });
          else paint.current();
        });
      }}
    />
  );
}
