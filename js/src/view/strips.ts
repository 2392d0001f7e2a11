import type { AssetSource, Link } from "../source";
import { button, counted, h, icon, say } from "./dom";

/** The sandbox's banner above everything. */
export function banner(text: string): HTMLElement {
  return h("div", { class: "ipya-strip ipya-banner", role: "note" }, text);
}

/** Says that the kernel does not answer, and offers to ask again. */
export class LinkStrip {
  readonly element: HTMLElement;
  readonly #text = h("span", {});
  readonly #again: HTMLButtonElement;
  readonly #link: () => Link;

  constructor(link: () => Link, knock: () => void) {
    this.#link = link;
    this.#again = button({ text: "Ask again", onClick: knock });
    this.element = h(
      "div",
      { class: "ipya-strip ipya-trouble", role: "status" },
      icon("warning"),
      this.#text,
      h("span", { class: "ipya-space" }),
      this.#again,
    );
    this.sync();
  }

  sync(): void {
    const link = this.#link();
    this.element.hidden = link === "ok";
    this.#again.hidden = link !== "slow";
    if (link === "busy")
      say(this.#text, "The kernel is busy with a cell. What you do here waits until that cell is done.");
    if (link === "slow") say(this.#text, "The kernel does not answer: it is busy, restarting or gone.");
    if (link === "lost") say(this.#text, "The kernel is gone. Run the cell again to bring this widget back.");
  }
}

/** Says that pictures which show did not load, why the first of them did not, and offers to ask again. */
export class FailedStrip {
  readonly element: HTMLElement;
  readonly #text = h("span", { class: "ipya-strip-words", dir: "auto" });

  constructor(again: () => void) {
    this.element = h(
      "div",
      { class: "ipya-strip ipya-trouble", role: "status", hidden: true },
      icon("warning"),
      this.#text,
      h("span", { class: "ipya-space" }),
      button({ text: "Try again", onClick: again }),
    );
  }

  say(count: number, why: string): void {
    this.element.hidden = count === 0;
    if (count) say(this.#text, `${counted(count, ["picture", "pictures"])} did not load. ${why}`);
  }
}

/** Stands at the bottom while Python awaits `pick()`. */
export class PickStrip {
  readonly element: HTMLElement;
  readonly #use: HTMLButtonElement;
  readonly #source: AssetSource;

  constructor(source: AssetSource) {
    this.#source = source;
    this.#use = button({ text: "Use selection", look: "primary", onClick: () => source.use() });
    this.element = h(
      "div",
      { class: "ipya-strip ipya-pick", role: "status" },
      h("span", {}, "The notebook waits for your choice."),
      h("span", { class: "ipya-space" }),
      this.#use,
    );
    this.sync();
  }

  sync(): void {
    const { picking, selection, outside, setup } = this.#source.now;
    const size = selection.size + outside;
    this.element.hidden = !picking;
    this.#use.disabled = size === 0;
    this.#use.title = size ? counted(size, setup.nouns) : "Select something first";
  }
}
