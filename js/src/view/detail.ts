import type { Tiles } from "../core/tiles";
import type { AssetSource, Detail, Topic } from "../source";
import { button, h, icon, SUPPRESS, say } from "./dom";

const LARGE = 1024;

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
  readonly #picture = h("div", { class: "ipya-detail-picture" });
  readonly #facts = h("dl", { class: "ipya-facts" });
  readonly #previous: HTMLButtonElement;
  readonly #next: HTMLButtonElement;
  readonly #chosen: HTMLButtonElement;
  readonly #urls: string[] = [];
  #index = 0;
  #asking: AbortController | null = null;

  constructor(source: AssetSource, tiles: Tiles, onClose: (index: number) => void) {
    this.#source = source;
    this.#tiles = tiles;
    this.#onClose = onClose;
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
      h(
        "div",
        { class: "ipya-detail-body" },
        this.#picture,
        h(
          "div",
          {
            class: "ipya-detail-facts",
            tabindex: 0,
            "aria-label": "Details",
            role: "region",
            [SUPPRESS]: "true",
          },
          this.#facts,
        ),
      ),
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
    this.dispose();
    this.#onClose(this.#index);
  }

  dispose(): void {
    this.#asking?.abort();
    this.#freeUrls();
  }

  #ask(): void {
    this.#asking?.abort();
    const asking = new AbortController();
    this.#asking = asking;
    const small = this.#tiles.get(this.#index);
    say(this.#title, small?.name || `Item ${this.#index + 1}`);
    this.#paintPlace();
    this.#paintChosen();
    this.#facts.replaceChildren();
    this.#freeUrls();
    // The thumbnail stands in, scaled up, until the large picture comes.
    if (small?.encoded) this.#showImage(small.encoded.dataUrl(), true);
    else this.#picture.replaceChildren();
    this.#picture.setAttribute("aria-busy", "true");
    this.#source
      .detail(this.#tiles.generation, this.#index, LARGE, asking.signal)
      .then((detail) => !asking.signal.aborted && this.#paint(detail))
      .catch((error: Error) => !asking.signal.aborted && this.#mark("warning", error.message));
  }

  #paint(detail: Detail): void {
    say(this.#title, detail.name || `Item ${this.#index + 1}`);
    this.#facts.replaceChildren(
      ...detail.facts.flatMap(([label, value]) => [h("dt", {}, label), h("dd", { dir: "auto" }, value)]),
    );
    if (detail.encoded) {
      const url = URL.createObjectURL(detail.encoded.blob());
      this.#urls.push(url);
      this.#showImage(url, false);
    } else if (detail.state === "none") {
      this.#mark("noPicture", this.#source.now.setup.missing);
    } else {
      this.#mark("warning", detail.message || "The picture could not be loaded.");
    }
  }

  #showImage(url: string, standIn: boolean): void {
    const image = h("img", {
      class: standIn ? "ipya-large ipya-stand-in" : "ipya-large",
      alt: "",
      draggable: "false",
    });
    image.src = url;
    if (standIn) {
      this.#picture.replaceChildren(image);
      return;
    }
    // Swapped when it can be painted: no blank between the stand-in and the picture. By then another one may be asked for.
    const current = () => this.#urls.includes(url);
    image.decode().then(
      () => current() && this.#settle(image),
      () => current() && this.#mark("warning", "The browser cannot decode this picture."),
    );
  }

  #settle(image: HTMLImageElement): void {
    this.#picture.setAttribute("aria-busy", "false");
    this.#picture.replaceChildren(image);
  }

  #mark(name: "noPicture" | "warning", text: string): void {
    this.#picture.setAttribute("aria-busy", "false");
    this.#picture.replaceChildren(
      h("div", { class: "ipya-mark" }, icon(name), h("span", { dir: "auto" }, text)),
    );
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

  #freeUrls(): void {
    for (const url of this.#urls.splice(0)) URL.revokeObjectURL(url);
  }

  #onKey(event: KeyboardEvent): void {
    const onButton = (event.target as Element).closest("button") !== null;
    if (event.key === "ArrowLeft") this.#step(-1);
    else if (event.key === "ArrowRight") this.#step(1);
    else if (event.key === "Escape") this.close();
    else if (event.key === " " && !onButton) this.#toggle();
    else if (event.key === "Tab") {
      this.#keepFocus(event);
      return;
    } else return;
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
