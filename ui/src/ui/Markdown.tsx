/** Draws what `lib/markdown.ts` read. Everything is a node of Preact: there is no HTML to be fooled by. */
import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { type Block, type Inline, parse } from "../lib/markdown";
import { Text } from "./bits";
import { CopyText } from "./CopyText";

export function Markdown({ text }: { text: string }) {
  const tree = useMemo(() => parse(text), [text]);
  return (
    <div class="md" dir="auto">
      {tree.map((block, i) => draw(block, i))}
    </div>
  );
}

function draw(block: Block, key: number): ComponentChildren {
  switch (block.type) {
    case "heading": {
      // A message is no document of its own: all its headings stand at one level below the page's.
      return <h3 key={key} class={`h${block.level}`} dir="auto">{inlines(block.children)}</h3>;
    }
    case "paragraph":
      return <p key={key} dir="auto">{inlines(block.children)}</p>;
    case "code":
      return (
        <div key={key} class="code" dir="ltr">
          {block.language && <span class="lang">{block.language}</span>}
          <CopyText text={block.text} />
          <pre tabIndex={0}><code class={block.language === "diff" ? "diff" : undefined}>{block.language === "diff" ? block.text.split("\n").map((line, i) => <span key={i} class={line[0] === "+" ? "ins" : line[0] === "-" ? "del" : undefined}><Text value={`${line}\n`} /></span>) : <Text value={block.text} />}</code></pre>
        </div>
      );
    case "quote":
      return <blockquote key={key}>{block.children.map(draw)}</blockquote>;
    case "list": {
      const items = block.items.map((item, i) => (
        <li key={i} dir="auto" class={item.task === undefined ? undefined : "task"}>
          {item.task !== undefined && <span class="box" role="img" aria-label={item.task ? "done" : "to do"}>{item.task ? "☑" : "☐"}</span>}
          {item.children.map((child, n) => (block.tight && child.type === "paragraph" ? <span key={n}>{inlines(child.children)}</span> : draw(child, n)))}
        </li>
      ));
      return block.ordered ? <ol key={key} start={block.start}>{items}</ol> : <ul key={key}>{items}</ul>;
    }
    case "table":
      return (
        <div key={key} class="md-table" tabIndex={0} role="region" aria-label="Table">
          <table>
            <thead><tr>{block.head.map((cell, i) => <th key={i} class={block.align[i]} dir="auto">{inlines(cell)}</th>)}</tr></thead>
            <tbody>{block.rows.map((row, r) => <tr key={r}>{row.map((cell, i) => <td key={i} class={block.align[i]} dir="auto">{inlines(cell)}</td>)}</tr>)}</tbody>
          </table>
        </div>
      );
    case "rule":
      return <hr key={key} />;
  }
}

function inlines(nodes: readonly Inline[]): ComponentChildren {
  return nodes.map((node, i) => {
    switch (node.type) {
      case "text":
        return <Text key={i} value={node.text} />;
      case "code":
        return <code key={i}><Text value={node.text} /></code>;
      case "break":
        return <br key={i} />;
      case "strong":
        return <strong key={i}>{inlines(node.children)}</strong>;
      case "em":
        return <em key={i}>{inlines(node.children)}</em>;
      case "del":
        return <del key={i}>{inlines(node.children)}</del>;
      case "link":
        return <Outside key={i} href={node.href}>{inlines(node.children)}</Outside>;
      case "image":
        // Never loaded: a picture's address can tell its owner who reads what.
        return <Outside key={i} href={node.href}>image: {node.alt || "without a name"}</Outside>;
    }
  });
}

/** A link that leaves the page says where to. */
export function Outside({ href, children }: { href: string; children: ComponentChildren }) {
  const host = href.startsWith("mailto:") ? href.slice(7) : new URL(href).host;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow" title={href}>
      {children}
      <small class="host">{host}</small>
    </a>
  );
}
