/** Round steps for axes. */

/** A step of 1, 2 or 5 times a power of ten, so that about `count` of them fill `span`. */
export function step(span: number, count: number): number {
  if (!(span > 0)) return 1;
  const raw = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(raw));
  const times = raw / power;
  return (times <= 1 ? 1 : times <= 2 ? 2 : times <= 5 ? 5 : 10) * power;
}

export function ticks(from: number, to: number, count: number): number[] {
  const by = step(to - from, count);
  const out: number[] = [];
  for (let i = Math.ceil(from / by); i * by <= to + by * 1e-9; i++) out.push(i * by);
  return out;
}

/** Steps of time that people use, in milliseconds. */
const TIMES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 1.5e4, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5, 72e5, 108e5, 216e5, 432e5, 864e5, 1728e5, 6048e5];

export function timeTicks(from: number, to: number, count: number): number[] {
  const raw = (to - from) / Math.max(1, count);
  if (raw < 1) return ticks(from, to, count);
  const by = TIMES.find((one) => one >= raw) ?? step(to - from, count);
  const out: number[] = [];
  for (let i = Math.ceil(from / by); i * by <= to; i++) out.push(i * by);
  return out;
}
