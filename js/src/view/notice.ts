import type { AssetSource } from "../source";
import { button, h, icon, say } from "./dom";

/** What stands in the grid's place when there is nothing to show: searching, nothing found, failed. */
export class Notice {
  readonly element: HTMLElement;
  readonly #title = h("div", { class: "ipya-notice-title" });
  readonly #text = h("div", { class: "ipya-notice-text", dir: "auto" });
  readonly #retry: HTMLButtonElement;
  readonly #reset: HTMLButtonElement;
  readonly #mark = h("div", { class: "ipya-notice-mark" }, icon("warning"));
  readonly #source: AssetSource;
  /** A first result has come: from then on a search dims what shows, and does not replace it. */
  #had = false;

  constructor(source: AssetSource) {
    this.#source = source;
    this.#retry = button({ text: "Retry", onClick: () => source.search(source.now.query) });
    this.#reset = button({
      text: "Clear search and filters",
      onClick: () => source.search({ ...source.now.query, text: "", filters: {} }),
    });
    this.element = h(
      "div",
      { class: "ipya-notice", role: "status" },
      this.#mark,
      this.#title,
      this.#text,
      this.#retry,
      this.#reset,
    );
    this.sync();
  }

  /** Whether the notice stands instead of the grid. */
  sync(): boolean {
    const { setup, query, result, refusal } = this.#source.now;
    const title = setup.services.find(({ key }) => key === query.service)?.title;
    const narrowed = query.text !== "" || Object.keys(query.filters).length > 0;
    const failed = result.state === "error" || (refusal !== null && result.state === "ready");
    const empty = result.state === "ready" && result.count === 0 && result.ended;
    this.#had ||= result.state === "ready";
    const first = result.state === "loading" && !this.#had;
    if (failed) {
      say(this.#title, title ? `${title} could not be searched` : "Something went wrong");
      say(this.#text, refusal ?? result.message ?? "");
    } else if (empty) {
      say(this.#title, narrowed ? `No ${setup.nouns[1]} match` : `No ${setup.nouns[1]} here`);
      say(this.#text, query.text ? `“${query.text}”` : "");
    } else if (first) {
      say(this.#title, title ? `Searching ${title}…` : "Loading…");
      say(this.#text, "");
    }
    this.#mark.hidden = !failed;
    this.#retry.hidden = !failed;
    this.#reset.hidden = !(empty && narrowed);
    this.element.hidden = !(failed || empty || first);
    return !this.element.hidden;
  }
}
