import { Bitmaps } from "../core/bitmaps";
import { nextFrames } from "../core/turning";
import type { Connection } from "../kernel/connection";
import { asPicture } from "../kernel/pictures";
import type { Film, Part, Reply, Traits } from "./protocol";

/** What a view would like: the frame that shows, and those that will, as large as they show. */
export interface Wish {
  at: number;
  direction: 1 | -1;
  /** Longest side, in device pixels. */
  edge: number;
}

interface Kept {
  blob: Blob | null;
  edge: number;
}

/** Frames to a request: few enough to change one's mind, many enough that messages do not matter. */
const BATCH = 12;
const DECODED_BYTES = 96_000_000;
/** Milliseconds after which a batch that was refused or lost is asked for again. */
const AGAIN = 3_000;

/**
 * The frames of one film, shared by all views of a player: asks for what is missing, nearest first, one batch after
 * the other while somebody looks; keeps all encoded, and decoded what fits a budget.
 */
export class Frames {
  readonly #connection: Connection<Traits, Reply, Part>;
  readonly #kept = new Map<number, Kept>();
  readonly #bitmaps: Bitmaps<ImageBitmap>;
  readonly #wishes = new Map<object, Wish>();
  readonly #listeners = new Set<() => void>();
  #latest: Wish | null = null;
  #asking: AbortController | null = null;
  #again: ReturnType<typeof setTimeout> | undefined;
  #problem: string | null = null;

  constructor(connection: Connection<Traits, Reply, Part>) {
    this.#connection = connection;
    this.#bitmaps = new Bitmaps(
      (blob) => createImageBitmap(blob),
      () => this.#tell(),
      DECODED_BYTES,
    );
  }

  get film(): Film {
    return this.#connection.get("_film");
  }

  /** Frames that are here. */
  get loaded(): number {
    return this.#kept.size;
  }

  /** Why frames are missing, if one could not be had. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Called when there is another frame to draw, or less trouble, or more. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  has = (frame: number): boolean => Boolean(this.#kept.get(frame)?.blob);

  /** The frame decoded, if it is; else it soon will be. */
  picture(frame: number): ImageBitmap | undefined {
    const bitmap = this.#bitmaps.show(frame);
    if (!bitmap) this.prepare(frame);
    return bitmap;
  }

  /** Decode a frame that will show soon. */
  prepare(frame: number): void {
    const blob = this.#kept.get(frame)?.blob;
    if (blob) this.#bitmaps.want(frame, blob);
  }

  wish(view: object, wish: Wish): void {
    this.#wishes.set(view, wish);
    this.#latest = wish;
    this.#pursue();
  }

  /** This view shows nothing any more, or not for now. */
  leave(view: object): void {
    this.#wishes.delete(view);
    if (this.#wishes.size === 0) {
      this.#asking?.abort();
      this.#asking = null;
      clearTimeout(this.#again);
      this.#again = undefined;
    }
  }

  close(): void {
    this.#wishes.clear();
    this.leave(this);
    this.#listeners.clear();
    this.#kept.clear();
    this.#bitmaps.clear();
  }

  #pursue(): void {
    const { count, state } = this.film;
    if (this.#asking || this.#again !== undefined || !this.#latest || state !== "frames") return;
    const edge = Math.max(0, ...[...this.#wishes.values()].map((wish) => wish.edge));
    if (!edge) return;
    const missing = (frame: number) => (this.#kept.get(frame)?.edge ?? 0) < edge;
    const { at, direction } = this.#latest;
    // The first by itself, so that there is something to see at once.
    const size = this.#kept.size ? BATCH : 1;
    const indexes = nextFrames(count, missing, at, direction, size);
    if (indexes.length) void this.#ask(indexes, edge);
  }

  async #ask(indexes: number[], edge: number): Promise<void> {
    const asking = new AbortController();
    this.#asking = asking;
    const { signal } = asking;
    try {
      await this.#connection.ask(
        { op: "frames", indexes, edge },
        { signal, onPart: (part, buffers) => this.#keep(part, buffers, edge) },
      );
    } catch (error) {
      if (signal.aborted) return;
      this.#problem = (error as Error).message;
      this.#again = setTimeout(() => {
        this.#again = undefined;
        this.#pursue();
      }, AGAIN);
    }
    this.#asking = null;
    this.#tell();
    this.#pursue();
  }

  #keep(part: Part, buffers: DataView[], edge: number): void {
    for (const message of part.frames) {
      const { state, encoded, message: problem } = asPicture(message, buffers);
      if (state === "error") this.#problem = problem;
      this.#kept.set(message.index, { blob: encoded?.blob() ?? null, edge });
      this.#bitmaps.drop(message.index); // a sharper one came in its place
    }
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
