/** A long list of rows of one height: only those in sight are in the document. */
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { scrollTo, windowOf } from "../lib/window";

interface Props {
  count: number;
  height: number;
  row: (index: number) => ComponentChildren;
  /** This row is kept in sight when it changes. */
  active?: number | undefined;
  centre?: boolean;
  onNear?: () => void;
  class?: string;
  head?: ComponentChildren;
  headHeight?: number;
  /** Remembers its place under this name while the page lives. */
  place?: string;
  attributes?: Record<string, unknown>;
}

const PLACES = new Map<string, number>();

export function VirtualList({ count, height, row, active, centre, onNear, class: extra, head, headHeight = 0, place, attributes }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: (place && PLACES.get(place)) || 0, height: 800 });

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
    if (place && PLACES.get(place)) element.scrollTop = PLACES.get(place) as number;
    read();
    return () => {
      cancelAnimationFrame(frame);
      sizes.disconnect();
      element.removeEventListener("scroll", later);
    };
  }, []);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element || active === undefined || active < 0) return;
    const next = scrollTo(active, count, height, element.clientHeight - headHeight, element.scrollTop, centre);
    if (Math.abs(next - element.scrollTop) > 0.5) element.scrollTop = next;
  }, [active, count]);

  const seen = windowOf(count, height, view.height, view.top);
  useEffect(() => {
    if (onNear && seen.last >= count - 20) onNear();
  }, [seen.last, count]);

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
