import { Lru } from "./lru";

/** What is drawn: decoded, outside of the page's own thread. */
export interface Decoded {
  readonly width: number;
  readonly height: number;
  close(): void;
}

/** Decodings under way at once; a hand that turns fast would pile them up. */
const AT_ONCE = 4;

/**
 * Decoded pictures within a budget of bytes, by recent use. Encoded they are small and kept by others; decoded they
 * are four bytes a pixel.
 */
export class Bitmaps<D extends Decoded> {
  readonly #kept: Lru<number, D>;
  readonly #decode: (blob: Blob) => Promise<D>;
  readonly #onReady: (index: number) => void;
  readonly #busy = new Set<number>();
  readonly #broken = new Set<number>();
  #round = 0;
  #shown: number | null = null;

  constructor(decode: (blob: Blob) => Promise<D>, onReady: (index: number) => void, budget: number) {
    this.#decode = decode;
    this.#onReady = onReady;
    this.#kept = new Lru(
      budget,
      (index) => index === this.#shown,
      (bitmap) => bitmap.close(),
    );
  }

  get bytes(): number {
    return this.#kept.used;
  }

  /** The picture if it is decoded; it is then not dropped until another one is shown. */
  show(index: number): D | undefined {
    const bitmap = this.#kept.get(index);
    if (bitmap) this.#shown = index;
    return bitmap;
  }

  has(index: number): boolean {
    return this.#kept.peek(index) !== undefined;
  }

  /** Decode, unless it is, or cannot be, or many are under way; `onReady` tells. */
  want(index: number, blob: Blob): void {
    if (this.has(index) || this.#broken.has(index) || this.#busy.has(index) || this.#busy.size >= AT_ONCE)
      return;
    const round = this.#round;
    this.#busy.add(index);
    this.#decode(blob)
      .then((bitmap) => {
        if (round !== this.#round) bitmap.close();
        else this.#kept.set(index, bitmap, bitmap.width * bitmap.height * 4);
      })
      .catch(() => {
        if (round === this.#round) this.#broken.add(index); // passed over: tried again it would break again, for ever
      })
      .finally(() => {
        if (round !== this.#round) return;
        this.#busy.delete(index);
        this.#onReady(index);
      });
  }

  /** Another picture came under this number. */
  drop(index: number): void {
    this.#broken.delete(index);
    this.#kept.delete(index);
  }

  /** Forget all: other pictures come under the same numbers. */
  clear(): void {
    this.#round += 1;
    this.#busy.clear();
    this.#broken.clear();
    this.#shown = null;
    this.#kept.clear();
  }
}
