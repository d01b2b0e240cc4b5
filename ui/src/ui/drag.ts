/** Follows a pointer that was pressed on an element: each move, until it is let go or taken away. */
export function drag(pressed: PointerEvent, move: (at: PointerEvent) => void, end?: (letGo: boolean) => void): void {
  const element = pressed.currentTarget as HTMLElement;
  const over = new AbortController();
  element.setPointerCapture(pressed.pointerId);
  element.addEventListener("pointermove", move, { signal: over.signal });
  for (const name of ["pointerup", "pointercancel"] as const) {
    element.addEventListener(name, () => {
      over.abort();
      end?.(name === "pointerup");
    }, { signal: over.signal });
  }
}
