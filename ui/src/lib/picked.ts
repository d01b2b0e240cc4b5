/** What was picked for a comparison, as the browser keeps it: with its moment, for what was picked long ago is no longer meant. */
const HOUR = 3_600_000;

export function written(name: string, now: number): string {
  return JSON.stringify({ name, at: now });
}

/** What was picked, unless it is long ago or no such thing. */
export function remembered(text: string | null, now: number): string | undefined {
  try {
    const { name, at } = JSON.parse(text ?? "") as { name?: unknown; at?: unknown };
    return typeof name === "string" && typeof at === "number" && Math.abs(now - at) < HOUR ? name : undefined;
  } catch {
    return undefined;
  }
}
