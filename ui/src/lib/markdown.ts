/**
 * Markdown as models write it, read into a tree of our own; `ui/Markdown.tsx` draws it as Preact
 * nodes. No HTML is ever made of it: tags are text, images are links, and a link has to be http,
 * https or mailto. The work is linear in the text's length.
 */

export type Inline =
  | { type: "text"; text: string }
  | { type: "code"; text: string }
  | { type: "break" }
  | { type: "strong" | "em" | "del"; children: Inline[] }
  | { type: "link"; href: string; children: Inline[] }
  | { type: "image"; href: string; alt: string };

export type Block =
  | { type: "heading"; level: number; children: Inline[] }
  | { type: "paragraph"; children: Inline[] }
  | { type: "code"; language: string; text: string }
  | { type: "quote"; children: Block[] }
  | { type: "list"; ordered: boolean; start: number; tight: boolean; items: { task?: boolean; children: Block[] }[] }
  | { type: "table"; align: ("left" | "right" | "center" | undefined)[]; head: Inline[][]; rows: Inline[][][] }
  | { type: "rule" };

/** Deeper quotes and lists are shown as their text. */
const DEEPEST = 8;

export function parse(text: string): Block[] {
  return blocks(text.replace(/\r\n?/g, "\n").replaceAll("\t", "    ").split("\n"), 0);
}

const FENCE = /^( {0,3})(`{3,}|~{3,})\s*([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6})(?: +(.*?))?(?: +#+ *)?$/;
const RULE = /^ {0,3}([-*_])(?: *\1){2,} *$/;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])( {1,4}|$)(.*)$/;
const QUOTE = /^ {0,3}> ?(.*)$/;
const TABLE = /^ {0,3}\|? *:?-+:? *(?:\| *:?-+:? *)*\|? *$/;

function startsBlock(line: string): boolean {
  return FENCE.test(line) || HEADING.test(line) || RULE.test(line) || QUOTE.test(line) || (ITEM.test(line) && !/^ {0,3}(?:[-*+]|\d+[.)]) *$/.test(line));
}

function blocks(lines: string[], depth: number): Block[] {
  const out: Block[] = [];
  let i = 0;
  while (i < lines.length) {
    const line = lines[i] as string;
    if (!line.trim()) {
      i++;
      continue;
    }
    const fence = FENCE.exec(line);
    if (fence) {
      const [, indent = "", mark = "```", info = ""] = fence;
      const close = new RegExp(`^ {0,3}\\${mark[0]}{${mark.length},} *$`);
      const body: string[] = [];
      for (i++; i < lines.length && !close.test(lines[i] as string); i++) body.push((lines[i] as string).startsWith(indent) ? (lines[i] as string).slice(indent.length) : (lines[i] as string));
      i++;
      out.push({ type: "code", language: info.trim().split(/\s/)[0] ?? "", text: body.join("\n") });
      continue;
    }
    const heading = HEADING.exec(line);
    if (heading) {
      out.push({ type: "heading", level: heading[1]?.length ?? 1, children: inline(heading[2] ?? "") });
      i++;
      continue;
    }
    if (RULE.test(line)) {
      out.push({ type: "rule" });
      i++;
      continue;
    }
    if (QUOTE.test(line) && depth < DEEPEST) {
      const body: string[] = [];
      for (; i < lines.length; i++) {
        const quoted = QUOTE.exec(lines[i] as string);
        if (quoted) body.push(quoted[1] ?? "");
        else if ((lines[i] as string).trim() && !startsBlock(lines[i] as string)) body.push(lines[i] as string);
        else break;
      }
      out.push({ type: "quote", children: blocks(body, depth + 1) });
      continue;
    }
    const item = ITEM.exec(line);
    if (item && depth < DEEPEST) {
      const [list, next] = listAt(lines, i, depth);
      out.push(list);
      i = next;
      continue;
    }
    if (line.includes("|") && TABLE.test(lines[i + 1] ?? "") && (lines[i + 1] ?? "").includes("-")) {
      const head = cells(line);
      const align = cells(lines[i + 1] as string).map((cell) => (/^:-+:$/.test(cell) ? "center" : /^-+:$/.test(cell) ? "right" : /^:-+$/.test(cell) ? "left" : undefined));
      if (head.length === align.length) {
        const rows: Inline[][][] = [];
        for (i += 2; i < lines.length && (lines[i] as string).trim() && (lines[i] as string).includes("|"); i++) {
          const row = cells(lines[i] as string).slice(0, head.length);
          while (row.length < head.length) row.push("");
          rows.push(row.map(inline));
        }
        out.push({ type: "table", align, head: head.map(inline), rows });
        continue;
      }
    }
    const body = [line.trimStart()];
    for (i++; i < lines.length && (lines[i] as string).trim() && !startsBlock(lines[i] as string); i++) body.push((lines[i] as string).trimStart());
    out.push({ type: "paragraph", children: inline(body.join("\n").trimEnd()) });
  }
  return out;
}

