import { describe, expect, it, vi } from "vitest";
import { Encoded } from "../src/core/encoded";
import { Ranges } from "../src/core/ranges";
import { Tiles } from "../src/core/tiles";
import type { AssetSource, Snapshot, Tile } from "../src/source";
import { result } from "./fake";

interface Asked {
  generation: number;
  wanted: Ranges;
  edge: number;
  ahead: boolean;
  signal: AbortSignal;
  give(tiles: Tile[]): void;
  done(): void;
  fail(error: Error): void;
}

function tile(index: number, state: Tile["state"] = "ok", bytes = 5_000): Tile {
  const encoded = state === "ok" ? new Encoded(new Uint8Array(bytes), "image/jpeg") : null;
  return { index, id: `${index}`, name: `Asset ${index}`, state, message: "", encoded, width: 8, height: 8 };
}

function set(budget?: number) {
  const asked: Asked[] = [];
  const now = { result: result({ generation: 1, count: 100_000, total: 100_000 }) } as {
    -readonly [K in keyof Snapshot]: Snapshot[K];
  };
  const source = {
    now,
    tiles: (
      generation: number,
      wanted: Ranges,
      edge: number,
      give: Asked["give"],
      signal: AbortSignal,
      ahead: boolean,
    ) =>
      new Promise<void>((done, fail) =>
        asked.push({ generation, wanted, edge, ahead, signal, give, done, fail }),
      ),
  } as unknown as AssetSource;
  const tiles = new Tiles(source, budget);
  tiles.show(1);
  return { asked, now, tiles };
}

const view = {};
const wish = (first: number, last: number, ahead = Ranges.empty, edge = 192) => ({
  visible: Ranges.span(first, last),
  ahead,
  edge,
});
const settle = () => new Promise<void>((done) => setTimeout(done));

