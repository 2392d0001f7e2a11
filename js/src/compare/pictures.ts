import { type Box, holds } from "../core/zoom";
import type { Connection } from "../kernel/connection";
import { asPicture } from "../kernel/pictures";
import type { ImageFacts, Reply, Traits } from "./protocol";

export interface Loaded {
  /** null while it is on its way, or where there is none. */
  bitmap: ImageBitmap | null;
  problem: string | null;
}

type Link = Connection<Traits, Reply>;

async function fetched(
  link: Link,
  index: number,
  box: Box | null,
  signal: AbortSignal,
): Promise<ImageBitmap> {
  const corners = box && [box.left, box.top, box.right, box.bottom];
  const { answer, buffers } = await link.ask({ op: "picture", index, box: corners }, { signal });
  const { encoded, message } = asPicture(answer.picture ?? { state: "none" }, buffers);
  if (!encoded) throw new Error(message || "The picture did not come.");
  return createImageBitmap(encoded.blob());
}

/** The pictures of one comparison, each asked for once and shared by all views. */
export class Pictures {
  readonly link: Link;
  readonly images: readonly ImageFacts[];
  readonly #loaded: Loaded[];
  readonly #listeners = new Set<() => void>();
  readonly #closing = new AbortController();
  #begun = false;

  constructor(link: Link) {
    this.link = link;
    this.images = link.get("_setup").images;
    this.#loaded = this.images.map(() => ({ bitmap: null, problem: null }));
  }

  get(index: number): Loaded {
    return this.#loaded[index] ?? { bitmap: null, problem: null };
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ask for all there are, if nobody has yet. */
  begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    for (const [index, { width }] of this.images.entries()) if (width) void this.#fetch(index);
  }

  close(): void {
    this.#closing.abort();
    this.#listeners.clear();
    for (const loaded of this.#loaded) loaded.bitmap?.close();
  }

  async #fetch(index: number): Promise<void> {
    const { signal } = this.#closing;
    const loaded = this.#loaded[index] as Loaded;
    try {
      const bitmap = await fetched(this.link, index, null, signal);
      if (signal.aborted) bitmap.close();
      else loaded.bitmap = bitmap;
    } catch (error) {
      loaded.problem = (error as Error).message;
    }
    for (const listener of this.#listeners) listener();
  }
}

/** Its own pixels of the part of a large picture that one view looks at; the last part stays until the next comes. */
export class Part {
  box: Box | null = null;
  bitmap: ImageBitmap | null = null;
  readonly #link: Link;
  readonly #index: number;
  readonly #onReady: () => void;
  #wanted: Box | null = null;
  #asking: AbortController | null = null;

  constructor(link: Link, index: number, onReady: () => void) {
    this.#link = link;
    this.#index = index;
    this.#onReady = onReady;
  }

  /** Whether what is here, or on its way, is enough for `box` seen with `sharpness` (1: all of its own pixels). */
  covers(box: Box, sharpness: number): boolean {
    if (this.#wanted) return holds(this.#wanted, box);
    if (!this.box || !this.bitmap) return false;
    const has = this.bitmap.width / (this.box.right - this.box.left);
    return holds(this.box, box) && has >= Math.min(1, sharpness) * 0.95;
  }

  want(box: Box): void {
    this.#asking?.abort();
    const asking = new AbortController();
    this.#asking = asking;
    this.#wanted = box;
    fetched(this.#link, this.#index, box, asking.signal)
      .then((bitmap) => {
        if (asking.signal.aborted) {
          bitmap.close();
          return;
        }
        this.bitmap?.close();
        this.bitmap = bitmap;
        this.box = box;
        this.#onReady();
      })
      .catch(() => undefined) // the smaller version stays
      .finally(() => {
        if (this.#asking === asking) this.#wanted = this.#asking = null;
      });
  }

  close(): void {
    this.#asking?.abort();
    this.bitmap?.close();
    this.bitmap = this.box = null;
  }
}
