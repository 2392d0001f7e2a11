import { Ranges } from "../core/ranges";
import type { AssetSource } from "../source";
import { button, counted, h, icon, SUPPRESS, say } from "./dom";

export const TILE_SIZES = { least: 96, usual: 152, most: 320 };

interface StatusEvents {
  selectAll(): void;
  tileSize(size: number): void;
}

/** How many there are, how many are selected, and how large they show. */
export class Status {
  readonly element: HTMLElement;
  readonly #count = h("span", { class: "ipya-total", role: "status" });
  readonly #selected = h("span", { class: "ipya-selected", role: "status" });
  readonly #all: HTMLButtonElement;
  readonly #clear: HTMLButtonElement;
  readonly #source: AssetSource;

  constructor(source: AssetSource, events: StatusEvents) {
    this.#source = source;
    this.#all = button({ text: "Select all", onClick: () => events.selectAll() });
    this.#clear = button({
      text: "Clear",
      label: "Clear selection",
      onClick: () => source.select(Ranges.empty),
    });
    const size = h("input", {
      type: "range",
      class: "ipya-size",
      min: TILE_SIZES.least,
      max: TILE_SIZES.most,
      step: 8,
      value: TILE_SIZES.usual,
      "aria-label": "Tile size",
      title: "Tile size",
      [SUPPRESS]: "true",
    });
    size.addEventListener("input", () => events.tileSize(Number(size.value)));
    this.element = h(
      "div",
      { class: "ipya-status" },
      this.#count,
      this.#selected,
      source.now.setup.kind !== "page" && this.#all,
      this.#clear,
      h("span", { class: "ipya-space" }),
      h("span", { class: "ipya-sizes" }, icon("small"), size, icon("large")),
    );
    this.sync();
  }

  sync(): void {
    const { setup, result, selection, outside, link } = this.#source.now;
    const total = result.total ?? result.count;
    const open = result.total === null && !result.ended;
    const text = `${counted(total, setup.nouns)}${open ? " so far" : ""}`;
    const words = { ready: text, loading: link === "lost" ? "" : "Searching…", error: "" };
    say(this.#count, words[result.state]);
    const size = selection.size + outside;
    const elsewhere = outside ? ` (${outside.toLocaleString("en")} not shown here)` : "";
    say(this.#selected, size ? `${size.toLocaleString("en")} selected${elsewhere}` : "");
    this.#count.hidden = !this.#count.textContent;
    this.#all.hidden = result.state === "error" || (result.state === "ready" && result.count === 0);
    this.#all.disabled = result.state !== "ready" || result.count === 0 || selection.size === result.count;
    this.#all.title = result.ended ? "" : `Select the ${result.count.toLocaleString("en")} found so far`;
    this.#clear.hidden = size === 0;
  }
}
