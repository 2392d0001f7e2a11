import { Bitmaps } from "../core/bitmaps";
import { calm } from "../core/motion";
import { frameUnder, nearest, wrap } from "../core/turning";
import { type Turning, Turns } from "../core/turns";
import type { AssetSource } from "../source";
import { h } from "./dom";

/** Milliseconds a pointer rests on a tile before anything is asked: who passes by wants nothing. */
const RESTING = 300;
/** Milliseconds of one turn that plays by itself. */
const ROUND = 4_000;
const EDGE = 256;
const DECODED_BYTES = 24_000_000;

/** The tiles, as far as turning needs them. */
export interface Tiled {
  readonly element: HTMLElement;
  indexOf(target: EventTarget | null): number | null;
  /** Put something over a tile's picture, or take it away; false if the tile is not in the document. */
  overlay(index: number, over: HTMLElement | null): boolean;
}

/** One tile at a time turns: under a pointer that rests on it, or by a key. */
export class HoverTurn {
  readonly #source: AssetSource;
  readonly #tiled: Tiled;
  readonly #turns = new Turns();
  readonly #bitmaps: Bitmaps<ImageBitmap>;
  readonly #canvas = h("canvas", {});
  readonly #over = h("div", { class: "ipya-turn", "aria-hidden": "true" }, this.#canvas);
  readonly #closing = new AbortController();
  #index: number | null = null;
  #turning: Turning | null = null;
  #place = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #playing: ReturnType<typeof setInterval> | undefined;
  #asking: AbortController | null = null;
  #pointer: { x: number } | null = null;
  #shown = false;

  constructor(source: AssetSource, tiled: Tiled) {
    this.#source = source;
    this.#tiled = tiled;
    this.#bitmaps = new Bitmaps(
      (blob) => createImageBitmap(blob),
      () => this.#paint(),
      DECODED_BYTES,
    );
    const { signal } = this.#closing;
    tiled.element.addEventListener("pointerover", (event) => this.#onOver(event), { signal });
    tiled.element.addEventListener("pointerleave", () => this.#pointer && this.stop(), { signal });
  }

  /** Nothing turns any more; what is on its way is called off. Cheap when nothing does: scrolling calls it. */
  stop(): void {
    if (this.#index === null) return;
    clearTimeout(this.#timer);
    clearInterval(this.#playing);
    this.#playing = undefined;
    this.#asking?.abort();
    this.#asking = null;
    this.#tiled.element.removeEventListener("pointermove", this.#onMove);
    if (this.#shown) this.#tiled.overlay(this.#index, null);
    this.#shown = false;
    this.#index = null;
    this.#turning = null;
    this.#pointer = null;
    this.#bitmaps.clear();
  }

  /** The key: turn this tile, or stop it. For those who asked for less motion each press turns it a little. */
  key(index: number): void {
    const going = this.#index === index && !this.#pointer;
    if (going && calm()) this.#step(3);
    else if (going) this.stop();
    else if (this.#begin(index)) {
      this.#ask();
      if (!calm()) this.#playing = setInterval(() => this.#step(1), ROUND / 24);
    }
  }

  /** The focus went elsewhere. */
  focused(index: number | null): void {
    if (this.#index !== null && !this.#pointer && index !== this.#index) this.stop();
  }

  close(): void {
    this.stop();
    this.#closing.abort();
  }

  get #able(): boolean {
    const { setup, query } = this.#source.now;
    return setup.services.length
      ? Boolean(setup.services.find(({ key }) => key === query.service)?.turns)
      : setup.turns;
  }

  #onOver(event: PointerEvent): void {
    if (event.pointerType === "touch" || event.buttons !== 0) return;
    const index = this.#tiled.indexOf(event.target);
    if (index === this.#index) return;
    if (this.#pointer || index !== null) this.stop();
    if (index === null || !this.#begin(index)) return;
    this.#pointer = { x: event.clientX };
    this.#tiled.element.addEventListener("pointermove", this.#onMove, { passive: true });
    this.#timer = setTimeout(() => this.#ask(), RESTING);
  }

  readonly #onMove = (event: PointerEvent): void => {
    if (!this.#pointer) return;
    this.#pointer.x = event.clientX;
    if (event.buttons !== 0) this.stop();
    else if (this.#turning) this.#follow();
  };

  #begin(index: number): boolean {
    if (!this.#able || !this.#turns.of(this.#source.now.result.generation).mayTurn(index)) return false;
    this.stop();
    this.#index = index;
    this.#place = 0;
    return true;
  }

  #ask(): void {
    const index = this.#index;
    if (index === null) return;
    const kept = this.#turns.get(index);
    if (kept) {
      this.#take(kept);
      return;
    }
    const asking = new AbortController();
    this.#asking = asking;
    const turning: Turning = { count: 0, frames: [] };
    const { generation } = this.#source.now.result;
    this.#source
      .turn(
        generation,
        index,
        EDGE,
        (count, frames) => {
          if (asking.signal.aborted) return;
          turning.count = count;
          for (const { place, blob } of frames) turning.frames[place] = blob;
          this.#take(turning);
        },
        asking.signal,
      )
      .then((turns) => {
        const known = this.#turns.of(this.#source.now.result.generation);
        if (asking.signal.aborted || generation !== this.#source.now.result.generation) return;
        if (turns) known.keep(index, turning);
        else {
          known.none(index);
          this.stop();
        }
      })
      .catch(() => {
        if (asking.signal.aborted) return;
        this.#turns.failed(index); // it simply does not turn; what is wrong is said where renders are
        this.stop();
      });
  }

  #take(turning: Turning): void {
    this.#turning = turning;
    for (const [place, blob] of turning.frames.entries()) if (blob) this.#bitmaps.want(place, blob);
    if (this.#pointer) this.#follow();
    else this.#paint();
  }

  /** The pointer's way across the tile is one turn. */
  #follow(): void {
    if (this.#index === null || !this.#turning || !this.#pointer) return;
    const tile = this.#tiled.element.querySelector(`[data-index="${this.#index}"]`);
    if (!tile) return;
    const { left, width } = tile.getBoundingClientRect();
    this.#place = frameUnder(this.#pointer.x - left, width, this.#turning.count);
    this.#paint();
  }

  #step(places: number): void {
    if (!this.#turning) return;
    this.#place = wrap(this.#place + places, this.#turning.count);
    this.#paint();
  }

  #paint(): void {
    const { count, frames } = this.#turning ?? { count: 0, frames: [] };
    if (this.#index === null || !count) return;
    // Decoding is bounded: what was not taken on yet is offered again with every picture that is ready.
    for (const [place, blob] of frames.entries()) if (blob) this.#bitmaps.want(place, blob);
    const there = nearest(this.#place, count, (place) => this.#bitmaps.has(place));
    const bitmap = there === null ? undefined : this.#bitmaps.show(there);
    if (!bitmap) return;
    if (this.#canvas.width !== bitmap.width || this.#canvas.height !== bitmap.height) {
      this.#canvas.width = bitmap.width;
      this.#canvas.height = bitmap.height;
    }
    const pen = this.#canvas.getContext("2d");
    pen?.clearRect(0, 0, bitmap.width, bitmap.height);
    pen?.drawImage(bitmap, 0, 0);
    this.#over.style.setProperty("--ipya-share", String(wrap(-this.#place, count) / count));
    this.#over.style.setProperty("--ipya-step", String(1 / count));
    if (!this.#shown) this.#shown = this.#tiled.overlay(this.#index, this.#over);
  }
}
