/** Small charts of the overview, as SVG: bars on each other, or lines. Drag to look closer; a table says the same to a screen reader. */
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { clock, exact, timeLabel } from "../lib/format";
import { step as roundStep, timeTicks } from "../lib/scale";
import { now } from "../live";

interface Series {
  name: string;
  /** A colour token: `--k-llm`, `--err`, … */
  look: string;
  values: readonly (number | undefined)[];
}

interface Props {
  title: string;
  at: readonly number[];
  step: number;
  series: readonly Series[];
  format: (n: number) => string;
  /** As `format`, where room is short. */
  axis?: (n: number) => string;
  onZoom: (from: number, to: number) => void;
}

const HEIGHT = 116;
const EDGE = { right: 8, top: 8, bottom: 18 };

export function Bars(props: Props) {
  return <Chart {...props} stacked />;
}
export function Lines(props: Props) {
  return <Chart {...props} stacked={false} />;
}

function Chart({ title, at, step, series, format, axis = format, onZoom, stacked }: Props & { stacked: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(480);
  const [hover, setHover] = useState<number | undefined>();
  const [brush, setBrush] = useState<[number, number] | undefined>();
  useLayoutEffect(() => {
    const element = box.current as HTMLDivElement;
    const sizes = new ResizeObserver(() => setWidth(element.clientWidth));
    sizes.observe(element);
    setWidth(element.clientWidth);
    return () => sizes.disconnect();
  }, []);
  const from = at[0] ?? 0;
  const to = (at.at(-1) ?? 0) + step;
  const tall = HEIGHT - EDGE.top - EDGE.bottom;
  const sums = at.map((_, i) => series.reduce((sum, one) => sum + (one.values[i] ?? 0), 0));
  const most = Math.max(stacked ? Math.max(...sums, 0) : Math.max(0, ...series.flatMap((one) => one.values.map((value) => value ?? 0))), 1e-9);
  const by = roundStep(most, 2);
  const high = Math.ceil(most / by - 1e-9) * by;
  const named = (value: number) => (value === 0 ? "0" : axis(value).replace(/(\.\d*?)0+(?=$|\D)/, "$1").replace(/\.(?=$|\D)/, ""));
  const PAD = { ...EDGE, left: Math.max(44, 12 + 7 * Math.max(named(high).length, named(high / 2).length)) };
  const inner = width - PAD.left - PAD.right;
  const x = (ms: number) => PAD.left + ((ms - from) / (to - from || 1)) * inner;
  const y = (value: number) => PAD.top + tall - (value / high) * tall;
  const slot = inner / Math.max(1, at.length);
  const index = (clientX: number) => {
    const rect = (box.current as HTMLDivElement).getBoundingClientRect();
    return Math.max(0, Math.min(at.length - 1, Math.floor((clientX - rect.left - PAD.left) / slot)));
  };
  const shown = hover ?? at.length - 1;
  const empty = most <= 1e-9;
  return (
    <figure class="chart">
      <figcaption>
        <h2>{title}</h2>
        <span class="chart-when mut">{hover !== undefined && clock(at[shown] ?? 0, now.value)}</span>
        <span class="grow" />
        {series.map((one) => (
          <span key={one.name} class="key"><i class={`bg-${one.look}`} />{one.name}{hover !== undefined && <b>{one.values[shown] === undefined ? "–" : format(one.values[shown] as number)}</b>}</span>
        ))}
      </figcaption>
      <div
        ref={box}
        class="chart-box"
        onPointerMove={(event) => {
          setHover(index(event.clientX));
          if (brush) setBrush([brush[0], index(event.clientX)]);
        }}
        onPointerLeave={() => setHover(undefined)}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          setBrush([index(event.clientX), index(event.clientX)]);
        }}
        onPointerUp={() => {
          if (brush && brush[0] !== brush[1]) onZoom(at[Math.min(...brush)] ?? from, (at[Math.max(...brush)] ?? to) + step);
          setBrush(undefined);
        }}
        onPointerCancel={() => setBrush(undefined)}
      >
        <svg width={width} height={HEIGHT} aria-hidden="true">
          {[0, high / 2, high].map((value) => (
            <g key={value}>
              <line class="gridline" x1={PAD.left} x2={width - PAD.right} y1={y(value)} y2={y(value)} />
              {(value > 0 || !empty) && <text class="axis" x={PAD.left - 6} y={y(value) + 4} text-anchor="end">{named(value)}</text>}
            </g>
          ))}
          {timeTicks(from, to, Math.max(2, Math.floor(inner / 90))).filter((ms) => x(ms) < width - 24).map((ms) => <text key={ms} class="axis" x={x(ms)} y={HEIGHT - 4} text-anchor="middle">{timeLabel(ms, to - from)}</text>)}
          {hover !== undefined && <rect class="hover" x={PAD.left + shown * slot} y={PAD.top} width={slot} height={tall} />}
          {brush && <rect class="brush" x={PAD.left + Math.min(...brush) * slot} y={PAD.top} width={(Math.abs(brush[1] - brush[0]) + 1) * slot} height={tall} />}
          {stacked
            ? at.map((ms, i) => {
                let base = 0;
                return (
                  <g key={ms}>
                    {series.map((one) => {
                      const value = one.values[i] ?? 0;
                      if (value <= 0) return null;
                      const bottom = y(base);
                      base += value;
                      const height = Math.max(1, bottom - y(base));
                      return <rect key={one.name} class={`fill-${one.look}`} x={PAD.left + i * slot + Math.min(1, slot * 0.12)} y={bottom - height} width={Math.max(1, slot - Math.min(2, slot * 0.24))} height={height} rx={Math.min(1.5, slot / 6)} />;
                    })}
                  </g>
                );
              })
            : series.map((one) => (
                <g key={one.name}>
                  <path class={`stroke-${one.look}`} d={path(one.values, (i) => PAD.left + (i + 0.5) * slot, y)} />
                  {one.values.map((value, i) => (value !== undefined && one.values[i - 1] === undefined && one.values[i + 1] === undefined ? <circle key={i} class={`fill-${one.look}`} cx={PAD.left + (i + 0.5) * slot} cy={y(value)} r={1.8} /> : null))}
                </g>
              ))}
        </svg>
        {empty && <p class="chart-none mut">Nothing in this time</p>}
      </div>
      {/* A table is as wide as its words: what hides it has to be a box around it. */}
      <div class="sr"><table>
        <caption>{title}</caption>
        <thead><tr><th>Time</th>{series.map((one) => <th key={one.name}>{one.name}</th>)}</tr></thead>
        <tbody>{at.map((ms, i) => (sums[i] ? <tr key={ms}><th>{exact(ms)}</th>{series.map((one) => <td key={one.name}>{one.values[i] === undefined ? "" : format(one.values[i] as number)}</td>)}</tr> : null))}</tbody>
      </table></div>
    </figure>
  );
}

function path(values: readonly (number | undefined)[], x: (i: number) => number, y: (value: number) => number): string {
  let out = "";
  let pen = false;
  values.forEach((value, i) => {
    if (value === undefined) {
      pen = false;
      return;
    }
    out += `${pen ? "L" : "M"}${x(i).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = true;
  });
  return out;
}
