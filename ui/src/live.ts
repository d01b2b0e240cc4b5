/** What happens now: server-sent events, with patience, and by asking again where they are refused. */
import { signal } from "@preact/signals";
import type { About, Status, StreamEvent, TraceRow } from "./api";
import { api, get } from "./client";

export type Line = "connecting" | "live" | "polling" | "lost";

export const line = signal<Line>("connecting");
export const status = signal<Status | undefined>(undefined);
export const about = signal<About | undefined>(undefined);
/** Moves every few seconds, so that "12 s ago" stays true. */
export const now = signal(Date.now());

type Listener = (event: StreamEvent) => void;
const listeners = new Set<Listener>();

/** Calls `listener` for every event until the answer is called. */
export function follow(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(event: StreamEvent): void {
  if (event.event === "status") status.value = event.data;
  for (const listener of listeners) listener(event);
}

const EVENTS = ["hello", "traces", "trace", "status", "deleted", "reset"] as const;
let refused = 0;
let polling: ReturnType<typeof setInterval> | undefined;
let source: EventSource | undefined;
/** The last event that was heard, so that the next stream tells what was missed. */
let heard: string | undefined;

/** A browser holds few connections to one place, for all tabs together: one that nobody sees leaves its own to the others. */
function connect(): void {
  if (source || document.hidden) return;
  const opened = new EventSource(api("/stream", { topics: "traces,status", since: heard }));
  source = opened;
  for (const name of EVENTS) {
    opened.addEventListener(name, (message) => {
      heard = (message as MessageEvent<string>).lastEventId || heard;
      refused = 0;
      line.value = "live";
      clearInterval(polling);
      polling = undefined;
      tell({ event: name, data: JSON.parse((message as MessageEvent<string>).data) } as StreamEvent);
    });
  }
  opened.onerror = () => {
    // The browser tries again by itself unless the answer was no stream at all.
    line.value = refused > 1 ? "polling" : "lost";
    if (opened.readyState !== EventSource.CLOSED || source !== opened) return;
    source = undefined;
    refused++;
    poll();
    setTimeout(connect, Math.min(30_000, 1000 * 2 ** refused));
  };
}

function poll(): void {
  polling ??= setInterval(async () => {
    try {
      const [list, state] = await Promise.all([get<{ items: TraceRow[] }>(api("/traces", { limit: "50" })), get<Status>(api("/status"))]);
      line.value = "polling";
      tell({ event: "status", data: state });
      tell({ event: "traces", data: { items: list.items, more: 0 } });
    } catch {
      line.value = "lost";
    }
  }, 3000);
}

export function start(): void {
  connect();
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) {
      connect();
      // What happened before the first stream nobody tells.
      if (!heard) tell({ event: "reset", data: {} });
      return;
    }
    source?.close();
    source = undefined;
    clearInterval(polling);
    polling = undefined;
  });
  void get<About>(api("/about")).then((answer) => {
    about.value = answer;
  }, () => {});
  setInterval(() => {
    now.value = Date.now();
  }, 5000);
}
