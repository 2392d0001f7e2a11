import type { Size } from "../core/zoom";
import { h, icon, say } from "../view/dom";
import type { ImageFacts } from "./protocol";

export const GAP = 8;
export const LABEL = 26;

/** One place where pictures show: a canvas with what is said of it above. */
export class Pane {
  readonly element: HTMLElement;
  readonly view: HTMLElement;
  readonly canvas = h("canvas", { class: "ipya-canvas" });
  /** The pictures that show here, by their place. */
  readonly shows: readonly number[];
  readonly #mark = h("div", { class: "ipya-mark" });
  #marked = "";

  constructor(shows: readonly number[], images: readonly ImageFacts[], divider?: HTMLElement) {
    this.shows = shows;
    const labels = shows.map((index) => label(images[index]));
    const spoken = shows.map((index) => images[index]?.label ?? "").join(" and ");
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", spoken);
    this.view = h("div", { class: "ipya-pane-view" }, this.canvas, this.#mark, divider);
    this.element = h(
      "div",
      { class: "ipya-pane" },
      h("div", { class: "ipya-pane-labels" }, ...labels),
      this.view,
    );
  }

  resize(size: Size): void {
    this.element.style.width = `${size.width}px`;
    this.view.style.height = `${size.height}px`;
  }

  /** Words in the picture's place; none if it shows. */
  mark(kind: "noPicture" | "warning" | "wait" | null, text = ""): void {
    const marked = `${kind} ${text}`;
    if (marked === this.#marked) return;
    this.#marked = marked;
    this.view.setAttribute("aria-busy", String(kind === "wait"));
    this.view.classList.toggle("ipya-waits", kind === "wait");
    if (kind === null || kind === "wait") this.#mark.replaceChildren();
    else this.#mark.replaceChildren(icon(kind), h("span", { dir: "auto" }, text));
  }
}

function label(image: ImageFacts | undefined): HTMLElement {
  const name = h("span", { class: "ipya-pane-label", dir: "auto", title: image?.label });
  say(name, image?.label ?? "");
  const size = image?.width ? `${image.width} × ${image.height}` : "";
  return h("div", { class: "ipya-pane-head" }, name, h("span", { class: "ipya-pane-size" }, size));
}
