import { Encoded } from "../core/encoded";
import { Ranges } from "../core/ranges";
import type { Query, Result } from "../protocol";
import type { AssetSource, Detail, Frame, Picture, Snapshot, Tile, Topic } from "../source";
import { decoded, type Entry, type PageData } from "./data";
import { haystack, matches, words } from "./search";

const FAILED = "It could not be loaded when this page was made.";

/** The assets that a page holds itself. There is nobody to ask: what is here is all there is. */
export class PageSource implements AssetSource {
  readonly #entries: readonly Entry[];
  readonly #hay: string[] = [];
  readonly #listeners = new Set<(changed: ReadonlySet<Topic>) => void>();
  #found: readonly Entry[];
  #now: Snapshot;

  constructor({ about, entries }: PageData) {
    this.#entries = entries;
    this.#found = entries;
    this.#now = {
      setup: {
        kind: "page",
        label: about.title,
        nouns: about.nouns,
        missing: about.missing,
        height: "100%",
        banner: null,
        services: [],
        turns: entries.some(({ turn }) => turn),
      },
      query: { service: "", place: null, text: "", filters: {}, sort: null },
      places: {},
      result: found(1, entries.length),
      selection: Ranges.empty,
      outside: 0,
      picking: false,
      link: "ok",
      refusal: null,
    };
  }

  get now(): Snapshot {
    return this.#now;
  }

  subscribe(listener: (changed: ReadonlySet<Topic>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  search(query: Query): void {
    const wanted = words(query.text);
    this.#found = wanted.length
      ? this.#entries.filter((_, index) => matches(this.#hayOf(index), wanted))
      : this.#entries;
    this.#now = {
      ...this.#now,
      query,
      result: found(this.#now.result.generation + 1, this.#found.length),
    };
    const changed = new Set<Topic>(["query", "result"]);
    for (const listener of this.#listeners) listener(changed);
  }

  async tiles(
    _generation: number,
    wanted: Ranges,
    _edge: number,
    onTiles: (tiles: Tile[]) => void,
  ): Promise<void> {
    const tiles: Tile[] = [];
    for (const index of wanted) {
      const entry = this.#found[index];
      if (entry) tiles.push({ ...pictureOf(entry), index, id: entry.id, name: entry.name });
    }
    onTiles(tiles);
  }

  async detail(_generation: number, index: number): Promise<Detail> {
    const entry = this.#found[index];
    if (!entry) throw new Error("There is nothing at this place.");
    return { ...pictureOf(entry), name: entry.name, facts: entry.facts };
  }

  async turn(
    _generation: number,
    index: number,
    _edge: number,
    onFrames: (count: number, frames: Frame[]) => void,
  ): Promise<boolean> {
    const entry = this.#found[index];
    if (!entry?.turn) return false;
    const { mime, sizes } = entry.turn;
    const bytes = decoded(entry.blocks.at(-1));
    let at = 0;
    const frames = sizes.map((size, place) => {
      const blob = size ? new Blob([bytes.subarray(at, at + size)], { type: mime }) : null;
      at += size;
      return { place, blob };
    });
    onFrames(frames.length, frames);
    return true;
  }

  /** Nobody would hear of it. */
  select(): void {}

  use(): void {}

  knock(): void {}

  #hayOf(index: number): string {
    const { name, id, facts } = this.#entries[index] as Entry;
    this.#hay[index] ??= haystack(name, id, facts);
    return this.#hay[index];
  }
}

const found = (generation: number, count: number): Result => ({
  generation,
  state: "ready",
  count,
  total: count,
  ended: true,
  message: null,
});

function pictureOf({ picture, blocks }: Entry): Picture {
  const { state, mime, width, height } = picture;
  return {
    state,
    message: state === "error" ? FAILED : "",
    encoded: state === "ok" ? new Encoded(decoded(blocks[0]), mime ?? "") : null,
    width: width ?? 0,
    height: height ?? 0,
  };
}
