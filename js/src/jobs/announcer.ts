/** Milliseconds between two announcements: often enough to follow, seldom enough to work beside it. */
const GAP = 15_000;

/** Says the last of many sentences now and then, and what matters at once. */
export class Announcer {
  #last = "";
  #saidAt = Number.NEGATIVE_INFINITY;
  #next: string | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #speak: (text: string) => void;

  constructor(speak: (text: string) => void) {
    this.#speak = speak;
  }

  say(text: string, atOnce = false): void {
    if (text === (this.#next ?? this.#last)) {
      if (atOnce) this.#flush();
      return;
    }
    this.#next = text;
    const wait = this.#saidAt + GAP - Date.now();
    if (atOnce || wait <= 0) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), wait);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #flush(): void {
    this.close();
    if (this.#next === null) return;
    this.#last = this.#next;
    this.#next = null;
    this.#saidAt = Date.now();
    this.#speak(this.#last);
  }
}
