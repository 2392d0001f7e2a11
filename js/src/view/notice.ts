import { noticeFor, type Remedy } from "../core/notices";
import type { AssetSource } from "../source";
import { button, h, icon, say } from "./dom";

/** Milliseconds after which a first search is said to take its time. */
const LONG = 4_000;

/** What stands in the grid's place when there is nothing to show: searching, nothing found, failed. */
export class Notice {
  readonly element: HTMLElement;
  readonly #title = h("div", { class: "ipya-notice-title" });
  readonly #text = h("div", { class: "ipya-notice-text", dir: "auto" });
  readonly #hint = h("div", { class: "ipya-notice-text" });
  readonly #remedies: Record<Remedy, HTMLButtonElement>;
  readonly #mark = h("div", { class: "ipya-notice-mark", "aria-hidden": "true" });
  readonly #source: AssetSource;
  #marked = "";
  #had = false;
  #waiting: ReturnType<typeof setTimeout> | undefined;

  constructor(source: AssetSource) {
    this.#source = source;
    this.#remedies = {
      retry: button({ text: "Try again", onClick: () => source.search(source.now.query) }),
      reset: button({
        text: "Clear search and filters",
        onClick: () => source.search({ ...source.now.query, text: "", filters: {} }),
      }),
    };
    this.element = h(
      "div",
      { class: "ipya-notice" },
      h(
        "div",
        { class: "ipya-notice-said", role: "status" },
        this.#mark,
        this.#title,
        this.#text,
        this.#hint,
      ),
      this.#remedies.retry,
      this.#remedies.reset,
    );
    this.sync();
  }

  /** Whether the notice stands instead of the grid. */
  sync(): boolean {
    this.#had ||= this.#source.now.result.state === "ready";
    const said = noticeFor(this.#source.now, this.#had);
    clearTimeout(this.#waiting);
    this.element.hidden = said === null;
    if (said === null) return false;
    say(this.#title, said.title);
    say(this.#text, said.text);
    say(this.#hint, said.hint);
    this.#text.hidden = !said.text;
    this.#hint.hidden = !said.hint;
    const mark = said.kind === "trouble" ? "warning" : said.kind === "empty" ? "search" : "";
    if (mark !== this.#marked) this.#mark.replaceChildren(...(mark ? [icon(mark)] : []));
    this.#marked = mark;
    this.#mark.hidden = !mark;
    this.element.dataset.kind = said.kind;
    for (const [remedy, element] of Object.entries(this.#remedies))
      element.hidden = !said.remedies.includes(remedy as Remedy);
    if (said.kind === "wait" && this.#source.now.link === "ok")
      this.#waiting = setTimeout(() => this.#long(), LONG);
    return true;
  }

  close(): void {
    clearTimeout(this.#waiting);
  }

  #long(): void {
    say(this.#hint, "This takes longer than usual. Requests that fail are sent again by themselves.");
    this.#hint.hidden = false;
  }
}
