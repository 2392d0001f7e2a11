import { share } from "../core/zoom";
import { h, SUPPRESS } from "../view/dom";

/** The line between two pictures laid over each other: dragged, or moved with the arrow keys. */
export class Divider {
  readonly element: HTMLElement;
  readonly #onMove: () => void;
  #share = 0.5;

  constructor(onMove: () => void) {
    this.#onMove = onMove;
    this.element = h("div", {
      class: "ipya-divider",
      role: "separator",
      "aria-orientation": "vertical",
      "aria-label": "Divider (left and right arrow)",
      "aria-valuemin": 0,
      "aria-valuemax": 100,
      tabindex: 0,
      [SUPPRESS]: "true",
    });
    this.element.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.element.setPointerCapture(event.pointerId);
      event.stopPropagation(); // the picture stays where it is
    });
    this.element.addEventListener("pointermove", (event) => {
      if (!this.element.hasPointerCapture(event.pointerId)) return;
      const pane = this.element.parentElement?.getBoundingClientRect();
      if (pane) this.#move(share(event.clientX - pane.left, pane.width));
      event.stopPropagation();
    });
    this.element.addEventListener("keydown", (event) => this.#onKey(event));
    this.#move(0.5);
  }

  get share(): number {
    return this.#share;
  }

  #move(to: number): void {
    this.#share = Math.min(1, Math.max(0, to));
    this.element.style.left = `${this.#share * 100}%`;
    this.element.setAttribute("aria-valuenow", String(Math.round(this.#share * 100)));
    this.#onMove();
  }

  #onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.shiftKey ? 0.1 : 0.02;
    if (event.key === "ArrowLeft") this.#move(this.#share - step);
    else if (event.key === "ArrowRight") this.#move(this.#share + step);
    else if (event.key === "Home") this.#move(0);
    else if (event.key === "End") this.#move(1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
