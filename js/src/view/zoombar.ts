import { button, h, say } from "./dom";
import { type Look, STEP } from "./look";

/** The buttons that zoom, and how far one has. */
export class ZoomBar {
  readonly element: HTMLElement;
  readonly #words = h("span", { class: "ipya-zoom", role: "status" });
  readonly #fit: HTMLButtonElement;

  /** `actual`: whether there is a button for its own pixels. */
  constructor(look: () => Look, actual: boolean) {
    this.#fit = button({ icon: "fit", label: "All of it (0)", onClick: () => look().goFit() });
    this.element = h(
      "span",
      { class: "ipya-zooming", role: "group", "aria-label": "Zoom" },
      button({ icon: "minus", label: "Smaller (-)", onClick: () => look().zoom(1 / STEP) }),
      this.#words,
      button({ icon: "plus", label: "Larger (+)", onClick: () => look().zoom(STEP) }),
      this.#fit,
      actual && button({ text: "1:1", label: "Its own pixels (1)", onClick: () => look().goActual() }),
    );
  }

  sync(zoom: string, fit: boolean): void {
    say(this.#words, zoom);
    this.#fit.setAttribute("aria-pressed", String(fit));
  }
}
