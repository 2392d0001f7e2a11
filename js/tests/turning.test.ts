import { describe, expect, it, vi } from "vitest";
import { Bitmaps, type Decoded } from "../src/core/bitmaps";
import { edgeFor } from "../src/core/edges";
import { dragged, frameUnder, nearest, nextFrames, pixelsPerTurn, Turn, wrap } from "../src/core/turning";
import { Turns } from "../src/core/turns";

describe("a turn in frames", () => {
  it("wraps both ways", () => {
    expect([wrap(36, 36), wrap(-1, 36), wrap(73.5, 36)]).toEqual([0, 35, 1.5]);
  });

  it("is one drag across what shows it, and no twitch in something small", () => {
    expect(dragged(5, 600, 600, 36)).toBeCloseTo(5);
    expect(dragged(5, 300, 600, 36)).toBeCloseTo(23);
    expect(dragged(5, 100, 600, 36), "the front follows the hand").toBeCloseTo(35);
    expect(pixelsPerTurn(80)).toBe(240);
  });

  it("finds the frame under a pointer, at the edges too", () => {
    expect([-5, 0, 79, 80, 159, 160, 400].map((x) => frameUnder(x, 160, 24))).toEqual([
      0, 0, 13, 12, 1, 1, 1,
    ]);
    expect(frameUnder(10, 0, 24)).toBe(0);
  });

  it("finds the nearest frame that is there, around the end too", () => {
    const there = new Set([2, 30]);
    expect(nearest(35, 36, (frame) => there.has(frame))).toBe(2);
    expect(nearest(28, 36, (frame) => there.has(frame))).toBe(30);
    expect(nearest(5, 36, () => false)).toBeNull();
  });
});

describe("which frames are asked for", () => {
  const without =
    (...have: number[]) =>
    (frame: number) =>
      !have.includes(frame);

  it("is the one that shows, then some all around, then the nearest ahead", () => {
    expect(nextFrames(36, () => true, 7, 1, 1)).toEqual([7]);
    expect(nextFrames(36, without(7), 7, 1, 12)).toEqual([0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33]);
    const coarse = [7, ...Array.from({ length: 12 }, (_, n) => 3 * n)];
    expect(nextFrames(36, without(...coarse), 7, 1, 4)).toEqual([8, 10, 5, 11]);
    expect(nextFrames(36, without(...coarse), 7, -1, 4)).toEqual([5, 8, 4, 2]);
  });

  it("leads to all of them once, however often the thing is turned meanwhile", () => {
    const have = new Set<number>();
    for (let at = 0; have.size < 100; at = (at + 37) % 100) {
      const batch = nextFrames(100, (frame) => !have.has(frame), at, at % 2 ? 1 : -1, 12);
      expect(batch.length).toBeGreaterThan(0);
      for (const frame of batch) expect(have.has(frame)).toBe(false);
      for (const frame of batch) have.add(frame);
    }
    expect(nextFrames(100, (frame) => !have.has(frame), 3, 1, 12)).toEqual([]);
  });

  it("is in few sizes, never larger than the film", () => {
    expect([edgeFor(500, 2048), edgeFor(540, 2048), edgeFor(600, 2048), edgeFor(900, 640)]).toEqual([
      512, 512, 768, 640,
    ]);
    expect(edgeFor(9_000, 20_000)).toBe(4096);
  });
});

describe("Turn", () => {
  function turn(): Turn {
    const made = new Turn();
    made.film(36, 12);
    return made;
  }

  it("plays at its speed, backwards too, and goes round", () => {
    const made = turn();
    for (let tick = 0; tick < 10; tick++) made.play(100);
    expect(made.frame).toBe(12);
    made.speed = 0.25;
    for (let tick = 0; tick < 10; tick++) made.play(100);
    expect(made.frame).toBe(15);
    made.speed = 4;
    made.direction = -1;
    for (let tick = 0; tick < 4; tick++) made.play(100);
    expect(made.frame).toBe(31);
  });

  it("does not spin after a sleep", () => {
    const made = turn();
    made.play(3_600_000);
    expect(made.frame).toBe(3);
  });

  it("steps in whole frames from wherever a hand left it", () => {
    const made = turn();
    made.go(dragged(0, -10, 360, 36));
    made.step(1);
    expect(made.position).toBe(2);
    made.step(-3);
    expect(made.frame).toBe(35);
  });
});

