/** ⌘K: pages, commands, and whatever the search finds, under one box. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { SearchAnswer } from "../api";
import { api, useGet } from "../client";
import { allKeys, paletteOpen } from "../keys";
import { RAIL } from "../pages";
import { go, href } from "../state/url";
import { shortId } from "../lib/format";
import { once } from "../lib/hits";
import { Text } from "./bits";
import { Dialog } from "./Dialog";
import { Icon, type IconName } from "./Icon";

/** What is found, group by group. */
const FOUND = ["Traces", "Names", "In messages", "Logs"];

interface Choice {
  group: string;
  icon: IconName;
  text: string;
  hint?: string;
  run: () => void;
}

export function Palette(_: { id: string }) {
  const [query, setQuery] = useState("");
  const [asked, setAsked] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(query.trim()), 140);
    return () => clearTimeout(timer);
  }, [query]);
  const found = useGet<SearchAnswer>(asked.length > 1 ? api("/search", { q: asked, limit: "20" }) : undefined, { hold: true });
  const close = () => { paletteOpen.value = false; };
  const needle = query.trim().toLowerCase();
  const fits = (text: string) => !needle || text.toLowerCase().includes(needle);
  const choices: Choice[] = [];
  const hits: Choice[] = [];
  for (const page of RAIL) if (fits(page.name)) choices.push({ group: "Pages", icon: page.icon, text: page.name, hint: `g ${page.key}`, run: () => go(page.path) });
  if (needle) {
    for (const key of allKeys()) if (key.group !== "Go to" && key.keys !== "mod+k" && fits(key.does)) choices.push({ group: "Commands", icon: "play", text: key.does, hint: key.keys, run: key.run });
    for (const hit of asked.length > 1 ? once(found.data?.hits ?? []) : []) {
      if (hit.type === "trace") hits.push({ group: "Traces", icon: "traces", text: hit.trace.title ?? hit.trace.name, hint: shortId(hit.trace.id), run: () => go(`/trace/${hit.trace.id}`) });
      else if (hit.type === "name") hits.push({ group: "Names", icon: "agents", text: hit.text, hint: hit.of, run: () => go(href("/traces", { [hit.of]: hit.text })) });
      else if (hit.type === "content") hits.push({ group: "In messages", icon: "conversations", text: hit.snippet.text, run: () => go(href(`/trace/${hit.trace}`, { span: hit.span })) });
      else hits.push({ group: "Logs", icon: "logs", text: hit.snippet.text, run: () => go(hit.trace ? href(`/trace/${hit.trace}`, { span: hit.span, view: "logs" }) : href("/logs", { log: hit.log })) });
    }
    choices.push(...hits.sort((a, b) => FOUND.indexOf(a.group) - FOUND.indexOf(b.group)));
    choices.push({ group: "Everywhere", icon: "search", text: `Search for “${query.trim()}”`, run: () => go(href("/search", { q: query.trim() })) });
  }
  const chosen = Math.min(at, choices.length - 1);
  const run = (choice: Choice | undefined) => {
    if (!choice) return;
    close();
    // Once the dialog has gone: what lies under it cannot be focused before.
    setTimeout(choice.run);
  };
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  return (
    <Dialog label="Search and commands" onClose={close} class="palette">
      <div class="field">
        <Icon name="search" />
        <input
          autofocus
          role="combobox"
          aria-expanded="true"
          aria-controls="palette-list"
          aria-activedescendant={choices.length ? `palette-${chosen}` : undefined}
          aria-label="Search and commands"
          placeholder="Search, or go to…"
          value={query}
          onInput={(event) => { setQuery(event.currentTarget.value); setAt(0); }}
          onKeyDown={(event) => {
            const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
            if (by) {
              event.preventDefault();
              setAt((chosen + by + choices.length) % Math.max(1, choices.length));
            } else if (event.key === "Enter") {
              event.preventDefault();
              run(choices[chosen]);
            }
          }}
        />
        <kbd>Esc</kbd>
      </div>
      <ul id="palette-list" role="listbox" aria-label="Choices" ref={list}>
        {choices.map((choice, i) => (
          <li key={`${choice.group}${i}`} role="presentation">
            {choices[i - 1]?.group !== choice.group && <div class="group" role="presentation">{choice.group}</div>}
            <div id={`palette-${i}`} role="option" aria-selected={i === chosen} onClick={() => run(choice)} onPointerMove={() => setAt(i)}>
              <Icon name={choice.icon} size={14} />
              <span class="ell grow"><bdi><Text value={choice.text} /></bdi></span>
              {choice.hint && <span class="mut small">{choice.hint}</span>}
            </div>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
