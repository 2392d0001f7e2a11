import {
  bounded,
  columnsFor,
  commonFrame,
  fitted,
  moved,
  type Place,
  type Size,
  seenPixels,
  whole,
  zoomed,
} from "../core/zoom";
import { h, leave, SUPPRESS } from "../view/dom";
import { keepKeys } from "../view/keys";
import { LinkStrip } from "../view/strips";
import { Controls, type Mode } from "./controls";
import { Divider } from "./divider";
import { draw, drawDifference, drawWipe, type Layer, prepare, type Scene } from "./paint";
import { GAP, LABEL, Pane } from "./panes";
import { Part, type Pictures } from "./pictures";

/** Milliseconds without a movement after which pictures are drawn well, and looked at closely if need be. */
const REST = 140;
/** How much more than what shows is asked for, so that a small movement meets pixels that are there. */
const MARGIN = 0.25;
/** CSS pixels an arrow key moves the pictures. */
const NUDGE = 40;

/** One view of a comparison: all panes look at the same place of the same frame. */
export class CompareView {
  readonly element: HTMLElement;
  readonly #pictures: Pictures;
  readonly #frame: Size;
  readonly #parts: Part[];
  readonly #controls: Controls;
  readonly #link: LinkStrip;
  readonly #divider: Divider;
  readonly #area = h("div", {
    class: "ipya-panes",
    role: "group",
    "aria-roledescription": "zoomable pictures",
    "aria-label": "Pictures: plus and minus zoom, arrows move",
    tabindex: 0,
    [SUPPRESS]: "true",
  });
  readonly #cleanup: (() => void)[] = [];
  #panes: Pane[] = [];
  #pane: Size = { width: 0, height: 0 };
  #place: Place;
  #fit = true;
  #mode: Mode = "beside";
  #pair: [number, number];
  #gain = 1;
  #resting = true;
  #restTimer: ReturnType<typeof setTimeout> | undefined;
  #request = 0;
  #drag: { pointer: number; x: number; y: number } | null = null;

  constructor(pictures: Pictures) {
    this.#pictures = pictures;
    const { images, link } = pictures;
    const setup = link.get("_setup");
    const there = images.flatMap((image, index) => (image.width ? [{ ...image, index }] : []));
    this.#frame = commonFrame(there);
    this.#place = whole(this.#frame, this.#frame);
    this.#pair = [there[0]?.index ?? 0, there[1]?.index ?? 1];
    this.#parts = images.map((_, index) => new Part(link, index, () => this.#paintSoon()));
    this.#divider = new Divider(() => this.#paintSoon());
    this.#controls = new Controls(
      there.map(({ index, label }) => ({ value: String(index), label })),
      {
        mode: (mode) => this.#setMode(mode),
        pair: (a, b) => this.#setPair(a, b),
        gain: (gain) => {
          this.#gain = gain;
          this.#paintSoon();
        },
        zoom: (factor) => this.#go(zoomed(this.#place, factor)),
        fit: () => this.#goFit(),
        actual: () => this.#goActual(),
      },
    );
    this.#link = new LinkStrip(
      () => link.link,
      () => link.knock(),
    );
    this.element = h(
      "section",
      { class: "ipya-root ipya-compare", "aria-label": setup.label },
      this.#link.element,
      this.#controls.element,
      this.#area,
    );
    this.element.style.setProperty("--ipya-height", setup.height);
    this.#listen();
    this.#build();
    pictures.begin();
  }

  /** The link to Python changed. */
  sync(): void {
    this.#link.sync();
  }

  close(): void {
    for (const run of this.#cleanup) run();
    clearTimeout(this.#restTimer);
    cancelAnimationFrame(this.#request);
    for (const part of this.#parts) part.close();
    this.element.remove();
  }

  // -- layout ---------------------------------------------------------------------------------------------------

  #build(): void {
    const { images } = this.#pictures;
    const shown = this.#mode === "beside" ? images.map((_, index) => [index]) : [this.#pair];
    const divider = this.#mode === "wipe" ? this.#divider.element : undefined;
    this.#panes = shown.map((shows) => new Pane(shows, images, divider));
    this.element.dataset.mode = this.#mode;
    this.#area.replaceChildren(...this.#panes.map((pane) => pane.element));
    this.#measure();
  }

  #measure(): void {
    const { clientWidth, clientHeight } = this.#area;
    const area = { width: clientWidth - 2 * GAP, height: clientHeight - 2 * GAP };
    if (area.width <= 0 || area.height <= 0) return;
    const count = this.#panes.length;
    const ratio = this.#frame.width / this.#frame.height;
    const columns = columnsFor(count, ratio, area, GAP);
    const rows = Math.ceil(count / columns);
    this.#pane = {
      width: Math.floor((area.width - GAP * (columns - 1)) / columns),
      height: Math.max(40, Math.floor((area.height - GAP * (rows - 1)) / rows) - LABEL),
    };
    for (const pane of this.#panes) pane.resize(this.#pane);
    if (this.#fit) this.#place = whole(this.#frame, this.#pane);
    this.#go(this.#place, this.#fit);
  }

  // -- looking --------------------------------------------------------------------------------------------------

  get #ratio(): number {
    return window.devicePixelRatio || 1;
  }

  #go(place: Place, fit = false): void {
    this.#place = bounded(place, this.#frame, this.#pane, this.#ratio);
    this.#fit = fit;
    this.#resting = false;
    this.element.dataset.moving = "true";
    clearTimeout(this.#restTimer);
    this.#restTimer = setTimeout(() => {
      this.#resting = true;
      this.#lookClosely();
      this.#paintSoon();
    }, REST);
    this.#paintSoon();
  }

  #goFit(): void {
    this.#go(whole(this.#frame, this.#pane), true);
  }

  #goActual(): void {
    this.#go(zoomed(this.#place, 1 / this.#ratio / this.#place.scale));
  }

  /** Of pictures that came smaller than they are, ask for the pixels that show. */
  #lookClosely(): void {
    for (const index of new Set(this.#panes.flatMap(({ shows }) => shows))) {
      const image = this.#pictures.images[index];
      const { bitmap } = this.#pictures.get(index);
      if (!image || image.whole || !bitmap) continue;
      const lies = fitted(image, this.#frame);
      const wanted = (lies.right - lies.left) * this.#place.scale * this.#ratio;
      if (wanted <= bitmap.width * 1.05) continue;
      const seen = seenPixels(image, this.#frame, this.#place, this.#pane, 0);
      const part = this.#parts[index];
      if (!seen || !part || part.covers(seen, wanted / image.width)) continue;
      const box = seenPixels(image, this.#frame, this.#place, this.#pane, MARGIN);
      if (box) part.want(box);
    }
  }

  // -- painting -------------------------------------------------------------------------------------------------

  #paintSoon(): void {
    if (this.#request) return;
    this.#request = requestAnimationFrame(() => {
      this.#request = 0;
      this.#paint();
    });
  }

  #paint(): void {
    if (!this.#pane.width) return;
    const scene: Scene = {
      frame: this.#frame,
      place: this.#place,
      pane: this.#pane,
      ratio: this.#ratio,
      resting: this.#resting,
    };
    for (const pane of this.#panes) this.#paintPane(pane, scene);
    if (this.#resting) delete this.element.dataset.moving;
    this.#controls.sync({
      mode: this.#mode,
      pair: this.#pair,
      gain: this.#gain,
      zoom: this.#place.scale * this.#ratio,
      fit: this.#fit,
    });
    // A finger scrolls the notebook until there is something to move.
    this.#area.style.touchAction = this.#fit ? "pan-x pan-y" : "none";
  }

  #paintPane(pane: Pane, scene: Scene): void {
    const layers = pane.shows.map((index) => this.#layer(index));
    const [a, b] = layers;
    if (layers.some((layer) => !layer)) {
      prepare(pane.canvas, scene);
      this.#markMissing(pane);
      return;
    }
    pane.mark(null);
    if (a && b && this.#mode === "wipe") drawWipe(pane.canvas, a, b, scene, this.#divider.share);
    else if (a && b) drawDifference(pane.canvas, a, b, scene, this.#gain);
    else if (a) draw(prepare(pane.canvas, scene), a, scene);
  }

  #markMissing(pane: Pane): void {
    for (const index of pane.shows) {
      const image = this.#pictures.images[index];
      const { problem, bitmap } = this.#pictures.get(index);
      if (!image?.width) pane.mark(image?.message ? "warning" : "noPicture", image?.message ?? "No image");
      else if (problem) pane.mark("warning", problem);
      else if (!bitmap) pane.mark("wait");
      else continue;
      return;
    }
  }

  #layer(index: number): Layer | null {
    const image = this.#pictures.images[index];
    const { bitmap } = this.#pictures.get(index);
    if (!image || !bitmap) return null;
    const part = this.#parts[index];
    const closer = part?.bitmap && part.box ? { bitmap: part.bitmap, box: part.box } : null;
    return { width: image.width, height: image.height, bitmap, part: closer };
  }

  // -- people ---------------------------------------------------------------------------------------------------

  #setMode(mode: Mode): void {
    if (mode === this.#mode) return;
    this.#mode = mode;
    this.#build();
  }

  #setPair(a: number, b: number): void {
    const [before] = this.#pair;
    // The same twice shows nothing: the other one gives way.
    this.#pair = a === b ? (a === before ? [this.#pair[1], b] : [a, before]) : [a, b];
    this.#build();
  }

  #listen(): void {
    const area = this.#area;
    area.addEventListener("wheel", (event) => this.#onWheel(event), { passive: false });
    area.addEventListener("dblclick", (event) => {
      const { dx, dy, inside } = this.#middle(event);
      if (inside) this.#go(zoomed(this.#place, event.shiftKey || event.altKey ? 0.5 : 2, dx, dy));
    });
    area.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !this.#middle(event).inside) return;
      area.focus({ preventScroll: true });
      this.#drag = { pointer: event.pointerId, x: event.clientX, y: event.clientY };
    });
    area.addEventListener("pointermove", (event) => {
      const drag = this.#drag;
      if (drag?.pointer !== event.pointerId) return;
      if (!area.hasPointerCapture(event.pointerId)) area.setPointerCapture(event.pointerId);
      const next = moved(this.#place, event.clientX - drag.x, event.clientY - drag.y);
      this.#drag = { pointer: drag.pointer, x: event.clientX, y: event.clientY };
      this.element.dataset.dragging = "true";
      this.#go(next, this.#fit);
    });
    const end = (event: PointerEvent) => {
      if (this.#drag?.pointer !== event.pointerId) return;
      this.#drag = null;
      delete this.element.dataset.dragging;
    };
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"] as const)
      area.addEventListener(type, end);
    this.element.addEventListener("keydown", (event) => this.#onKey(event));
    this.element.addEventListener("keydown", keepKeys);
    const resized = new ResizeObserver(() => this.#measure());
    resized.observe(area);
    this.#cleanup.push(
      () => resized.disconnect(),
      this.#pictures.subscribe(() => {
        this.#lookClosely();
        this.#paintSoon();
      }),
    );
  }

  /** Where an event lies, from the middle of the pane it is in. */
  #middle(event: MouseEvent): { dx: number; dy: number; inside: boolean } {
    const view = (event.target as Element).closest(".ipya-pane-view");
    if (!view) return { dx: 0, dy: 0, inside: false };
    const { left, top, width, height } = view.getBoundingClientRect();
    return { dx: event.clientX - left - width / 2, dy: event.clientY - top - height / 2, inside: true };
  }

  /** The plain wheel scrolls the notebook, as everywhere; with Ctrl or Cmd (or a pinch) it zooms. */
  #onWheel(event: WheelEvent): void {
    if (!event.ctrlKey && !event.metaKey) return;
    const { dx, dy, inside } = this.#middle(event);
    if (!inside) return;
    event.preventDefault();
    event.stopPropagation();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 33 : 1;
    const factor = Math.exp(-Math.min(100, Math.max(-100, event.deltaY * lines)) * 0.004);
    this.#go(zoomed(this.#place, factor, dx, dy));
  }

  #onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target as HTMLElement;
    const nudge = NUDGE * (event.shiftKey ? 4 : 1);
    if (event.key === "Escape") leave(this.element);
    else if (target.matches("select")) return;
    else if (event.key === "+" || event.key === "=") this.#go(zoomed(this.#place, 1.5));
    else if (event.key === "-" || event.key === "_") this.#go(zoomed(this.#place, 1 / 1.5));
    else if (event.key === "0") this.#goFit();
    else if (event.key === "1") this.#goActual();
    else if (event.key === "ArrowLeft") this.#go(moved(this.#place, nudge, 0), this.#fit);
    else if (event.key === "ArrowRight") this.#go(moved(this.#place, -nudge, 0), this.#fit);
    else if (event.key === "ArrowUp") this.#go(moved(this.#place, 0, nudge), this.#fit);
    else if (event.key === "ArrowDown") this.#go(moved(this.#place, 0, -nudge), this.#fit);
    else return;
    event.preventDefault();
    if (event.key === "Escape") event.stopPropagation();
  }
}
