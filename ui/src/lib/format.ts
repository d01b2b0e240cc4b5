/** Numbers for people. One place, so that a duration looks the same everywhere. */
import type { Cost, Few, Ms, Usage } from "../api";

const GROUPED = new Intl.NumberFormat("en-US");

/** 412 µs, 38 ms, 1.21 s, 2 m 05 s, 3 h 12 m. */
export function duration(ms: Ms | undefined): string {
  if (ms === undefined || !Number.isFinite(ms)) return "–";
  const abs = Math.abs(ms);
  if (abs === 0) return "0 ms";
  if (abs < 0.9995) return `${Math.round(ms * 1000)} µs`;
  if (abs < 9.95) return `${ms.toFixed(1)} ms`;
  if (abs < 999.5) return `${Math.round(ms)} ms`;
  if (abs < 59_995) return `${(ms / 1000).toFixed(2)} s`;
  const seconds = Math.round(ms / 1000);
  const two = (n: number) => String(n).padStart(2, "0");
  if (Math.abs(seconds) < 3600) return `${Math.trunc(seconds / 60)} m ${two(Math.abs(seconds % 60))} s`;
  const minutes = Math.round(seconds / 60);
  if (Math.abs(minutes) < 2880) return `${Math.trunc(minutes / 60)} h ${two(Math.abs(minutes % 60))} m`;
  return `${Math.round(minutes / 1440)} d`;
}

/** A duration on an axis: 2 s, 1.5 s, 200 ms. */
export function tick(ms: Ms): string {
  return duration(ms).replace(/\.(\d*?)0+(?= )/, (_, rest: string) => (rest ? `.${rest}` : "")).replace(/ 00 [sm]$/, "");
}

/** 1,317 exactly. */
export function count(n: number | undefined): string {
  return n === undefined ? "–" : GROUPED.format(n);
}

/** 842, 4.1k, 18k, 1.2M: where room is short. */
export function short(n: number | undefined): string {
  if (n === undefined) return "–";
  const abs = Math.abs(n);
  if (abs < 1000) return String(Math.round(n * 100) / 100);
  for (const [unit, size] of [["k", 1e3], ["M", 1e6], ["B", 1e9], ["T", 1e12]] as const) {
    const value = n / size;
    if (Math.abs(value) < 9.95) return `${value.toFixed(1)}${unit}`;
    if (Math.abs(value) < 999.5 || unit === "T") return `${Math.round(value)}${unit}`;
  }
  return String(n);
}

export function bytes(n: number | undefined): string {
  if (n === undefined) return "–";
  if (n < 1000) return `${n} B`;
  for (const [unit, size] of [["kB", 1e3], ["MB", 1e6], ["GB", 1e9], ["TB", 1e12]] as const) {
    const value = n / size;
    if (value < 9.95) return `${value.toFixed(1)} ${unit}`;
    if (value < 999.5 || unit === "TB") return `${Math.round(value)} ${unit}`;
  }
  return `${n} B`;
}

const SIGNS: Record<string, string> = { USD: "$", EUR: "€", GBP: "£", CNY: "¥", JPY: "¥" };

