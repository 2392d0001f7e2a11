import { CAPTION, type Layout } from "../core/layout";
import type { Kept } from "../core/tiles";
import { h, icon, SUPPRESS } from "./dom";

/** One tile in the document. Painted again whenever what is known of it changes. */
export class Cell {
  readonly element: HTMLElement;
  readonly index: number;
  readonly #picture = h("div", { class: "ipya-picture" });
  readonly #caption = h("div", { class: "ipya-caption", dir: "auto" });
  readonly #missing: string;
  #shown = "";
  #over: HTMLElement | null = null;

  constructor(index: number, columns: number, layout: Layout, missing: string) {
    this.index = index;
    this.#missing = missing;
    this.element = h(
      "div",
      {
        role: "gridcell",
        class: "ipya-tile",
        "aria-colindex": (index % columns) + 1,
        "data-index": index,
        tabindex: -1,
        [SUPPRESS]: "true",
      },
      this.#picture,
      h("span", { class: "ipya-check", "aria-hidden": "true" }, icon("check")),
      this.#caption,
    );
    this.element.style.width = `${layout.tileWidth}px`;
    this.#picture.style.height = `${layout.pictureHeight}px`;
    this.#caption.style.height = `${CAPTION}px`;
  }

  paint(tile: Kept | undefined): void {
    const shown = tile ? `${tile.state} ${tile.url} ${tile.name} ${tile.message}` : "unknown";
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.element.dataset.state = tile?.state ?? "unknown";
    this.#caption.textContent = tile?.name || " ";
    this.element.title = tile?.name ?? "";
    this.element.setAttribute("aria-label", spoken(this.index, tile, this.#missing));
    this.element.setAttribute("aria-busy", String(!tile || tile.state === "wait"));
    if (tile?.url) this.#image(tile.url);
    else if (tile?.state === "none") this.#mark("noPicture", this.#missing);
    else if (tile?.state === "error") this.#fail(tile.message);
    else this.#picture.replaceChildren();
    if (this.#over) this.#picture.append(this.#over);
  }

  /** Put something over the picture, or take it away. */
  overlay(over: HTMLElement | null): void {
    this.#over?.remove();
    this.#over = over;
    if (over) this.#picture.append(over);
  }

  #image(url: string): void {
    const image = h("img", { class: "ipya-image", alt: "", draggable: "false", decoding: "async" });
    image.addEventListener("error", () => this.#fail("The browser cannot decode this picture."), {
      once: true,
    });
    image.src = url;
    this.#picture.replaceChildren(image);
  }

  #fail(message: string): void {
    this.element.dataset.state = "error";
    this.element.title = message;
    this.#mark("warning", "Not loaded");
  }

  #mark(name: "noPicture" | "warning", text: string): void {
    this.#picture.replaceChildren(h("div", { class: "ipya-mark" }, icon(name), text));
  }
}

function spoken(index: number, tile: Kept | undefined, missing: string): string {
  if (!tile) return `Item ${index + 1}, loading`;
  const name = tile.name || `Item ${index + 1}`;
  if (tile.state === "none") return `${name}, ${missing.toLowerCase()}`;
  if (tile.state === "error") return `${name}, picture not loaded`;
  return name;
}
