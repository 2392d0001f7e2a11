import { edgeFor } from "../core/edges";
import { calm } from "../core/motion";
import { dragged, Turn } from "../core/turning";
import type { Connection } from "../kernel/connection";
import { asPicture } from "../kernel/pictures";
import { button, h, icon, leave, SUPPRESS, say } from "../view/dom";
import { keepKeys } from "../view/keys";
import { LinkStrip } from "../view/strips";
import { Controls } from "./controls";
import type { Frames } from "./frames";
import type { Film, Part, Reply, Setup, Traits } from "./protocol";
import { Drawn, Filmed, type Surface } from "./surface";

/** Pixels a pointer moves before it turns: less is a click, which gives the focus only. */
const SLACK = 3;

/** One view of a player. */
export class PlayerView {
  readonly element: HTMLElement;
  readonly #connection: Connection<Traits, Reply, Part>;
  readonly #frames: Frames;
  readonly #setup: Setup;
  readonly #turn = new Turn();
  readonly #controls: Controls;
  readonly #link: LinkStrip;
  readonly #said = h("div", { class: "ipya-stage-said", role: "status" });
  readonly #stage = h("div", {
    class: "ipya-stage",
    role: "img",
    tabindex: -1,
    [SUPPRESS]: "true",
  });
  readonly #closing = new AbortController();
  #surface: Surface | null = null;
  #poster: string | null = null;
  #state: Film["state"] | null = null;
  #drag: { pointer: number; x: number; position: number; turning: boolean } | null = null;
  #frame = 0;
  #last = 0;
  #seen = false;
  #wished = "";

  constructor(connection: Connection<Traits, Reply, Part>, frames: Frames) {
    this.#connection = connection;
    this.#frames = frames;
    this.#setup = connection.get("_setup");
    this.#controls = new Controls({
      play: () => this.#play(!this.#turn.playing),
      go: (frame) => this.#go(frame),
      speed: (speed) => {
        this.#turn.speed = speed;
      },
      turnAround: () => {
        this.#turn.direction = this.#turn.direction > 0 ? -1 : 1;
        this.#sync();
      },
    });
    this.#link = new LinkStrip(
      () => connection.link,
      () => connection.knock(),
    );
    this.element = h(
      "section",
      { class: "ipya-root ipya-player", role: "group", "aria-label": `Turntable: ${this.#setup.label}` },
      this.#link.element,
      h("div", { class: "ipya-theatre" }, this.#stage, this.#said),
      this.#controls.element,
    );
    this.element.style.setProperty("--ipya-height", this.#setup.height);
    this.element.addEventListener("keydown", (event) => this.#onKey(event));
    this.element.addEventListener("keydown", keepKeys);
    this.#listenToPointers();
    this.#watch();
    this.sync();
  }

  /** What Python said of the film, or of the link, changed. */
  sync(): void {
    const { film } = this.#frames;
    this.#link.sync();
    if (film.state !== this.#state) {
      this.#state = film.state;
      this.element.dataset.state = film.state;
      if (film.state === "loading") void this.#showPoster();
      if (film.state === "frames") this.#begin(new Drawn(this.#frames), film.count, film.fps);
      if (film.state === "frames")
        this.element.style.setProperty("--ipya-ratio", String(film.width / film.height));
      if (film.state === "video") void this.#fetchVideo(film);
    }
    this.#sync();
  }

  close(): void {
    this.#closing.abort();
    cancelAnimationFrame(this.#frame);
    this.#frames.leave(this);
    this.#surface?.close();
    this.#freePoster();
    this.element.remove();
  }

  // -- the film -------------------------------------------------------------------------------------------------

  #begin(surface: Surface, count: number, fps: number): void {
    this.#surface?.close();
    this.#surface = surface;
    this.#turn.film(count, fps);
    this.#stage.append(surface.element);
    if (this.#setup.autoplay && !calm()) this.#play(true);
    this.#sync();
  }

  async #fetchVideo(film: Film): Promise<void> {
    try {
      const { answer, buffers } = await this.#connection.ask(
        { op: "video" },
        { signal: this.#closing.signal },
      );
      const view = buffers[answer.buffer ?? 0];
      if (!view || answer.mime !== "video/mp4") throw new Error("The film did not come.");
      const blob = new Blob([new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength)], {
        type: answer.mime,
      });
      const surface = new Filmed(blob, film.fps, {
        known: (seconds) => {
          const { videoWidth, videoHeight } = surface.element;
          this.element.style.setProperty("--ipya-ratio", String(videoWidth / videoHeight));
          this.#freePoster();
          this.#begin(surface, Math.max(1, Math.round(seconds * film.fps)), film.fps);
        },
        failed: () => this.#fail("The browser cannot play this film."),
      });
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#fail((error as Error).message);
    }
  }

  /** The asset's poster stands there until the first frame comes. */
  async #showPoster(): Promise<void> {
    try {
      const { answer, buffers } = await this.#connection.ask(
        { op: "poster", edge: 512 },
        { signal: this.#closing.signal },
      );
      const { encoded } = asPicture(answer.poster ?? { state: "none" }, buffers);
      if (!encoded || this.#state !== "loading") return;
      this.#poster = URL.createObjectURL(encoded.blob());
      this.#stage.style.setProperty("--ipya-poster", `url("${this.#poster}")`);
      this.#stage.classList.add("ipya-waiting");
    } catch {
      // nothing stands there, then
    }
  }

  #freePoster(): void {
    if (!this.#poster) return;
    this.#stage.classList.remove("ipya-waiting");
    this.#stage.style.removeProperty("--ipya-poster");
    URL.revokeObjectURL(this.#poster);
    this.#poster = null;
  }

  #fail(message: string): void {
    this.#state = "error";
    this.element.dataset.state = "error";
    this.#mark(message);
  }

  /** Words in the film's place; `again`: whether asking once more may help. */
  #mark(message: string, again = false): void {
    this.#freePoster();
    if (this.#said.textContent?.startsWith(message)) return; // the button may have the focus
    const ask = () => void this.#connection.ask({ op: "again" }).catch(() => undefined);
    this.#said.replaceChildren(
      icon("warning"),
      h("span", { dir: "auto" }, message),
      ...(again ? [button({ text: "Try again", onClick: ask })] : []),
    );
  }

  // -- showing --------------------------------------------------------------------------------------------------

  #watch(): void {
    const { signal } = this.#closing;
    const seen = new IntersectionObserver((entries) => {
      this.#seen = entries.at(-1)?.isIntersecting ?? false;
      if (!this.#seen) this.#frames.leave(this);
      this.#wished = "";
      this.#sync();
    });
    const resized = new ResizeObserver(() => this.#sync());
    seen.observe(this.#stage);
    resized.observe(this.#stage);
    signal.addEventListener("abort", () => {
      seen.disconnect();
      resized.disconnect();
      unsubscribe();
    });
    const unsubscribe = this.#frames.subscribe(() => this.#sync());
  }

  /** Show things as they stand, in the next picture the browser paints. */
  #sync(): void {
    if (this.#frame || this.#closing.signal.aborted) return;
    this.#frame = requestAnimationFrame((now) => this.#paint(now));
  }

  #paint(now: number): void {
    this.#frame = 0;
    const turn = this.#turn;
    const surface = this.#surface;
    const moving = turn.playing && this.#seen && !this.#drag?.turning;
    if (surface && moving) {
      const seconds = turn.direction > 0 ? surface.playing(turn.speed) : null;
      if (seconds !== null) turn.go(seconds * turn.fps);
      else {
        if (this.#last) turn.play(now - this.#last);
        surface.show(turn.frame, turn.direction);
      }
    } else if (surface) {
      surface.pause();
      surface.show(turn.frame, turn.direction);
    }
    this.#last = moving ? now : 0;
    this.#wish();
    this.#say();
    if (moving) this.#sync();
  }

  #wish(): void {
    const { film } = this.#frames;
    if (!this.#seen || film.state !== "frames") return;
    const { clientWidth, clientHeight } = this.#stage;
    const scale = Math.min(clientWidth / film.width, clientHeight / film.height);
    if (!(scale > 0)) return;
    const longest = Math.max(film.width, film.height);
    const edge = edgeFor(longest * scale * Math.min(2, devicePixelRatio || 1), longest);
    const { frame: at, direction } = this.#turn;
    const wished = `${at} ${direction} ${edge}`;
    if (wished === this.#wished) return;
    this.#wished = wished;
    this.#frames.wish(this, { at, direction, edge });
  }

  #say(): void {
    const { film, loaded, problem } = this.#frames;
    const ready = this.#surface !== null && this.#state !== "error";
    this.#controls.sync(this.#turn, ready);
    const { frame, count } = this.#turn;
    const place = ready ? `, frame ${frame + 1} of ${count}` : "";
    this.#stage.setAttribute("aria-label", `${this.#setup.label}${place}`);
    if (film.state === "error") this.#mark(film.message || "The turntable could not be opened.", true);
    else if (this.#state === "error") return;
    else if (!ready) say(this.#said, "Loading the turntable…");
    else if (problem && loaded < count) say(this.#said, `Some frames are missing: ${problem}`);
    else this.#said.replaceChildren();
    if (ready && loaded > 0) this.#freePoster();
    const loading = this.#state === "frames" && loaded < count;
    this.element.style.setProperty("--ipya-loaded", String(loading ? loaded / count : 1));
    this.element.toggleAttribute("data-loading", loading && !problem);
  }

  // -- people ---------------------------------------------------------------------------------------------------

  #play(on: boolean): void {
    this.#turn.playing = on;
    this.#sync();
  }

  #go(frame: number): void {
    this.#turn.playing = false;
    this.#turn.go(frame);
    this.#sync();
  }

  #step(frames: number): void {
    this.#turn.playing = false;
    this.#turn.step(frames);
    this.#sync();
  }

  #listenToPointers(): void {
    const stage = this.#stage;
    stage.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !this.#surface) return;
      stage.focus({ preventScroll: true });
      this.#drag = {
        pointer: event.pointerId,
        x: event.clientX,
        position: this.#turn.position,
        turning: false,
      };
    });
    stage.addEventListener("pointermove", (event) => {
      const drag = this.#drag;
      if (drag?.pointer !== event.pointerId) return;
      const pixels = event.clientX - drag.x;
      if (!drag.turning) {
        if (Math.abs(pixels) < SLACK) return;
        drag.turning = true;
        drag.position = this.#turn.position;
        this.#turn.playing = false;
        stage.setPointerCapture(event.pointerId);
        this.element.dataset.dragging = "true";
      }
      this.#turn.go(dragged(drag.position, pixels, stage.clientWidth, this.#turn.count));
      this.#sync();
    });
    const end = (event: PointerEvent) => {
      if (this.#drag?.pointer !== event.pointerId) return;
      this.#drag = null;
      delete this.element.dataset.dragging;
      this.#sync();
    };
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"] as const)
      stage.addEventListener(type, end);
    stage.addEventListener("dragstart", (event) => event.preventDefault());
  }

  #onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target as HTMLElement;
    if (event.key === "Escape") leave(this.element);
    else if (target.matches("select") || !this.#surface) return;
    else if (event.key === " " && target.matches("button")) return;
    else if (event.key === " ") this.#play(!this.#turn.playing);
    else if (event.key === "ArrowLeft" || event.key === "ArrowDown") this.#step(-1);
    else if (event.key === "ArrowRight" || event.key === "ArrowUp") this.#step(1);
    else if (event.key === "PageDown") this.#step(-Math.max(1, Math.round(this.#turn.count / 8)));
    else if (event.key === "PageUp") this.#step(Math.max(1, Math.round(this.#turn.count / 8)));
    else if (event.key === "Home") this.#go(0);
    else if (event.key === "End") this.#go(this.#turn.count - 1);
    else return;
    event.preventDefault();
    if (event.key === "Escape") event.stopPropagation();
  }
}
