import { actionFor, target } from "../core/keys";
import { GAP, type Layout, layout, offsetToShow, rowsFor, rowsInView } from "../core/layout";
import { Picker } from "../core/picker";
import { Queue } from "../core/queue";
import { Ranges } from "../core/ranges";
import { Rest } from "../core/rest";
import { ScrollMap } from "../core/scroll";
import type { Tiles } from "../core/tiles";
import type { AssetSource, Topic } from "../source";
import type { Cell } from "./cell";
import { h } from "./dom";
import { Rows } from "./rows";
import { HoverTurn } from "./turn";

/** Rows kept mounted beyond the edges, so that a small movement meets tiles that are there. */
const OVERSCAN = 2;
/** Milliseconds of rest after which what shows is asked for; shorter than one would notice, longer than a flick. */
const REST = 60;
/** Milliseconds of one frame that go into painting tiles; the rest is the browser's own. */
const PAINTING = 4;
/** Thumbnail sizes that are asked for: few, so that a change of tile size seldom asks anew. */
const EDGES = [128, 192, 256, 384, 512];

export interface GridEvents {
  open(index: number): void;
  /** Escape with nothing left to clear. */
  leave(): void;
  /** How many pictures that show did not load, and why the first of them did not. */
  failed(count: number, why: string): void;
}

/** The virtual grid: as many rows in the document as the viewport shows and a few more, whatever the count. */
export class Grid {
  readonly element: HTMLElement;
  readonly #rows: Rows;
  readonly #paints = new Queue(PAINTING, (index) => this.#cell(index)?.paint(this.#tiles.get(index)));
  readonly #rest = new Rest(REST, () => this.#onRest());
  readonly #scroll = new ScrollMap();
  readonly #picker = new Picker();
  readonly #source: AssetSource;
  readonly #tiles: Tiles;
  readonly #events: GridEvents;
  readonly #cleanup: (() => void)[] = [];
  readonly #turn: HoverTurn;
  #tileSize: number;
  #layout: Layout = layout(0, 160);
  #width = 0;
  #height = 0;
  #count = 0;
  #active = 0;
  #focused = false;
  #removing = false;
  #refocus = false;
  #generation = -1;
  #movingSince = 0;
  #forward = true;
  #moved = false;
  #stop: Cell | null = null;
  #frame = 0;

