/** What is asked: an `op` and whatever belongs to it. */
export interface Asked {
  op: string;
  [field: string]: unknown;
}

/** What is answered: parts, then one last reply or an error. */
export interface Said {
  op: string;
  request: string;
  [field: string]: unknown;
}

/** Refused or failed on the other side, in its words. */
export class Refused extends Error {}

/** Called off from this side. */
export class Cancelled extends Error {}

interface Pending<Reply, Part> {
  resolve(answered: { answer: Reply; buffers: DataView[] }): void;
  reject(error: Error): void;
  part: ((answer: Part, buffers: DataView[]) => void) | undefined;
}

interface Options<Part> {
  signal?: AbortSignal;
  onPart?: (answer: Part, buffers: DataView[]) => void;
}

/**
 * Requests that wait for an answer. Answers are broadcast to every page that shows the widget, so each table marks
 * its requests with a word of its own and lets strangers' answers pass.
 */
export class Requests<Reply extends Said = Said, Part extends Said = Said> {
  #next = 0;
  #pending = new Map<string, Pending<Reply, Part>>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #mark = Math.random().toString(36).slice(2, 10);
  readonly #send: (message: object) => void;
  readonly #patience: number;
  readonly #onAnswer: (answering: boolean) => void;

  /** `onAnswer(false)` each `patience` milliseconds in which requests wait and none is answered. */
  constructor(send: (message: object) => void, patience: number, onAnswer: (answering: boolean) => void) {
    this.#send = send;
    this.#patience = patience;
    this.#onAnswer = onAnswer;
  }

  get size(): number {
    return this.#pending.size;
  }

  async ask(
    ask: Asked,
    { signal, onPart }: Options<Part> = {},
  ): Promise<{ answer: Reply; buffers: DataView[] }> {
    if (signal?.aborted) throw new Cancelled();
    const request = `${this.#mark}-${this.#next++}`;
    const cancel = () => {
      this.#take(request)?.reject(new Cancelled());
      this.#send({ op: "cancel", requests: [request] });
    };
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      return await new Promise((resolve, reject) => {
        this.#pending.set(request, { resolve, reject, part: onPart });
        this.#startWaiting();
        this.#send({ ...ask, request });
      });
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  }

  /** A message from the other side. */
  receive(answer: Said, buffers: DataView[]): void {
    this.#stopWaiting();
    this.#onAnswer(true);
    if (answer.op === "part") this.#pending.get(answer.request)?.part?.(answer as Part, buffers);
    else if (answer.op === "reply") this.#take(answer.request)?.resolve({ answer: answer as Reply, buffers });
    else this.#take(answer.request)?.reject(new Refused(String(answer.message ?? "")));
    this.#startWaiting();
  }

  /** No answer will come any more. */
  close(reason: string): void {
    for (const request of [...this.#pending.keys()]) this.#take(request)?.reject(new Refused(reason));
  }

  #take(request: string): Pending<Reply, Part> | undefined {
    const pending = this.#pending.get(request);
    this.#pending.delete(request);
    if (this.#pending.size === 0) this.#stopWaiting();
    return pending;
  }

  #startWaiting(): void {
    if (this.#timer !== undefined || this.#pending.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#startWaiting();
      this.#onAnswer(false);
    }, this.#patience);
  }

  #stopWaiting(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
