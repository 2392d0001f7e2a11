import { Ranges } from "./ranges";

/**
 * What a click or a key does to the selection: the anchor of shift-ranges and what was selected before the range began.
 * Pure: each call returns the new selection.
 */
export class Picker {
  #anchor = 0;
  #base = Ranges.empty;

  /** A plain click: this one only. */
  only(index: number): Ranges {
    this.#anchor = index;
    this.#base = Ranges.empty;
    return Ranges.span(index, index);
  }

  /** Ctrl/Cmd+click, the check mark, Space. */
  toggle(selection: Ranges, index: number): Ranges {
    const next = selection.toggle(index);
    this.#anchor = index;
    this.#base = next;
    return next;
  }

  /** Shift+click or Shift+arrow; `keep` (Ctrl as well) adds the range to what was selected. */
  extend(index: number, keep = false): Ranges {
    const range = Ranges.span(this.#anchor, index);
    return keep ? this.#base.union(range) : range;
  }

  /** Focus moved without Shift: the next range starts here. */
  moveAnchor(index: number, selection: Ranges): void {
    this.#anchor = index;
    this.#base = selection;
  }
}
