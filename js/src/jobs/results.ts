import { calm } from "../core/motion";
import { button, h, icon, SUPPRESS, say } from "../view/dom";
import type { Job } from "./job";
import { stageIcon } from "./row";
import { filesWords, stageWords } from "./words";

/** Longest side of a picture, in device pixels. */
const EDGE = 640;

export interface ResultsEvents {
  /** The line before or after, among those that show. */
  beside(index: number, by: 1 | -1): number | null;
  /** Back to the list, to the line that was shown last. */
  back(index: number): void;
}

/** What was made for one line, and what went wrong with it; stands in the list's place. */
export class Results {
  readonly element: HTMLElement;
  readonly #job: Job;
  readonly #events: ResultsEvents;
  readonly #title = h("h3", { class: "ipya-view-title", dir: "auto" });
  readonly #stages = h("div", { class: "ipya-results-stages" });
  readonly #errors = h("div", { class: "ipya-results-errors" });
  readonly #strip = h("div", { class: "ipya-results-strip" });
  readonly #note = h("div", { class: "ipya-results-note", role: "status", dir: "auto" });
  readonly #previous: HTMLButtonElement;
  readonly #next: HTMLButtonElement;
  readonly #urls: string[] = [];
  #index: number | null = null;
  #made = "";
  #asking: AbortController | null = null;

