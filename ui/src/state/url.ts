/**
 * The URL is the state: what a person sees can be copied as a link, and Back brings it back.
 * A page pushes a new entry; a move within a page (a filter, a selection) replaces the current one.
 */
import { computed, signal } from "@preact/signals";

export interface Place {
  path: string;
  query: URLSearchParams;
}

export type Params = Record<string, string | string[] | undefined>;

function here(): Place {
  return { path: globalThis.location?.pathname ?? "/", query: new URLSearchParams(globalThis.location?.search ?? "") };
}

export const place = signal<Place>(here());
export const path = computed(() => place.value.path);

/** `query` with `changes` made; an absent or empty value takes the key away. Keys keep their order, new ones go last. */
export function changed(query: URLSearchParams, changes: Params): URLSearchParams {
  const next = new URLSearchParams(query);
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined || value === "" || (Array.isArray(value) && value.length === 0)) next.delete(key);
    else if (Array.isArray(value)) {
      next.delete(key);
      for (const one of value) next.append(key, one);
    } else next.set(key, value);
  }
  return next;
}

/** A link to `path`. Characters that need no escape in a query stay readable. */
export function href(path: string, query?: URLSearchParams | Params): string {
  const text = (query instanceof URLSearchParams ? query : changed(new URLSearchParams(), query ?? {})).toString();
  const readable = text.replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%2F", "/");
  return readable ? `${path}?${readable}` : path;
}

function show(url: string, replace: boolean): void {
  if (replace) history.replaceState(history.state, "", url);
  else history.pushState({ depth: depth() + 1 }, "", url);
  place.value = here();
}

/** How many pages of ours lie behind this one: 0 means that Back would leave. */
export function depth(): number {
  return (history.state as { depth?: number } | null)?.depth ?? 0;
}

/** Goes to another page. */
export function go(url: string): void {
  show(url, false);
}

/** Changes parameters of this page in place. */
export function set(changes: Params): void {
  const now = here();
  const url = href(now.path, changed(now.query, changes));
  if (url !== location.pathname + location.search) show(url, true);
}

export function param(name: string): string | undefined {
  return place.value.query.get(name) ?? undefined;
}

export function params(name: string): string[] {
  return place.value.query.getAll(name);
}

/** A click on a row leads where the row leads. One on a link or a button in it is that one's own, as is one for a new tab. */
export function onRow(open: () => void): (event: MouseEvent) => void {
  return (event) => {
    if (!(event.target as Element).closest("a, button") && !event.ctrlKey && !event.metaKey) open();
  };
}

/** Follows Back, Forward and plain clicks on links of ours. */
export function listen(): void {
  addEventListener("popstate", () => {
    place.value = here();
  });
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element).closest?.("a");
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (link.pathname.startsWith("/api/") || link.pathname.startsWith("/assets/")) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}
