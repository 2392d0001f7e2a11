import type { Tile } from "../source";
import { Lru } from "./lru";
import { Ranges } from "./ranges";

/** What tiles are asked of: an `AssetSource`, or anything else that has pictures by place. */
export interface TileSource {
  readonly now: { readonly result: { readonly generation: number; readonly count: number } };
  tiles(
    generation: number,
    wanted: Ranges,
    edge: number,
    onTiles: (tiles: Tile[]) => void,
    signal: AbortSignal,
    ahead: boolean,
  ): Promise<void>;
}

/** What one view would like to have: what shows, and a little ahead of it. */
export interface Wish {
  visible: Ranges;
  ahead: Ranges;
  /** Longest side of the thumbnails, in device pixels. */
  edge: number;
}

/** A tile as kept. */
export interface Kept extends Tile {
  edge: number;
  /** When it came, in milliseconds. */
  at: number;
}

interface Asked {
  wanted: Ranges;
  edge: number;
  ahead: boolean;
  controller: AbortController;
}

/** Bytes a tile costs besides its picture: name, entry. */
const OVERHEAD = 400;
const BUDGET = 24_000_000;
/** Milliseconds after which what failed is asked for again, should it still or again be wanted. */
const AGAIN = 10_000;

/**
 * The tiles of one result, shared by all views: asks the source for what is missing, calls off what nobody wants any
 * more, and keeps what came within a byte budget. A new generation forgets everything; late answers to an old one
 * are dropped.
 */
export class Tiles {
  #generation = -1;
  #wishes = new Map<object, Wish>();
  #pins = new Map<object, Ranges>();
  #asked = new Set<Asked>();
  #listeners = new Set<(indices: readonly number[]) => void>();
  readonly #kept: Lru<number, Kept>;
  readonly #source: TileSource;

  constructor(source: TileSource, budget = BUDGET) {
    this.#source = source;
    this.#kept = new Lru(
      budget,
      (index) => this.#pinned(index),
      () => undefined,
    );
  }

  get generation(): number {
    return this.#generation;
  }

  get bytes(): number {
    return this.#kept.used;
  }

  get inFlight(): number {
    return this.#asked.size;
  }

  /** Called with the indices that changed. */
  subscribe(listener: (indices: readonly number[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get(index: number): Kept | undefined {
    return this.#kept.get(index);
  }

  /** Forget everything when `generation` is a new one. */
  show(generation: number): void {
    if (generation === this.#generation) return;
    this.#generation = generation;
    this.#wishes.clear();
    this.#pins.clear();
    for (const asked of this.#asked) asked.controller.abort();
    this.#asked.clear();
    this.#kept.clear();
  }

  /** These have other pictures by now: what we have stays until the new ones come. */
  outdate(indices: readonly number[]): void {
    for (const index of indices) {
      const kept = this.#kept.peek(index);
      if (kept) kept.edge = 0;
    }
    this.#pursue();
  }

  /** Ask once more for those of these that failed. */
  again(indices: readonly number[]): void {
    const failed = indices.filter((index) => this.#kept.peek(index)?.state === "error");
    for (const index of failed) {
      const kept = this.#kept.peek(index) as Kept;
      this.#kept.set(index, { ...kept, state: "wait", message: "" }, OVERHEAD);
    }
    this.#pursue();
    if (failed.length) for (const listener of this.#listeners) listener(failed);
  }

  /** What stands in a view's document, and is not let go of. */
  pin(view: object, mounted: Ranges): void {
    this.#pins.set(view, mounted);
  }

  wish(view: object, wish: Wish): void {
    this.#wishes.set(view, wish);
    this.#pursue();
  }

  /** A view is gone. */
  leave(view: object): void {
    this.#wishes.delete(view);
    this.#pins.delete(view);
    this.#pursue();
  }

  close(): void {
    this.show(-1);
    this.#listeners.clear();
  }

  #pinned(index: number): boolean {
    for (const pins of this.#pins.values()) if (pins.has(index)) return true;
    for (const { visible } of this.#wishes.values()) if (visible.has(index)) return true;
    return false;
  }

  #pursue(): void {
    let visible = Ranges.empty;
    let ahead = Ranges.empty;
    let edge = 0;
    for (const wish of this.#wishes.values()) {
      visible = visible.union(wish.visible);
      ahead = ahead.union(wish.ahead);
      edge = Math.max(edge, wish.edge);
    }
    const wanted = visible.union(ahead);
    for (const asked of this.#asked) {
      if (asked.wanted.minus(wanted).size < asked.wanted.size) continue;
      this.#asked.delete(asked);
      asked.controller.abort();
    }
    // What shows is asked for first and by itself, so that it never waits for what is only likely.
    this.#ask(visible, edge, false);
    this.#ask(ahead, edge, true);
  }

  #ask(wish: Ranges, edge: number, ahead: boolean): void {
    const missing: number[] = [];
    for (const index of wish) if (!this.#has(index, edge) && !this.#isAsked(index, edge)) missing.push(index);
    if (!missing.length) return;
    const asked: Asked = { wanted: Ranges.indices(missing), edge, ahead, controller: new AbortController() };
    this.#asked.add(asked);
    void this.#fetch(asked);
  }

  #has(index: number, edge: number): boolean {
    const tile = this.#kept.peek(index);
    if (tile === undefined || tile.state === "wait" || tile.edge < edge) return false;
    return tile.state !== "error" || Date.now() - tile.at < AGAIN;
  }

  #isAsked(index: number, edge: number): boolean {
    for (const asked of this.#asked) if (asked.edge >= edge && asked.wanted.has(index)) return true;
    return false;
  }

  async #fetch(asked: Asked): Promise<void> {
    const { wanted, edge, ahead, controller } = asked;
    const { signal } = controller;
    let problem = "No answer came for this asset.";
    try {
      await this.#source.tiles(
        this.#generation,
        wanted,
        edge,
        (tiles) => this.#keep(tiles, edge, signal),
        signal,
        ahead,
      );
    } catch (error) {
      problem = (error as Error).message;
    }
    if (signal.aborted) return;
    this.#asked.delete(asked);
    // An answer to a result that Python has already replaced is no fault of these assets.
    if (this.#source.now.result.generation !== this.#generation) return;
    const silent = [...wanted].filter(
      (index) => !this.#has(index, edge) && index < this.#source.now.result.count,
    );
    this.#keep(
      silent.map((index) => this.#failed(index, problem)),
      edge,
      signal,
    );
  }

  #failed(index: number, message: string): Tile {
    const known = this.#kept.peek(index);
    const name = known?.name ?? "";
    return { index, id: known?.id ?? "", name, state: "error", message, encoded: null, width: 0, height: 0 };
  }

  #keep(tiles: Tile[], edge: number, signal: AbortSignal): void {
    if (signal.aborted || !tiles.length) return;
    for (const tile of tiles) {
      const before = this.#kept.peek(tile.index);
      // A sharper picture is on its way: the one we have stays until it comes.
      if (tile.state === "wait" && before && before.state !== "wait") continue;
      this.#kept.set(tile.index, { ...tile, edge, at: Date.now() }, OVERHEAD + (tile.encoded?.size ?? 0));
    }
    const indices = tiles.map((tile) => tile.index);
    for (const listener of this.#listeners) listener(indices);
  }
}
