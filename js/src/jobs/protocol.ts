/** What crosses between a `JobMonitor` in the browser and Python; mirrors `src/ipyassets/widgets/job_*.py`. */

import type { TileMessage } from "../protocol";

export type Stage = "queued" | "running" | "completed" | "failed" | "stopped";
export type Status = "queued" | "running" | "completed" | "partly_failed" | "failed" | "stopped";

/** What of a job seldom changes: one that is only being ordered has no lines yet. */
export interface JobInfo {
  key: string;
  title: string;
  count: number;
  parts: JobPart[];
}

export interface JobPart {
  name: string;
  label: string;
  /** What it makes, if that can be shown. */
  gives: "files" | "film" | null;
}

export interface Traits {
  _setup: { height: string };
  _jobs: JobInfo[];
}

/** A job as a whole. Times are seconds since the epoch by the kernel's clock, which may not be ours. */
export interface Standing {
  key: string;
  /** Of the last news that went out before this. */
  number: number;
  status: Status;
  progress: number;
  done: number;
  failed: number;
  began: number;
  ended: number | null;
  /** Seconds that the rest may take; null where nobody knows. */
  remaining: number | null;
  now: number;
  /** Why the last look at the work failed, while it is tried again. */
  trouble: string | null;
}

/** How one line stands. What is not there is none; a row that comes replaces all but the name. */
export interface RowMessage {
  index: number;
  name?: string;
  /** By part, in the job's order; null for a part that this line has not. */
  stages: (Stage | null)[];
  shares?: (number | null)[];
  errors?: Record<string, string>;
  began?: number;
  ended?: number;
}

export interface News {
  op: "news";
  standing: Standing;
  rows: RowMessage[];
}

export interface FilmMessage {
  mime: string;
  buffer: number;
}

export type Part = { op: "part"; request: string; tiles: TileMessage[] };
export type Reply = {
  op: "reply";
  request: string;
  standing?: Standing;
  standings?: Standing[];
  rows?: RowMessage[];
  film?: FilmMessage | null;
  /** Of a line's files: how many are pictures, the names of the others, and how many more of these there are. */
  pictures?: number;
  others?: string[];
  more?: number;
};
