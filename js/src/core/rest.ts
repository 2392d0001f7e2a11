/**
 * Tells when something that moves has come to rest. Called for every movement: a timer set anew each time would cost
 * more than the movement.
 */
export class Rest {
  readonly #wait: number;
  readonly #run: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last = 0;

  /** `run` is called once nothing has moved for `wait` milliseconds. */
  constructor(wait: number, run: () => void) {
    this.#wait = wait;
    this.#run = run;
  }

  moved(): void {
    this.#last = performance.now();
    this.#timer ??= setTimeout(() => this.#look(), this.#wait);
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const left = this.#wait - (performance.now() - this.#last);
    this.#timer = left > 1 ? setTimeout(() => this.#look(), left) : undefined;
    if (this.#timer === undefined) this.#run();
  }
}
