import { nearest, wrap } from "../core/turning";
import { h } from "../view/dom";
import type { Frames } from "./frames";

/** What shows a film. */
export interface Surface {
  readonly element: HTMLElement;
  /** Show this frame, or what comes nearest to it for now. */
  show(frame: number, direction: number): void;
  /** Play by itself, if it can, `speed` times as fast as the film is; gives the seconds it has come to, else null. */
  playing(speed: number): number | null;
  pause(): void;
  close(): void;
}

/** Frames decoded ahead of the one that shows. */
const AHEAD = 3;

/** Frames that come one by one, drawn on a canvas. */
export class Drawn implements Surface {
  readonly element = h("canvas", { class: "ipya-frame" });
  readonly #frames: Frames;
  #drawn: ImageBitmap | undefined;

  constructor(frames: Frames) {
    this.#frames = frames;
  }

  show(frame: number, direction: number): void {
    const { count } = this.#frames.film;
    const there = nearest(frame, count, this.#frames.has);
    if (there === null) return;
    const bitmap = this.#frames.picture(there);
    for (let ahead = 1; ahead <= AHEAD; ahead++) this.#frames.prepare(wrap(there + ahead * direction, count));
    if (!bitmap || bitmap === this.#drawn) return;
    const { element } = this;
    if (element.width !== bitmap.width || element.height !== bitmap.height) {
      element.width = bitmap.width;
      element.height = bitmap.height;
    }
    const pen = element.getContext("2d");
    pen?.clearRect(0, 0, bitmap.width, bitmap.height);
    pen?.drawImage(bitmap, 0, 0);
    this.#drawn = bitmap;
  }

  playing(): null {
    return null;
  }

  pause(): void {
    // it never plays by itself
  }

  close(): void {
    this.element.remove();
  }
}

/** A film the browser plays itself, where Python has no way into it. */
export class Filmed implements Surface {
  readonly element: HTMLVideoElement;
  readonly #url: string;
  readonly #fps: number;
  #wanted: number | null = null;

  constructor(film: Blob, fps: number, events: { known(seconds: number): void; failed(): void }) {
    this.#fps = fps;
    this.#url = URL.createObjectURL(film);
    this.element = h("video", { class: "ipya-frame", playsinline: true, loop: true, preload: "auto" });
    this.element.muted = true;
    this.element.disablePictureInPicture = true;
    this.element.addEventListener("loadedmetadata", () => events.known(this.element.duration));
    this.element.addEventListener("error", () => events.failed());
    // One position after the other: a seek that is under way is not interrupted, only the last wish counts.
    this.element.addEventListener("seeked", () => this.#seek());
    this.element.src = this.#url;
  }

  show(frame: number): void {
    this.pause();
    this.#wanted = (frame + 0.5) / this.#fps;
    if (!this.element.seeking) this.#seek();
  }

  playing(speed: number): number {
    this.#wanted = null;
    if (this.element.playbackRate !== speed) this.element.playbackRate = speed;
    if (this.element.paused) this.element.play().catch(() => undefined);
    return this.element.currentTime;
  }

  pause(): void {
    if (!this.element.paused) this.element.pause();
  }

  close(): void {
    this.pause();
    this.element.removeAttribute("src");
    this.element.load();
    this.element.remove();
    URL.revokeObjectURL(this.#url);
  }

  #seek(): void {
    if (this.#wanted === null || this.element.readyState === 0) return;
    this.element.currentTime = this.#wanted;
    this.#wanted = null;
  }
}
