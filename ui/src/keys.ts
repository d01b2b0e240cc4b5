/**
 * Every key of the page, in one table: the help is made of it. A page adds its own while it is
 * shown. Off while a person types; each key also has a button or a link.
 */
import { signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";

export interface Key {
  /** As pressed: `j`, `J`, `?`, `g t` (one after the other), `mod+k` (⌘ or Ctrl). */
  keys: string;
  does: string;
  group: string;
  run: () => void;
}

const tables = signal<readonly Key[][]>([]);
export const helpOpen = signal(false);
export const paletteOpen = signal(false);

export function allKeys(): Key[] {
  return tables.value.flat();
}

export function add(keys: Key[]): () => void {
  tables.value = [...tables.value, keys];
  return () => {
    tables.value = tables.value.filter((other) => other !== keys);
  };
}

/** Keys of a component, from when it is drawn and as long as it is shown. `run` always is the latest render's. */
export function useKeys(keys: Key[]): void {
  const latest = useRef(keys);
  latest.current = keys;
  useLayoutEffect(() => add(keys.map((key, i) => ({ ...key, run: () => latest.current[i]?.run() }))), []);
}

export const MAC = /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? "");

/** `mod+k` → ⌘K or Ctrl K. */
export function shown(keys: string): string[] {
  return keys.split(" ").map((key) => key.replace("mod+", MAC ? "⌘" : "Ctrl ").replace(/(⌘|Ctrl )(.)/, (_, mod: string, letter: string) => mod + letter.toUpperCase()).replace("ArrowDown", "↓").replace("ArrowUp", "↑").replace("ArrowLeft", "←").replace("ArrowRight", "→").replace("Escape", "Esc").replace("Enter", "↵").replace("Space", "space"));
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) && !(target instanceof HTMLInputElement && /^(checkbox|radio|button)$/.test(target.type));
}

/** What scrolls that way, or is played, moves by its own arrows. */
function own(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof Element) || !key.startsWith("Arrow")) return false;
  if (target.closest("audio, video")) return true;
  const box = target.closest("pre, .md-table, .x-scroll");
  if (!box) return false;
  return /Left|Right/.test(key) ? box.scrollWidth > box.clientWidth : box.scrollHeight > box.clientHeight;
}

let first = "";
let firstAt = 0;

export function press(event: KeyboardEvent): void {
  // An open dialog has its own keys; the browser closes it by Escape.
  if (event.defaultPrevented || event.isComposing || event.altKey || document.querySelector("dialog[open]")) return;
  const mod = event.metaKey || event.ctrlKey;
  const name = event.key === " " ? "Space" : event.key;
  const key = mod ? `mod+${name.toLowerCase()}` : name;
  if (typing(event.target) && !mod && key !== "Escape") return;
  if (own(event.target, key)) return;
  // Enter and Space on a button or a link are the button's own.
  if ((key === "Enter" || key === "Space") && event.target instanceof HTMLElement && /^(BUTTON|A|SUMMARY|INPUT)$/.test(event.target.tagName)) return;
  const all = allKeys();
  const both = event.timeStamp - firstAt < 1200 && first ? `${first} ${key}` : "";
  // The page's own keys come after the common ones in the table and win.
  const found = (both && all.findLast((one) => one.keys === both)) || all.findLast((one) => one.keys === key);
  first = "";
  if (found) {
    event.preventDefault();
    found.run();
  } else if (all.some((one) => one.keys.startsWith(`${key} `))) {
    first = key;
    firstAt = event.timeStamp;
  }
}
