/** The run as a graph: agents, and what they called. A click goes to a node's spans, one after the other. */
import { useMemo } from "preact/hooks";
import type { Row } from "../api";
import { duration, plural, tokens } from "../lib/format";
import { graph, type Node } from "../lib/graph";
import { word } from "../lib/ops";
import { Empty, Glyph, Text } from "../ui/bits";
import { Icon } from "../ui/Icon";

const WIDE = 172;
const HIGH = 48;
const ASIDE = 48;
const BELOW = 18;
const EDGE = 16;

export function Graph({ rows, selected, onChoose }: { rows: readonly Row[]; selected: string | undefined; onChoose: (span: string) => void }) {
  const seen = useMemo(() => graph(rows), [rows]);
  const place = useMemo(() => {
    const count = (layer: number) => seen.nodes.filter((node) => node.layer === layer).length;
    const counts = Array.from({ length: seen.layers }, (_, layer) => count(layer));
    return new Map(seen.nodes.map((node) => [node.id, {
      x: EDGE + node.layer * (WIDE + ASIDE),
      y: EDGE + (node.at + (seen.most - (counts[node.layer] ?? 0)) / 2) * (HIGH + BELOW),
    }]));
  }, [seen]);
  if (seen.nodes.length === 0) return <Empty title="Nothing to draw" icon="agents">No agent, model or tool takes part in this run.</Empty>;
  const width = EDGE * 2 + seen.layers * (WIDE + ASIDE) - ASIDE;
  const height = EDGE * 2 + seen.most * (HIGH + BELOW) - BELOW;
  const chosen = seen.nodes.find((node) => selected !== undefined && node.spans.includes(selected));
  const next = (node: Node) => onChoose(node.spans[(node.spans.indexOf(selected ?? "") + 1) % node.spans.length] as string);
  return (
    <div class="graph" tabIndex={0} role="region" aria-label="Graph of agents, models and tools">
      <div class="graph-space" style={{ width: `${width}px`, height: `${height}px` }}>
        <svg width={width} height={height} aria-hidden="true">
          {seen.edges.map((edge) => {
            const from = place.get(edge.from) as { x: number; y: number };
            const to = place.get(edge.to) as { x: number; y: number };
            const back = to.x <= from.x;
            const x1 = from.x + WIDE, y1 = from.y + HIGH / 2, x2 = to.x, y2 = to.y + HIGH / 2;
            const bend = back ? ASIDE : Math.max(ASIDE / 2, (x2 - x1) / 2);
            const lit = chosen && (edge.from === chosen.id || edge.to === chosen.id);
            return (
              <g key={`${edge.from}\n${edge.to}`} class={`edge${lit ? " lit" : ""}${edge.errors ? " failed" : ""}`}>
                <path d={`M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`} stroke-width={1 + Math.min(4, Math.log2(edge.calls))} />
                {edge.calls > 1 && <text x={x2 - 8} y={y2 - 6} text-anchor="end">×{edge.calls}</text>}
              </g>
            );
          })}
        </svg>
        {seen.nodes.map((node) => {
          const at = place.get(node.id) as { x: number; y: number };
          const facts = [plural(node.spans.length, node.kind === "agent" ? "run" : "call"), tokens(node.usage), duration(node.ms)].filter(Boolean).join(" · ");
          return (
            <button
              key={node.id}
              type="button"
              class={`node k-${node.kind}`}
              aria-pressed={node === chosen}
              title={`${node.name} · ${word(node.op)} · ${facts}`}
              style={{ left: `${at.x}px`, top: `${at.y}px`, width: `${WIDE}px`, height: `${HIGH}px` }}
              onClick={() => next(node)}
            >
              <Glyph op={node.op} />
              <span class="node-text">
                <b class="ell"><bdi><Text value={node.name} /></bdi></b>
                <small class="ell">{facts}</small>
              </span>
              {node.errors > 0 && <span class="t-err node-errors" title={`${node.errors} failed`}><Icon name="error" size={11} />{node.errors}</span>}
            </button>
          );
        })}
      </div>
      {seen.more > 0 && <p class="note">{plural(seen.more, "rarer node")} left out.</p>}
    </div>
  );
}
