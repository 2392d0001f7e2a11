import type { Encoded } from "../core/encoded";
import type { Kept } from "../core/tiles";
import { h, icon, SUPPRESS, say } from "../view/dom";
import type { JobInfo, Stage } from "./protocol";
import { hasMade, type JobState, type Row } from "./state";
import { clock, stageWords } from "./words";

const ICONS = {
  queued: "clock",
  running: "turning",
  completed: "check",
  failed: "failed",
  stopped: "stopped",
} as const satisfies Record<Stage, Parameters<typeof icon>[0]>;

export const stageIcon = (stage: Stage): SVGSVGElement => icon(ICONS[stage]);

/** One line in the document. Painted again whenever what is known of it changes. */
export class RowView {
  readonly element: HTMLElement;
  readonly index: number;
  readonly #picture = h("div", { class: "ipya-line-picture", "aria-hidden": "true" });
  readonly #name = h("div", { class: "ipya-line-name", dir: "auto" });
  readonly #error = h("div", { class: "ipya-line-error", dir: "auto" });
  readonly #stages: Chip[];
  readonly #time = h("div", { class: "ipya-line-time", role: "gridcell" });
  #encoded: Encoded | null = null;

  constructor(index: number, info: JobInfo) {
    this.index = index;
    this.#stages = info.parts.map(({ label }) => new Chip(label));
    this.element = h(
      "div",
      {
        role: "row",
        class: "ipya-jobline",
        "data-index": index,
        tabindex: -1,
        [SUPPRESS]: "true",
      },
      this.#picture,
      h("div", { class: "ipya-line-what", role: "gridcell" }, this.#name, this.#error),
      h(
        "div",
        { class: "ipya-line-stages", role: "gridcell" },
        ...this.#stages.map(({ element }) => element),
      ),
      this.#time,
      h("div", { class: "ipya-line-more", "aria-hidden": "true" }, icon("next")),
    );
  }

  paint(row: Row, state: JobState, now: number): void {
    const name = row.name || `Item ${row.index + 1}`;
    say(this.#name, name);
    this.#name.title = name;
    const errors = Object.entries(row.errors ?? {});
    const label = (part: string) => state.info.parts.find(({ name }) => name === part)?.label ?? part;
    const words = errors.map(([part, message]) => `${label(part)}: ${message}`).join("  ");
    say(this.#error, words);
    this.#error.title = words;
    this.#error.hidden = words === "";
    for (const [i, chip] of this.#stages.entries())
      chip.paint(row.stages[i] ?? null, row.shares?.[i] ?? null);
    this.element.dataset.made = String(hasMade(row));
    this.tick(row, state, now);
  }

  tick(row: Row, state: JobState, now: number): void {
    const time = row.began === undefined ? "" : clock(state.elapsed(row.began, row.ended, now));
    say(this.#time, time);
  }

  picture(tile: Kept | undefined): void {
    const encoded = tile?.encoded ?? null;
    this.#picture.dataset.state = tile?.state ?? "unknown";
    if (encoded === this.#encoded && this.#picture.hasChildNodes()) return;
    this.#encoded = encoded;
    if (encoded) {
      const image = h("img", { class: "ipya-line-image", alt: "", draggable: "false", decoding: "async" });
      image.src = encoded.dataUrl();
      this.#picture.replaceChildren(image);
    } else if (tile?.state === "none" || tile?.state === "error") {
      this.#picture.replaceChildren(icon("noPicture"));
    } else {
      this.#picture.replaceChildren();
    }
  }
}

/** How far one part has come: an icon, its name, and a word. */
class Chip {
  readonly element = h("span", { class: "ipya-part" });
  readonly #label: string;
  readonly #word = h("span", { class: "ipya-part-word" });
  #stage: Stage | null | undefined;

  constructor(label: string) {
    this.#label = label;
  }

  paint(stage: Stage | null, share: number | null): void {
    if (stage !== this.#stage) {
      this.#stage = stage;
      this.element.dataset.stage = stage ?? "none";
      if (stage) this.element.replaceChildren(stageIcon(stage), h("span", {}, `${this.#label} `), this.#word);
      else this.element.replaceChildren();
    }
    if (stage) say(this.#word, stageWords(stage, share));
  }
}
