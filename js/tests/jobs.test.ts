import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Announcer } from "../src/jobs/announcer";
import type { News, Traits } from "../src/jobs/protocol";
import { JobsSource } from "../src/jobs/source";
import { JobState } from "../src/jobs/state";
import { clock, countWords, filesWords, left, spokenCount, stageWords } from "../src/jobs/words";
import { FakeModel } from "./fake";
import { info, row, rows, standing } from "./fake_jobs";

const news = (number: number, changed: ReturnType<typeof row>[], more = {}): News => ({
  op: "news",
  standing: standing({ number, ...more }),
  rows: changed.map(({ name: _, ...rest }) => rest),
});

describe("words", () => {
  it("shows a clock", () => {
    expect([0, 7.9, 60, 760, 3_729, -3].map(clock)).toEqual([
      "0:00",
      "0:07",
      "1:00",
      "12:40",
      "1:02:09",
      "0:00",
    ]);
  });

  it("estimates no finer than it knows", () => {
    expect([1, 12, 55, 57, 89, 200, 3_590, 4_900, 7_200].map(left)).toEqual([
      "a few seconds left",
      "about 15 s left",
      "about 55 s left",
      "about 1 min left",
      "about 1 min left",
      "about 3 min left",
      "about 1 h left",
      "about 1 h 20 min left",
      "about 2 h left",
    ]);
  });

  it("says how far it is", () => {
    expect(countWords(standing({ done: 1_200, failed: 2 }), 2_000)).toBe("1,200 of 2,000 done · 2 failed");
    expect(spokenCount(standing({ done: 3 }), 12)).toBe("3 of 12 done");
    expect(spokenCount(standing({ status: "partly_failed", done: 12, failed: 1 }), 12)).toBe(
      "Done, with failures: 12 of 12 done, 1 failed",
    );
    expect([
      stageWords("running", null),
      stageWords("running", 0.459),
      stageWords("completed", null),
    ]).toEqual(["running", "45 %", "done"]);
  });
});

describe("words of a line's files", () => {
  const files = (pictures: number, others: string[] = [], more = 0) => ({ pictures, others, more });

  it("says nothing where all is shown", () => {
    expect(filesWords(files(5), 5)).toBe("");
  });

  it("says how many more pictures there are, and names what is no picture", () => {
    expect(filesWords(files(1_000), 64)).toBe("The first 64 of 1,000 pictures are shown.");
    expect(filesWords(files(2, ["chair.glb"]), 2)).toBe("One file is no picture: chair.glb.");
    expect(filesWords(files(0, ["a.glb", "b.mp4"], 1_234), 0)).toBe(
      "There are no pictures. 1,236 files are no picture: a.glb, b.mp4 and 1,234 more.",
    );
  });
});

