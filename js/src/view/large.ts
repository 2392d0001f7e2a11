import type { Encoded } from "../core/encoded";
import { fitScale, inPane, type Size } from "../core/zoom";
import { button, h, icon, SUPPRESS } from "./dom";
import { Look } from "./look";
import { ZoomBar } from "./zoombar";

/** From here on pixels are squares: one looks at them, not at the picture. */
const SQUARES = 3;

export interface LargeEvents {
  /** More pixels would show: this many along the longer side. */
  closer(pixels: number): void;
  retry(): void;
  /** Whether the plain wheel is meant for the picture. */
  mayZoom(): boolean;
}

/** One picture in its pane, zoomed and moved; or, in its place, why there is none. */
export class LargePicture {
  readonly element: HTMLElement;
  readonly look: Look;
  readonly #view = h("div", {
    class: "ipya-large-view",
    role: "group",
    "aria-roledescription": "zoomable picture",
    "aria-label": "Picture: plus and minus zoom; zoomed, arrows move it",
    tabindex: 0,
    [SUPPRESS]: "true",
  });
  readonly #bar: ZoomBar;
  readonly #events: LargeEvents;
  readonly #resized: ResizeObserver;
  readonly #urls: string[] = [];
  #image: HTMLImageElement | null = null;

  constructor(events: LargeEvents) {
    this.#events = events;
    this.look = new Look({
      area: this.#view,
      paneOf: () => this.#view,
      frame: () => this.#frame,
      pane: () => this.#pane,
      // All of it shows and it goes smaller: then the wheel is the notebook's again.
      wheelZooms: ({ deltaY }) => events.mayZoom() && !(this.look.fit && deltaY > 0),
      onMove: () => this.#paint(),
      onRest: () => this.#closer(),
    });
    this.#bar = new ZoomBar(() => this.look, false);
    this.#bar.element.hidden = true;
    this.element = h("div", { class: "ipya-detail-picture" }, this.#view, this.#bar.element);
    this.#resized = new ResizeObserver(() => this.look.resized());
    this.#resized.observe(this.#view);
  }

  /** Whether there is something to be moved. */
  get zoomed(): boolean {
    return this.#image !== null && !this.look.fit;
  }

  /** Pixels along the longer side of what shows; 0 for none. */
  get longest(): number {
    const frame = this.#frame;
    return frame ? Math.max(frame.width, frame.height) : 0;
  }

  /** Nothing, or a small picture scaled up, until the large one comes. */
  wait(standIn: Encoded | null | undefined): void {
    this.free();
    this.#view.setAttribute("aria-busy", "true");
    if (!standIn) {
      this.#view.replaceChildren();
      return;
    }
    const image = h("img", { class: "ipya-large ipya-stand-in", alt: "", draggable: "false" });
    image.src = standIn.dataUrl();
    this.#view.replaceChildren(image);
  }

  /** Show it; one with more pixels takes the place of the one that shows, and one goes on looking where one did. */
  async show(encoded: Encoded, name: string): Promise<void> {
    const url = URL.createObjectURL(encoded.blob());
    this.#urls.push(url);
    const image = h("img", { class: "ipya-large", alt: name, draggable: "false" });
    image.src = url;
    // Swapped when it can be painted: no blank between. By then another one may be asked for.
    const current = () => this.#urls.includes(url);
    try {
      await image.decode();
    } catch {
      if (current()) this.mark("warning", "The browser cannot decode this picture.", true);
      return;
    }
    if (!current()) return;
    const before = this.#frame;
    this.#image = image;
    this.#view.setAttribute("aria-busy", "false");
    this.#view.replaceChildren(image);
    this.#bar.element.hidden = false;
    const { place, fit } = this.look;
    if (!before || fit) {
      this.look.goFit();
      return;
    }
    const more = image.naturalWidth / before.width;
    this.look.go({ scale: place.scale / more, x: place.x * more, y: place.y * more });
  }

  /** Words in the picture's place. */
  mark(name: "noPicture" | "warning", text: string, retry: boolean): void {
    this.free();
    this.#view.setAttribute("aria-busy", "false");
    this.#view.replaceChildren(
      h(
        "div",
        { class: "ipya-mark" },
        icon(name),
        h("span", { dir: "auto" }, text),
        retry && button({ text: "Try again", onClick: () => this.#events.retry() }),
      ),
    );
  }

  /** Let go of what showed. */
  free(): void {
    for (const url of this.#urls.splice(0)) URL.revokeObjectURL(url);
    this.#image = null;
    this.#bar.element.hidden = true;
  }

  close(): void {
    this.free();
    this.look.close();
    this.#resized.disconnect();
  }

  get #frame(): Size | null {
    return this.#image && { width: this.#image.naturalWidth, height: this.#image.naturalHeight };
  }

  get #pane(): Size {
    return { width: this.#view.clientWidth || 1, height: this.#view.clientHeight || 1 };
  }

  #paint(): void {
    const [image, frame] = [this.#image, this.#frame];
    if (!image || !frame) return;
    const { place, ratio, fit } = this.look;
    const { left, top } = inPane(
      { left: 0, top: 0, right: frame.width, bottom: frame.height },
      place,
      this.#pane,
    );
    image.style.transform = `translate(${left}px, ${top}px) scale(${place.scale})`;
    image.style.imageRendering = place.scale * ratio < SQUARES ? "auto" : "pixelated";
    this.#view.dataset.fit = String(fit);
    const times = place.scale / fitScale(frame, this.#pane);
    this.#bar.sync(`${times.toLocaleString("en", { maximumFractionDigits: 1 })}×`, fit);
  }

  #closer(): void {
    if (this.longest) this.#events.closer(this.longest * this.look.place.scale * this.look.ratio);
  }
}
