import { type TileSource, Tiles } from "../core/tiles";
import type { Connection } from "../kernel/connection";
import { asPicture } from "../kernel/pictures";
import { Cancelled } from "../kernel/requests";
import type { Tile } from "../source";
import type { FilmMessage, JobInfo, News, Part, Reply, Standing, Traits } from "./protocol";
import { JobState } from "./state";

/** Bytes of pictures of lines that are kept. */
const BUDGET = 8_000_000;
/** What films may be; anything else is not shown, whatever Python says. */
const FILMS = new Set(["video/mp4", "image/gif"]);

/** The files of a line besides the pictures that are shown. */
export interface Files {
  /** How many pictures there are. */
  pictures: number;
  /** Names of what is no picture, the first of them. */
  others: string[];
  /** How many more of these there are. */
  more: number;
}

export type Link = Connection<Traits, Reply, Part>;
export type Changed = (job: Job, rows: readonly number[]) => void;

/** One job: how it stands, the pictures of its lines, and what can be asked of it. Shared by all views. */
export class Job {
  readonly state: JobState;
  readonly tiles: Tiles;
  readonly #link: Link;
  readonly #changed: Changed;
  /** Lines whose picture is what was made, and no longer the poster. */
  readonly #made = new Set<number>();
  #asking = false;
  #again = false;
  #acting: "stop" | "retry" | null = null;
  #refusal: string | null = null;

  /** `changed` is told of every change, and which lines it touched. */
  constructor(info: JobInfo, link: Link, changed: Changed) {
    this.state = new JobState(info);
    this.#link = link;
    this.#changed = changed;
    const { state } = this;
    const lines: TileSource = {
      get now() {
        return { result: { generation: 1, count: state.info.count } };
      },
      tiles: async (_, wanted, edge, onTiles, signal) => {
        await this.#pictures({ op: "tiles", ranges: wanted.pairs, edge }, onTiles, signal);
      },
    };
    this.tiles = new Tiles(lines, BUDGET);
    this.tiles.show(1);
    this.ask();
  }

  /** What a person asked for that is not answered yet. */
  get acting(): "stop" | "retry" | null {
    return this.#acting;
  }

  /** Why the last thing asked was refused. */
  get refusal(): string | null {
    return this.#refusal;
  }

  /** Ask for everything. */
  ask(): void {
    this.#again = this.#asking;
    if (this.#asking) return; // what comes may be older than what is asked for now
    this.#asking = true;
    this.#link
      .ask({ op: "rows", job: this.state.info.key })
      .then(({ answer }) => {
        if (answer.standing && answer.rows)
          this.#took(this.state.adopt(answer.standing, answer.rows, seconds()));
      })
      .catch((error: Error) => this.#refuse(error))
      .finally(() => {
        this.#asking = false;
        if (this.#again) this.ask();
      });
  }

  /** It has other lines than we knew. */
  reshape(info: JobInfo): void {
    if (JSON.stringify(info) === JSON.stringify(this.state.info)) return;
    this.state.info = info;
    this.ask();
  }

  hear(news: News): void {
    const rows = this.state.hear(news, seconds());
    if (rows) this.#took(rows);
    else this.ask();
  }

  /** How it stands by Python; if that is not how it stands here, something was missed. */
  compare(standing: Standing): void {
    if (this.state.standing && standing.number !== this.state.standing.number) this.ask();
  }

  async act(op: "stop" | "retry"): Promise<void> {
    if (this.#acting) return;
    this.#acting = op;
    this.#refusal = null;
    this.#changed(this, []);
    try {
      await this.#link.ask({ op, job: this.state.info.key });
    } catch (error) {
      this.#refusal = (error as Error).message;
    }
    this.#acting = null;
    this.#changed(this, []);
  }

  forgetRefusal(): void {
    this.#refusal = null;
    this.#changed(this, []);
  }

  /** The pictures that were made for a line, as they come; gives what there is besides. */
  async files(
    index: number,
    edge: number,
    onPictures: (pictures: Tile[]) => void,
    signal: AbortSignal,
  ): Promise<Files> {
    const { answer } = await this.#pictures({ op: "files", index, edge }, onPictures, signal);
    return { pictures: answer.pictures ?? 0, others: answer.others ?? [], more: answer.more ?? 0 };
  }

  /** The film that was made for a line; null if there is none of this kind. */
  async film(index: number, media: "mp4" | "gif", signal: AbortSignal): Promise<Blob | null> {
    const ask = { op: "film", job: this.state.info.key, index, media };
    const { answer, buffers } = await this.#link.ask(ask, { signal });
    const film = answer.film as FilmMessage | null;
    const view = film ? buffers[film.buffer] : undefined;
    if (!film || !view || !FILMS.has(film.mime)) return null;
    const bytes = new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength);
    return new Blob([bytes], { type: film.mime });
  }

  close(): void {
    this.tiles.close();
  }

  async #pictures(
    ask: { op: string; [field: string]: unknown },
    onTiles: (tiles: Tile[]) => void,
    signal: AbortSignal,
  ): Promise<{ answer: Reply }> {
    const onPart = (part: Part, buffers: DataView[]) =>
      onTiles(
        part.tiles.map((tile) => ({
          ...asPicture(tile, buffers),
          index: tile.index,
          id: tile.id,
          name: tile.name,
        })),
      );
    return await this.#link.ask({ ...ask, job: this.state.info.key }, { signal, onPart });
  }

  #took(rows: readonly number[]): void {
    const { parts } = this.state.info;
    const fresh: number[] = [];
    for (const index of rows) {
      const stages = this.state.rows[index]?.stages ?? [];
      const made = stages.some((stage, i) => stage === "completed" && parts[i]?.gives === "files");
      if (made && !this.#made.has(index)) fresh.push(index);
      if (made) this.#made.add(index);
      else this.#made.delete(index);
    }
    this.tiles.outdate(fresh);
    this.#changed(this, rows);
  }

  #refuse(error: Error): void {
    if (error instanceof Cancelled) return;
    this.#refusal = error.message;
    this.#changed(this, []);
  }
}

const seconds = () => Date.now() / 1000;
