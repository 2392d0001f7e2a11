import { bounded, moved, type Place, type Size, whole, zoomed } from "../core/zoom";

/** Milliseconds without a movement after which one is taken to look. */
const REST = 140;
/** CSS pixels an arrow key moves the pictures. */
const NUDGE = 40;
/** What a key or a button makes larger or smaller. */
export const STEP = 1.5;

/** The pictures that are looked at. */
export interface Looked {
  /** What hears hands, and takes the focus. */
  readonly area: HTMLElement;
  /** The pane an event is in; null outside of any. */
  paneOf(target: Element): Element | null;
  /** Pixels of what is looked at; null while there is nothing. */
  frame(): Size | null;
  /** Pixels of one pane, in CSS pixels. */
  pane(): Size;
  /** Whether the plain wheel zooms now. With Ctrl or Cmd, and by a pinch, it always does. */
  wheelZooms(event: WheelEvent): boolean;
  /** The place changed. */
  onMove(): void;
  /** Nothing has moved for a moment. */
  onRest(): void;
}

/** Where one looks, and what moves it: wheel, double click, drag and keys, the same for one picture and for several. */
export class Look {
  readonly #looked: Looked;
  readonly #closing = new AbortController();
  #place: Place = { scale: 1, x: 0, y: 0 };
  #fit = true;
  #resting = true;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #drag: { pointer: number; x: number; y: number } | null = null;

  constructor(looked: Looked) {
    this.#looked = looked;
    const { area } = looked;
    const { signal } = this.#closing;
    area.addEventListener("wheel", (event) => this.#onWheel(event), { passive: false, signal });
    area.addEventListener("dblclick", (event) => this.#onDoubleClick(event), { signal });
    area.addEventListener("pointerdown", (event) => this.#onDown(event), { signal });
    area.addEventListener("pointermove", (event) => this.#onDrag(event), { signal });
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"] as const)
      area.addEventListener(type, (event) => this.#onUp(event), { signal });
  }

  get place(): Place {
    return this.#place;
  }

  /** Whether all of it shows. */
  get fit(): boolean {
    return this.#fit;
  }

  get resting(): boolean {
    return this.#resting;
  }

  /** Device pixels for one CSS pixel. */
  get ratio(): number {
    return window.devicePixelRatio || 1;
  }

  go(place: Place, fit = false): void {
    const frame = this.#looked.frame();
    if (!frame) return;
    this.#place = bounded(place, frame, this.#looked.pane(), this.ratio);
    this.#fit = fit;
    this.#resting = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#resting = true;
      this.#looked.onRest();
    }, REST);
    // A finger scrolls the notebook until there is something to move.
    this.#looked.area.style.touchAction = fit ? "pan-x pan-y" : "none";
    this.#looked.onMove();
  }

  goFit(): void {
    const frame = this.#looked.frame();
    if (frame) this.go(whole(frame, this.#looked.pane()), true);
  }

  /** One pixel of the frame for one of the screen. */
  goActual(): void {
    this.go(zoomed(this.#place, 1 / this.ratio / this.#place.scale));
  }

  zoom(factor: number, dx = 0, dy = 0): void {
    this.go(zoomed(this.#place, factor, dx, dy));
  }

  /** The pane has another size. */
  resized(): void {
    if (this.#fit) this.goFit();
    else this.go(this.#place);
  }

  /** Take a key; false if it means nothing here. `arrows`: whether they move the picture. */
  key(event: KeyboardEvent, arrows: boolean): boolean {
    const nudge = NUDGE * (event.shiftKey ? 4 : 1);
    const { key } = event;
    if (key === "+" || key === "=") this.zoom(STEP);
    else if (key === "-" || key === "_") this.zoom(1 / STEP);
    else if (key === "0") this.goFit();
    else if (key === "1") this.goActual();
    else if (arrows && key === "ArrowLeft") this.#move(nudge, 0);
    else if (arrows && key === "ArrowRight") this.#move(-nudge, 0);
    else if (arrows && key === "ArrowUp") this.#move(0, nudge);
    else if (arrows && key === "ArrowDown") this.#move(0, -nudge);
    else return false;
    return true;
  }

  close(): void {
    this.#closing.abort();
    clearTimeout(this.#timer);
  }

  #move(dx: number, dy: number): void {
    this.go(moved(this.#place, dx, dy), this.#fit);
  }

  /** Where an event lies, from the middle of the pane it is in. */
  #middle(event: MouseEvent): { dx: number; dy: number } | null {
    const pane = this.#looked.paneOf(event.target as Element);
    if (!pane) return null;
    const { left, top, width, height } = pane.getBoundingClientRect();
    return { dx: event.clientX - left - width / 2, dy: event.clientY - top - height / 2 };
  }

  #onWheel(event: WheelEvent): void {
    if (!event.ctrlKey && !event.metaKey && !this.#looked.wheelZooms(event)) return;
    const at = this.#middle(event);
    if (!at || !this.#looked.frame()) return;
    event.preventDefault();
    event.stopPropagation();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 33 : 1;
    const factor = Math.exp(-Math.min(100, Math.max(-100, event.deltaY * lines)) * 0.004);
    this.zoom(factor, at.dx, at.dy);
  }

  #onDoubleClick(event: MouseEvent): void {
    const at = this.#middle(event);
    if (at) this.zoom(event.shiftKey || event.altKey ? 0.5 : 2, at.dx, at.dy);
  }

  #onDown(event: PointerEvent): void {
    if (event.button !== 0 || !this.#middle(event)) return;
    this.#looked.area.focus({ preventScroll: true });
    this.#drag = { pointer: event.pointerId, x: event.clientX, y: event.clientY };
  }

  #onDrag(event: PointerEvent): void {
    const { area } = this.#looked;
    const drag = this.#drag;
    if (drag?.pointer !== event.pointerId) return;
    if (!area.hasPointerCapture(event.pointerId)) area.setPointerCapture(event.pointerId);
    this.#drag = { pointer: drag.pointer, x: event.clientX, y: event.clientY };
    area.dataset.dragging = "true";
    this.#move(event.clientX - drag.x, event.clientY - drag.y);
  }

  #onUp(event: PointerEvent): void {
    if (this.#drag?.pointer !== event.pointerId) return;
    this.#drag = null;
    delete this.#looked.area.dataset.dragging;
  }
}
