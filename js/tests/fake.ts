import type { AnyModel } from "@anywidget/types";
import type { DetailMessage, Query, Result, Selection, Setup, TileMessage, Traits } from "../src/protocol";

type Sent = Record<string, unknown> & { op: string; request: string };

/** A widget model without a kernel: records what is sent, and lets a test play the other side. */
export class FakeModel<T extends object = Traits> {
  readonly sent: Sent[] = [];
  readonly #traits: T;
  readonly #callbacks = new Map<string, Set<(...args: never[]) => void>>();
  /** Plays the kernel as messages arrive; a test that answers by hand leaves it out. */
  onSend: ((message: Sent) => void) | null = null;

  constructor(traits: Partial<T> = {}) {
    this.#traits = { ...emptyTraits(), ...traits } as T;
  }

  get model(): AnyModel<T> {
    return this as unknown as AnyModel<T>;
  }

  get<K extends keyof T>(key: K): T[K] {
    return this.#traits[key];
  }

  on(event: string, callback: (...args: never[]) => void): void {
    const callbacks = this.#callbacks.get(event) ?? new Set();
    this.#callbacks.set(event, callbacks.add(callback));
  }

  off(event: string, callback: (...args: never[]) => void): void {
    this.#callbacks.get(event)?.delete(callback);
  }

  send(message: Sent): void {
    this.sent.push(message);
    this.onSend?.(message);
  }

  /** Python changes a trait. */
  put<K extends keyof T>(key: K, value: T[K]): void {
    this.#traits[key] = value;
    this.emit(`change:${String(key)}`);
  }

  /** Python sends a message. */
  receive(content: object, buffers: DataView[] = []): void {
    this.emit("msg:custom", content, buffers);
  }

  emit(event: string, ...args: unknown[]): void {
    for (const callback of this.#callbacks.get(event) ?? []) callback(...(args as never[]));
  }

  asked(op: string): Sent[] {
    return this.sent.filter((message) => message.op === op);
  }

  get listeners(): number {
    let sum = 0;
    for (const callbacks of this.#callbacks.values()) sum += callbacks.size;
    return sum;
  }
}

export function emptyTraits(): Traits {
  return {
    _setup: setup(),
    _query: { service: "vntana", place: null, text: "", filters: {}, sort: null },
    _places: {},
    _result: result({ count: 87, total: 87 }),
    _selection: { generation: 1, ranges: [], outside: 0 },
    _picking: false,
  };
}

export function setup(change: Partial<Setup> = {}): Setup {
  return {
    kind: "explorer",
    label: "Assets",
    nouns: ["asset", "assets"],
    missing: "No poster",
    height: "520px",
    banner: null,
    services: [{ key: "vntana", title: "VNTANA", places: "Workspace", filters: [], sorts: [], turns: true }],
    turns: false,
    ...change,
  };
}

export function result(change: Partial<Result> = {}): Result {
  return { generation: 1, state: "ready", count: 0, total: null, ended: true, message: null, ...change };
}

export interface Catalogue {
  count: number;
  name(index: number, query: Query): string;
  picture(
    index: number,
    edge: number,
  ): Promise<{ bytes: Uint8Array; mime: string; width: number; height: number } | "none" | "error">;
  /** Frames all around; none if it does not turn. */
  turn?(index: number, edge: number): Promise<{ bytes: Uint8Array; mime: string }[]>;
  facts(index: number): [string, string][];
  matches(query: Query): number;
  delay: number;
}

/** Answers a `FakeModel` from a catalogue, as the Python half does. */
export function playKernel(fake: FakeModel, catalogue: Catalogue): void {
  const cancelled = new Set<string>();
  const later = (run: () => void) => setTimeout(run, catalogue.delay);

  async function tile(index: number, edge: number, buffers: DataView[]): Promise<TileMessage> {
    const known = { index, id: `id-${index}`, name: catalogue.name(index, fake.get("_query")) };
    const picture = await catalogue.picture(index, edge);
    if (picture === "none") return { ...known, state: "none" };
    if (picture === "error")
      return { ...known, state: "error", message: "The picture is damaged or cut off." };
    buffers.push(new DataView(picture.bytes.buffer));
    const { mime, width, height } = picture;
    return { ...known, state: "ok", mime, width, height, buffer: buffers.length - 1 };
  }

  async function tiles({ request, ranges, edge }: Sent): Promise<void> {
    const indices: number[] = [];
    for (const [first, last] of ranges as [number, number][]) {
      for (let i = first; i <= Math.min(last, fake.get("_result").count - 1); i++) indices.push(i);
    }
    const waiting = indices.map((index) => ({
      index,
      id: `id-${index}`,
      name: catalogue.name(index, fake.get("_query")),
      state: "wait",
    }));
    fake.receive({ op: "part", request, tiles: waiting });
    const buffers: DataView[] = [];
    const done: TileMessage[] = [];
    for (const index of indices) done.push(await tile(index, edge as number, buffers));
    if (cancelled.has(request)) return;
    fake.receive({ op: "part", request, tiles: done }, buffers);
    fake.receive({ op: "reply", request });
  }

  async function detail({ request, index, edge }: Sent): Promise<void> {
    const buffers: DataView[] = [];
    const { state, ...rest } = await tile(index as number, edge as number, buffers);
    const answer = { ...rest, state, facts: catalogue.facts(index as number) } as DetailMessage;
    fake.receive({ op: "reply", request, detail: answer }, buffers);
  }

  async function turn({ request, index, edge }: Sent): Promise<void> {
    const made = (await catalogue.turn?.(index as number, edge as number)) ?? [];
    if (cancelled.has(request)) return;
    const buffers = made.map(({ bytes }) => new DataView(bytes.buffer));
    const frames = made.map(({ mime }, place) => ({ index: place, state: "ok", mime, buffer: place }));
    if (frames.length) fake.receive({ op: "part", request, count: frames.length, frames }, buffers);
    fake.receive({ op: "reply", request, turns: frames.length > 0 });
  }

  fake.onSend = (message) => {
    const { op, request } = message;
    if (op === "cancel") for (const gone of message.requests as string[]) cancelled.add(gone);
    else if (op === "hello" || op === "use") later(() => fake.receive({ op: "reply", request }));
    else if (op === "tiles") later(() => void tiles(message));
    else if (op === "frames") later(() => void turn(message));
    else if (op === "detail") later(() => void detail(message));
    else if (op === "select") {
      const selection = { generation: message.generation, ranges: message.ranges, outside: 0 } as Selection;
      later(() => {
        fake.put("_selection", selection);
        fake.receive({ op: "reply", request });
      });
    } else if (op === "search") {
      const generation = fake.get("_result").generation + 1;
      fake.put("_query", message.query as Query);
      fake.put("_result", result({ generation, state: "loading" }));
      fake.receive({ op: "reply", request, generation });
      later(() => {
        const count = catalogue.matches(message.query as Query);
        if (fake.get("_result").generation === generation)
          fake.put("_result", result({ generation, count, total: count }));
      });
    }
  };
}
