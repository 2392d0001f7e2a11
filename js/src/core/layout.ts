/** Where tiles stand: uniform rows, so that any position is arithmetic and nothing is measured while scrolling. */

export interface Layout {
  columns: number;
  tileWidth: number;
  pictureHeight: number;
  rowHeight: number;
}

export const GAP = 8;
export const CAPTION = 24;

/** Where there is little room, two columns of such tiles are better than one of large ones. */
const NARROW = 112;

/** Columns of about `tile` pixels that fill `width`, at least one. */
export function layout(width: number, tile: number): Layout {
  const fit = Math.max(1, Math.floor((width + GAP) / (tile + GAP)));
  const columns = fit === 1 && tile <= NARROW * 1.5 && width >= 2 * NARROW + GAP ? 2 : fit;
  const tileWidth = Math.max(32, Math.floor((width - GAP * (columns - 1)) / columns));
  // One column in a narrow cell would give a tile as tall as the widget: pictures stay near the size asked for.
  const pictureHeight = Math.min(tileWidth, Math.round(tile * 1.25));
  return { columns, tileWidth, pictureHeight, rowHeight: pictureHeight + CAPTION + GAP };
}

export const rowsFor = (count: number, columns: number): number => Math.ceil(count / columns);

export interface Window {
  first: number;
  last: number;
}

/** Rows that show in a viewport, `last` inclusive; empty when `last < first`. */
export function rowsInView(offset: number, height: number, rowHeight: number, rows: number): Window {
  if (rows === 0) return { first: 0, last: -1 };
  const first = Math.min(rows - 1, Math.max(0, Math.floor(offset / rowHeight)));
  const last = Math.min(rows - 1, Math.max(first, Math.ceil((offset + height) / rowHeight) - 1));
  return { first, last };
}

/** Offset that shows `row` whole, moving as little as possible. */
export function offsetToShow(row: number, offset: number, height: number, rowHeight: number): number {
  const top = row * rowHeight;
  if (top < offset) return top;
  if (top + rowHeight > offset + height) return Math.max(0, top + rowHeight - height);
  return offset;
}
