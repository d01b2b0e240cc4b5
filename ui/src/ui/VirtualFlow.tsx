/**
 * A long column of items whose heights are known only once drawn. What a person looks at stays
 * where it is while heights above become known, and while items come.
 */
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { Heights } from "../lib/window";

interface Props<T> {
  items: readonly T[];
  id: (item: T) => string;
  guess: (item: T) => number;
  draw: (item: T, index: number) => ComponentChildren;
  /** The item to show. Asked for again by another `turn`. */
  target?: { id: string; turn: number } | undefined;
  label: string;
  class?: string;
  onNear?: (() => void) | undefined;
}

const OVERSCAN = 600;

export function VirtualFlow<T>({ items, id, guess, draw, target, label, class: extra, onNear }: Props<T>) {
  const box = useRef<HTMLDivElement>(null);
  const known = useRef(new Map<string, number>());
  const [view, setView] = useState({ top: 0, height: 900 });
  const [, redraw] = useState(0);
  const heights = useMemo(() => {
    const made = new Heights(items.map((item) => known.current.get(id(item)) ?? guess(item)));
    return made;
  }, [items]);
  const drawn = useRef(new Map<Element, number>());
  // Heights change by themselves for a while after a jump: keep to its target until a person scrolls.
  const goal = useRef<string | undefined>(undefined);
  // The item at the top, and how much of it is above.
  const top = useRef<{ id: string; above: number } | undefined>(undefined);

  const observer = useMemo(
    () =>
      new ResizeObserver((entries) => {
        const element = box.current;
        if (!element) return;
        const first = heightsNow.current.at(element.scrollTop);
        let above = 0;
        let any = false;
        for (const entry of entries) {
          const index = drawn.current.get(entry.target);
          if (index === undefined) continue;
          const item = itemsNow.current[index];
          if (item === undefined) continue;
          const height = (entry.target as HTMLElement).offsetHeight;
          if (height === 0) continue;
          known.current.set(idNow.current(item), height);
          const by = heightsNow.current.measure(index, height);
          if (by !== 0) {
            any = true;
            if (index < first) above += by;
          }
        }
        if (!any) return;
        if (goal.current !== undefined) aim(goal.current);
        else if (above !== 0) element.scrollTop += above;
        redraw((n) => n + 1);
      }),
    [],
  );
  const heightsNow = useRef(heights);
  heightsNow.current = heights;
  const itemsNow = useRef(items);
  itemsNow.current = items;
  const idNow = useRef(id);
  idNow.current = id;

  const aim = (wanted: string) => {
    const element = box.current;
    const index = itemsNow.current.findIndex((item) => idNow.current(item) === wanted);
    if (!element || index < 0) return;
    element.scrollTop = Math.max(0, heightsNow.current.top(index) - 8);
  };

  const hold = (element: HTMLDivElement) => {
    const index = heightsNow.current.at(element.scrollTop);
    const item = itemsNow.current[index];
    top.current = item === undefined ? undefined : { id: idNow.current(item), above: element.scrollTop - heightsNow.current.top(index) };
  };

  useLayoutEffect(() => {
    const element = box.current as HTMLDivElement;
    let frame = 0;
    const read = () => {
      frame = 0;
      hold(element);
      setView({ top: element.scrollTop, height: element.clientHeight });
    };
    const later = () => {
      frame ||= requestAnimationFrame(read);
    };
    const byHand = () => {
      goal.current = undefined;
    };
    const sizes = new ResizeObserver(later);
    sizes.observe(element);
    element.addEventListener("scroll", later, { passive: true });
    for (const name of ["wheel", "pointerdown", "keydown", "touchstart"] as const) element.addEventListener(name, byHand, { passive: true });
    read();
    return () => {
      cancelAnimationFrame(frame);
      sizes.disconnect();
      observer.disconnect();
      element.removeEventListener("scroll", later);
    };
  }, []);

  useLayoutEffect(() => {
    if (!target) return;
    goal.current = target.id;
    aim(target.id);
    const element = box.current;
    if (element) setView({ top: element.scrollTop, height: element.clientHeight });
  }, [target?.id, target?.turn]);

  useLayoutEffect(() => {
    const element = box.current as HTMLDivElement;
    const before = top.current;
    if (goal.current !== undefined) aim(goal.current);
    else if (before && element.scrollTop > 0) {
      const index = items.findIndex((item) => id(item) === before.id);
      if (index >= 0) element.scrollTop = heights.top(index) + before.above;
    }
    hold(element);
    setView({ top: element.scrollTop, height: element.clientHeight });
  }, [items]);

  const first = Math.max(0, heights.at(Math.max(0, view.top - OVERSCAN)));
  const last = Math.min(items.length, heights.at(view.top + view.height + OVERSCAN) + 1);

  useEffect(() => {
    if (onNear && last >= items.length - 10) onNear();
  }, [last, items.length, onNear === undefined]);

  const out: ComponentChildren[] = [];
  for (let i = first; i < last; i++) {
    const item = items[i] as T;
    out.push(
      <Measured key={id(item)} index={i} observer={observer} drawn={drawn.current}>
        {draw(item, i)}
      </Measured>,
    );
  }
  return (
    <div class={`vflow ${extra ?? ""}`} ref={box} role="feed" aria-label={label} tabIndex={0}>
      <div class="vflow-space" role="presentation" style={{ height: `${heights.total}px` }}>
        <div role="presentation" style={{ transform: `translateY(${heights.top(first)}px)` }}>
          {out}
        </div>
      </div>
    </div>
  );
}

function Measured({ index, observer, drawn, children }: { index: number; observer: ResizeObserver; drawn: Map<Element, number>; children: ComponentChildren }) {
  const box = useRef<HTMLDivElement>(null);
  if (box.current) drawn.set(box.current, index);
  useLayoutEffect(() => {
    const element = box.current as HTMLDivElement;
    drawn.set(element, index);
    observer.observe(element);
    return () => {
      observer.unobserve(element);
      drawn.delete(element);
    };
  }, []);
  return (
    <div class="flow-item" role="presentation" ref={box}>
      {children}
    </div>
  );
}
