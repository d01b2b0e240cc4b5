/** What the parts of a trace's page share. All of it that matters stands in the URL. */
import { signal } from "@preact/signals";
import { remembered, written } from "../lib/picked";
import { href, param, set } from "../state/url";

export const TABS = ["transcript", "span", "attributes", "tools", "usage", "evals", "raw"] as const;
export type Tab = (typeof TABS)[number];
export const VIEWS = ["waterfall", "graph", "flame", "logs"] as const;
export type View = (typeof VIEWS)[number];

export interface Zoom {
  from: number;
  to: number;
}

export function tab(): Tab {
  const told = param("tab") as Tab | undefined;
  return told && TABS.includes(told) ? told : "transcript";
}

export function view(): View {
  const told = param("view") as View | undefined;
  return told && VIEWS.includes(told) ? told : "waterfall";
}

/** `zoom=a,b` in milliseconds of the trace, if it makes sense. */
export function zoom(whole: number): Zoom {
  const [from, to] = (param("zoom") ?? "").split(",").map(Number);
  if (from === undefined || to === undefined || !(to > from) || from < 0) return { from: 0, to: Math.max(whole, 0.001) };
  return { from, to };
}

export function setZoom(next: Zoom | undefined): void {
  set({ zoom: next && `${round(next.from)},${round(next.to)}` });
}

function round(ms: number): string {
  return String(Math.round(ms * 1000) / 1000);
}

const KEY = "otel-genai.picked";

function kept(): string | undefined {
  try {
    return remembered(localStorage.getItem(KEY), Date.now());
  } catch {
    // Storage is switched off: what was picked lasts as long as the page.
    return picked.peek();
  }
}

function keep(name: string | undefined): void {
  picked.value = name;
  try {
    if (name === undefined) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, written(name, Date.now()));
  } catch {
    // As above.
  }
}

/** What was picked for a comparison, here or in another tab: a trace, or `trace.span`. */
export const picked = signal<string | undefined>(undefined);
picked.value = kept();
addEventListener("storage", (event) => {
  if (event.key === KEY || event.key === null) picked.value = kept();
});

/** Picks the first of two; with the second, answers where they are compared. */
export function pickForCompare(trace: string, span: string | undefined): string | undefined {
  const name = span ? `${trace}.${span}` : trace;
  const first = kept();
  if (first === undefined || first === name) {
    keep(first === name ? undefined : name);
    return undefined;
  }
  keep(undefined);
  return href("/compare", { a: first, b: name });
}

/** Where a selection came from: what is under the hand does not scroll by itself. */
export let chosenIn: "waterfall" | "transcript" | "link" = "link";

export function choose(span: string | undefined, where: "waterfall" | "transcript" | "link", more: Record<string, string | undefined> = {}): void {
  chosenIn = where;
  set({ span, ...more });
}
