/** The bar on top of a page. */
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { paletteOpen, shown } from "../keys";
import { Button } from "./bits";

/** What a page calls itself in the window's title; empty: as in the rail. */
export const title = signal("");

export function Top({ children, crumbs }: { children?: ComponentChildren; crumbs: ComponentChildren }) {
  return (
    <header class="top">
      {crumbs}
      <span class="grow" />
      {children}
      <Button kind="plain" icon="search" title="Search and commands" keys={shown("mod+k")[0] as string} onClick={() => { paletteOpen.value = true; }}><span class="opt">Search</span></Button>
    </header>
  );
}
