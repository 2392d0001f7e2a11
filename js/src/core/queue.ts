/** Work by place, done some at a time so that no frame is late: what is put in twice is done once. */
export class Queue {
  readonly #waiting = new Set<number>();
  readonly #budget: number;
  readonly #do: (index: number) => void;
  readonly #now: () => number;

  /** Each `run` ends after about `budget` milliseconds. */
  constructor(budget: number, work: (index: number) => void, now: () => number = () => performance.now()) {
    this.#budget = budget;
    this.#do = work;
    this.#now = now;
  }

  get size(): number {
    return this.#waiting.size;
  }

  add(index: number): void {
    this.#waiting.add(index);
  }

  clear(): void {
    this.#waiting.clear();
  }

  /** Do at least one, then as many as there is time for; whether some are left. */
  run(): boolean {
    const end = this.#now() + this.#budget;
    for (const index of this.#waiting) {
      this.#waiting.delete(index);
      this.#do(index);
      if (this.#now() >= end) break;
    }
    return this.#waiting.size > 0;
  }
}
