import type { AnyModel } from "@anywidget/types";
import { Ranges } from "../core/ranges";
import type { DetailMessage, Part, Query, Reply, TileMessage, Traits } from "../protocol";
import type { AssetSource, Detail, Frame, Snapshot, Tile, Topic } from "../source";
import { Connection, PATIENCE } from "./connection";
import { asPicture } from "./pictures";
import { Cancelled } from "./requests";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** The assets behind a widget's comm. One per model, made in `initialize`, shared by all its views. */
export class KernelSource implements AssetSource {
  readonly #connection: Connection<Traits, Reply, Part>;
  readonly #listeners = new Set<(changed: ReadonlySet<Topic>) => void>();
  readonly #changed = new Set<Topic>();
  readonly #now: Writable<Snapshot>;
  /** Searches and selections sent and not yet answered: until then ours is newer than what Python shows. */
  #searches = 0;
  #edits = 0;

  constructor(model: AnyModel<Traits>, patience = PATIENCE) {
    const connection = new Connection<Traits, Reply, Part>(
      model,
      (link) => this.#set("link", link),
      patience,
    );
    this.#connection = connection;
    this.#now = {
      setup: model.get("_setup"),
      query: model.get("_query"),
      places: model.get("_places"),
      result: model.get("_result"),
      selection: Ranges.empty,
      outside: 0,
      picking: model.get("_picking"),
      link: "ok",
      refusal: null,
    };
    this.#adoptSelection();
    connection.onChange("_setup", () => this.#set("setup", model.get("_setup")));
    connection.onChange("_query", () => this.#adoptQuery());
    connection.onChange("_places", () => this.#set("places", model.get("_places")));
    connection.onChange("_result", () => {
      this.#adoptResult();
      this.#adoptSelection();
    });
    connection.onChange("_selection", () => this.#adoptSelection());
    connection.onChange("_picking", () => {
      this.#set("picking", model.get("_picking"));
      if (this.#now.picking) connection.knock(); // Python wants to know whether it will hear of the choice
    });
    connection.knock();
  }

  get now(): Snapshot {
    return this.#now;
  }

  subscribe(listener: (changed: ReadonlySet<Topic>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  search(query: Query): void {
    if (this.#now.link === "lost") return; // said above the pictures, which stay
    this.#searches += 1;
    this.#set("query", query);
    this.#set("refusal", null);
    this.#adoptResult();
    this.#connection
      .ask({ op: "search", query })
      .catch((error: Error) => {
        if (this.#searches === 1 && this.#now.link !== "lost") this.#set("refusal", error.message);
      })
      .finally(() => {
        this.#searches -= 1;
        this.#adoptQuery();
        this.#adoptResult();
        this.#adoptSelection();
      });
  }

  async tiles(
    generation: number,
    wanted: Ranges,
    edge: number,
    onTiles: (tiles: Tile[]) => void,
    signal: AbortSignal,
    ahead = false,
  ): Promise<void> {
    await this.#connection.ask(
      { op: "tiles", generation, ranges: wanted.pairs, edge, ahead },
      { signal, onPart: (part, buffers) => onTiles((part.tiles ?? []).map((tile) => asTile(tile, buffers))) },
    );
  }

  async detail(generation: number, index: number, edge: number, signal: AbortSignal): Promise<Detail> {
    const { answer, buffers } = await this.#connection.ask(
      { op: "detail", generation, index, edge },
      { signal },
    );
    const detail = answer.detail as DetailMessage;
    return { ...asPicture(detail, buffers), name: detail.name, facts: detail.facts };
  }

  async turn(
    generation: number,
    index: number,
    edge: number,
    onFrames: (count: number, frames: Frame[]) => void,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { answer } = await this.#connection.ask(
      { op: "frames", generation, index, edge },
      {
        signal,
        onPart: ({ count, frames }, buffers) =>
          onFrames(
            count ?? 0,
            (frames ?? []).map((frame) => ({
              place: frame.index,
              blob: asPicture(frame, buffers).encoded?.blob() ?? null,
            })),
          ),
      },
    );
    return answer.turns === true;
  }

  select(selection: Ranges): void {
    if (selection.equals(this.#now.selection) && this.#now.outside === 0) return;
    this.#edits += 1;
    this.#set("selection", selection);
    this.#set("outside", 0);
    this.#connection
      .ask({ op: "select", generation: this.#now.result.generation, ranges: selection.pairs })
      .catch(() => undefined) // What Python shows is adopted below, refused or not.
      .finally(() => {
        this.#edits -= 1;
        this.#adoptSelection();
      });
  }

  use(): void {
    this.#connection.ask({ op: "use" }).catch((error: Error) => {
      if (!(error instanceof Cancelled)) this.#set("refusal", error.message);
    });
  }

  knock(): void {
    this.#connection.knock();
  }

  close(): void {
    this.#connection.close();
    this.#listeners.clear();
  }

  #adoptQuery(): void {
    if (this.#searches === 0) this.#set("query", this.#connection.get("_query"));
  }

  #adoptResult(): void {
    const result = this.#connection.get("_result");
    this.#set("result", this.#searches > 0 ? { ...result, state: "loading" } : result);
  }

  #adoptSelection(): void {
    if (this.#edits > 0) return;
    const { generation, ranges, outside } = this.#connection.get("_selection");
    const current = generation === this.#now.result.generation;
    const selection = current ? Ranges.of(ranges) : Ranges.empty;
    if (!selection.equals(this.#now.selection)) this.#set("selection", selection);
    this.#set("outside", current ? outside : 0);
  }

  #set<K extends Topic>(topic: K, value: Snapshot[K]): void {
    if (this.#now[topic] === value) return;
    this.#now[topic] = value;
    if (this.#changed.size === 0) queueMicrotask(() => this.#tell());
    this.#changed.add(topic);
  }

  #tell(): void {
    const changed = new Set(this.#changed);
    this.#changed.clear();
    for (const listener of this.#listeners) listener(changed);
  }
}

function asTile(message: TileMessage, buffers: DataView[]): Tile {
  return { ...asPicture(message, buffers), index: message.index, id: message.id, name: message.name };
}
