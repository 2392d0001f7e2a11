import type { AnyModel } from "@anywidget/types";
import { Ranges } from "../core/ranges";
import type { Answer, DetailMessage, Query, TileMessage, Traits } from "../protocol";
import type { AssetSource, Detail, Link, Picture, Snapshot, Tile, Topic } from "../source";
import { Cancelled, Requests } from "./requests";

/** Milliseconds of silence after which the kernel counts as slow. */
const PATIENCE = 10_000;

/** Raster types only: an SVG is a document, and whatever Python may send, it is not shown as one. */
const RASTER = new Set(["image/jpeg", "image/png", "image/webp", "image/gif", "image/avif", "image/bmp"]);

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** The assets behind a widget's comm. One per model, made in `initialize`, shared by all its views. */
export class KernelSource implements AssetSource {
  readonly #model: AnyModel<Traits>;
  readonly #requests: Requests;
  readonly #listeners = new Set<(changed: ReadonlySet<Topic>) => void>();
  readonly #changed = new Set<Topic>();
  readonly #unhook: (() => void)[] = [];
  readonly #now: Writable<Snapshot>;
  /** Searches and selections sent and not yet answered: until then ours is newer than what Python shows. */
  #searches = 0;
  #edits = 0;

  constructor(model: AnyModel<Traits>, patience = PATIENCE) {
    this.#model = model;
    this.#requests = new Requests(
      (message) => this.#send(message),
      patience,
      (answering) => this.#setLink(answering ? "ok" : "slow"),
    );
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
    this.#on("msg:custom", (answer: Answer, buffers: DataView[]) =>
      this.#requests.receive(answer, buffers ?? []),
    );
    this.#on("change:_setup", () => this.#set("setup", model.get("_setup")));
    this.#on("change:_query", () => this.#adoptQuery());
    this.#on("change:_places", () => this.#set("places", model.get("_places")));
    this.#on("change:_result", () => {
      this.#adoptResult();
      this.#adoptSelection();
    });
    this.#on("change:_selection", () => this.#adoptSelection());
    this.#on("change:_picking", () => this.#set("picking", model.get("_picking")));
    // ipywidgets says so when the kernel restarts or dies; other hosts stay silent, and time will tell.
    this.#on("comm_live_update", () => {
      if ((model as { comm_live?: boolean }).comm_live === false) this.#setLink("lost");
    });
    this.knock();
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
    this.#requests
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
  ): Promise<void> {
    await this.#requests.ask(
      { op: "tiles", generation, ranges: wanted.pairs, edge },
      { signal, onPart: (part, buffers) => onTiles(part.tiles.map((tile) => asTile(tile, buffers))) },
    );
  }

  async detail(generation: number, index: number, edge: number, signal: AbortSignal): Promise<Detail> {
    const { answer, buffers } = await this.#requests.ask(
      { op: "detail", generation, index, edge },
      { signal },
    );
    const detail = answer.detail as DetailMessage;
    return { ...asPicture(detail, buffers), name: detail.name, facts: detail.facts };
  }

  select(selection: Ranges): void {
    if (selection.equals(this.#now.selection) && this.#now.outside === 0) return;
    this.#edits += 1;
    this.#set("selection", selection);
    this.#set("outside", 0);
    this.#requests
      .ask({ op: "select", generation: this.#now.result.generation, ranges: selection.pairs })
      .catch(() => undefined) // What Python shows is adopted below, refused or not.
      .finally(() => {
        this.#edits -= 1;
        this.#adoptSelection();
      });
  }

  use(): void {
    this.#requests.ask({ op: "use" }).catch((error: Error) => {
      if (!(error instanceof Cancelled)) this.#set("refusal", error.message);
    });
  }

  knock(): void {
    this.#requests.ask({ op: "hello" }).catch(() => undefined);
  }

  close(): void {
    for (const unhook of this.#unhook) unhook();
    this.#listeners.clear();
    this.#requests.close("The widget was closed.");
  }

  #send(message: object): void {
    try {
      this.#model.send(message);
    } catch {
      this.#setLink("lost");
    }
  }

  #on(event: string, run: (...args: never[]) => void): void {
    const callback = run as () => void;
    this.#model.on(event, callback);
    this.#unhook.push(() => this.#model.off(event as "msg:custom", callback));
  }

  #adoptQuery(): void {
    if (this.#searches === 0) this.#set("query", this.#model.get("_query"));
  }

  #adoptResult(): void {
    const result = this.#model.get("_result");
    this.#set("result", this.#searches > 0 ? { ...result, state: "loading" } : result);
  }

  #adoptSelection(): void {
    if (this.#edits > 0) return;
    const { generation, ranges, outside } = this.#model.get("_selection");
    const current = generation === this.#now.result.generation;
    const selection = current ? Ranges.of(ranges) : Ranges.empty;
    if (!selection.equals(this.#now.selection)) this.#set("selection", selection);
    this.#set("outside", current ? outside : 0);
  }

  #setLink(link: Link): void {
    if (this.#now.link === "lost") return;
    this.#set("link", link);
    if (link === "lost") this.#requests.close("The kernel is gone.");
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

function asPicture(message: TileMessage | DetailMessage, buffers: DataView[]): Picture {
  const view = message.buffer === undefined ? undefined : buffers[message.buffer];
  const type = message.mime ?? "";
  const usable = view !== undefined && RASTER.has(type);
  const missing = message.state === "ok" && !usable;
  return {
    state: missing ? "error" : message.state,
    message: missing ? "The picture is of a type that is not shown." : (message.message ?? ""),
    // The view may be a window on a larger message: copy its own bytes only.
    blob: usable
      ? new Blob([new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength)], { type })
      : null,
    width: message.width ?? 0,
    height: message.height ?? 0,
  };
}

function asTile(message: TileMessage, buffers: DataView[]): Tile {
  return { ...asPicture(message, buffers), index: message.index, id: message.id, name: message.name };
}
