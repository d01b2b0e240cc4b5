import assert from "node:assert/strict";
import { test } from "node:test";
import { XSS } from "../../mock/scenes";
import { type Block, type Inline, inline, parse, plainText, safeLink } from "../../src/lib/markdown";

/** A short notation of the tree, to compare with. */
function told(nodes: readonly Inline[]): string {
  return nodes.map((node) => {
    switch (node.type) {
      case "text": return node.text;
      case "code": return `\`${node.text}\``;
      case "break": return "⏎";
      case "image": return `img(${node.href}|${node.alt})`;
      case "link": return `a(${node.href}|${told(node.children)})`;
      default: return `${node.type}(${told(node.children)})`;
    }
  }).join("");
}

const INLINE: [string, string][] = [
  ["plain", "plain"], ["**b**", "strong(b)"], ["*i*", "em(i)"], ["_i_", "em(i)"], ["***x***", "em(strong(x))"], ["**a *b* c**", "strong(a em(b) c)"], ["~~d~~", "del(d)"], ["~one~", "~one~"],
  ["snake_case_name", "snake_case_name"], ["2 * 3 * 4", "2 * 3 * 4"], ["**open", "**open"], ["a*", "a*"], ["**a*", "*em(a)"], ["`x*y*`", "`x*y*`"], ["`` a`b ``", "`a`b`"], ["`open", "`open"],
  ["\\*no\\*", "*no*"], ["a  \nb", "a⏎b"], ["a\\\nb", "a⏎b"], ["a\nb", "a\nb"],
  ["[t](https://a.example)", "a(https://a.example/|t)"], ["[t](<https://a.example/x y>)", "a(https://a.example/xy|t)"], ["[t](https://a.example \"title\")", "a(https://a.example/|t)"], ["[**t**](https://a.example/(x))", "a(https://a.example/(x)|strong(t))"],
  ["[t](/local)", "[t](/local)"], ["[t](javascript:x)", "[t](javascript:x)"], ["[t](  JaVaScRiPt:x)", "[t](  JaVaScRiPt:x)"], ["[t](java\nscript:x)", "[t](java\nscript:x)"], ["[t]", "[t]"], ["![p](https://a.example/p.png)", "img(https://a.example/p.png|p)"], ["![p](x.png)", "![p](x.png)"],
  ["see https://a.example/x.", "see a(https://a.example/x|https://a.example/x)."], ["(https://a.example/x)", "(a(https://a.example/x|https://a.example/x))"], ["<https://a.example>", "a(https://a.example/|https://a.example)"], ["<b>x</b>", "<b>x</b>"], ["中文**粗体**字", "中文strong(粗体)字"],
];

test("inline marks", () => {
  for (const [text, expected] of INLINE) assert.equal(told(inline(text)), expected, text);
});

function shape(blocks: readonly Block[]): unknown {
  return blocks.map((block) => {
    switch (block.type) {
      case "heading": return `h${block.level} ${plainText(block.children)}`;
      case "paragraph": return plainText(block.children);
      case "code": return `code[${block.language}] ${block.text}`;
      case "quote": return { quote: shape(block.children) };
      case "list": return { [block.ordered ? `ol${block.start}` : "ul"]: block.items.map((item) => (item.task === undefined ? shape(item.children) : [item.task ? "x" : "o", shape(item.children)])) };
      case "table": return { head: block.head.map(plainText), rows: block.rows.map((row) => row.map(plainText)) };
      case "rule": return "---";
    }
  });
}

const BLOCKS: [string, unknown][] = [
  ["# A\n\ntext\nmore\n\n## B ##", ["h1 A", "text\nmore", "h2 B"]],
  ["#no heading", ["#no heading"]],
  ["```rust\nfn main() {}\n```\nafter", ["code[rust] fn main() {}", "after"]],
  ["````\n```\n````", ["code[] ```"]],
  ["```\nnever closed\n", ["code[] never closed\n"]],
  ["- a\n- b\n  - c\n- d", [{ ul: [["a"], ["b", { ul: [["c"]] }], ["d"]] }]],
  ["3. a\n4. b", [{ ol3: [["a"], ["b"]] }]],
  ["- [ ] todo\n- [x] done", [{ ul: [["o", ["todo"]], ["x", ["done"]]] }]],
  ["1. a\n\n   b\n2. c", [{ ol1: [["a", "b"], ["c"]] }]],
  ["- a\n\n  ```\n  x\n  ```", [{ ul: [["a", "code[] x"]] }]],
  ["> a\n> b\n>\n> - c", [{ quote: ["a\nb", { ul: [["c"]] }] }]],
  ["| a | b |\n|---|:-:|\n| 1 | `x|y` |\n| 2 |\nend", [{ head: ["a", "b"], rows: [["1", "x|y"], ["2", ""]] }, "end"]],
  ["a | b\n- | -\n1 | 2 | 3", [{ head: ["a", "b"], rows: [["1", "2"]] }]],
  ["a\n\n---\n\nb", ["a", "---", "b"]],
  ["", []],
  ["\r\n a\r\nb", ["a\nb"]],
];

test("blocks", () => {
  for (const [text, expected] of BLOCKS) assert.deepEqual(shape(parse(text)), expected, JSON.stringify(text));
});

test("no text is lost", () => {
  for (const text of ["**a", "[x](javascript:a)", "* * a", "> > > > > > > > > > > > deep", "~~~\nx", "![](x)", "a ``b` c", ...XSS]) {
    const words = text.match(/[\p{L}\p{N}]+/gu) ?? [];
    const all = JSON.stringify(parse(text));
    for (const word of words) assert.ok(all.includes(word), `${word} of ${text}`);
  }
});

test("only addresses of the web and of mail can be followed", () => {
  for (const bad of ["javascript:x", "JAVASCRIPT:x", " java\tscript:x", "\u0001javascript:x", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "//a.example", "/x", "", "https://", "blob:https://a", "https://a.example\"onmouseover=\"x"]) assert.equal(safeLink(bad), undefined, bad);
  assert.equal(safeLink("HTTPS://A.example/x?y=1#z"), "https://a.example/x?y=1#z");
  assert.equal(safeLink("mailto:a@b.example"), "mailto:a@b.example");
});

test("every link of the hostile corpus is harmless", () => {
  const links: string[] = [];
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(walk);
    else if (value && typeof value === "object") {
      const href = (value as { href?: string }).href;
      if (href !== undefined) links.push(href);
      Object.values(value).forEach(walk);
    }
  };
  for (const text of XSS) walk(parse(text));
  assert.ok(links.length > 0, "the corpus has links at all");
  for (const link of links) assert.match(link, /^(https?:\/\/|mailto:)/);
});

test("long texts of nothing but marks are read to their end", () => {
  // Work that grew with the square of the length would not end before the runner's time is up.
  for (const piece of ["*", "_a", "[", "![", "](", "[a](", "`", "``a`", "<", "> ", "- ", "**a _b ", "| a ", "~~", "\\", "[a](b \"", "((", "a\n", "1. ", "https://", "[a](b ", "*a_", "<https://"]) {
    assert.ok(parse(piece.repeat(100_000)).length > 0, piece);
  }
});
