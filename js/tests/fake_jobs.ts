import type { JobInfo, RowMessage, Stage, Standing, Traits } from "../src/jobs/protocol";
import type { FakeModel } from "./fake";

export const info = (change: Partial<JobInfo> = {}): JobInfo => ({
  key: "1",
  title: "12 renders",
  count: 12,
  parts: [
    { name: "stills", label: "Stills", gives: "files" },
    { name: "turntable", label: "Turntable", gives: "film" },
  ],
  ...change,
});

export const standing = (change: Partial<Standing> = {}): Standing => ({
  key: "1",
  number: 0,
  status: "running",
  progress: 0.25,
  done: 3,
  failed: 0,
  began: 1_000,
  ended: null,
  remaining: null,
  now: 1_060,
  trouble: null,
  ...change,
});

export const row = (
  index: number,
  stages: Stage[] = ["queued", "queued"],
  more: Partial<RowMessage> = {},
): RowMessage => ({
  index,
  name: `Chair ${index + 1}`,
  stages,
  ...more,
});

export const rows = (count: number): RowMessage[] => Array.from({ length: count }, (_, i) => row(i));

/** A job without a kernel: answers a `FakeModel` as the Python half does. */
export class FakeJob {
  readonly info: JobInfo;
  rows: RowMessage[];
  number = 0;
  began = Date.now() / 1000;
  status: Standing["status"] = "running";
  trouble: string | null = null;
  readonly #fake: FakeModel<Traits>;

  constructor(fake: FakeModel<Traits>, of: JobInfo, lines: RowMessage[]) {
    this.#fake = fake;
    this.info = of;
    this.rows = lines;
  }

  get standing(): Standing {
    const over = (r: RowMessage) =>
      r.stages.every((s) => s === "completed" || s === "failed" || s === "stopped");
    const failed = this.rows.filter((r) => over(r) && r.stages.includes("failed")).length;
    const done = this.rows.filter(over).length;
    const stages = this.rows.flatMap((r) => r.stages);
    const progress =
      stages.filter((s) => s !== "queued" && s !== "running").length / Math.max(1, stages.length);
    const now = Date.now() / 1000;
    return standing({
      key: this.info.key,
      number: this.number,
      status: this.status,
      progress,
      done,
      failed,
      began: this.began,
      ended: this.status === "running" || this.status === "queued" ? null : now,
      remaining: progress > 0 && progress < 1 ? ((now - this.began) * (1 - progress)) / progress : null,
      now,
      trouble: this.trouble,
    });
  }

  /** These lines change, and the page is told. */
  change(...changed: RowMessage[]): void {
    for (const { name: _, ...rest } of changed) {
      const before = this.rows[rest.index];
      if (before?.name !== undefined) this.rows[rest.index] = { ...rest, name: before.name };
    }
    this.number += 1;
    const told = changed.map(({ name: _, ...rest }) => rest);
    this.#fake.receive({ op: "news", standing: this.standing, rows: told });
  }
}

type Draw = (index: number, edge: number, still: boolean) => Promise<Uint8Array | null>;

export function playJobs(fake: FakeModel<Traits>, jobs: FakeJob[], draw: Draw): void {
  const find = (key: unknown) => jobs.find((job) => job.info.key === key);

  async function pictures(
    request: string,
    indices: number[],
    edge: number,
    still: boolean,
    said: object = {},
  ): Promise<void> {
    const buffers: DataView[] = [];
    const tiles = [];
    for (const index of indices) {
      const bytes = await draw(index, edge, still);
      const known = { index, id: `id-${index}`, name: still ? `Still ${index + 1}` : "" };
      if (bytes) buffers.push(new DataView(bytes.buffer));
      tiles.push(
        bytes
          ? {
              ...known,
              state: "ok",
              mime: "image/jpeg",
              width: edge,
              height: edge,
              buffer: buffers.length - 1,
            }
          : { ...known, state: "none" },
      );
    }
    fake.receive({ op: "part", request, tiles }, buffers);
    fake.receive({ op: "reply", request, ...said });
  }

  fake.onSend = (message) => {
    const { op, request } = message;
    const job = find(message.job);
    const reply = (said: object) => setTimeout(() => fake.receive({ op: "reply", request, ...said }), 30);
    if (op === "hello") reply({ standings: jobs.map((one) => one.standing) });
    else if (op === "rows" && job) reply({ standing: job.standing, rows: job.rows });
    else if (op === "tiles") {
      const indices: number[] = [];
      for (const [first, last] of message.ranges as [number, number][])
        for (let i = first; i <= last; i++) indices.push(i);
      void pictures(request, indices, message.edge as number, false);
    } else if (op === "files" && job) {
      const archive = job.info.parts.some(({ name }) => name === "archive");
      const count = archive ? 64 : 5;
      const said = archive
        ? { pictures: 996, others: ["chair.glb", "walk <b>.mp4"], more: 2 }
        : { pictures: 5 };
      const indices = Array.from({ length: count }, (_, i) => i);
      void pictures(request, indices, message.edge as number, true, said);
    } else if (op === "film") reply({ film: null });
    else if (op === "stop" && job) {
      job.status = "stopped";
      job.change(
        ...job.rows.map((r) => ({
          ...r,
          stages: r.stages.map((s) => (s === "queued" || s === "running" ? "stopped" : s)),
        })),
      );
      reply({});
    } else if (op === "retry") {
      const text = "VNTANA does not answer (POST /v1/products/renders). Check the network, then try again.";
      setTimeout(() => fake.receive({ op: "error", request, message: text }), 800);
    }
  };
}
