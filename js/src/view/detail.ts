import { edgeFor } from "../core/edges";
import type { Tiles } from "../core/tiles";
import type { AssetSource, Detail, Topic } from "../source";
import { button, h, SUPPRESS, say } from "./dom";
import { LargePicture } from "./large";

/** Pixels along the longer side that are asked for at first, and at most. */
const LARGE = 1024;
const LARGEST = 4096;

/** One asset large, with all that is known of it; a dialog inside the widget. */
export class DetailView {
  readonly element: HTMLElement;
  readonly #source: AssetSource;
  readonly #tiles: Tiles;
  readonly #onClose: (index: number) => void;
  readonly #title = h("h2", {
    class: "ipya-view-title",
    dir: "auto",
    id: `ipya-${Math.random().toString(36).slice(2)}`,
  });
  readonly #place = h("span", { class: "ipya-detail-place" });
  readonly #picture: LargePicture;
  readonly #facts = h("dl", { class: "ipya-facts" });
  readonly #side = h(
    "div",
    { class: "ipya-detail-facts", tabindex: 0, "aria-label": "Details", role: "group", [SUPPRESS]: "true" },
    this.#facts,
  );
  readonly #previous: HTMLButtonElement;
  readonly #next: HTMLButtonElement;
  readonly #chosen: HTMLButtonElement;
  #index = 0;
  #asking: AbortController | null = null;
  /** Pixels along the longer side that the picture was last asked with. */
  #edge = LARGE;

  constructor(source: AssetSource, tiles: Tiles, onClose: (index: number) => void) {
    this.#source = source;
    this.#tiles = tiles;
    this.#onClose = onClose;
    this.#picture = new LargePicture({
      closer: (pixels) => this.#closer(pixels),
      retry: () => this.#ask(),
      mayZoom: () => this.element.matches(":focus-within"),
    });
    this.#previous = button({
      icon: "previous",
      label: "Previous (left arrow)",
      onClick: () => this.#step(-1),
    });
    this.#next = button({ icon: "next", label: "Next (right arrow)", onClick: () => this.#step(1) });
    this.#chosen = button({ icon: "check", text: "Select", onClick: () => this.#toggle() });
    this.#chosen.setAttribute("aria-keyshortcuts", "Space");
    const close = button({ icon: "close", label: "Close (Escape)", onClick: () => this.close() });
    this.element = h(
      "div",
      {
        class: "ipya-detail",
        role: "dialog",
        "aria-modal": "true",
        "aria-labelledby": this.#title.id,
        tabindex: -1,
        hidden: true,
        [SUPPRESS]: "true",
      },
      h(
        "div",
        { class: "ipya-view-bar" },
        this.#previous,
        this.#next,
        this.#place,
        this.#title,
        source.now.setup.kind !== "page" && this.#chosen,
        close,
      ),
      h("div", { class: "ipya-detail-body" }, this.#picture.element, this.#side),
    );
    this.element.addEventListener("keydown", (event) => this.#onKey(event));
  }

  get open(): boolean {
    return !this.element.hidden;
  }

  show(index: number): void {
    this.element.hidden = false;
    this.#index = index;
    this.#ask();
    this.element.focus({ preventScroll: true });
  }

  sync(changed: ReadonlySet<Topic>): void {
    if (!this.open) return;
    if (changed.has("result") && this.#source.now.result.generation !== this.#tiles.generation) {
      this.close();
      return;
    }
    this.#paintPlace(); // a list that is walked may have grown
    this.#paintChosen();
  }

  /** Close, and say which asset was last shown. */
  close(): void {
    if (!this.open) return;
    this.element.hidden = true;
    this.#asking?.abort();
    this.#picture.free();
    this.#onClose(this.#index);
  }

  dispose(): void {
    this.#asking?.abort();
    this.#picture.close();
  }

  #ask(): void {
    this.#asking?.abort();
    const asking = new AbortController();
    this.#asking = asking;
    const small = this.#tiles.get(this.#index);
    say(this.#title, small?.name || `Item ${this.#index + 1}`);
    this.#title.title = small?.name ?? "";
    this.#paintPlace();
    this.#paintChosen();
    this.#facts.replaceChildren();
    this.#picture.wait(small?.encoded);
    this.#edge = LARGE;
    this.#source
      .detail(this.#tiles.generation, this.#index, LARGE, asking.signal)
      .then((detail) => !asking.signal.aborted && this.#paint(detail))
      .catch((error: Error) => !asking.signal.aborted && this.#picture.mark("warning", error.message, true));
  }

  #paint(detail: Detail): void {
    const name = detail.name || `Item ${this.#index + 1}`;
    say(this.#title, name);
    this.#title.title = name; // the line cuts a long one
    this.#facts.replaceChildren(
      ...detail.facts.flatMap(([label, value]) => [h("dt", {}, label), h("dd", { dir: "auto" }, value)]),
    );
    if (detail.encoded) void this.#picture.show(detail.encoded, name);
    else if (detail.state === "none") this.#picture.mark("noPicture", this.#source.now.setup.missing, false);
    else {
      const mayCome = this.#source.now.setup.kind !== "page";
      this.#picture.mark("warning", detail.message || "The picture could not be loaded.", mayCome);
    }
  }

  /**
   * Zoomed in so far that more pixels would show: ask for them. What came smaller than it was asked for is all there is,
   * since Python makes nothing larger than it is.
   */
  #closer(pixels: number): void {
    const asking = this.#asking;
    const wanted = edgeFor(pixels, LARGEST);
    if (!asking || asking.signal.aborted || wanted <= this.#edge || this.#picture.longest < this.#edge)
      return;
    this.#edge = wanted;
    this.#source
      .detail(this.#tiles.generation, this.#index, wanted, asking.signal)
      .then((detail) => {
        const longest = Math.max(detail.width, detail.height);
        if (asking.signal.aborted || !detail.encoded || longest <= this.#picture.longest) return;
        void this.#picture.show(detail.encoded, detail.name);
      })
      .catch(() => undefined); // the picture that shows stays
  }

  #paintPlace(): void {
    const { count, ended } = this.#source.now.result;
    const all = count.toLocaleString("en") + (ended ? "" : "+");
    say(this.#place, `${(this.#index + 1).toLocaleString("en")} / ${all}`);
    this.#previous.disabled = this.#index === 0;
    this.#next.disabled = this.#index >= count - 1;
  }

  #paintChosen(): void {
    const on = this.#source.now.selection.has(this.#index);
    this.#chosen.setAttribute("aria-pressed", String(on));
    say(this.#chosen.lastElementChild as Element, on ? "Selected" : "Select");
  }

  #toggle(): void {
    this.#source.select(this.#source.now.selection.toggle(this.#index));
    this.#paintChosen();
  }

  #step(by: number): void {
    const to = this.#index + by;
    if (to < 0 || to >= this.#source.now.result.count) return;
    this.#index = to;
    this.#ask();
  }

  #onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target as Element;
    const reading = this.#side.contains(target);
    if (event.key === "Tab") {
      this.#keepFocus(event);
      return;
    }
    if (event.key === "Escape") this.close();
    else if (event.key === " " && target.closest("button") === null) this.#toggle();
    else if (this.#picture.look.key(event, this.#picture.zoomed && !reading)) {
      // moved or zoomed
    } else if (event.key === "ArrowLeft" || (event.key === "PageUp" && !reading)) this.#step(-1);
    else if (event.key === "ArrowRight" || (event.key === "PageDown" && !reading)) this.#step(1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** A modal dialog keeps Tab within itself. */
  #keepFocus(event: KeyboardEvent): void {
    const stops = [...this.element.querySelectorAll<HTMLElement>("button:not(:disabled), [tabindex='0']")];
    const root = this.element.getRootNode() as Document | ShadowRoot;
    const at = stops.indexOf(root.activeElement as HTMLElement);
    const to = event.shiftKey ? (at <= 0 ? stops.length - 1 : at - 1) : at + 1 >= stops.length ? 0 : at + 1;
    event.preventDefault();
    stops[to]?.focus();
  }
}