  constructor(source: AssetSource, tiles: Tiles, tileSize: number, events: GridEvents) {
    this.#source = source;
    this.#tiles = tiles;
    this.#tileSize = tileSize;
    this.#events = events;
    this.#rows = new Rows(source.now.setup.missing, (cell) => this.#onEntered(cell));
    this.element = h(
      "div",
      {
        class: "ipya-grid",
        role: "grid",
        "aria-multiselectable": String(source.now.setup.kind !== "page"),
        "aria-label": source.now.setup.label,
      },
      this.#rows.element,
    );
    this.element.addEventListener("scroll", () => this.#onScroll(), { passive: true });
    this.element.addEventListener("click", (event) => this.#onClick(event));
    this.element.addEventListener("dblclick", (event) => this.#onDoubleClick(event));
    this.element.addEventListener("keydown", (event) => this.#onKey(event));
    this.element.addEventListener("focusin", (event) => this.#onFocus(event));
    this.element.addEventListener("focusout", (event) => this.#onBlur(event));
    this.#turn = new HoverTurn(source, {
      element: this.element,
      indexOf: (target) => this.#indexOf(target),
      overlay: (index, over) => {
        const cell = this.#cell(index);
        cell?.overlay(over);
        return cell !== undefined;
      },
    });
    const resized = new ResizeObserver(() => this.#measure());
    resized.observe(this.element);
    this.#cleanup.push(
      () => resized.disconnect(),
      tiles.subscribe((indices) => this.#paint(indices)),
      source.subscribe((changed) => this.#onChange(changed)),
      () => tiles.leave(this),
      () => this.#turn.close(),
    );
    this.refresh();
  }

  /** The result on screen changed: other assets, or more of them. */
  refresh(): void {
    const { result } = this.#source.now;
    if (result.state !== "ready") return;
    this.#tiles.show(result.generation);
    if (result.generation !== this.#generation) {
      this.#turn.stop();
      this.#generation = result.generation;
      this.#active = 0;
      this.#picker.moveAnchor(0, Ranges.empty);
      this.#count = result.count;
      this.#arrange(true);
      this.element.scrollTop = this.#scroll.moveTo(0);
      this.#events.failed(0, "");
    } else if (result.count !== this.#count) {
      this.#count = result.count;
      this.#active = Math.min(this.#active, Math.max(0, this.#count - 1));
      // Only the last, unfilled row and what is gone are made anew: the list grows without a flicker.
      this.#arrange(false);
    }
    this.#render();
    this.#wish();
  }

  setTileSize(size: number): void {
    if (size === this.#tileSize) return;
    this.#tileSize = size;
    this.#relayout();
  }

  focus(index = this.#active): void {
    if (!this.#count) return;
    this.#active = Math.min(index, this.#count - 1);
    this.#focused = true;
    this.#showActive();
  }

  /** Ask once more for the pictures that did not load. */
  again(): void {
    this.#tiles.again([...this.#visible()]);
  }

  /** The toolbar's "Select all". */
  selectAll(): void {
    if (this.#count) this.#select(Ranges.span(0, this.#count - 1));
  }

  close(): void {
    for (const run of this.#cleanup) run();
    this.#rest.cancel();
    cancelAnimationFrame(this.#frame);
  }

  // -- layout ---------------------------------------------------------------------------------------------------

  #measure(): void {
    const { clientWidth, clientHeight } = this.element;
    const width = clientWidth - 2 * GAP;
    if (clientWidth === 0 || (width === this.#width && clientHeight === this.#height)) return;
    this.#width = width;
    this.#height = clientHeight;
    this.#relayout();
  }

  /** Another width or tile size: the first tile that shows stays where it is. */
  #relayout(): void {
    if (!this.#width) return;
    this.#turn.stop();
    const first = Math.floor(this.#scroll.offset / this.#layout.rowHeight) * this.#layout.columns;
    const within = this.#scroll.offset % this.#layout.rowHeight;
    this.#layout = layout(this.#width, this.#tileSize);
    this.#arrange(true);
    const row = Math.floor(first / this.#layout.columns);
    this.element.scrollTop = this.#scroll.moveTo(
      row * this.#layout.rowHeight + Math.min(within, this.#layout.rowHeight),
    );
    this.#render();
    this.#wish();
  }

  /** So many tiles of this size; the rows that are there are made `anew`, or kept where nothing changes for them. */
  #arrange(anew: boolean): void {
    const { columns, rowHeight } = this.#layout;
    this.#keepingFocus(() => this.#rows.shape(this.#layout, this.#count, anew));
    const rows = rowsFor(this.#count, columns);
    this.#scroll.resize(rows * rowHeight + GAP, this.#height);
    this.#rows.element.style.height = `${this.#scroll.height}px`;
    this.element.style.setProperty("--ipya-content", `${this.#scroll.height}px`);
    this.element.setAttribute("aria-rowcount", String(rows));
    this.element.setAttribute("aria-colcount", String(Math.min(columns, this.#count)));
  }

  #visible(overscan = 0): Ranges {
    const { columns, rowHeight } = this.#layout;
    const rows = rowsFor(this.#count, columns);
    const { first, last } = rowsInView(this.#scroll.offset, this.#height, rowHeight, rows);
    if (last < first) return Ranges.empty;
    const from = Math.max(0, first - overscan) * columns;
    const to = Math.min(rows, last + overscan + 1) * columns - 1;
    return Ranges.span(from, Math.min(to, this.#count - 1));
  }

  // -- document -------------------------------------------------------------------------------------------------

  #render(): void {
    if (!this.#height || !this.#width) return;
    const { columns } = this.#layout;
    const mounted = this.#visible(OVERSCAN);
    const wanted = new Set<number>();
    for (const [first, last] of mounted.pairs) {
      for (let row = Math.floor(first / columns); row <= Math.floor(last / columns); row++) wanted.add(row);
    }
    // The focused tile stays in the document wherever one scrolls, or the focus would fall out of the widget.
    if (this.#focused && this.#count) wanted.add(Math.floor(this.#active / columns));
    this.#keepingFocus(() => this.#rows.show(wanted, this.#scroll.shift));
    this.#tiles.pin(this, mounted);
    this.#setTabStop();
    if (this.#paints.run()) this.#schedule();
  }

  /** A tile came into the document. It is painted within the frame's budget, and until then stands there empty. */
  #onEntered(cell: Cell): void {
    this.#markSelected(cell);
    this.#paints.add(cell.index);
  }

  #keepingFocus(change: () => void): void {
    const had = this.#hasFocus();
    this.#removing = true;
    change();
    this.#removing = false;
    // The focused tile went with its row: the focus is put back once the row is made again.
    if (had && !this.#hasFocus()) this.#refocus = true;
  }

  #hasFocus(): boolean {
    const root = this.element.getRootNode() as Document | ShadowRoot;
    return root.activeElement !== null && this.element.contains(root.activeElement);
  }

  #cell(index: number): Cell | undefined {
    return this.#rows.cell(index);
  }

  #paint(indices: readonly number[]): void {
    for (const index of indices) if (this.#cell(index)) this.#paints.add(index);
    if (this.#paints.size) this.#schedule();
    this.#tellFailed();
  }

  #markSelected(cell: Cell): void {
    if (this.#selects)
      cell.element.setAttribute("aria-selected", String(this.#source.now.selection.has(cell.index)));
  }

  #setTabStop(): void {
    const mountedActive = this.#cell(this.#active);
    const stop = mountedActive ? this.#active : (this.#visible().pairs[0]?.[0] ?? 0);
    const cell = this.#cell(stop) ?? null;
    if (cell !== this.#stop) {
      if (this.#stop) this.#stop.element.tabIndex = -1;
      if (cell) cell.element.tabIndex = 0;
      this.#stop = cell;
    }
    if (this.#refocus && mountedActive) {
      this.#refocus = false;
      mountedActive.element.focus({ preventScroll: true });
    }
  }

  #showActive(): void {
    const { columns, rowHeight } = this.#layout;
    const row = Math.floor(this.#active / columns);
    const to = offsetToShow(row, this.#scroll.offset, this.#height - GAP, rowHeight);
    if (to !== this.#scroll.offset) this.element.scrollTop = this.#scroll.moveTo(to);
    this.#render();
    this.#cell(this.#active)?.element.focus({ preventScroll: true });
    this.#rest.moved();
  }

  #tellFailed(): void {
    const failed = [...this.#visible()].filter((index) => this.#tiles.get(index)?.state === "error");
    const first = failed[0] === undefined ? undefined : this.#tiles.get(failed[0]);
    this.#events.failed(failed.length, first?.message ?? "");
  }

  // -- asking ---------------------------------------------------------------------------------------------------

  #wish(): void {
    if (!this.#height || this.#source.now.result.state !== "ready") return;
    const visible = this.#visible();
    const [first, last] = visible.pairs[0] ?? [0, -1];
    const screen = Math.max(last - first + 1, this.#layout.columns);
    const { count, ended } = this.#source.now.result;
    // A list that is walked grows when its next page is asked for.
    const end = ended ? count - 1 : count + screen;
    const below: [number, number] = [last + 1, Math.min(end, last + screen)];
    const above: [number, number] = [Math.max(0, first - Math.ceil(screen / 2)), first - 1];
    const ahead = Ranges.of(
      this.#forward ? [below] : [above, [last + 1, Math.min(end, last + this.#layout.columns)]],
    );
    const pixels =
      Math.max(this.#layout.tileWidth, this.#layout.pictureHeight) *
      Math.min(2, window.devicePixelRatio || 1);
    this.#tiles.wish(this, { visible, ahead, edge: EDGES.find((edge) => edge >= pixels * 0.9) ?? 512 });
  }

  /** Everything that scrolling does to the document happens once a frame, and nothing in it is measured. */
  #schedule(): void {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      const moved = this.#moved;
      this.#moved = false;
      if (moved) this.#render();
      else if (this.#paints.run()) this.#schedule();
    });
  }

  /** While one scrolls slowly ask now and then; in a flick only when it ends. */
  #onScroll(): void {
    const before = this.#scroll.offset;
    this.#scroll.scrolled(this.element.scrollTop);
    const by = this.#scroll.offset - before;
    if (by === 0) return;
    this.#turn.stop();
    this.#forward = by > 0;
    this.#moved = true;
    this.#setResting(false);
    this.#schedule();
    const now = performance.now();
    if (Math.abs(by) < this.#height / 4 && now - this.#movingSince > 3 * REST) {
      this.#movingSince = now;
      this.#wish();
    }
    this.#rest.moved();
  }

  #onRest(): void {
    if (this.#scroll.compressed) this.element.scrollTop = this.#scroll.rest();
    this.#rows.order();
    this.#setResting(true);
    this.#wish();
    this.#tellFailed();
  }

  /** What waits for its picture moves only while nothing else does: an animation makes a layer of every tile. */
  #setResting(resting: boolean): void {
    if (resting === "resting" in this.element.dataset) return;
    if (resting) this.element.dataset.resting = "";
    else delete this.element.dataset.resting;
  }

  // -- people ---------------------------------------------------------------------------------------------------

  #onChange(changed: ReadonlySet<Topic>): void {
    if (changed.has("result")) this.refresh();
    if (changed.has("selection")) {
      for (const cell of this.#rows.cells()) this.#markSelected(cell);
    }
  }

  #select(selection: Ranges): void {
    this.#source.select(selection);
  }

  #indexOf(target: EventTarget | null): number | null {
    const cell = (target as Element | null)?.closest?.<HTMLElement>(".ipya-tile");
    return cell && this.element.contains(cell) ? Number(cell.dataset.index) : null;
  }

  get #selects(): boolean {
    return this.#source.now.setup.kind !== "page";
  }

  #onClick(event: MouseEvent): void {
    const index = this.#indexOf(event.target);
    if (index === null) return;
    if (!this.#selects) {
      this.#turn.stop();
      this.#events.open(index);
      return;
    }
    const { selection } = this.#source.now;
    const command = event.ctrlKey || event.metaKey;
    const onCheck = (event.target as Element).closest(".ipya-check") !== null;
    if (event.shiftKey) this.#select(this.#picker.extend(index, command || onCheck));
    else if (command || onCheck) this.#select(this.#picker.toggle(selection, index));
    else this.#select(this.#picker.only(index));
    this.#active = index;
    this.#focused = true;
    this.#showActive();
  }

  #onDoubleClick(event: MouseEvent): void {
    const index = this.#indexOf(event.target);
    const modified = event.ctrlKey || event.metaKey || event.shiftKey;
    if (index === null || modified || !this.#selects || (event.target as Element).closest(".ipya-check"))
      return;
    this.#events.open(index);
  }

  #onFocus(event: FocusEvent): void {
    const index = this.#indexOf(event.target);
    if (index === null) return;
    this.#focused = true;
    this.#active = index;
    this.#turn.focused(index);
    this.#setTabStop();
  }

  #onBlur(event: FocusEvent): void {
    if (this.#removing || this.element.contains(event.relatedTarget as Node | null)) return;
    this.#focused = false;
    this.#turn.focused(null);
  }

  #onKey(event: KeyboardEvent): void {
    const action = actionFor(event);
    if (!action || this.#indexOf(event.target) === null || !this.#count) return;
    const { selection } = this.#source.now;
    switch (action.do) {
      case "move": {
        const { columns, rowHeight } = this.#layout;
        const page = Math.floor(this.#height / rowHeight);
        this.#active = target(action.motion, this.#active, columns, this.#count, page);
        if (action.extend) this.#select(this.#picker.extend(this.#active, true));
        else this.#picker.moveAnchor(this.#active, selection);
        this.#showActive();
        break;
      }
      case "toggle":
        this.#select(this.#picker.toggle(selection, this.#active));
        break;
      case "extend":
        this.#select(this.#picker.extend(this.#active, true));
        break;
      case "turn":
        this.#turn.key(this.#active);
        break;
      case "open":
        this.#turn.stop();
        this.#events.open(this.#active);
        break;
      case "all":
        this.selectAll();
        break;
      case "escape":
        if (selection.size || this.#source.now.outside) this.#select(Ranges.empty);
        else this.#events.leave();
        event.stopPropagation();
        break;
    }
    event.preventDefault();
  }
}