function listAt(lines: string[], from: number, depth: number): [Block, number] {
  const first = ITEM.exec(lines[from] as string) as RegExpExecArray;
  const mark = (first[2] as string).at(-1) as string;
  const ordered = /\d/.test(first[2] as string);
  const items: { task?: boolean; children: Block[] }[] = [];
  let tight = true;
  let i = from;
  while (i < lines.length) {
    const item = ITEM.exec(lines[i] as string);
    if (!item || RULE.test(lines[i] as string) || (item[2] as string).at(-1) !== mark) break;
    const indent = (item[1] as string).length + (item[2] as string).length + Math.max(1, (item[3] as string).length);
    let text = item[4] as string;
    const task = /^\[([ xX])\] +/.exec(text);
    if (task) text = text.slice(task[0].length);
    const body = [text];
    let gap = false;
    for (i++; i < lines.length; i++) {
      const line = lines[i] as string;
      if (!line.trim()) {
        gap = true;
        body.push("");
        continue;
      }
      const deep = line.length - line.trimStart().length;
      if (deep >= indent || (deep >= 2 && !gap && !ITEM.test(line)) || (deep >= 2 && deep >= (item[1] as string).length + 2 && ITEM.test(line.trimStart()))) body.push(line.slice(Math.min(deep, indent)));
      else if (!gap && !startsBlock(line)) body.push(line);
      else break;
    }
    while (body.length && !(body.at(-1) as string).trim()) body.pop();
    if (body.includes("") || (gap && ITEM.test(lines[i] ?? "") && (ITEM.exec(lines[i] ?? "")?.[2] ?? "").at(-1) === mark)) tight = false;
    items.push({ ...(task && { task: task[1] !== " " }), children: blocks(body, depth + 1) });
  }
  return [{ type: "list", ordered, start: ordered ? Number.parseInt(first[2] as string, 10) : 1, tight, items }, i];
}

/** The cells of a table's row: `|` inside code or behind a backslash belongs to the cell. */
function cells(line: string): string[] {
  const out: string[] = [];
  let cell = "";
  let code = false;
  for (let i = 0; i < line.length; i++) {
    const c = line[i] as string;
    if (c === "\\" && line[i + 1] === "|") {
      cell += "|";
      i++;
    } else if (c === "|" && !code) {
      out.push(cell.trim());
      cell = "";
    } else {
      if (c === "`") code = !code;
      cell += c;
    }
  }
  out.push(cell.trim());
  if (out[0] === "" && /^ {0,3}\|/.test(line)) out.shift();
  if (out.at(-1) === "" && line.trimEnd().endsWith("|")) out.pop();
  return out;
}