describe("JobState", () => {
  function known(count = 4) {
    const state = new JobState(info({ count }));
    state.adopt(standing({ number: 5 }), rows(count), 1_000);
    return state;
  }

  it("takes over everything, then what changed", () => {
    const state = known();
    const changed = [row(2, ["completed", "running"], { shares: [null, 0.5], began: 1_010 })];
    expect(state.hear(news(6, changed), 1_001)).toEqual([2]);
    expect(state.rows[2]).toEqual({
      index: 2,
      name: "Chair 3",
      stages: ["completed", "running"],
      shares: [null, 0.5],
      began: 1_010,
    });
  });

  it("forgets an error that is not told any more", () => {
    const state = known();
    state.hear(news(6, [row(1, ["failed", "queued"], { errors: { stills: "It broke." } })]), 1_001);
    expect(state.matching("failed")).toEqual([1]);
    state.hear(news(7, [row(1)]), 1_002);
    expect(state.rows[1]?.errors).toBeUndefined();
    expect(state.matching("failed")).toEqual([]);
  });

  it("notices that news were missed, and lets older ones pass", () => {
    const state = known();
    expect(state.hear(news(8, [row(0, ["completed", "completed"])]), 1_001)).toBeNull();
    expect(state.hear(news(5, [row(0, ["failed", "failed"])]), 1_001)).toEqual([]);
    expect(state.rows[0]?.stages).toEqual(["queued", "queued"]);
  });

  it("ignores news before it knows the whole", () => {
    const state = new JobState(info());
    expect(state.hear(news(1, [row(0, ["completed", "completed"])]), 1_000)).toEqual([]);
    expect(state.rows).toEqual([]);
  });

  it("filters, and thousands as quickly as a dozen", () => {
    const state = known(2_000);
    state.hear(news(6, [row(1_999, ["completed", "completed"]), row(7, ["completed", "failed"])]), 1_001);
    expect(state.matching("all").length).toBe(2_000);
    expect(state.matching("running").length).toBe(1_998);
    expect(state.matching("failed")).toEqual([7]);
  });

  it("ticks by our clock, whatever the kernel's says", () => {
    const state = new JobState(info());
    // The kernel's clock is 500 s behind ours.
    state.adopt(standing({ began: 1_000, now: 1_060, remaining: 30 }), rows(1), 1_560);
    expect(state.elapsed(1_000, null, 1_560)).toBe(60);
    expect(state.elapsed(1_000, null, 1_565)).toBe(65);
    expect(state.elapsed(1_000, 1_042, 9_999)).toBe(42);
    expect(state.remaining(1_570)).toBe(20);
    expect(state.remaining(1_700)).toBe(0);
  });
});

