/** What a key means in the grid; pure, so that the whole keyboard can be read and tested in one place. */

export interface Key {
  key: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

export type Motion =
  | "left"
  | "right"
  | "up"
  | "down"
  | "rowStart"
  | "rowEnd"
  | "first"
  | "last"
  | "pageUp"
  | "pageDown";

export type Action =
  | { do: "move"; motion: Motion; extend: boolean }
  | { do: "toggle" }
  | { do: "extend" }
  | { do: "open" }
  | { do: "all" }
  | { do: "turn" }
  | { do: "escape" };

const MOTIONS: Record<string, Motion> = {
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
  Home: "rowStart",
  End: "rowEnd",
  PageUp: "pageUp",
  PageDown: "pageDown",
};

export function actionFor(event: Key): Action | null {
  if (event.altKey) return null;
  const command = event.ctrlKey || event.metaKey;
  const motion = MOTIONS[event.key];
  if (motion) {
    if (command && motion === "rowStart") return { do: "move", motion: "first", extend: event.shiftKey };
    if (command && motion === "rowEnd") return { do: "move", motion: "last", extend: event.shiftKey };
    return { do: "move", motion, extend: event.shiftKey };
  }
  if (event.key === " ") return event.shiftKey ? { do: "extend" } : { do: "toggle" };
  if (event.key === "Enter" && !command && !event.shiftKey) return { do: "open" };
  if (event.key.toLowerCase() === "t" && !command && !event.shiftKey) return { do: "turn" };
  if (event.key === "Escape") return { do: "escape" };
  if (command && !event.shiftKey && event.key.toLowerCase() === "a") return { do: "all" };
  return null;
}

/** Where a motion leads from `index`, among `count` tiles in `columns`, `page` rows to a screen. */
export function target(motion: Motion, index: number, columns: number, count: number, page: number): number {
  const last = count - 1;
  const rowStart = index - (index % columns);
  const step = columns * Math.max(1, page);
  switch (motion) {
    case "left":
      return Math.max(0, index - 1);
    case "right":
      return Math.min(last, index + 1);
    case "up":
      return index - columns >= 0 ? index - columns : index;
    case "down":
      if (index + columns <= last) return index + columns;
      // From the last full row into a shorter last one: its last tile, rather than nothing.
      return Math.floor(index / columns) < Math.floor(last / columns) ? last : index;
    case "rowStart":
      return rowStart;
    case "rowEnd":
      return Math.min(last, rowStart + columns - 1);
    case "first":
      return 0;
    case "last":
      return last;
    case "pageUp":
      return Math.max(index % columns, index - step);
    case "pageDown": {
      const lastInColumn = last - ((last - (index % columns)) % columns);
      return Math.min(lastInColumn, index + step);
    }
  }
}

/**
 * Whether the host must not see a key while one of our elements has the focus: JupyterLab's command mode would
 * insert, cut, undo or run cells. Tab and Escape stay free, to leave; so do saving and the command palette.
 */
export function keepFromHost(event: Key): boolean {
  if (event.key === "Tab" || event.key === "Escape") return false;
  const command = (event.ctrlKey || event.metaKey) && !event.altKey;
  const letter = event.key.toLowerCase();
  return !(command && (letter === "s" || (event.shiftKey && letter === "c")));
}