describe("Tiles", () => {
  it("asks for what shows, then for what is ahead, and for nothing twice", () => {
    const { asked, tiles } = set();
    tiles.wish(view, wish(0, 19, Ranges.span(20, 39)));
    tiles.wish(view, wish(0, 19, Ranges.span(20, 39)));
    expect(asked.map(({ wanted, ahead }) => [wanted.pairs, ahead])).toEqual([
      [[[0, 19]], false],
      [[[20, 39]], true],
    ]);
  });

  it("asks only for what is missing", async () => {
    const { asked, tiles } = set();
    tiles.wish(view, wish(0, 9));
    asked[0]?.give([...Array(10).keys()].map((i) => tile(i)));
    asked[0]?.done();
    await settle();
    tiles.wish(view, wish(5, 14));
    expect(asked[1]?.wanted.pairs).toEqual([[10, 14]]);
  });

  it("calls off what has wholly scrolled away, and keeps what still shows in part", () => {
    const { asked, tiles } = set();
    tiles.wish(view, wish(0, 19));
    tiles.wish(view, wish(10, 29));
    expect(asked[0]?.signal.aborted).toBe(false);
    tiles.wish(view, wish(500, 519));
    expect(asked.map(({ signal }) => signal.aborted)).toEqual([true, true, false]);
    expect(tiles.inFlight).toBe(1);
  });

  it("has no use for late answers", () => {
    const { asked, tiles } = set();
    tiles.wish(view, wish(0, 3));
    tiles.show(2);
    asked[0]?.give([tile(0)]);
    expect(tiles.get(0)).toBeUndefined();
    expect(tiles.bytes).toBe(0);
  });

  it("keeps what was scrolled past", () => {
    const { asked, tiles } = set();
    tiles.wish(view, wish(0, 3));
    asked[0]?.give([0, 1, 2, 3].map((i) => tile(i)));
    tiles.wish(view, wish(500, 503));
    tiles.wish(view, wish(0, 3));
    expect(asked.filter(({ wanted }) => wanted.has(0))).toHaveLength(1);
    expect(tiles.get(2)?.encoded?.size).toBe(5_000);
  });

  it("stays within its bytes, and never lets go of what is on screen", async () => {
    const { asked, tiles } = set(100_000);
    tiles.pin(view, Ranges.span(0, 3));
    for (let first = 0; first < 400; first += 4) {
      tiles.wish(view, wish(first, first + 3));
      asked.at(-1)?.give([0, 1, 2, 3].map((i) => tile(first + i)));
      asked.at(-1)?.done();
      await settle();
    }
    expect(tiles.bytes).toBeLessThanOrEqual(100_000 + 4 * 5_400);
    for (const index of [0, 1, 2, 3, 396, 399]) expect(tiles.get(index)?.encoded?.size).toBe(5_000);
    expect(tiles.get(200)).toBeUndefined();
  });

  it("shows the picture it has until a sharper one comes", () => {
    const { asked, tiles } = set();
    tiles.wish(view, wish(0, 0));
    asked[0]?.give([tile(0)]);
    tiles.wish(view, wish(0, 0, Ranges.empty, 384));
    asked[1]?.give([tile(0, "wait")]);
    expect(tiles.get(0)?.encoded?.size).toBe(5_000);
    asked[1]?.give([tile(0, "ok", 9_000)]);
    expect(tiles.get(0)?.encoded?.size).toBe(9_000);
    expect(tiles.bytes).toBeLessThan(10_000);
  });

  it("marks what was never answered and what failed, so that nothing waits for ever", async () => {
    const { asked, tiles } = set();
    tiles.wish(view, wish(0, 1));
    asked[0]?.give([tile(0), tile(1, "wait")]);
    asked[0]?.done();
    await settle();
    expect(tiles.get(1)).toMatchObject({ state: "error", name: "Asset 1" });
    tiles.wish(view, wish(5, 5));
    asked[1]?.fail(new Error("The service is down."));
    await settle();
    expect(tiles.get(5)).toMatchObject({ state: "error", message: "The service is down." });
  });

  it("asks again for what failed a while ago, and not at every movement", async () => {
    vi.useFakeTimers();
    const { asked, tiles } = set();
    tiles.wish(view, wish(0, 1));
    asked[0]?.give([tile(0), tile(1, "error")]);
    tiles.wish(view, wish(0, 1));
    expect(asked).toHaveLength(1);
    asked[0]?.done();
    await vi.advanceTimersByTimeAsync(10_000);
    tiles.wish(view, wish(0, 1));
    expect(asked[1]?.wanted.pairs).toEqual([[1, 1]]);
    asked[1]?.give([tile(1, "wait")]);
    expect(tiles.get(1)?.state, "the mark stays until there is something better").toBe("error");
    asked[1]?.give([tile(1)]);
    expect(tiles.get(1)?.encoded?.size).toBe(5_000);
    vi.useRealTimers();
  });

  it("blames no asset when Python has already moved on to another result", async () => {
    const { asked, now, tiles } = set();
    tiles.wish(view, wish(0, 1));
    now.result = result({ generation: 2, state: "loading" });
    asked[0]?.fail(new Error("This was asked of an older result."));
    await settle();
    expect(tiles.get(0)).toBeUndefined();
  });

  it("serves two views, and asks for both", () => {
    const { asked, tiles } = set();
    const other = {};
    tiles.wish(view, wish(0, 9));
    tiles.wish(other, wish(100, 109));
    tiles.wish(view, wish(5, 14));
    expect(asked.map(({ wanted, signal }) => [wanted.pairs, signal.aborted])).toEqual([
      [[[0, 9]], false],
      [[[100, 109]], false],
      [[[10, 14]], false],
    ]);
    tiles.leave(other);
    expect(asked[1]?.signal.aborted).toBe(true);
  });

  it("asks once more for what failed, when somebody wants that, and for that alone", async () => {
    const { asked, tiles } = set();
    tiles.wish(view, wish(0, 3));
    asked[0]?.give([tile(0), tile(1, "error"), tile(2, "none"), tile(3, "error")]);
    asked[0]?.done();
    await settle();
    const changed: number[][] = [];
    tiles.subscribe((indices) => changed.push([...indices]));
    tiles.again([0, 1, 2, 3]);
    expect(asked[1]?.wanted.pairs).toEqual([
      [1, 1],
      [3, 3],
    ]);
    expect(changed).toEqual([[1, 3]]);
    expect(tiles.get(1)?.state).toBe("wait");
    tiles.again([1]);
    expect(asked).toHaveLength(2);
  });
});
