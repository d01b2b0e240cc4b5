/** Asks /api/v1. One way to fetch, one shape of failure. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { ApiError } from "./api";
import { Kept } from "./lib/kept";
import { changed, type Params } from "./state/url";

/** What went wrong, for a person: what failed, and what to do. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint?: string,
  ) {
    super(message);
  }
}

export function problem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem(0, "internal", String(error));
}

export function api(path: string, query?: URLSearchParams | Params): string {
  const text = query instanceof URLSearchParams ? query.toString() : changed(new URLSearchParams(), query ?? {}).toString();
  return `/api/v1${path}${text ? `?${text}` : ""}`;
}

async function answer(url: string, options: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem(0, "unreachable", "The dashboard does not answer.", "Is otel-genai still running? This page asks again by itself.");
  }
  if (response.ok) return response;
  let told: ApiError["error"] | undefined;
  try {
    told = ((await response.json()) as ApiError).error;
  } catch {
    // Not one of our answers (a proxy's page, for example): the status has to do.
  }
  if (response.status === 401) throw new Problem(401, told?.code ?? "no_token", "This dashboard asks for its token.", told?.hint ?? "Open the link with ?token=… that otel-genai printed when it started.");
  throw new Problem(response.status, told?.code ?? "internal", told?.message ?? `The dashboard answered ${response.status}.`, told?.hint);
}

export async function get<T>(url: string, signal?: AbortSignal): Promise<T> {
  return (await answer(url, signal ? { signal } : {})).json() as Promise<T>;
}

export async function getText(url: string, signal?: AbortSignal): Promise<string> {
  return (await answer(url, signal ? { signal } : {})).text();
}

/** An answer, and how many characters it took. */
export interface Sized<T> {
  data: T;
  size: number;
}

export async function sized<T>(url: string, signal?: AbortSignal): Promise<Sized<T>> {
  const text = await getText(url, signal);
  return { data: JSON.parse(text) as T, size: text.length };
}

/** A request that changes something: carries the header that no foreign form can send. */
export async function change(method: "POST" | "DELETE" | "PATCH" | "PUT", url: string, body?: string): Promise<Response> {
  return answer(url, { method, headers: { "x-otel-genai": "1" }, ...(body !== undefined && { body }) });
}

/** So many answers, and so many characters. */
export const KEPT = new Kept(40, 16_000_000);

export interface Got<T> {
  data: T | undefined;
  error: Problem | undefined;
  loading: boolean;
  /** `data` is the answer of a former URL: that of this one is on its way. */
  held: boolean;
  again: () => void;
}

/** A run that is unreachable may be back at any moment. */
const PATIENCE = 3000;

/**
 * The answer to `url`, asked again when it changes. A page seen before shows its last answer at once
 * (Back does not blink) and refreshes it. With `hold`, the answer of the former URL stays while the
 * next one comes: a filter does not empty the table. Where the next one fails it goes: it answers another question.
 * `read` is another way to ask.
 */
export function useGet<T>(url: string | undefined, options: { hold?: boolean; poll?: number; read?: (url: string, signal: AbortSignal) => Promise<Sized<T>> } = {}): Got<T> {
  const [, redraw] = useState(0);
  const [turn, setTurn] = useState(0);
  const state = useRef<{ url?: string | undefined; of?: string | undefined; data?: T | undefined; error?: Problem | undefined; loading: boolean }>({ loading: false });
  // Asked for while an answer was on its way: a run that changes all the time would otherwise never be seen.
  const wanted = useRef(false);
  if (state.current.url !== url) {
    const kept = url === undefined ? undefined : (KEPT.get(url) as T | undefined);
    const { of, data } = kept !== undefined ? { of: url, data: kept } : options.hold && url !== undefined ? state.current : {};
    state.current = { url, of, data, error: undefined, loading: url !== undefined };
  }
  useEffect(() => {
    if (url === undefined) return;
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      try {
        const { data, size } = await (options.read ?? sized<T>)(url, stop.signal);
        KEPT.keep(url, data, size);
        state.current = { url, of: url, data, error: undefined, loading: false };
      } catch (error) {
        if (stop.signal.aborted) return;
        const { of, data } = state.current;
        state.current = { url, ...(of === url && { of, data }), error: problem(error), loading: false };
      }
      redraw((n) => n + 1);
      if (wanted.current) {
        wanted.current = false;
        setTurn((n) => n + 1);
        return;
      }
      const wait = state.current.error?.status === 0 ? PATIENCE : options.poll;
      if (wait) timer = setTimeout(ask, wait);
    };
    state.current.loading = true;
    wanted.current = false;
    void ask();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [url, turn, options.poll]);
  const { data, of, error, loading } = state.current;
  return { data, error, loading, held: data !== undefined && of !== url, again: () => {
    if (state.current.loading) wanted.current = true;
    else setTurn((n) => n + 1);
  } };
}

/** Asks for `url` again when `rev` is another one: what it tells of has changed. */
export function useRenewed(again: () => void, url: string | undefined, rev: number): void {
  const before = useRef({ url, rev });
  useEffect(() => {
    if (before.current.url === url && before.current.rev !== rev) again();
    before.current = { url, rev };
  }, [url, rev]);
}
