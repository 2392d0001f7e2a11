/** Milliseconds of quiet after which somebody who types has said something. */
export const TYPING = 300;

/** The last value of a burst, once `wait` milliseconds of quiet have passed. */
export class Debounce<T> {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #value: T | undefined;
  readonly #wait: number;
  readonly #run: (value: T) => void;

  constructor(wait: number, run: (value: T) => void) {
    this.#wait = wait;
    this.#run = run;
  }

  get pending(): boolean {
    return this.#timer !== undefined;
  }

  set(value: T): void {
    this.#value = value;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), this.#wait);
  }

  /** Run now, if something is waiting. */
  flush(): void {
    if (!this.pending) return;
    this.cancel();
    this.#run(this.#value as T);
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
