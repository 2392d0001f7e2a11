import type { Turn } from "../core/turning";
import { button, h, icon, SUPPRESS, say, select } from "../view/dom";

const SPEEDS = [0.25, 0.5, 1, 2, 4];

export interface ControlEvents {
  play(): void;
  /** A frame was chosen. */
  go(frame: number): void;
  speed(speed: number): void;
  turnAround(): void;
}

/** Play, where one is, how fast and which way round. */
export class Controls {
  readonly element: HTMLElement;
  readonly #play: HTMLButtonElement;
  readonly #slider = h("input", {
    type: "range",
    class: "ipya-place",
    min: 1,
    max: 1,
    step: 1,
    value: 1,
    "aria-label": "Frame",
    [SUPPRESS]: "true",
  });
  readonly #number = h("span", { class: "ipya-number" });
  readonly #around: HTMLButtonElement;
  readonly #speed: HTMLSelectElement;
  #playing: boolean | null = null;

  constructor(events: ControlEvents) {
    this.#play = button({ icon: "play", label: "Play (Space)", onClick: () => events.play() });
    this.#play.classList.add("ipya-play");
    this.#slider.addEventListener("input", () => events.go(Number(this.#slider.value) - 1));
    this.#around = button({
      icon: "backwards",
      label: "Play backwards",
      onClick: () => events.turnAround(),
    });
    this.#speed = select(
      "Speed",
      SPEEDS.map((speed) => ({ value: String(speed), label: `${speed}×` })),
      (value) => events.speed(Number(value)),
    );
    this.#speed.classList.add("ipya-speed");
    this.#speed.value = "1";
    this.element = h(
      "div",
      { class: "ipya-controls" },
      this.#play,
      this.#slider,
      this.#number,
      this.#around,
      this.#speed,
    );
  }

  sync(turn: Turn, ready: boolean): void {
    const { count, frame } = turn;
    this.#slider.max = String(count);
    this.#slider.value = String(frame + 1);
    this.#slider.setAttribute("aria-valuetext", `Frame ${frame + 1} of ${count}`);
    this.#slider.style.setProperty("--ipya-share", String(count > 1 ? frame / (count - 1) : 0));
    say(this.#number, ready ? `${frame + 1} / ${count}` : "");
    this.#number.style.minWidth = `${2 * String(count).length + 3}ch`;
    for (const control of [this.#play, this.#slider, this.#around, this.#speed]) control.disabled = !ready;
    this.#around.setAttribute("aria-pressed", String(turn.direction < 0));
    if (turn.playing === this.#playing) return;
    this.#playing = turn.playing;
    this.#play.replaceChildren(icon(turn.playing ? "pause" : "play"));
    const label = turn.playing ? "Pause (Space)" : "Play (Space)";
    this.#play.setAttribute("aria-label", label);
    this.#play.title = label;
  }
}
