/** Which rows of a long list are seen. Pure, so that it can be tested without a browser. */

/** Browsers lose precision above about 17 million pixels; longer lists scroll in a smaller scale. */
const MOST = 15_000_000;

export interface Window {
  first: number;
  /** One behind the last. */
  last: number;
  /** Where the first row is drawn, from the top of the content. */
  offset: number;
  /** The height of the content. */
  total: number;
}

export function windowOf(count: number, height: number, viewport: number, scrollTop: number, overscan = 10): Window {
  const real = count * height;
  const total = Math.min(real, MOST);
  const scroll = Math.max(0, Math.min(scrollTop, Math.max(0, total - viewport)));
  const position = total === real ? scroll : (scroll / (total - viewport)) * (real - viewport);
  const first = Math.max(0, Math.floor(position / height) - overscan);
  const last = Math.min(count, Math.ceil((position + viewport) / height) + overscan);
  return { first, last, offset: Math.max(0, scroll - (position - first * height)), total };
}

/** Where to scroll so that row `index` is seen; the present place if it is seen already. */
export function scrollTo(index: number, count: number, height: number, viewport: number, scrollTop: number, centre = false): number {
  const real = count * height;
  const total = Math.min(real, MOST);
  const scale = total === real ? 1 : (real - viewport) / (total - viewport);
  const position = scrollTop * scale;
  const top = index * height;
  let next = position;
  if (top < position || top + height > position + viewport) {
    if (centre) next = top - (viewport - height) / 2;
    else next = top < position ? top : top + height - viewport;
  }
  return Math.max(0, Math.min(next, real - viewport)) / scale;
}

/** Where the row called `key` is now, that was at `index`. */
export function whereNow(key: string, index: number, count: number, keyOf: (index: number) => string | undefined): number | undefined {
  if (index < count && keyOf(index) === key) return index;
  for (let i = 0; i < count; i++) if (keyOf(i) === key) return i;
  return undefined;
}

/** How far to scroll so that a row that went from `before` to `now` stays where it is on the screen. */
export function shift(before: number, now: number, count: number, height: number, viewport: number): number {
  const real = count * height;
  const total = Math.min(real, MOST);
  return (now - before) * height * (total === real ? 1 : (total - viewport) / (real - viewport));
}

/**
 * Heights of items that are known only once drawn: guessed first, then measured. Answers where
 * each begins.
 */
export class Heights {
  #heights: Float64Array;
  #offsets: Float64Array;
  #measured: Uint8Array;
  #valid = 0;

  constructor(guesses: ArrayLike<number>) {
    this.#heights = Float64Array.from(guesses);
    this.#offsets = new Float64Array(guesses.length + 1);
    this.#measured = new Uint8Array(guesses.length);
  }
  get count(): number {
    return this.#heights.length;
  }
  #upTo(index: number): void {
    for (let i = this.#valid; i < index; i++) this.#offsets[i + 1] = (this.#offsets[i] ?? 0) + (this.#heights[i] ?? 0);
    this.#valid = Math.max(this.#valid, index);
  }
  top(index: number): number {
    this.#upTo(Math.min(index, this.count));
    return this.#offsets[Math.min(index, this.count)] ?? 0;
  }
  height(index: number): number {
    return this.#heights[index] ?? 0;
  }
  get total(): number {
    return this.top(this.count);
  }
  /** Tells a height; answers by how much it differs from what was thought. */
  measure(index: number, height: number): number {
    const before = this.#heights[index] ?? 0;
    this.#measured[index] = 1;
    if (Math.abs(before - height) < 0.5) return 0;
    this.#heights[index] = height;
    this.#valid = Math.min(this.#valid, index);
    return height - before;
  }
  isMeasured(index: number): boolean {
    return this.#measured[index] === 1;
  }
  /** The item at `position`. */
  at(position: number): number {
    this.#upTo(this.count);
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#offsets[middle + 1] ?? 0) > position) high = middle;
      else low = middle + 1;
    }
    return Math.min(low, Math.max(0, this.count - 1));
  }
}
