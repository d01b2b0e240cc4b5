import type { Hit } from "../api";

/** A message that its span and its log tell alike is found once: by the span, at the place of the first. */
export function once(hits: readonly Hit[]): Hit[] {
  const out: Hit[] = [];
  const seen = new Map<string, number>();
  for (const hit of hits) {
    const name = (hit.type === "content" || hit.type === "log") && hit.trace ? `${hit.trace} ${hit.span ?? ""} ${hit.snippet.text.trim()}` : undefined;
    const at = name === undefined ? undefined : seen.get(name);
    if (at !== undefined) {
      if (hit.type === "content" && out[at]?.type === "log") out[at] = hit;
      continue;
    }
    if (name !== undefined) seen.set(name, out.length);
    out.push(hit);
  }
  return out;
}
