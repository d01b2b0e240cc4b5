/** The last answers, by their address: so many, and so many characters of them together. */
export class Kept {
  readonly #answers = new Map<string, { data: unknown; size: number }>();
  #size = 0;

  constructor(
    readonly most: number,
    readonly room: number,
  ) {}

  get(url: string): unknown {
    return this.#answers.get(url)?.data;
  }

  keep(url: string, data: unknown, size: number): void {
    this.#drop(url);
    // One that alone takes the room of all others is asked for again.
    if (size > this.room / 2) return;
    this.#answers.set(url, { data, size });
    this.#size += size;
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size <= this.most && this.#size <= this.room) break;
      this.#drop(oldest);
    }
  }

  #drop(url: string): void {
    this.#size -= this.#answers.get(url)?.size ?? 0;
    this.#answers.delete(url);
  }
}
