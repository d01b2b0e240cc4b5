/**
 * A long list of rows of one height: only those in sight are in the document. What a person looks at stays where it is while
 * rows come above it; at the very top the newest are in sight.
 */
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { scrollTo, shift, whereNow, windowOf } from "../lib/window";

interface Props {
  count: number;
  height: number;
  row: (index: number) => ComponentChildren;
  /** What a row is called, wherever it stands. */
  name?: (index: number) => string | undefined;
  /** This row comes into sight when another one is chosen. */
  active?: number | undefined;
  centre?: boolean;
  onNear?: (() => void) | undefined;
  /** Told how many rows there are up to the last one in sight. */
  onSight?: (rows: number) => void;
  class?: string;
  head?: ComponentChildren;
  headHeight?: number;
  /** Remembers its place under this name while the page lives. */
  place?: string;
  attributes?: Record<string, unknown>;
}

const PLACES = new Map<string, number>();

export function VirtualList({ count, height, row, name = String, active, centre, onNear, onSight, class: extra, head, headHeight = 0, place, attributes }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: (place && PLACES.get(place)) || 0, height: 800 });

  // Which row stays where it is: the chosen one if it is in sight, else the first.
  const held = useRef<{ name: string; index: number } | undefined>(undefined);

  useLayoutEffect(() => {
    const element = box.current as HTMLDivElement;
    let frame = 0;
    const read = () => {
      frame = 0;
      setView({ top: element.scrollTop, height: element.clientHeight - headHeight });
      if (place) PLACES.set(place, element.scrollTop);
    };
    const later = () => {
      frame ||= requestAnimationFrame(read);
    };
    const sizes = new ResizeObserver(later);
    sizes.observe(element);
    element.addEventListener("scroll", later, { passive: true });
    if (place) element.scrollTop = PLACES.get(place) ?? 0;
    held.current = undefined;
    read();
    return () => {
      cancelAnimationFrame(frame);
      sizes.disconnect();
      element.removeEventListener("scroll", later);
    };
  }, [place]);

  const chosen = active === undefined || active < 0 ? undefined : name(active);
  useLayoutEffect(() => {
    const element = box.current as HTMLDivElement;
    const viewport = element.clientHeight - headHeight;
    const before = held.current;
    const now = before && element.scrollTop > 0 ? whereNow(before.name, before.index, count, name) : undefined;
    if (before && now !== undefined && now !== before.index) {
      element.scrollTop += shift(before.index, now, count, height, viewport);
      setView({ top: element.scrollTop, height: viewport });
    }
    const { first, last } = windowOf(count, height, viewport, element.scrollTop, 0);
    const index = active !== undefined && active >= first && active < last ? active : first;
    const named = name(index);
    held.current = named === undefined ? undefined : { name: named, index };
  });
  useLayoutEffect(() => {
    const element = box.current;
    if (!element || chosen === undefined || active === undefined) return;
    const next = scrollTo(active, count, height, element.clientHeight - headHeight, element.scrollTop, centre);
    if (Math.abs(next - element.scrollTop) > 0.5) element.scrollTop = next;
  }, [chosen]);

  const seen = windowOf(count, height, view.height, view.top);
  useEffect(() => {
    if (onNear && seen.last >= count - 20) onNear();
  }, [seen.last, count, onNear === undefined]);
  useEffect(() => onSight?.(seen.last), [seen.last]);

  const rows: ComponentChildren[] = [];
  for (let i = seen.first; i < seen.last; i++) rows.push(row(i));
  return (
    <div {...attributes} class={`vlist ${extra ?? ""}`} ref={box}>
      {head}
      <div class="vlist-space" role="presentation" style={{ height: `${seen.total}px` }}>
        <div role="presentation" style={{ transform: `translateY(${seen.offset}px)` }}>
          {rows}
        </div>
      </div>
    </div>
  );
}
