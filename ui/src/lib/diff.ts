/** What differs between two texts, word by word (Myers, bounded: very different texts differ as a whole). */
import type { Diff } from "../api";

const MOST_EDITS = 800;

function words(text: string): string[] {
  return text.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? [];
}

export function diff(a: string, b: string): Diff[] {
  if (a === b) return a ? [[0, a]] : [];
  const left = words(a);
  const right = words(b);
  let head = 0;
  while (head < left.length && head < right.length && left[head] === right[head]) head++;
  let tail = 0;
  while (tail < left.length - head && tail < right.length - head && left[left.length - 1 - tail] === right[right.length - 1 - tail]) tail++;
  const out: Diff[] = [];
  const put = (op: Diff[0], text: string) => {
    const last = out.at(-1);
    if (!text) return;
    if (last && last[0] === op) last[1] += text;
    else out.push([op, text]);
  };
  put(0, left.slice(0, head).join(""));
  const x = left.slice(head, left.length - tail);
  const y = right.slice(head, right.length - tail);
  for (const [op, text] of middle(x, y)) put(op, text);
  put(0, left.slice(left.length - tail).join(""));
  // Two texts that share only a word here and there are easier to read one after the other.
  const kept = out.reduce((sum, [op, text]) => sum + (op === 0 ? text.replace(/\s/g, "").length : 0), 0);
  if (a && b && kept < 0.25 * Math.max(a.length, b.length)) return [[-1, a], [1, b]];
  return out;
}

function middle(x: string[], y: string[]): Diff[] {
  const n = x.length;
  const m = y.length;
  const whole: Diff[] = [[-1, x.join("")], [1, y.join("")]];
  if (n === 0 || m === 0) return whole;
  const most = Math.min(n + m, MOST_EDITS);
  const trace: Int32Array[] = [];
  const v = new Int32Array(2 * most + 2);
  for (let d = 0; d <= most; d++) {
    trace.push(v.slice());
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (v[most + k - 1] ?? 0) < (v[most + k + 1] ?? 0));
      let i = down ? (v[most + k + 1] ?? 0) : (v[most + k - 1] ?? 0) + 1;
      let j = i - k;
      while (i < n && j < m && x[i] === y[j]) {
        i++;
        j++;
      }
      v[most + k] = i;
      if (i >= n && j >= m) return back(x, y, trace, d, most);
    }
  }
  return whole;
}

function back(x: string[], y: string[], trace: Int32Array[], edits: number, most: number): Diff[] {
  const out: Diff[] = [];
  let i = x.length;
  let j = y.length;
  for (let d = edits; d > 0; d--) {
    const v = trace[d] as Int32Array;
    const k = i - j;
    const down = k === -d || (k !== d && (v[most + k - 1] ?? 0) < (v[most + k + 1] ?? 0));
    const from = down ? k + 1 : k - 1;
    const pi = v[most + from] ?? 0;
    const pj = pi - from;
    while (i > pi && j > pj && i > 0 && j > 0 && x[i - 1] === y[j - 1]) {
      out.push([0, x[--i] as string]);
      j--;
    }
    if (down) out.push([1, y[--j] as string]);
    else out.push([-1, x[--i] as string]);
  }
  while (i > 0) out.push([0, x[--i] as string]);
  return out.reverse();
}
