/** Light, dark, or as the system has it. The choice is this browser's own. */
import { signal } from "@preact/signals";

export type Theme = "auto" | "light" | "dark";
const KEY = "otel-genai.theme";

function kept(): Theme {
  const told = globalThis.document?.documentElement.dataset.theme;
  return told === "light" || told === "dark" ? told : "auto";
}

export const theme = signal<Theme>(kept());

export function choose(next: Theme): void {
  theme.value = next;
  if (next === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  try {
    if (next === "auto") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
  } catch {
    // Storage is switched off: the choice lasts as long as the page.
  }
  // Canvases are painted with the tokens' values: let them know.
  dispatchEvent(new Event("otel-genai-theme"));
}

export function nextTheme(): void {
  choose(theme.value === "auto" ? "light" : theme.value === "light" ? "dark" : "auto");
}
