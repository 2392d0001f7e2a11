import { actionFor, target } from "../core/keys";
import { Ranges } from "../core/ranges";
import { h } from "../view/dom";
import type { Job } from "./job";
import { RowView } from "./row";
import type { Filter } from "./state";

/** Lines kept mounted beyond the edges, so that a small movement meets lines that are there. */
const OVERSCAN = 4;
/** Milliseconds of rest after which pictures of what shows are asked for. */
const REST = 60;
/** Longest side of a line's picture, in device pixels. */
const EDGE = 96;
/** Height of a line, in CSS pixels; where it is narrow the stages go below the name. */
const HEIGHTS = { wide: 48, narrow: 68 };
const NARROW = 560;

export interface ListEvents {
  open(index: number): void;
  /** Escape. */
  leave(): void;
}

/** The lines of one job: as many in the document as show and a few more, whatever the count. */
export class List {
  readonly element: HTMLElement;
  readonly #body = h("div", { class: "ipya-lines", role: "rowgroup" });
  readonly #empty = h("div", { class: "ipya-lines-none", role: "none" });
  readonly #rows = new Map<number, RowView>();
  readonly #job: Job;
  readonly #events: ListEvents;
  readonly #cleanup: (() => void)[] = [];
  /** Lines that the filter lets through, in order. */
  #shown: number[] = [];
  #places = new Map<number, number>();
  #filter: Filter = "all";
  #active = 0;
  #focused = false;
  #removing = false;
  #height = 0;
  #rowHeight = HEIGHTS.wide;
  #frame = 0;
  #rest: ReturnType<typeof setTimeout> | undefined;