/** An address that may be followed, or nothing. */
export function safeLink(address: string): string | undefined {
  // Browsers drop control characters and spaces before they look at the scheme: so do we.
  const clean = address.trim().replace(/[\u0000-\u0020\u007f-\u009f]/g, "");
  if (!/^(?:https?:\/\/|mailto:)[^"<>\\^`{|}]+$/i.test(clean)) return undefined;
  try {
    const url = new URL(clean);
    return url.protocol === "http:" || url.protocol === "https:" || url.protocol === "mailto:" ? url.href : undefined;
  } catch {
    return undefined;
  }
}

type Token = { kind: "node"; node: Inline } | { kind: "run"; char: string; count: number; open: boolean; close: boolean } | { kind: "bracket"; image: boolean };

const SPECIAL = /[\\`*_~[\]!<\nh]/;

export function inline(text: string): Inline[] {
  const tokens: Token[] = [];
  const brackets: number[] = [];
  let plain = "";
  const flush = () => {
    if (plain) tokens.push({ kind: "node", node: { type: "text", text: plain } });
    plain = "";
  };
  // How long a run of backticks without its end is: looked for once per length.
  const unclosed = new Set<number>();
  let i = 0;
  while (i < text.length) {
    const c = text[i] as string;
    if (!SPECIAL.test(c)) {
      plain += c;
      i++;
      continue;
    }
    if (c === "\\") {
      const next = text[i + 1];
      if (next === "\n") {
        flush();
        tokens.push({ kind: "node", node: { type: "break" } });
        i += 2;
      } else if (next && /[!-/:-@[-`{-~]/.test(next)) {
        plain += next;
        i += 2;
      } else {
        plain += c;
        i++;
      }
    } else if (c === "\n") {
      const hard = plain.endsWith("  ");
      plain = plain.trimEnd();
      // Flushed line by line: a text that grows is not to be looked at again and again.
      flush();
      if (hard) tokens.push({ kind: "node", node: { type: "break" } });
      else plain = "\n";
      i++;
    } else if (c === "`") {
      let length = 1;
      while (text[i + length] === "`") length++;
      const end = unclosed.has(length) ? -1 : closing(text, i + length, length);
      if (end < 0) {
        unclosed.add(length);
        plain += text.slice(i, i + length);
        i += length;
      } else {
        flush();
        const code = text.slice(i + length, end).replaceAll("\n", " ");
        tokens.push({ kind: "node", node: { type: "code", text: /^ .*[^ ].* $/.test(code) ? code.slice(1, -1) : code } });
        i = end + length;
      }
    } else if (c === "*" || c === "_" || c === "~") {
      let length = 1;
      while (text[i + length] === c) length++;
      const before = text[i - 1] ?? " ";
      const after = text[i + length] ?? " ";
      const space = /\s/;
      const mark = /[\p{P}\p{S}]/u;
      const left = !space.test(after) && (!mark.test(after) || space.test(before) || mark.test(before));
      const right = !space.test(before) && (!mark.test(before) || space.test(after) || mark.test(after));
      flush();
      if (c === "~" && length !== 2) plain += text.slice(i, i + length);
      else tokens.push({ kind: "run", char: c, count: length, open: c === "_" ? left && (!right || mark.test(before)) : left, close: c === "_" ? right && (!left || mark.test(after)) : right });
      i += length;
    } else if (c === "!" && text[i + 1] === "[") {
      flush();
      brackets.push(tokens.length);
      tokens.push({ kind: "bracket", image: true });
      i += 2;
    } else if (c === "[") {
      flush();
      brackets.push(tokens.length);
      tokens.push({ kind: "bracket", image: false });
      i++;
    } else if (c === "]") {
      const at = brackets.pop();
      const target = at === undefined ? undefined : destination(text, i + 1);
      if (at !== undefined && target) {
        flush();
        const open = tokens[at] as Extract<Token, { kind: "bracket" }>;
        const inner = nest(tokens.splice(at).slice(1));
        const href = safeLink(target.href);
        if (open.image && href) tokens.push({ kind: "node", node: { type: "image", href, alt: plainText(inner) } });
        else if (href) {
          tokens.push({ kind: "node", node: { type: "link", href, children: inner } });
          brackets.length = 0;
        } else tokens.push({ kind: "node", node: { type: "text", text: open.image ? "![" : "[" } }, ...inner.map((node): Token => ({ kind: "node", node })), { kind: "node", node: { type: "text", text: text.slice(i, target.end) } });
        i = target.end;
      } else {
        plain += c;
        i++;
      }
    } else if (c === "<") {
      const auto = /^<((?:https?:\/\/|mailto:)[^\s<>]{1,2000})>/i.exec(text.slice(i, i + 2020));
      const href = auto && safeLink(auto[1] as string);
      if (auto && href) {
        flush();
        tokens.push({ kind: "node", node: { type: "link", href, children: [{ type: "text", text: auto[1] as string }] } });
        i += auto[0].length;
      } else {
        plain += c;
        i++;
      }
    } else if (c === "h" && !/[\p{L}\p{N}]/u.test(text[i - 1] ?? "") && brackets.length === 0 && /^https?:\/\//.test(text.slice(i, i + 8))) {
      const bare = (/^https?:\/\/[^\s<>"'`|\\^{}[\]*]{1,2000}/.exec(text.slice(i, i + 2010))?.[0] ?? "").replace(/[.,;:!?)]+$/, (end) => (end.includes(")") && text.slice(i).split(/\s/, 1)[0]?.includes("(") ? end.slice(0, end.lastIndexOf(")") + 1) : ""));
      const href = safeLink(bare);
      if (href) {
        flush();
        tokens.push({ kind: "node", node: { type: "link", href, children: [{ type: "text", text: bare }] } });
        i += bare.length;
      } else {
        plain += c;
        i++;
      }
    } else {
      plain += c;
      i++;
    }
  }
  flush();
  return nest(tokens);
}

