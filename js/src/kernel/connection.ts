import type { AnyModel } from "@anywidget/types";
import type { Link } from "../source";
import { type Asked, Requests, type Said } from "./requests";

/** Milliseconds of silence after which the kernel counts as slow. */
export const PATIENCE = 10_000;

/** Milliseconds of silence after which one knocks: a service may be slow, a knock is answered at once. */
const SILENCE = 2_000;

/**
 * One model's way to Python: requests, their answers, traits that change, and whether anybody is there. One per model,
 * made in `initialize`, shared by all its views.
 */
export class Connection<Traits extends object, Reply extends Said = Said, Part extends Said = Said> {
  readonly #model: AnyModel<Traits>;
  readonly #requests: Requests<Reply, Part>;
  readonly #unhook: (() => void)[] = [];
  readonly #onLink: (link: Link) => void;
  #link: Link = "ok";
  /** Milliseconds for which something is asked and nothing was answered. */
  #silent = 0;
  /** What Python said last: whether its messages wait for the cell that runs. */
  #waits = false;

  constructor(model: AnyModel<Traits>, onLink: (link: Link) => void, patience = PATIENCE) {
    this.#model = model;
    this.#onLink = onLink;
    this.#requests = new Requests(
      (message) => this.#send(message),
      SILENCE,
      (answering) => this.#heard(answering, patience),
    );
    this.#on("msg:custom", (answer: Said, buffers: DataView[]) => {
      if (answer.op === "news") return; // comes from a kernel that is busy, too
      if (answer.op === "reply") this.#waits = answer.waits === true;
      this.#requests.receive(answer, buffers ?? []);
    });
    // ipywidgets says so when the kernel restarts or dies; other hosts stay silent, and time will tell. anywidget hands
    // on that something is said, and not what: a comm that is gone takes no knock.
    this.#on("comm_live_update", () => {
      if ((model as { comm_live?: boolean }).comm_live === false) this.#setLink("lost");
      else this.knock();
    });
  }

  get link(): Link {
    return this.#link;
  }

  get<K extends keyof Traits & string>(name: K): Traits[K] {
    return this.#model.get(name);
  }

  /** Calls `run` when Python has changed the trait. */
  onChange<K extends keyof Traits & string>(name: K, run: () => void): void {
    this.#on(`change:${name}`, run);
  }

  /** Calls `run` with what Python tells without having been asked. */
  onNews<News extends object>(run: (news: News, buffers: DataView[]) => void): void {
    this.#on("msg:custom", (said: News & { op: string; request?: string }, buffers: DataView[]) => {
      if (said.op === "news") run(said, buffers ?? []);
    });
  }

  ask(
    ask: Asked,
    options?: { signal?: AbortSignal; onPart?: (answer: Part, buffers: DataView[]) => void },
  ): Promise<{ answer: Reply; buffers: DataView[] }> {
    return this.#requests.ask(ask, options);
  }

  /** Ask whether anybody is there. */
  knock(): void {
    this.ask({ op: "hello" }).catch(() => undefined);
  }

  close(): void {
    for (const unhook of this.#unhook) unhook();
    this.#requests.close("The widget was closed.");
  }

  #heard(answering: boolean, patience: number): void {
    this.#silent = answering ? 0 : this.#silent + SILENCE;
    if (answering) this.#setLink("ok");
    else if (this.#silent === SILENCE) this.knock();
    else if (this.#waits) this.#setLink("busy");
    else if (this.#silent >= patience) this.#setLink("slow");
  }

  #send(message: object): void {
    try {
      this.#model.send(message);
    } catch {
      this.#setLink("lost");
    }
  }

  #on(event: string, run: (...args: never[]) => void): void {
    const callback = run as () => void;
    this.#model.on(event, callback);
    this.#unhook.push(() => this.#model.off(event as "msg:custom", callback));
  }

  #setLink(link: Link): void {
    if (this.#link === link || this.#link === "lost") return;
    this.#link = link;
    this.#onLink(link);
    if (link === "lost") this.#requests.close("The kernel is gone.");
  }
}
