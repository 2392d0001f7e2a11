import type { JobInfo, News, RowMessage, Stage, Standing } from "./protocol";

export interface Row extends RowMessage {
  name: string;
}

export const FILTERS = ["all", "running", "failed"] as const;
export type Filter = (typeof FILTERS)[number];

const OVER: ReadonlySet<Stage | null> = new Set<Stage | null>(["completed", "failed", "stopped", null]);

export const isOver = (row: RowMessage): boolean => row.stages.every((stage) => OVER.has(stage));
export const hasFailed = (row: RowMessage): boolean => row.stages.includes("failed");
/** Whether anything was made. */
export const hasMade = (row: RowMessage): boolean => row.stages.includes("completed");

/** One job as the browser knows it: everything from one answer, then what changed from news. */
export class JobState {
  info: JobInfo;
  rows: Row[] = [];
  standing: Standing | null = null;
  /** By how much our clock is ahead of the kernel's, in seconds. */
  #skew = 0;
  #heardAt = 0;

  constructor(info: JobInfo) {
    this.info = info;
  }

  get over(): boolean {
    const status = this.standing?.status;
    return status !== undefined && status !== "queued" && status !== "running";
  }

  /** Take over everything. Gives the lines that changed. */
  adopt(standing: Standing, rows: readonly RowMessage[], now: number): number[] {
    const before = this.rows;
    this.#stand(standing, now);
    this.rows = rows.map((row) => ({ ...row, name: row.name ?? "" }));
    return this.rows
      .filter((row, i) => JSON.stringify(row) !== JSON.stringify(before[i]))
      .map((r) => r.index);
  }

  /** Take over what changed. Gives the lines, or null if news were missed: then everything is to be asked for. */
  hear({ standing, rows }: News, now: number): number[] | null {
    if (this.standing === null) return []; // all of it is on its way
    if (standing.number <= this.standing.number) return [];
    if (standing.number !== this.standing.number + 1) return null;
    this.#stand(standing, now);
    for (const row of rows) {
      const before = this.rows[row.index];
      if (before) this.rows[row.index] = { ...row, name: before.name };
    }
    return rows.map((row) => row.index);
  }

  matching(filter: Filter): number[] {
    const rows =
      filter === "all"
        ? this.rows
        : this.rows.filter(filter === "failed" ? hasFailed : (row) => !isOver(row));
    return rows.map((row) => row.index);
  }

  /** Seconds since `began`, until `ended` or now. */
  elapsed(began: number, ended: number | null | undefined, now: number): number {
    return (ended ?? now - this.#skew) - began;
  }

  /** Seconds that are left by the last estimate; null where there is none. */
  remaining(now: number): number | null {
    const told = this.standing?.remaining ?? null;
    return told === null ? null : Math.max(0, told - (now - this.#heardAt));
  }

  #stand(standing: Standing, now: number): void {
    this.standing = standing;
    this.#skew = now - standing.now;
    this.#heardAt = now;
  }
}
