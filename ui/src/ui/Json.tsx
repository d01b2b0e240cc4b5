/** JSON: small values printed whole, large ones as a tree that opens on demand, a hundred at a time. */
import { useMemo, useState } from "preact/hooks";
import { Text } from "./bits";

const WHOLE = 6000;
const STEP = 100;
const LINE = 72;
const MOST_LINES = 14;
/** Deeper ones are drawn as a tree: whole, each level would be written anew for all above it. */
const DEEPEST = 50;

export function Json({ value }: { value: unknown }) {
  const text = useMemo(() => whole(value), [value]);
  const [open, setOpen] = useState(false);
  if (text !== undefined) {
    const lines = text.split("\n");
    const long = lines.length > MOST_LINES + 4;
    return (
      <div class={`json-box${long && !open ? " folded" : ""}`} dir="ltr">
        <pre class="json">{colour(long && !open ? lines.slice(0, MOST_LINES).join("\n") : text)}</pre>
        {long && <button type="button" class="link" onClick={() => setOpen(!open)}>{open ? "Fold" : `Show all ${lines.length} lines`}</button>}
      </div>
    );
  }
  return (
    <div class="json tree" dir="ltr">
      <Node value={value} depth={0} />
    </div>
  );
}

/** `undefined` where a text is no JSON: it is shown as it stands. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The text of a value that is small enough to be printed as it is. */
export function whole(value: unknown): string | undefined {
  const compact = JSON.stringify(value);
  if (compact === undefined) return "";
  return compact.length > WHOLE || isDeep(value, DEEPEST) ? undefined : pretty(value, "");
}

function isDeep(value: unknown, most: number): boolean {
  if (value === null || typeof value !== "object") return false;
  return most === 0 || Object.values(value).some((one) => isDeep(one, most - 1));
}

/** Values that fit on a line stay on one: `{ "city": "Paris" }` reads best so. */
export function pretty(value: unknown, indent: string): string {
  const line = spaced(value);
  if (line.length + indent.length <= LINE || !value || typeof value !== "object") return line;
  const deeper = `${indent}  `;
  if (Array.isArray(value)) return value.length ? `[\n${value.map((one) => deeper + pretty(one, deeper)).join(",\n")}\n${indent}]` : "[]";
  return `{\n${Object.entries(value).map(([key, one]) => `${deeper}${JSON.stringify(key)}: ${pretty(one, deeper)}`).join(",\n")}\n${indent}}`;
}

function spaced(value: unknown): string {
  if (Array.isArray(value)) return value.length ? `[${value.map(spaced).join(", ")}]` : "[]";
  if (value && typeof value === "object") {
    const all = Object.entries(value);
    return all.length ? `{ ${all.map(([key, one]) => `${JSON.stringify(key)}: ${spaced(one)}`).join(", ")} }` : "{}";
  }
  return JSON.stringify(value);
}

const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

function colour(text: string) {
  const out = [];
  let at = 0;
  for (const token of text.matchAll(TOKEN)) {
    if (token.index > at) out.push(text.slice(at, token.index));
    const [whole, string, colon] = token;
    const look = string ? (colon ? "key" : "str") : token[3] ? "word" : "num";
    out.push(<span key={token.index} class={look}><Text value={string ?? whole} /></span>);
    if (colon) out.push(colon);
    at = token.index + whole.length;
  }
  out.push(text.slice(at));
  return out;
}

function Node({ value, name, depth }: { value: unknown; name?: string; depth: number }) {
  const [open, setOpen] = useState(depth < 1);
  const [most, setMost] = useState(STEP);
  const label = name === undefined ? null : <span class="key"><Text value={name} />: </span>;
  if (value === null || typeof value !== "object") {
    const text = JSON.stringify(value) ?? "null";
    return <div class="leaf">{label}<span class={typeof value === "string" ? "str" : typeof value === "number" ? "num" : "word"}><Text value={text.length > 4000 ? `${text.slice(0, 4000)}… (${text.length} characters)` : text} /></span></div>;
  }
  const entries: [string, unknown][] = Array.isArray(value) ? value.slice(0, most).map((one, i) => [String(i), one]) : Object.entries(value).slice(0, most);
  const all = Array.isArray(value) ? value.length : Object.keys(value).length;
  return (
    <div class="node">
      <button type="button" class="twist" aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? "▾" : "▸"} {label}
        <span class="n">{Array.isArray(value) ? `[${all}]` : `{${all}}`}</span>
      </button>
      {open && (
        <div class="kids">
          {entries.map(([key, one]) => <Node key={key} name={key} value={one} depth={depth + 1} />)}
          {all > most && <button type="button" class="link" onClick={() => setMost(most + STEP)}>{all - most} more</button>}
        </div>
      )}
    </div>
  );
}