  constructor(job: Job, events: ResultsEvents) {
    this.#job = job;
    this.#events = events;
    this.#previous = button({
      icon: "previous",
      label: "Previous line (left arrow)",
      onClick: () => this.#step(-1),
    });
    this.#next = button({ icon: "next", label: "Next line (right arrow)", onClick: () => this.#step(1) });
    const back = button({ icon: "close", label: "Back to the list (Escape)", onClick: () => this.close() });
    this.element = h(
      "div",
      {
        class: "ipya-results",
        role: "group",
        "aria-label": "Results",
        tabindex: -1,
        hidden: true,
        [SUPPRESS]: "true",
      },
      h("div", { class: "ipya-view-bar" }, this.#previous, this.#next, this.#title, this.#stages, back),
      h(
        "div",
        {
          class: "ipya-results-body",
          tabindex: 0,
          role: "group",
          "aria-label": "Pictures and errors",
          [SUPPRESS]: "true",
        },
        this.#errors,
        this.#strip,
        this.#note,
      ),
    );
    this.element.addEventListener("keydown", (event) => this.#onKey(event));
  }

  get open(): boolean {
    return this.#index !== null;
  }

  show(index: number): void {
    this.#index = index;
    this.element.hidden = false;
    this.#made = "";
    this.#clear();
    this.sync();
    this.element.focus({ preventScroll: true });
  }

  /** Something of the job changed. */
  sync(): void {
    const row = this.#index === null ? undefined : this.#job.state.rows[this.#index];
    if (!row) return;
    const { parts } = this.#job.state.info;
    say(this.#title, row.name || `Item ${row.index + 1}`);
    this.#title.title = row.name;
    this.#previous.disabled = this.#events.beside(row.index, -1) === null;
    this.#next.disabled = this.#events.beside(row.index, 1) === null;
    const now = JSON.stringify([row.stages, row.errors ?? {}]);
    if (now === this.#made) return;
    this.#made = now;
    const chips = row.stages.map((stage, i) => {
      const chip = h("span", { class: "ipya-part", "data-stage": stage });
      if (stage)
        chip.append(
          stageIcon(stage),
          `${parts[i]?.label ?? ""} `,
          h("span", { class: "ipya-part-word" }, stageWords(stage, null)),
        );
      return chip;
    });
    this.#stages.replaceChildren(...chips);
    this.#errors.replaceChildren(
      ...Object.entries(row.errors ?? {}).map(([part, message]) =>
        problem(parts.find(({ name }) => name === part)?.label ?? part, message),
      ),
    );
    this.#ask(row.index);
  }

  close(): void {
    const index = this.#index;
    if (index === null) return;
    this.#index = null;
    this.element.hidden = true;
    this.#clear();
    this.#events.back(index);
  }

  dispose(): void {
    this.#clear();
  }

  /** Ask for what was made; more may come while it is looked at. */
  #ask(index: number): void {
    this.#clear();
    const stages = this.#job.state.rows[index]?.stages ?? [];
    const made = new Set(
      this.#job.state.info.parts.filter((_, i) => stages[i] === "completed").map(({ gives }) => gives),
    );
    if (!made.has("files") && !made.has("film")) {
      const waiting = stages.some((stage) => stage === "queued" || stage === "running");
      say(this.#note, waiting ? "What is made stands here once it is there." : "There is nothing to show.");
      return;
    }
    say(this.#note, "Fetching…");
    const asking = new AbortController();
    this.#asking = asking;
    const work = [];
    if (made.has("film")) work.push(this.#askFilm(index, asking.signal));
    if (made.has("files")) work.push(this.#askFiles(index, asking.signal));
    Promise.allSettled(work).then((ends) => {
      if (asking.signal.aborted) return;
      const words = ends.map((end) =>
        end.status === "rejected" ? (end.reason as Error).message : (end.value ?? ""),
      );
      say(this.#note, words.filter(Boolean).join(" "));
    });
  }

  /** Gives what is to be said besides the pictures. */
  async #askFiles(index: number, signal: AbortSignal): Promise<string> {
    const figures = new Map<number, HTMLElement>();
    const files = await this.#job.files(
      index,
      EDGE,
      (pictures) => {
        if (signal.aborted) return;
        for (const file of pictures) {
          const figure = figures.get(file.index) ?? h("figure", { class: "ipya-still" });
          figure.dataset.index = String(file.index);
          figures.set(file.index, figure);
          const url = file.encoded && this.#url(file.encoded.blob());
          figure.replaceChildren(
            url
              ? picture(url, `${file.name}, ${this.#title.textContent}`)
              : h(
                  "div",
                  { class: "ipya-still-wait", title: file.message },
                  file.state === "error" ? icon("warning") : null,
                ),
            h(
              "figcaption",
              { dir: "auto", title: file.name },
              file.state === "error" ? file.message : file.name,
            ),
          );
        }
        this.#strip.append(...[...figures].sort(([a], [b]) => a - b).map(([, element]) => element));
      },
      signal,
    );
    return filesWords(files, figures.size);
  }

  async #askFilm(index: number, signal: AbortSignal): Promise<undefined> {
    const film = (await this.#job.film(index, "mp4", signal)) ?? (await this.#job.film(index, "gif", signal));
    if (!film || signal.aborted) return;
    const url = this.#url(film);
    const alt = `Turntable of ${this.#title.textContent}`;
    const figure = h("figure", { class: "ipya-still" });
    this.#strip.prepend(figure);
    const caption = h("figcaption", {}, "Turntable");
    if (film.type === "image/gif") {
      figure.append(picture(url, alt), caption);
      return;
    }
    const video = h("video", {
      class: "ipya-film",
      loop: true,
      controls: true,
      playsinline: true,
      "aria-label": alt,
      [SUPPRESS]: "true",
    });
    video.muted = true;
    video.src = url;
    video.addEventListener(
      "error",
      () => say(caption, "This browser cannot play it; see job.turntables()."),
      { once: true },
    );
    figure.append(video, caption);
    if (!calm()) video.play().catch(() => undefined);
  }

  #url(blob: Blob): string {
    const url = URL.createObjectURL(blob);
    this.#urls.push(url);
    return url;
  }

  #clear(): void {
    this.#asking?.abort();
    this.#asking = null;
    this.#strip.replaceChildren();
    for (const url of this.#urls.splice(0)) URL.revokeObjectURL(url);
    say(this.#note, "");
  }

  #step(by: 1 | -1): void {
    const to = this.#index === null ? null : this.#events.beside(this.#index, by);
    if (to !== null) this.show(to);
  }

  #onKey(event: KeyboardEvent): void {
    if ((event.target as Element).closest("video")) return; // its own keys
    if (event.key === "ArrowLeft") this.#step(-1);
    else if (event.key === "ArrowRight") this.#step(1);
    else if (event.key === "Escape") this.close();
    else return;
    event.stopPropagation();
    event.preventDefault();
  }
}

function picture(url: string, alt: string): HTMLImageElement {
  const image = h("img", { class: "ipya-still-image", alt, draggable: "false", decoding: "async" });
  image.src = url;
  return image;
}

/** An error in its whole length, to be read and copied. */
function problem(part: string, message: string): HTMLElement {
  const text = h("span", { class: "ipya-problem-text", dir: "auto" }, message);
  const copy = button({
    text: "Copy",
    label: `Copy what is said of ${part.toLowerCase()}`,
    onClick: () => void copied(text, copy),
  });
  return h("div", { class: "ipya-problem" }, icon("failed"), h("strong", {}, part), text, copy);
}

async function copied(text: HTMLElement, done: HTMLElement): Promise<void> {
  const word = done.lastElementChild as Element;
  try {
    await navigator.clipboard.writeText(text.textContent ?? "");
    say(word, "Copied");
  } catch {
    // Where pages may not write (plain HTTP): marked, one key from being copied.
    getSelection()?.selectAllChildren(text);
    say(word, "Marked");
  }
  setTimeout(() => say(word, "Copy"), 2_000);
}
