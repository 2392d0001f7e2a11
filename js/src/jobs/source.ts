import type { AnyModel } from "@anywidget/types";
import { Connection, PATIENCE } from "../kernel/connection";
import type { Link } from "../source";
import { Job } from "./job";
import type { News, Part, Reply, Traits } from "./protocol";

/** Milliseconds after which one asks whether news were missed while a job goes on: a sleeping computer hears none. */
const LOOK = 20_000;

export type Listener = (job: Job | null, rows: readonly number[]) => void;

/** The jobs behind a widget's comm. One per model, made in `initialize`, shared by all its views. */
export class JobsSource {
  readonly jobs: Job[] = [];
  readonly height: string;
  readonly #connection: Connection<Traits, Reply, Part>;
  readonly #listeners = new Set<Listener>();
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(model: AnyModel<Traits>, patience = PATIENCE) {
    this.#connection = new Connection<Traits, Reply, Part>(model, () => this.#tell(null, []), patience);
    this.height = model.get("_setup").height;
    this.#connection.onNews<News>((news) => {
      this.jobs.find(({ state }) => state.info.key === news.standing.key)?.hear(news);
    });
    this.#connection.onChange("_jobs", () => this.#open());
    this.#connection.knock();
    this.#open();
    this.#timer = setInterval(() => {
      if (this.jobs.some(({ state }) => !state.over)) this.look();
    }, LOOK);
  }

  get link(): Link {
    return this.#connection.link;
  }

  /** Called with the job that changed and its lines that did; with null if it is jobs or the link. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ask how the jobs stand. */
  look(): void {
    this.#connection
      .ask({ op: "hello" })
      .then(({ answer }) => {
        for (const standing of answer.standings ?? [])
          this.jobs.find(({ state }) => state.info.key === standing.key)?.compare(standing);
      })
      .catch(() => undefined); // the strip about the kernel says it
  }

  close(): void {
    clearInterval(this.#timer);
    this.#connection.close();
    for (const job of this.jobs) job.close();
    this.#listeners.clear();
  }

  #open(): void {
    const infos = this.#connection.get("_jobs");
    for (const [i, job] of this.jobs.entries()) job.reshape(infos[i] ?? job.state.info);
    for (const info of infos.slice(this.jobs.length))
      this.jobs.push(new Job(info, this.#connection, (job, rows) => this.#tell(job, rows)));
    this.#tell(null, []);
  }

  #tell(job: Job | null, rows: readonly number[]): void {
    for (const listener of this.#listeners) listener(job, rows);
  }
}