  constructor(job: Job, events: ListEvents) {
    this.#job = job;
    this.#events = events;
    this.element = h(
      "div",
      { class: "ipya-list", role: "grid", "aria-label": job.state.info.title },
      this.#body,
      this.#empty,
    );
    this.element.addEventListener("scroll", () => this.#onScroll(), { passive: true });
    this.element.addEventListener("keydown", (event) => this.#onKey(event));
    this.element.addEventListener("click", (event) => this.#onClick(event));
    this.element.addEventListener("focusin", (event) => this.#onFocus(event));
    this.element.addEventListener("focusout", (event) => this.#onBlur(event));
    const resized = new ResizeObserver(() => this.#measure());
    resized.observe(this.element);
    this.#cleanup.push(
      () => resized.disconnect(),
      job.tiles.subscribe((indices) => {
        for (const index of indices) this.#rows.get(index)?.picture(job.tiles.get(index));
      }),
      () => job.tiles.leave(this),
    );
    this.#arrange();
  }

  get filter(): Filter {
    return this.#filter;
  }

  /** The line before or after `index` among those that show; null at the ends. */
  beside(index: number, by: 1 | -1): number | null {
    const place = this.#places.get(index);
    return place === undefined ? (this.#shown[0] ?? null) : (this.#shown[place + by] ?? null);
  }

  show(filter: Filter): void {
    this.#filter = filter;
    this.element.scrollTop = 0;
    this.sync(this.#job.state.rows.map(({ index }) => index));
  }

  /** These lines changed. */
  sync(changed: readonly number[]): void {
    const shown = this.#job.state.matching(this.#filter);
    const same = shown.length === this.#shown.length && shown.every((index, i) => index === this.#shown[i]);
    if (!same) {
      this.#shown = shown;
      this.#places = new Map(shown.map((index, place) => [index, place]));
      if (!this.#places.has(this.#active)) this.#active = nearest(shown, this.#active);
      this.#arrange();
    }
    const now = Date.now() / 1000;
    for (const index of changed) this.#paint(this.#rows.get(index), now);
    if (!same) this.#render();
  }

  /** A second has passed. */
  tick(now: number): void {
    for (const view of this.#rows.values()) {
      const row = this.#job.state.rows[view.index];
      if (row && row.ended === undefined) view.tick(row, this.#job.state, now);
    }
  }

  focus(index = this.#active): void {
    if (!this.#shown.length) return;
    this.#active = this.#places.has(index) ? index : nearest(this.#shown, index);
    this.#focused = true;
    this.#showActive();
  }

  close(): void {
    for (const run of this.#cleanup) run();
    clearTimeout(this.#rest);
    cancelAnimationFrame(this.#frame);
  }

  #measure(): void {
    const { clientWidth, clientHeight } = this.element;
    if (clientWidth === 0) return;
    const rowHeight = clientWidth < NARROW ? HEIGHTS.narrow : HEIGHTS.wide;
    if (rowHeight === this.#rowHeight && clientHeight === this.#height) return;
    this.#height = clientHeight;
    this.#rowHeight = rowHeight;
    this.element.dataset.narrow = String(clientWidth < NARROW);
    this.#arrange();
    this.#render();
    this.#wish();
  }

  #arrange(): void {
    const count = this.#shown.length;
    const height = count * this.#rowHeight;
    this.#body.style.height = `${height}px`;
    this.element.style.setProperty("--ipya-content", `${Math.max(height, this.#rowHeight)}px`);
    this.element.style.setProperty("--ipya-line", `${this.#rowHeight}px`);
    this.element.setAttribute("aria-rowcount", String(count));
    const waiting = this.#job.state.standing === null;
    const words = {
      all: "There is nothing to do.",
      running: "Nothing is running.",
      failed: "Nothing failed.",
    };
    this.#empty.textContent = count ? "" : waiting ? "Asking how it stands…" : words[this.#filter];
    this.#empty.hidden = count > 0;
  }

  #visible(overscan = 0): number[] {
    const first = Math.floor(this.element.scrollTop / this.#rowHeight) - overscan;
    const last = Math.ceil((this.element.scrollTop + this.#height) / this.#rowHeight) + overscan;
    return this.#shown.slice(Math.max(0, first), Math.max(0, last));
  }

  #render(): void {
    if (!this.#height) return;
    const wanted = new Set(this.#visible(OVERSCAN));
    // The focused line stays in the document wherever one scrolls, or the focus would fall out of the widget.
    if (this.#focused && this.#places.has(this.#active)) wanted.add(this.#active);
    this.#removing = true;
    for (const [index, view] of this.#rows) {
      if (wanted.has(index)) continue;
      view.element.remove();
      this.#rows.delete(index);
    }
    this.#removing = false;
    const now = Date.now() / 1000;
    for (const index of wanted) {
      const view = this.#rows.get(index) ?? this.#make(index, now);
      const place = this.#places.get(index) ?? 0;
      view.element.style.transform = `translateY(${place * this.#rowHeight}px)`;
      view.element.setAttribute("aria-rowindex", String(place + 1));
    }
    this.#job.tiles.pin(this, Ranges.indices(wanted));
    for (const view of this.#rows.values()) view.element.tabIndex = view.index === this.#tabStop() ? 0 : -1;
    this.#wishSoon();
  }

  #make(index: number, now: number): RowView {
    const view = new RowView(index, this.#job.state.info);
    this.#paint(view, now);
    view.picture(this.#job.tiles.get(index));
    // Lines stand in reading order in the document, whichever was made first.
    const after = [...this.#rows.keys()].filter((other) => other > index).sort((a, b) => a - b)[0];
    this.#body.insertBefore(
      view.element,
      after === undefined ? null : (this.#rows.get(after)?.element ?? null),
    );
    this.#rows.set(index, view);
    return view;
  }

  #paint(view: RowView | undefined, now: number): void {
    const row = view && this.#job.state.rows[view.index];
    if (row) view.paint(row, this.#job.state, now);
  }

  #tabStop(): number {
    return this.#rows.has(this.#active) ? this.#active : (this.#visible()[0] ?? 0);
  }

  #wish(): void {
    clearTimeout(this.#rest);
    this.#rest = undefined;
    if (!this.#height) return;
    this.#job.tiles.wish(this, { visible: Ranges.indices(this.#visible()), ahead: Ranges.empty, edge: EDGE });
  }

  #wishSoon(): void {
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => this.#wish(), REST);
  }

  #showActive(): void {
    const top = (this.#places.get(this.#active) ?? 0) * this.#rowHeight;
    const { scrollTop } = this.element;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (top + this.#rowHeight > scrollTop + this.#height)
      this.element.scrollTop = top + this.#rowHeight - this.#height;
    this.#render();
    this.#rows.get(this.#active)?.element.focus({ preventScroll: true });
  }

  #onScroll(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#render());
  }

  #indexOf(from: EventTarget | null): number | null {
    const line = (from as Element | null)?.closest?.<HTMLElement>(".ipya-jobline");
    return line && this.element.contains(line) ? Number(line.dataset.index) : null;
  }

  #onClick(event: MouseEvent): void {
    const index = this.#indexOf(event.target);
    if (index === null || !getSelection()?.isCollapsed) return; // somebody marks words to copy them
    this.#active = index;
    this.#events.open(index);
  }

  #onFocus(event: FocusEvent): void {
    const index = this.#indexOf(event.target);
    if (index === null) return;
    this.#focused = true;
    this.#active = index;
    for (const view of this.#rows.values()) view.element.tabIndex = view.index === index ? 0 : -1;
  }

  #onBlur(event: FocusEvent): void {
    if (!this.#removing && !this.element.contains(event.relatedTarget as Node | null)) this.#focused = false;
  }

  #onKey(event: KeyboardEvent): void {
    const action = actionFor(event);
    if (!action || this.#indexOf(event.target) === null) return;
    const place = this.#places.get(this.#active) ?? 0;
    const page = Math.max(1, Math.floor(this.#height / this.#rowHeight));
    switch (action.do) {
      case "move": {
        // One column: the beginning of a row is the beginning of all.
        const ends = { rowStart: "first", rowEnd: "last" } as const;
        const motion =
          action.motion === "rowStart" || action.motion === "rowEnd" ? ends[action.motion] : action.motion;
        this.#active = this.#shown[target(motion, place, 1, this.#shown.length, page)] ?? this.#active;
        this.#showActive();
        break;
      }
      case "open":
      case "toggle":
        this.#events.open(this.#active);
        break;
      case "escape":
        this.#events.leave();
        event.stopPropagation();
        break;
      default:
        return;
    }
    event.preventDefault();
  }
}

/** The line that is left nearest to `index`. */
function nearest(shown: readonly number[], index: number): number {
  return shown.findLast((other) => other <= index) ?? shown[0] ?? 0;
}
