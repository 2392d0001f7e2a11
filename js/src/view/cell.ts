import type { Encoded } from "../core/encoded";
import { CAPTION, type Layout } from "../core/layout";
import type { Kept } from "../core/tiles";
import { h, icon, SUPPRESS, setAttribute } from "./dom";

/** One tile in the document. Stands for one place after another, and is painted whenever what is known changes. */
export class Cell {
  readonly element: HTMLElement;
  readonly #picture = h("div", { class: "ipya-picture" });
  readonly #text = document.createTextNode(" ");
  readonly #missing: string;
  #index = -1;
  #shown: Kept | undefined;
  #over: HTMLElement | null = null;

  constructor(column: number, layout: Layout, missing: string) {
    this.#missing = missing;
    const caption = h("div", { class: "ipya-caption", dir: "auto" }, this.#text);
    this.element = h(
      "div",
      {
        role: "gridcell",
        class: "ipya-tile",
        "aria-colindex": column + 1,
        tabindex: -1,
        "data-state": "unknown",
        [SUPPRESS]: "true",
      },
      this.#picture,
      h("span", { class: "ipya-check", "aria-hidden": "true" }, icon("check")),
      caption,
    );
    this.element.style.width = `${layout.tileWidth}px`;
    this.element.style.height = `${layout.pictureHeight + CAPTION}px`;
    this.#picture.style.height = `${layout.pictureHeight}px`;
    caption.style.height = `${CAPTION}px`;
  }

  get index(): number {
    return this.#index;
  }

  /** Stand for this place from now on; nothing of the one before stays. */
  stand(index: number): void {
    this.#index = index;
    this.element.dataset.index = String(index);
    this.#over?.remove();
    this.#over = null;
    this.#shown = undefined;
    this.#say(undefined);
    this.#picture.replaceChildren();
  }

  paint(tile: Kept | undefined): void {
    const before = this.#shown;
    if (tile === before) return;
    this.#shown = tile;
    this.#say(tile);
    if (tile?.encoded) {
      if (tile.encoded !== before?.encoded) this.#image(tile.encoded);
    } else if (tile?.state === "none") this.#mark("noPicture", this.#missing);
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

  #say(tile: Kept | undefined): void {
    this.element.dataset.state = tile?.state ?? "unknown";
    this.#text.data = tile?.name || " ";
    this.element.title = tile?.name ?? "";
    this.element.setAttribute("aria-label", spoken(this.#index, tile, this.#missing));
    setAttribute(this.element, "aria-busy", !tile || tile.state === "wait" ? "true" : null);
  }

  #image(encoded: Encoded): void {
    const image = h("img", { class: "ipya-image", alt: "", draggable: "false", decoding: "async" });
    image.onerror = () => {
      if (this.#shown?.encoded === encoded) this.#fail("The browser cannot decode this picture.");
    };
    image.src = encoded.dataUrl();
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
