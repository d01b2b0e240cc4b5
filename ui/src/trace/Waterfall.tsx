/** The run as bars in time. Only the rows in sight are in the document, however many there are. */
import { useMemo } from "preact/hooks";
import type { Row } from "../api";
import { cost, duration, plural, short, tick, tokens } from "../lib/format";
import { brief, kind, word } from "../lib/ops";
import { timeTicks } from "../lib/scale";
import { type Folding, isOpen, key, onlyHttp } from "../lib/tree";
import { Glyph, Text } from "../ui/bits";
import { Icon } from "../ui/Icon";
import { VirtualList } from "../ui/VirtualList";
import type { Zoom } from "./state";

const ROW = 30;

interface Props {
  rows: readonly Row[];
  visible: Int32Array;
  zoom: Zoom;
  /** The key of the chosen row. */
  selected: string | undefined;
  folding: Folding;
  matches: ReadonlySet<string> | undefined;
  currency: string | undefined;
  onChoose: (row: Row) => void;
  onFold: (row: Row, index: number) => void;
  onNear: (() => void) | undefined;
}

export function Waterfall(props: Props) {
  const { rows, visible, zoom, selected } = props;
  const active = useMemo(() => {
    if (!selected) return undefined;
    const at = visible.findIndex((i) => key(rows[i] as Row) === selected);
    return at < 0 ? undefined : at;
  }, [visible, selected]);
  const nameOf = (i: number) => {
    const row = rows[visible[i] ?? -1];
    return row && key(row);
  };
  const span = zoom.to - zoom.from;
  const marks = timeTicks(zoom.from, zoom.to, 6).filter((at) => at > zoom.from && at <= zoom.to);
  const first = marks[0] ?? 0;
  const every = (marks[1] ?? zoom.to + span) - first;
  return (
    <VirtualList
      class="wf"
      count={visible.length}
      height={ROW}
      headHeight={24}
      name={nameOf}
      active={active}
      centre
      onNear={props.onNear}
      attributes={{
        role: "treegrid", "aria-label": "Waterfall", "aria-rowcount": visible.length + 1, "aria-colcount": 2, tabIndex: 0, "aria-activedescendant": active === undefined ? undefined : `w-${selected}`,
        style: { "--tick": `${(every / span) * 100}cqw`, "--tick-at": `${((first - zoom.from) / span) * 100}cqw` },
      }}
      head={
        <div class="wf-row wf-head" role="row" aria-rowindex={1}>
          <div role="columnheader" class="wf-name">Span</div>
          <div role="columnheader" class="wf-time" aria-label="Time"><div class="wf-scale">
            {marks.map((at) => <span key={at} style={{ left: `${((at - zoom.from) / span) * 100}%` }}>{tick(at)}</span>)}
          </div></div>
        </div>
      }
      row={(i) => {
        const index = visible[i] as number;
        const row = rows[index];
        return row && <Line key={key(row)} {...props} row={row} index={index} at={i} />;
      }}
    />
  );
}

function Line({ row, index, at, rows, zoom, selected, folding, matches, currency, onChoose, onFold }: Props & { row: Row; index: number; at: number }) {
  const span = zoom.to - zoom.from;
  const left = ((row.at - zoom.from) / span) * 100;
  const width = (row.durationMs / span) * 100;
  const right = left + width;
  const chosen = key(row) === selected;
  const dim = matches && !matches.has(key(row));
  const open = isOpen(rows, index, folding);
  const seen = right > 0 && left < 100;
  return (
    <div
      id={`w-${key(row)}`}
      class={`wf-row${chosen ? " sel" : ""}${dim ? " dim" : ""}${row.ghost || row.state === "running" ? " run" : ""}`}
      role="row"
      aria-level={row.depth + 1}
      aria-expanded={row.children ? open : undefined}
      aria-selected={chosen}
      aria-rowindex={at + 2}
      onClick={() => onChoose(row)}
    >
      <div role="gridcell" class="wf-name" style={{ paddingLeft: `${6 + Math.min(row.depth, 24) * 14}px` }}>
        {row.children > 0 ? (
          <button type="button" class="twisty" tabIndex={-1} aria-label={`${open ? "Fold" : "Unfold"} ${plural(row.children, "span")}`} title={plural(row.children, "span")} onClick={(event) => { event.stopPropagation(); onFold(row, index); }}>
            <Icon name={open ? "down" : "chevron"} size={11} />
          </button>
        ) : <span class="twisty" />}
        <Glyph op={row.op} />
        <span class="ell name" title={`${row.name} · ${word(row.op)} · ${row.service}`}><bdi><Text value={brief(row)} /></bdi></span>
        <Facts row={row} currency={currency} open={open} plainHttp={onlyHttp(rows, index)} />
      </div>
      <div role="gridcell" class="wf-time"><div class="wf-scale">
        {seen && (
          <i class={`wbar k-${row.error ? "err" : kind(row.op)}`} style={{ left: `${Math.max(0, left)}%`, width: `${Math.min(100, right) - Math.max(0, left)}%` }}>
            {row.ttftMs !== undefined && row.durationMs > 0 && left >= 0 && right <= 100 && <u style={{ left: `${Math.min(100, (row.ttftMs / row.durationMs) * 100)}%` }} title={`first token after ${duration(row.ttftMs)}`} />}
          </i>
        )}
        {seen && <em style={{ left: `${Math.min(100, right)}%` }}>{row.error && <Icon name="error" size={11} class="t-err" />}{row.state === "running" ? "running" : duration(row.durationMs)}</em>}
      </div></div>
    </div>
  );
}

function Facts({ row, currency, open, plainHttp }: { row: Row; currency: string | undefined; open: boolean; plainHttp: boolean }) {
  const used = row.wrapper ? undefined : tokens(row.usage);
  return (
    <>
      {row.error && <span class="pill t-err" title={row.errorType}>{row.errorType ?? "error"}</span>}
      {row.retry !== undefined && row.retry > 0 && <span class="pill t-warn">retry {row.retry}</span>}
      {row.count !== undefined && <span class="pill">{row.op === "retrieval" || row.op === "rerank" ? plural(row.count, "doc") : row.op === "memory" ? plural(row.count, "record") : short(row.count)}</span>}
      {kind(row.op) === "llm" && used && <span class="pill">{used}</span>}
      {row.total?.cost && row.total.cost.amount > 0 && <span class="pill" title="This agent and all below it">{cost(row.total.cost, currency)}</span>}
      {row.inferred && <span class="pill" title="Not a span: concluded from logs">inferred</span>}
      {row.orphan && <span class="pill t-warn" title="Its parent never came">no parent</span>}
      {row.cycle && <span class="pill t-warn" title="Its parents form a circle, cut here">circle</span>}
      {!open && row.children > 0 && !plainHttp && <span class="pill" title={`${plural(row.children, "span")} folded`}>+{short(row.children)}</span>}
    </>
  );
}
