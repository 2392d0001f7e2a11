import { button, h, select } from "../view/dom";
import type { Look } from "../view/look";
import { ZoomBar } from "../view/zoombar";

export type Mode = "beside" | "wipe" | "difference";
export const GAINS = [1, 2, 4, 8, 16];

const MODES: readonly [Mode, string][] = [
  ["beside", "Side by side"],
  ["wipe", "Wipe"],
  ["difference", "Difference"],
];

export interface ControlEvents {
  mode(mode: Mode): void;
  pair(a: number, b: number): void;
  gain(gain: number): void;
  look(): Look;
}

export interface Standing {
  mode: Mode;
  pair: readonly [number, number];
  gain: number;
  /** Device pixels for one pixel of the frame. */
  zoom: number;
  fit: boolean;
}

/** How the pictures are compared, which two, and how closely one looks. */
export class Controls {
  readonly element: HTMLElement;
  readonly #modes = new Map<Mode, HTMLButtonElement>();
  readonly #pairs = h("span", { class: "ipya-pairs" });
  readonly #first: HTMLSelectElement;
  readonly #second: HTMLSelectElement;
  readonly #gain: HTMLSelectElement;
  readonly #zoom: ZoomBar;
  readonly #several: boolean;

  /** `choices` are the places and labels of the pictures there are. */
  constructor(choices: readonly { value: string; label: string }[], events: ControlEvents) {
    this.#several = choices.length > 2;
    const modes = h("span", { class: "ipya-modes", role: "group", "aria-label": "How to compare" });
    for (const [mode, text] of MODES) {
      const element = button({ icon: mode, text, label: text, onClick: () => events.mode(mode) });
      element.disabled = mode !== "beside" && choices.length < 2;
      this.#modes.set(mode, element);
      modes.append(element);
    }
    const chosen = () => events.pair(Number(this.#first.value), Number(this.#second.value));
    this.#first = select("First image", choices, chosen);
    this.#second = select("Second image", choices, chosen);
    this.#pairs.append(this.#first, this.#second);
    const gains = GAINS.map((gain) => ({ value: String(gain), label: `${gain}×` }));
    this.#gain = select("Gain: how much differences are magnified", gains, (value) =>
      events.gain(Number(value)),
    );
    this.#zoom = new ZoomBar(() => events.look(), true);
    this.element = h(
      "div",
      { class: "ipya-compare-bar" },
      modes,
      this.#pairs,
      this.#gain,
      h("span", { class: "ipya-space" }),
      this.#zoom.element,
    );
  }

  sync({ mode, pair, gain, zoom, fit }: Standing): void {
    for (const [name, element] of this.#modes) element.setAttribute("aria-pressed", String(name === mode));
    this.#pairs.hidden = mode === "beside" || !this.#several;
    this.#gain.hidden = mode !== "difference";
    this.#first.value = String(pair[0]);
    this.#second.value = String(pair[1]);
    this.#gain.value = String(gain);
    this.#zoom.sync(`${Math.round(zoom * 100)}%`, fit);
  }
}
