import { columnsFor, commonFrame, fitted, type Size, seenPixels } from "../core/zoom";
import { h, leave, SUPPRESS } from "../view/dom";
import { keepKeys } from "../view/keys";
import { Look } from "../view/look";
import { LinkStrip } from "../view/strips";
import { Controls, type Mode } from "./controls";
import { Divider } from "./divider";
import { draw, drawDifference, drawWipe, type Layer, prepare, type Scene } from "./paint";
import { GAP, LABEL, Pane } from "./panes";
import { Part, type Pictures } from "./pictures";

/** How much more than what shows is asked for, so that a small movement meets pixels that are there. */
const MARGIN = 0.25;

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
  readonly #look: Look;
  readonly #cleanup: (() => void)[] = [];
  #panes: Pane[] = [];
  #pane: Size = { width: 0, height: 0 };
  #mode: Mode = "beside";
  #pair: [number, number];
  #gain = 1;
  #request = 0;

  constructor(pictures: Pictures) {
    this.#pictures = pictures;
    const { images, link } = pictures;
    const setup = link.get("_setup");
    const there = images.flatMap((image, index) => (image.width ? [{ ...image, index }] : []));
    this.#frame = commonFrame(there);
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
        look: () => this.#look,
      },
    );
    this.#look = new Look({
      area: this.#area,
      paneOf: (target) => target.closest(".ipya-pane-view"),
      frame: () => this.#frame,
      pane: () => this.#pane,
      wheelZooms: () => false, // it scrolls the notebook, as everywhere
      onMove: () => {
        this.element.dataset.moving = "true";
        this.#paintSoon();
      },
      onRest: () => {
        this.#lookClosely();
        this.#paintSoon();
      },
    });
    this.#link = new LinkStrip(
      () => link.link,
      () => link.knock(),
    );
    this.element = h(
      "section",
      { class: "ipya-root ipya-compare", role: "group", "aria-label": setup.label },
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
    this.#look.close();
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
    this.#look.resized();
  }

  // -- looking --------------------------------------------------------------------------------------------------

  /** Of pictures that came smaller than they are, ask for the pixels that show. */
  #lookClosely(): void {
    for (const index of new Set(this.#panes.flatMap(({ shows }) => shows))) {
      const image = this.#pictures.images[index];
      const { bitmap } = this.#pictures.get(index);
      if (!image || image.whole || !bitmap) continue;
      const lies = fitted(image, this.#frame);
      const wanted = (lies.right - lies.left) * this.#look.place.scale * this.#look.ratio;
      if (wanted <= bitmap.width * 1.05) continue;
      const seen = seenPixels(image, this.#frame, this.#look.place, this.#pane, 0);
      const part = this.#parts[index];
      if (!seen || !part || part.covers(seen, wanted / image.width)) continue;
      const box = seenPixels(image, this.#frame, this.#look.place, this.#pane, MARGIN);
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
      place: this.#look.place,
      pane: this.#pane,
      ratio: this.#look.ratio,
      resting: this.#look.resting,
    };
    for (const pane of this.#panes) this.#paintPane(pane, scene);
    if (this.#look.resting) delete this.element.dataset.moving;
    this.#controls.sync({
      mode: this.#mode,
      pair: this.#pair,
      gain: this.#gain,
      zoom: this.#look.place.scale * this.#look.ratio,
      fit: this.#look.fit,
    });
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
    this.element.addEventListener("keydown", (event) => this.#onKey(event));
    this.element.addEventListener("keydown", keepKeys);
    const resized = new ResizeObserver(() => this.#measure());
    resized.observe(this.#area);
    this.#cleanup.push(
      () => resized.disconnect(),
      this.#pictures.subscribe(() => {
        this.#lookClosely();
        this.#paintSoon();
      }),
    );
  }

  #onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      leave(this.element);
      event.stopPropagation();
    } else if ((event.target as HTMLElement).matches("select") || !this.#look.key(event, true)) return;
    event.preventDefault();
  }
}