describe("Bitmaps", () => {
  interface Fake extends Decoded {
    blob: Blob;
  }
  const settle = () => new Promise((resolve) => setTimeout(resolve));

  function bitmaps(budget: number) {
    const closed: Blob[] = [];
    const ready: number[] = [];
    const decode = vi.fn(
      async (blob: Blob): Promise<Fake> => ({ blob, width: 10, height: 10, close: () => closed.push(blob) }),
    );
    return { made: new Bitmaps(decode, (index) => ready.push(index), budget), decode, closed, ready };
  }

  it("keeps what fits the budget and closes the rest, never what shows", async () => {
    const { made, closed, ready } = bitmaps(1_000);
    const blobs = Array.from({ length: 4 }, () => new Blob());
    for (const [index, blob] of blobs.entries()) {
      made.want(index, blob);
      await settle();
      if (index === 0) expect(made.show(0)).toMatchObject({ width: 10 });
    }
    expect(made.bytes).toBeLessThanOrEqual(1_000);
    expect(ready).toEqual([0, 1, 2, 3]);
    expect([made.has(0), made.has(1), made.has(2), made.has(3)]).toEqual([true, false, false, true]);
    expect(closed).toEqual([blobs[1], blobs[2]]);
  });

  it("decodes a few at once, each once", async () => {
    const { made, decode } = bitmaps(100_000);
    for (let index = 0; index < 9; index++) made.want(index, new Blob());
    made.want(0, new Blob());
    expect(decode).toHaveBeenCalledTimes(4);
    await settle();
    made.want(0, new Blob());
    expect(decode).toHaveBeenCalledTimes(4);
  });

  it("tries a broken picture once, and anew when another one comes in its place", async () => {
    // Whoever was told drew, wanted it again, and was told again: the page decoded it without end.
    const decode = vi.fn((): Promise<Fake> => Promise.reject(new Error("broken")));
    const made: Bitmaps<Fake> = new Bitmaps(decode, () => made.want(0, new Blob()), 1_000);
    made.want(0, new Blob());
    await settle();
    expect(decode).toHaveBeenCalledTimes(1);
    made.drop(0);
    made.want(0, new Blob());
    await settle();
    expect(decode).toHaveBeenCalledTimes(2);
  });

  it("drops what comes too late", async () => {
    const { made, closed } = bitmaps(100_000);
    made.want(0, new Blob());
    made.clear();
    await settle();
    expect(made.has(0)).toBe(false);
    expect(closed).toHaveLength(1);
  });
});

describe("Turns", () => {
  it("asks once for what does not turn, again for what failed, and anew for another result", () => {
    vi.useFakeTimers();
    const turns = new Turns().of(1);
    turns.none(4);
    turns.failed(5);
    expect([turns.mayTurn(4), turns.mayTurn(5), turns.mayTurn(6)]).toEqual([false, false, true]);
    vi.advanceTimersByTime(20_000);
    expect([turns.mayTurn(4), turns.mayTurn(5)]).toEqual([false, true]);
    expect(turns.of(2).mayTurn(4)).toBe(true);
    vi.useRealTimers();
  });

  it("keeps frames within a budget", () => {
    const turns = new Turns(25);
    for (let index = 0; index < 3; index++)
      turns.keep(index, { count: 1, frames: [new Blob(["0123456789"])] });
    expect([0, 1, 2].map((index) => turns.get(index)?.count)).toEqual([undefined, 1, 1]);
  });
});
