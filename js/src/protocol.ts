/**
 * What crosses between the browser and Python. The traits mirror `src/ipyassets/widgets/` (named there the same);
 * Python alone writes them. The browser asks by custom messages, each with a `request` word of its own, and gets
 * parts, then one last reply or an error. Nothing here is ever a URL: pictures are bytes in the message's buffers.
 */

import type { Range } from "./core/ranges";
import type { PictureMessage } from "./kernel/pictures";

export interface Choice {
  value: string;
  label: string;
}

export interface Filter {
  name: string;
  label: string;
  kind: "choice" | "choices" | "text" | "flag";
  choices: Choice[];
}

export interface Service {
  key: string;
  title: string;
  /** What the service calls the place assets live in; null where there is no choice. */
  places: string | null;
  filters: Filter[];
  sorts: Choice[];
  /** Whether its assets may have turntables. */
  turns: boolean;
}

export interface Setup {
  /** On a `page` nothing is selected, since nobody would hear of it: a click shows one large. */
  kind: "explorer" | "images" | "page";
  label: string;
  /** What one item is called, and many. */
  nouns: [one: string, many: string];
  /** What stands in a tile without a picture. */
  missing: string;
  height: string;
  banner: string | null;
  services: Service[];
  /** Whether anything here turns, where there is no service to say so. */
  turns: boolean;
}

export type FilterValue = string | string[] | boolean;

export interface Query {
  service: string;
  place: string | null;
  text: string;
  filters: Record<string, FilterValue>;
  sort: string | null;
}

/** Workspaces and the like, by service key. */
export type Places = Record<string, { items: Choice[]; message: string | null }>;

export interface Result {
  generation: number;
  state: "loading" | "ready" | "error";
  /** Tiles that can be scrolled to now; grows while a list is walked. */
  count: number;
  /** The service's own count of matches, if it gives one. */
  total: number | null;
  /** Whether the list ends at `count`. */
  ended: boolean;
  message: string | null;
  /** What kind of error it is, if it is one. */
  trouble?: Trouble;
}

/** What a person can do about an error, in a word. */
export type Trouble = "credentials" | "permission" | "limit" | "offline" | "unavailable" | "other";

export interface Selection {
  generation: number;
  ranges: Range[];
  /** Selected by Python, and not in this result. */
  outside: number;
}

export interface Traits {
  _setup: Setup;
  _query: Query;
  _places: Places;
  _result: Result;
  _selection: Selection;
  _picking: boolean;
}

/** While its state is `wait`, the name is known and the picture on its way. */
export interface TileMessage extends PictureMessage {
  index: number;
  id: string;
  name: string;
}

export interface DetailMessage extends PictureMessage {
  name: string;
  facts: [label: string, value: string][];
}

/** One frame of a turn, by its place in it. */
export interface FrameMessage extends PictureMessage {
  index: number;
}

export type Part = {
  op: "part";
  request: string;
  tiles?: TileMessage[];
  /** Frames of a turn of `count` frames. */
  frames?: FrameMessage[];
  count?: number;
};
export type Reply = {
  op: "reply";
  request: string;
  generation?: number;
  detail?: DetailMessage;
  turns?: boolean;
};
