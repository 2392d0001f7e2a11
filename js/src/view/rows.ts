import { GAP, type Layout } from "../core/layout";
import { Cell } from "./cell";
import { h } from "./dom";

interface Row {
  readonly element: HTMLElement;
  readonly cells: readonly Cell[];
  /** Where it was last put, in pixels. */
  top: number;
}

/**
 * The rows that stand in the document. A row that leaves becomes the one that enters: its elements are kept, told of
 * other places, and moved by a transform.
 */
export class Rows {
  readonly element = h("div", { class: "ipya-rows", role: "rowgroup" });
  readonly #mounted = new Map<number, Row>();
  readonly #missing: string;
  readonly #entered: (cell: Cell) => void;
  #layout: Layout | null = null;
  #count = 0;

  /** `entered` is called for each tile that came into the document or now stands for another place. */
  constructor(missing: string, entered: (cell: Cell) => void) {
    this.#missing = missing;
    this.#entered = entered;
  }

  /** So many tiles, laid out so. A count that grows keeps the rows that are full. */
  shape(layout: Layout, count: number, anew: boolean): void {
    const { columns } = layout;
    for (const [row, { element, cells }] of this.#mounted) {
      if (!anew && cells.length === columns && (row + 1) * columns <= count) continue;
      element.remove();
      this.#mounted.delete(row);
    }
    this.#layout = layout;
    this.#count = count;
  }

  /** Have these rows in the document, and no others; `shift` is added to where each belongs. */
  show(wanted: ReadonlySet<number>, shift: number): void {
    const layout = this.#layout as Layout;
    const free: Row[] = [];
    for (const [row, made] of this.#mounted) {
      if (wanted.has(row)) continue;
      this.#mounted.delete(row);
      if (made.cells.length === layout.columns) free.push(made);
      else made.element.remove();
    }
    const jumped = this.#mounted.size === 0;
    for (const row of [...wanted].sort((a, b) => a - b)) {
      let made = this.#mounted.get(row);
      if (!made) {
        made = (this.#full(row) ? free.shift() : undefined) ?? this.#make(row);
        this.#enter(row, made);
      }
      const top = GAP + row * layout.rowHeight + shift;
      if (made.top !== top) made.element.style.transform = `translateY(${top}px)`;
      made.top = top;
    }
    for (const { element } of free) element.remove();
    if (jumped) this.order();
  }

  cell(index: number): Cell | undefined {
    const columns = this.#layout?.columns ?? 1;
    return this.#mounted.get(Math.floor(index / columns))?.cells[index % columns];
  }

  *cells(): Generator<Cell> {
    for (const { cells } of this.#mounted.values()) yield* cells;
  }

  /**
   * Put the rows in reading order: while one scrolls they are not, since moving an element in the document costs as
   * much as making it. The row with the focus stays where it is, or the focus would be lost.
   */
  order(): void {
    const rows = [...this.#mounted].sort(([a], [b]) => a - b).map(([, { element }]) => element);
    const fixed = Math.max(
      rows.findIndex((row) => row.matches(":focus-within")),
      0,
    );
    for (let i = fixed + 1; i < rows.length; i++) {
      const [row, before] = [rows[i] as HTMLElement, rows[i - 1] as HTMLElement];
      if (before.nextSibling !== row) before.after(row);
    }
    for (let i = fixed - 1; i >= 0; i--) {
      const [row, after] = [rows[i] as HTMLElement, rows[i + 1] as HTMLElement];
      if (after.previousSibling !== row) after.before(row);
    }
  }

  #full(row: number): boolean {
    return (row + 1) * (this.#layout as Layout).columns <= this.#count;
  }

  #make(row: number): Row {
    const layout = this.#layout as Layout;
    const cells: Cell[] = [];
    const first = row * layout.columns;
    for (let column = 0; column < Math.min(layout.columns, this.#count - first); column++)
      cells.push(new Cell(column, layout, this.#missing));
    const element = h("div", { role: "row", class: "ipya-row" }, ...cells.map((cell) => cell.element));
    element.style.height = `${layout.rowHeight - GAP}px`;
    this.element.append(element);
    return { element, cells, top: Number.NaN };
  }

  #enter(row: number, made: Row): void {
    made.element.setAttribute("aria-rowindex", String(row + 1));
    for (const [column, cell] of made.cells.entries()) {
      cell.stand((this.#layout as Layout).columns * row + column);
      this.#entered(cell);
    }
    this.#mounted.set(row, made);
  }
}