/** Small sums keep the digits that tell them apart: $0.0412, $0.00031, $12.40. */
export function money(amount: number | undefined, currency = "USD"): string {
  if (amount === undefined) return "–";
  const sign = SIGNS[currency] ?? `${currency} `;
  const abs = Math.abs(amount);
  if (abs === 0) return `${sign}0`;
  if (abs < 0.000_01) return `<${sign}0.00001`;
  const digits = abs < 0.001 ? 5 : abs < 1 ? 4 : abs < 1000 ? 2 : 0;
  const text = amount.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${sign}${text}`.replace(`${sign}-`, `-${sign}`);
}

export function cost(value: Cost | undefined, currency?: string): string {
  return money(value?.amount, currency);
}

/** What a sum of costs leaves out, and what the cache saved of it. */
export function costNote({ cost: sum, unpriced }: { cost?: Cost; unpriced: number }, currency?: string): string {
  return [unpriced > 0 ? `${plural(unpriced, "call")} unpriced` : "", sum?.saved ? `saved ${money(sum.saved, currency)}` : ""].filter(Boolean).join(" · ");
}

export function percent(part: number | undefined, whole: number | undefined): string {
  if (part === undefined || !whole) return "–";
  const value = (part / whole) * 100;
  if (value > 0 && value < 0.1) return "<0.1%";
  if (value > 99.9 && value < 100) return ">99.9%";
  return `${value < 10 ? Number(value.toFixed(1)) : Math.round(value)}%`;
}

/** 4.1k → 212 */
export function tokens(usage: Usage | undefined): string | undefined {
  if (usage?.input === undefined && usage?.output === undefined) return undefined;
  return `${usage.input === undefined ? "?" : short(usage.input)} → ${usage.output === undefined ? "?" : short(usage.output)}`;
}

export function cached(usage: Usage | undefined): string | undefined {
  return usage?.cacheRead && usage.input ? `${percent(usage.cacheRead, usage.input)} cached` : undefined;
}

/** now, 12 s ago, 5 m ago, 3 h ago, then the date. */
export function ago(at: Ms, now: Ms): string {
  const gone = now - at;
  if (gone < -5_000) return clock(at, now);
  if (gone < 5_000) return "now";
  if (gone < 60_000) return `${Math.floor(gone / 1000)} s ago`;
  if (gone < 3_600_000) return `${Math.floor(gone / 60_000)} m ago`;
  if (gone < 86_400_000) return `${Math.floor(gone / 3_600_000)} h ago`;
  return clock(at, now);
}

const pad = (n: number, size = 2) => String(n).padStart(size, "0");

/** Local time of day; the date too when it was not today. */
export function clock(at: Ms, now: Ms): string {
  const date = new Date(at);
  const time = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
  if (new Date(now).toDateString() === date.toDateString()) return time;
  const day = `${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  return new Date(now).getFullYear() === date.getFullYear() ? `${day} ${time}` : `${date.getFullYear()}-${day}`;
}

const HOUR = 3_600_000;

/** A time on an axis that is `span` long: with seconds where it has few minutes, with the day where it has more than one,
 *  without the time where it has many. */
export function timeLabel(at: Ms, span: Ms): string {
  const date = new Date(at);
  const day = `${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  const time = `${pad(date.getHours())}:${pad(date.getMinutes())}`;
  if (span < HOUR / 6) return `${time}:${pad(date.getSeconds())}`;
  return span > 72 * HOUR ? day : span > 36 * HOUR ? `${day} ${time}` : time;
}

/** For titles: local date and time to the millisecond, with the zone. */
export function exact(at: Ms): string {
  const d = new Date(at);
  if (!Number.isFinite(d.getTime())) return "no time was told";
  const zone = -d.getTimezoneOffset();
  const sign = zone < 0 ? "-" : "+";
  return (
    `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())} ${pad(d.getHours())}:${pad(d.getMinutes())}:${pad(d.getSeconds())}` +
    `.${pad(d.getMilliseconds(), 3)} UTC${sign}${pad(Math.floor(Math.abs(zone) / 60))}:${pad(Math.abs(zone) % 60)}`
  );
}

export function few(value: Few): string {
  return value.list.join(", ") + (value.more ? ` +${value.more}` : "");
}

/** 4bf92f35…4736 */
export function shortId(id: string): string {
  return id.length <= 14 ? id : `${id.slice(0, 8)}…${id.slice(-4)}`;
}

/** The beginning of a text in one line, whole words where it can be. */
export function beginning(text: string, most: number): string {
  const line = text.replace(/\s+/g, " ").trim();
  if (line.length <= most) return line;
  const head = [...line.slice(0, most + 1)].slice(0, -1).join("");
  const word = head.lastIndexOf(" ");
  return `${(word > most * 0.6 ? head.slice(0, word) : head).trimEnd()}…`;
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}
