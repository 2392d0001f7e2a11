/**
 * Scrolling past the tallest element a browser can lay out (about 17 million pixels in Firefox, 33 in Chromium).
 *
 * Up to `tallest` the scroller's own offset is the offset. Beyond it the scroller is compressed: a small movement
 * (wheel, arrow, touch) still moves the content by as many pixels, a large one (the scrollbar dragged) jumps in
 * proportion, and when scrolling rests the scrollbar is quietly put where it belongs.
 */
export class ScrollMap {
  static readonly tallest = 8_000_000;
  #content = 0;
  #viewport = 0;
  #scroller = 0;
  #offset = 0;

  /** Height to give the scrolled element. */
  get height(): number {
    return Math.min(this.#content, ScrollMap.tallest);
  }

  get compressed(): boolean {
    return this.#content > ScrollMap.tallest;
  }

  /** Offset into the content, in its own pixels. */
  get offset(): number {
    return this.#offset;
  }

  /** What to add to a content position to place it inside the scrolled element. */
  get shift(): number {
    return this.compressed ? this.#scroller - this.#offset : 0;
  }

  resize(content: number, viewport: number): void {
    this.#content = content;
    this.#viewport = viewport;
    this.#offset = Math.min(this.#offset, this.#furthest);
  }

  /** The scroller reports where it is. */
  scrolled(to: number): void {
    if (!this.compressed) {
      this.#offset = this.#clamp(to);
    } else {
      const by = to - this.#scroller;
      if (to <= 0) this.#offset = 0;
      else if (to >= this.#scrollable) this.#offset = this.#furthest;
      else if (Math.abs(by) <= this.#viewport) this.#offset = this.#clamp(this.#offset + by);
      else this.#offset = this.#clamp((to / this.#scrollable) * this.#furthest);
    }
    this.#scroller = to;
  }

  /** Move to a content offset; returns where the scroller has to go. */
  moveTo(offset: number): number {
    this.#offset = this.#clamp(offset);
    return this.rest();
  }

  /** Where the scrollbar belongs for the present offset; `scrolled` must not be told of it. */
  rest(): number {
    this.#scroller = this.compressed ? (this.#offset / this.#furthest) * this.#scrollable : this.#offset;
    return this.#scroller;
  }

  get #furthest(): number {
    return Math.max(0, this.#content - this.#viewport);
  }

  get #scrollable(): number {
    return Math.max(0, this.height - this.#viewport);
  }

  #clamp(offset: number): number {
    return Math.min(this.#furthest, Math.max(0, offset));
  }
}
