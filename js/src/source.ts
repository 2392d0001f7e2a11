import type { Encoded } from "./core/encoded";
import type { Ranges } from "./core/ranges";
import type { Places, Query, Result, Setup } from "./protocol";

/** A picture that came: bytes to show, or why there are none. */
export interface Picture {
  state: "wait" | "ok" | "none" | "error";
  message: string;
  encoded: Encoded | null;
  width: number;
  height: number;
}

export interface Tile extends Picture {
  index: number;
  id: string;
  name: string;
}

export interface Detail extends Picture {
  name: string;
  facts: [label: string, value: string][];
}

/** One frame of a turn; null if it could not be had. */
export interface Frame {
  place: number;
  blob: Blob | null;
}

/**
 * How the other side is doing: `busy` when it answers once a cell is done, `slow` when it has not answered for a while,
 * `lost` when it is gone for good.
 */
export type Link = "ok" | "busy" | "slow" | "lost";

export interface Snapshot {
  readonly setup: Setup;
  /** What is being asked, ahead of `result` while an answer is on its way. */
  readonly query: Query;
  readonly places: Places;
  readonly result: Result;
  readonly selection: Ranges;
  readonly outside: number;
  readonly picking: boolean;
  readonly link: Link;
  /** Why the last thing asked was refused, if it was. */
  readonly refusal: string | null;
}

export type Topic = keyof Snapshot;

/**
 * Everything the grid needs, whatever carries it: the notebook's comm (`kernel/source.ts`), or a page that holds all
 * of it itself (`page/source.ts`).
 */
export interface AssetSource {
  readonly now: Snapshot;
  /** Called after every change, with what changed. */
  subscribe(listener: (changed: ReadonlySet<Topic>) => void): () => void;
  search(query: Query): void;
  /**
   * Tiles of one generation; `onTiles` is called as they come, more than once for a tile (name, then picture).
   * `ahead`: none of them shows yet, so what does goes first.
   */
  tiles(
    generation: number,
    wanted: Ranges,
    edge: number,
    onTiles: (tiles: Tile[]) => void,
    signal: AbortSignal,
    ahead: boolean,
  ): Promise<void>;
  detail(generation: number, index: number, edge: number, signal: AbortSignal): Promise<Detail>;
  /**
   * Frames all around what is at this place, `onFrames` called as they come with how many there are in all; gives
   * whether it turns.
   */
  turn(
    generation: number,
    index: number,
    edge: number,
    onFrames: (count: number, frames: Frame[]) => void,
    signal: AbortSignal,
  ): Promise<boolean>;
  select(selection: Ranges): void;
  /** "Use selection": hand the selection to whoever waits for it. */
  use(): void;
  /** Ask whether the other side is there. */
  knock(): void;
}
