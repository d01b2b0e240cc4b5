/** Two panes with a border that a person can drag, or move by the arrow keys. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { drag } from "./drag";

const KEY = "otel-genai.split";
const LEAST = 420;
const NARROW = "(max-width: 979px)";

function kept(): number {
  try {
    const value = Number(localStorage.getItem(KEY));
    return value > 0.15 && value < 0.85 ? value : 0.46;
  } catch {
    return 0.46;
  }
}

export function useNarrow(): boolean {
  const [narrow, setNarrow] = useState(() => matchMedia(NARROW).matches);
  useEffect(() => {
    const media = matchMedia(NARROW);
    const look = () => setNarrow(media.matches);
    media.addEventListener("change", look);
    return () => media.removeEventListener("change", look);
  }, []);
  return narrow;
}

export function Split({ left, right }: { left: ComponentChildren; right: ComponentChildren }) {
  const box = useRef<HTMLDivElement>(null);
  const [share, setShare] = useState(kept);
  const move = (next: number) => {
    const width = box.current?.clientWidth ?? 1200;
    const least = Math.min(0.5, LEAST / width);
    const bounded = Math.max(least, Math.min(1 - least, next));
    setShare(bounded);
    try {
      localStorage.setItem(KEY, String(bounded));
    } catch {
      // Storage is switched off: the place lasts as long as the page.
    }
  };
  return (
    <div class="split" ref={box} style={{ gridTemplateColumns: `minmax(${LEAST}px, ${share * 100}%) 1px minmax(${LEAST}px, 1fr)` }}>
      {left}
      <div
        class="splitter"
        role="separator"
        aria-orientation="vertical"
        aria-label="Width of the waterfall"
        aria-valuenow={Math.round(share * 100)}
        aria-valuemin={15}
        aria-valuemax={85}
        tabIndex={0}
        onKeyDown={(event) => {
          const by = event.key === "ArrowLeft" ? -0.02 : event.key === "ArrowRight" ? 0.02 : 0;
          if (!by) return;
          event.preventDefault();
          event.stopPropagation();
          move(share + by);
        }}
        onPointerDown={(event) => {
          const rect = (box.current as HTMLDivElement).getBoundingClientRect();
          drag(event, (at) => move((at.clientX - rect.left) / rect.width));
        }}
        onDblClick={() => move(0.46)}
      />
      {right}
    </div>
  );
}