function closing(text: string, from: number, length: number): number {
  for (let i = text.indexOf("`", from); i >= 0; ) {
    let run = 1;
    while (text[i + run] === "`") run++;
    if (run === length) return i;
    i = text.indexOf("`", i + run);
  }
  return -1;
}

/** `(address "title")` behind a bracket, read in one pass of at most 2,000 characters. */
function destination(text: string, from: number): { href: string; end: number } | undefined {
  if (text[from] !== "(") return undefined;
  const most = Math.min(text.length, from + 2000);
  const spaces = (at: number) => {
    while (at < most && /\s/.test(text[at] as string)) at++;
    return at;
  };
  let i = spaces(from + 1);
  let href = "";
  if (text[i] === "<") {
    const end = text.indexOf(">", i);
    if (end < 0 || end >= most) return undefined;
    href = text.slice(i + 1, end);
    i = end + 1;
  } else {
    const start = i;
    for (let depth = 0; i < most; i++) {
      const c = text[i] as string;
      if (/\s/.test(c) || (c === ")" && depth === 0)) break;
      if (c === "(" && ++depth > 32) return undefined;
      if (c === ")") depth--;
      else if (c === "\\") i++;
    }
    href = text.slice(start, i).replace(/\\([!-/:-@[-`{-~])/g, "$1");
  }
  i = spaces(i);
  const quote = text[i];
  if (quote === '"' || quote === "'") {
    const end = text.indexOf(quote, i + 1);
    if (end < 0 || end >= most) return undefined;
    i = spaces(end + 1);
  }
  return text[i] === ")" ? { href, end: i + 1 } : undefined;
}

/** Pairs the runs of `*`, `_` and `~`; what has no pair is text. Each run is pushed and popped once. */
function nest(tokens: Token[]): Inline[] {
  interface Frame {
    char: string;
    count: number;
    children: Inline[];
  }
  const root: Frame = { char: "", count: 0, children: [] };
  const stack: Frame[] = [root];
  const depth: Record<string, number> = { "*": 0, _: 0, "~": 0 };
  const top = () => stack.at(-1) as Frame;
  const text = (t: string) => {
    const last = top().children.at(-1);
    if (last?.type === "text") last.text += t;
    else top().children.push({ type: "text", text: t });
  };
  const drop = () => {
    const frame = stack.pop() as Frame;
    depth[frame.char] = (depth[frame.char] ?? 1) - 1;
    text(frame.char.repeat(frame.count));
    top().children.push(...frame.children);
  };
  for (const token of tokens) {
    if (token.kind === "node") {
      if (token.node.type === "text") text(token.node.text);
      else top().children.push(token.node);
    } else if (token.kind === "bracket") text(token.image ? "![" : "[");
    else {
      let left = token.count;
      while (token.close && left > 0 && (depth[token.char] ?? 0) > 0) {
        while (top().char !== token.char) drop();
        const frame = top();
        const used = frame.count >= 2 && left >= 2 ? 2 : 1;
        if (token.char === "~" && used < 2) break;
        stack.pop();
        depth[token.char] = (depth[token.char] ?? 1) - 1;
        const node: Inline = { type: token.char === "~" ? "del" : used === 2 ? "strong" : "em", children: frame.children };
        if (frame.count > used) {
          stack.push({ char: frame.char, count: frame.count - used, children: [node] });
          depth[token.char] = (depth[token.char] ?? 0) + 1;
        } else top().children.push(node);
        left -= used;
      }
      if (left > 0 && token.open && stack.length < 40) {
        stack.push({ char: token.char, count: left, children: [] });
        depth[token.char] = (depth[token.char] ?? 0) + 1;
      } else if (left > 0) text(token.char.repeat(left));
    }
  }
  while (stack.length > 1) drop();
  return root.children;
}

export function plainText(nodes: readonly Inline[]): string {
  return nodes.map((node) => ("children" in node ? plainText(node.children) : node.type === "text" || node.type === "code" ? node.text : node.type === "image" ? node.alt : " ")).join("");
}
