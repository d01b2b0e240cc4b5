/** The tokens' values, for canvases. Read again for each painting: the theme may have changed. */
export function colours(): (name: string) => string {
  const style = getComputedStyle(document.documentElement);
  const known = new Map<string, string>();
  return (name) => {
    let value = known.get(name);
    if (value === undefined) known.set(name, (value = style.getPropertyValue(name).trim() || "#888"));
    return value;
  };
}

/** Calls `paint` when a canvas has to be painted again: its size or the theme changed. */
export function repaint(element: HTMLElement, paint: () => void): () => void {
  const sizes = new ResizeObserver(paint);
  sizes.observe(element);
  const media = matchMedia("(prefers-color-scheme: light)");
  media.addEventListener("change", paint);
  addEventListener("otel-genai-theme", paint);
  return () => {
    sizes.disconnect();
    media.removeEventListener("change", paint);
    removeEventListener("otel-genai-theme", paint);
  };
}

/** A canvas sized for its box and the screen, cleared, in CSS pixels. */
export function surface(element: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D | undefined {
  const ratio = devicePixelRatio || 1;
  element.width = Math.round(width * ratio);
  element.height = Math.round(height * ratio);
  const context = element.getContext("2d") ?? undefined;
  context?.scale(ratio, ratio);
  return context;
}
