import type { Finding } from "../api";

/** One finding of one service, with each maker's own example. */
export interface Together extends Finding {
  each: Finding[];
}

const ORDER = { error: 0, warning: 1, info: 2 } as const;

/** Alike findings of the makers of one service's spans are one. The worst first, of these what is found most often. */
export function together(findings: readonly Finding[]): Together[] {
  const all = new Map<string, Together>();
  for (const one of findings) {
    const name = JSON.stringify([one.code, one.service, one.title, one.why, one.fix, one.setting]);
    const known = all.get(name);
    if (!known) all.set(name, { ...one, each: [one] });
    else {
      known.each.push(one);
      known.count += one.count;
    }
  }
  return [...all.values()].sort((a, b) => ORDER[a.severity] - ORDER[b.severity] || b.count - a.count);
}
