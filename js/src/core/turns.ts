import { Lru } from "./lru";

/** Frames all around one thing, encoded, by their place in the turn; null where one is missing. */
export interface Turning {
  count: number;
  frames: (Blob | null)[];
}

const BUDGET = 24_000_000;
/** Milliseconds after which a thing whose turn failed is asked for again. */
const AGAIN = 20_000;

/** What is known of how the things of one result turn: frames by recent use, and which have none, asked once. */
export class Turns {
  #generation = -1;
  readonly #none = new Set<number>();
  readonly #failed = new Map<number, number>();
  readonly #kept: Lru<number, Turning>;

  constructor(budget = BUDGET) {
    this.#kept = new Lru(
      budget,
      () => false,
      () => undefined,
    );
  }

  /** Forget everything when `generation` is a new one. */
  of(generation: number): this {
    if (generation !== this.#generation) {
      this.#generation = generation;
      this.#none.clear();
      this.#failed.clear();
      this.#kept.clear();
    }
    return this;
  }

  /** Whether asking could bring anything. */
  mayTurn(index: number): boolean {
    return !this.#none.has(index) && Date.now() - (this.#failed.get(index) ?? -AGAIN) >= AGAIN;
  }

  get(index: number): Turning | undefined {
    return this.#kept.get(index);
  }

  keep(index: number, turning: Turning): void {
    const bytes = turning.frames.reduce((sum, frame) => sum + (frame?.size ?? 0), 0);
    this.#kept.set(index, turning, bytes);
  }

  none(index: number): void {
    this.#none.add(index);
  }

  failed(index: number): void {
    this.#failed.set(index, Date.now());
  }
}