describe("Announcer", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("says the last of many sentences now and then, and the end at once", () => {
    const said: string[] = [];
    const announcer = new Announcer((text) => said.push(text));
    for (let n = 0; n < 100; n++) {
      announcer.say(`${n} done`);
      vi.advanceTimersByTime(100);
    }
    expect(said).toEqual(["0 done"]);
    vi.advanceTimersByTime(6_000);
    expect(said).toEqual(["0 done", "99 done"]);
    announcer.say("All done", true);
    announcer.say("All done", true);
    expect(said).toEqual(["0 done", "99 done", "All done"]);
    announcer.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("JobsSource", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const settle = () => vi.advanceTimersByTimeAsync(0);

  async function connected(count = 4) {
    const fake = new FakeModel<Traits>({ _setup: { height: "360px" }, _jobs: [info({ count })] });
    const source = new JobsSource(fake.model);
    const job = source.jobs[0] as (typeof source.jobs)[number];
    for (const { op, request } of [...fake.sent])
      fake.receive({
        op: "reply",
        request,
        ...(op === "rows" && { standing: standing(), rows: rows(count) }),
      });
    await settle();
    return { fake, source, job };
  }

  it("asks for everything once, and then hears what changes", async () => {
    const { fake, source, job } = await connected();
    expect(fake.sent.map(({ op }) => op)).toEqual(["hello", "rows"]);
    const heard: (readonly number[])[] = [];
    source.subscribe((_, changed) => heard.push(changed));
    fake.receive(news(1, [row(2, ["running", "queued"])]));
    expect(heard).toEqual([[2]]);
    expect(job.state.rows[2]?.stages).toEqual(["running", "queued"]);
  });

  it("asks for everything again when news were missed", async () => {
    const { fake, job } = await connected();
    fake.receive(news(3, [row(2, ["running", "queued"])]));
    fake.receive(news(4, []));
    const asked = fake.asked("rows");
    expect(asked.length, "one at a time, however many come").toBe(2);
    const all = [...rows(3), row(3, ["completed", "completed"])];
    fake.receive({ op: "reply", request: asked[1]?.request, standing: standing({ number: 4 }), rows: all });
    await settle();
    expect(job.state.rows[3]?.stages).toEqual(["completed", "completed"]);
  });

  it("looks now and then while a job goes on: a sleeping computer hears no news", async () => {
    const { fake, job } = await connected();
    await vi.advanceTimersByTimeAsync(20_000);
    const look = fake.asked("hello")[1];
    const over = standing({ number: 9, status: "completed", done: 4, ended: 1_090 });
    fake.receive({ op: "reply", request: look?.request, standings: [over] });
    await settle();
    const again = fake.asked("rows")[1];
    fake.receive({ op: "reply", request: again?.request, standing: over, rows: rows(4) });
    await settle();
    expect(job.state.over).toBe(true);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(fake.asked("hello").length, "nobody asks after what is over").toBe(2);
  });

  it("shows jobs that are added", async () => {
    const { fake, source } = await connected();
    fake.put("_jobs", [info({ count: 4 }), info({ key: "2", title: "more" })]);
    expect(source.jobs.map(({ state }) => state.info.title)).toEqual(["12 renders", "more"]);
    expect(fake.asked("rows").at(-1)).toMatchObject({ job: "2" });
  });

  it("asks for the lines of a job that had none when it was first shown", async () => {
    const { fake, source, job } = await connected(0);
    fake.put("_jobs", [info({ count: 2, title: "2 renders" })]);
    const asked = fake.asked("rows")[1];
    fake.receive({ op: "reply", request: asked?.request, standing: standing({ number: 1 }), rows: rows(2) });
    await settle();
    expect(source.jobs.length).toBe(1);
    expect([job.state.info.title, job.state.rows.length]).toEqual(["2 renders", 2]);
  });

  it("says why something was refused", async () => {
    const { fake, job } = await connected();
    const pressed = job.act("retry");
    void job.act("retry");
    expect(fake.asked("retry").length, "one press is one request").toBe(1);
    expect(job.acting).toBe("retry");
    fake.receive({ op: "error", request: fake.asked("retry")[0]?.request, message: "The service is away." });
    await pressed;
    expect([job.acting, job.refusal]).toEqual([null, "The service is away."]);
    job.forgetRefusal();
    expect(job.refusal).toBeNull();
  });

  it("asks for another picture once the stills of a line are made", async () => {
    const { fake, job } = await connected();
    const { Ranges } = await import("../src/core/ranges");
    job.tiles.wish({}, { visible: Ranges.span(0, 1), ahead: Ranges.empty, edge: 96 });
    const first = fake.asked("tiles")[0];
    const none = [0, 1].map((index) => ({ index, id: "", name: "", state: "none" }));
    fake.receive({ op: "part", request: first?.request, tiles: none });
    fake.receive({ op: "reply", request: first?.request });
    await settle();
    fake.receive(news(1, [row(1, ["running", "queued"])]));
    expect(fake.asked("tiles").length).toBe(1);
    fake.receive(news(2, [row(1, ["completed", "running"])]));
    fake.receive(news(3, [row(1, ["completed", "completed"])]));
    expect(fake.asked("tiles").slice(1)).toMatchObject([{ job: "1", ranges: [[1, 1]], edge: 96 }]);
  });

  it("takes films of two kinds and nothing else", async () => {
    const { fake, job } = await connected();
    const signal = new AbortController().signal;
    const answer = (mime: string) => {
      const { request } = fake.asked("film").at(-1) as { request: string };
      const film = { mime, name: "x", buffer: 0 };
      fake.receive({ op: "reply", request, film }, [new DataView(new Uint8Array([1, 2, 3]).buffer, 1, 1)]);
    };
    const good = job.film(0, "mp4", signal);
    answer("video/mp4");
    expect([...new Uint8Array((await (await good)?.arrayBuffer()) as ArrayBuffer)]).toEqual([2]);
    const bad = job.film(0, "mp4", signal);
    answer("text/html");
    expect(await bad).toBeNull();
  });

  it("leaves nothing behind", async () => {
    const { fake, source } = await connected();
    source.close();
    expect(fake.listeners).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});
