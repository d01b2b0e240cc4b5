/**
 * Text of any length. Long ones begin folded; a megabyte is drawn as plain chunks of which the
 * browser lays out only those in sight; what the server cut is fetched when asked for.
 */
import { useState } from "preact/hooks";
import { getText, problem } from "../client";
import { bytes } from "../lib/format";
import { Text } from "./bits";
import { Markdown } from "./Markdown";

const CHUNK = 32_768;
const FOLD_CHARS = 2_400;
const FOLD_LINES = 28;
/** Above this, markdown is not read unless asked for. */
const MARKDOWN_MOST = 102_400;

interface Props {
  content: string;
  cut?: number | undefined;
  more?: string | undefined;
  markdown?: boolean;
  /** Opened from the start (a search hit lies in it, for example). */
  open?: boolean;
}

const OPENED = new Set<string>();

/** What was fetched, and how it was drawn, is of one text alone. */
export function Long(props: Props) {
  return <Folding key={props.more} {...props} />;
}

function Folding({ content, cut, more, markdown = true, open: first }: Props) {
  const key = `${content.length}:${content.slice(0, 64)}:${content.slice(-64)}`;
  const [open, setOpenState] = useState(first || OPENED.has(key));
  const [all, setAll] = useState<string | undefined>();
  const [failed, setFailed] = useState<string | undefined>();
  const [plain, setPlain] = useState(false);
  const text = all ?? content;
  const long = isLong(text);
  const whole = cut !== undefined && all === undefined ? cut : text.length;
  const setOpen = (on: boolean) => {
    if (on) OPENED.add(key);
    else OPENED.delete(key);
    setOpenState(on);
  };
  const load = async () => {
    setOpen(true);
    if (!more || all !== undefined) return;
    try {
      setAll(await getText(more));
    } catch (error) {
      setFailed(problem(error).message);
    }
  };
  const shown = long && !open ? head(text) : text;
  const asMarkdown = markdown && !plain && shown.length <= MARKDOWN_MOST;
  return (
    <div class={`long${long && !open ? " folded" : ""}`}>
      {asMarkdown ? <Markdown text={shown} /> : <Chunks text={shown} />}
      {(long || cut !== undefined) && (
        <div class="long-foot">
          {open ? <button type="button" class="link" onClick={() => setOpen(false)}>Fold</button> : <button type="button" class="link" onClick={load}>Show all <span class="n">{bytes(whole)}</span></button>}
          {open && cut !== undefined && all === undefined && !failed && <button type="button" class="link" onClick={load}>Load the rest <span class="n">{bytes(cut - content.length)}</span></button>}
          {markdown && open && text.length <= MARKDOWN_MOST && <button type="button" class="link" onClick={() => setPlain(!plain)}>{plain ? "Rendered" : "As written"}</button>}
          {failed && <span class="t-err">{failed}</span>}
        </div>
      )}
    </div>
  );
}

export function isLong(text: string): boolean {
  if (text.length > FOLD_CHARS) return true;
  let lines = 0;
  for (let i = text.indexOf("\n"); i >= 0; i = text.indexOf("\n", i + 1)) if (++lines > FOLD_LINES) return true;
  return false;
}

function head(text: string): string {
  const lines = text.slice(0, FOLD_CHARS).split("\n").slice(0, FOLD_LINES - 4).join("\n");
  return lines.slice(0, 1800);
}

export function Chunks({ text }: { text: string }) {
  if (text.length <= CHUNK) return <pre class="verbatim" dir="auto"><Text value={text} /></pre>;
  const out = [];
  for (let at = 0; at < text.length; ) {
    // Cut at a line's end where there is one, so that no line is torn.
    let end = Math.min(text.length, at + CHUNK);
    const line = text.lastIndexOf("\n", end);
    if (end < text.length && line > at) end = line + 1;
    out.push(<pre key={at} class="verbatim chunk" dir="auto"><Text value={text.slice(at, end)} /></pre>);
    at = end;
  }
  return <div>{out}</div>;
}
