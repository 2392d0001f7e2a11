import { describe, expect, it } from "vitest";
import { Ranges } from "../src/core/ranges";
import { Tiles } from "../src/core/tiles";
import type { Entry, PageData } from "../src/page/data";
import { folded, haystack, matches, words } from "../src/page/search";
import { PageSource } from "../src/page/source";
import type { Frame, Tile } from "../src/source";

const block = (...bytes: number[]) => ({ textContent: btoa(String.fromCharCode(...bytes)) });

function entry(name: string, change: Partial<Entry> = {}): Entry {
  return {
    id: `id-${name}`,
    name,
    facts: [["Tags", "wood, indoor"]],
    picture: { state: "ok", mime: "image/webp", width: 4, height: 3 },
    blocks: [block(1, 2, 250)],
    ...change,
  };
}

function page(...entries: Entry[]): PageData {
  const about = { title: "Chairs", nouns: ["asset", "assets"] as [string, string], missing: "No poster" };
  return { about: { ...about, notes: [], troubles: [] }, entries };
}

const query = (text: string) => ({ service: "", place: null, text, filters: {}, sort: null });

async function seen(source: PageSource, last = 9): Promise<Tile[]> {
  let found: Tile[] = [];
  await source.tiles(source.now.result.generation, Ranges.span(0, last), 192, (tiles) => {
    found = tiles;
  });
  return found;
}

describe("searching within", () => {
  const hay = haystack("Été Chair", "4711-ab", [
    ["Colour", "Dark Blue"],
    ["Tags", "كُرْسِيّ"],
  ]);
  const found = (text: string) => matches(hay, words(text));

  it("looks in name, id and values, for all words, in any order", () => {
    for (const text of ["chair", "4711", "blue chair", "  BLUE   ete ", "dark été", "كرسي"])
      expect(found(text), text).toBe(true);
    for (const text of ["table", "chair table", "colour"]) expect(found(text), text).toBe(false);
  });

  it("takes marks and forms of letters for nothing, and the rest as it is", () => {
    expect(folded("Ａ\u0301ﬁ")).toBe("afi");
    expect(found(".*")).toBe(false);
    expect(found("")).toBe(true);
  });
});

describe("PageSource", () => {
  it("gives what the page holds, decoded", async () => {
    const source = new PageSource(page(entry("a"), entry("b", { picture: { state: "none" }, blocks: [] })));
    const [first, second, ...rest] = await seen(source);
    expect(rest).toEqual([]);
    expect([first?.name, first?.id, first?.state]).toEqual(["a", "id-a", "ok"]);
    expect([...(first?.encoded?.bytes ?? [])]).toEqual([1, 2, 250]);
    expect(first?.encoded?.type).toBe("image/webp");
    expect([second?.state, second?.encoded]).toEqual(["none", null]);
    const detail = await source.detail(1, 0);
    expect([detail.name, detail.facts, detail.width]).toEqual(["a", [["Tags", "wood, indoor"]], 4]);
  });

  it("says of what failed that it failed when the page was made", async () => {
    const source = new PageSource(page(entry("a", { picture: { state: "error" }, blocks: [] })));
    expect((await seen(source))[0]).toMatchObject({
      state: "error",
      message: "It could not be loaded when this page was made.",
    });
  });

  it("searches what it has, as a new result, and comes back to all of it", async () => {
    const source = new PageSource(page(entry("Oak chair"), entry("Table"), entry("chair")));
    const told: string[][] = [];
    source.subscribe((changed) => told.push([...changed].sort()));
    source.search(query("CHAIR"));
    expect(source.now.result).toMatchObject({
      generation: 2,
      state: "ready",
      count: 2,
      total: 2,
      ended: true,
    });
    expect((await seen(source)).map(({ name, index }) => [index, name])).toEqual([
      [0, "Oak chair"],
      [1, "chair"],
    ]);
    expect((await source.detail(2, 1)).name).toBe("chair");
    source.search(query("nothing like it"));
    expect(source.now.result.count).toBe(0);
    source.search(query(""));
    expect(source.now.result).toMatchObject({ generation: 4, count: 3 });
    expect(told).toEqual(Array(3).fill(["query", "result"]));
  });

  it("serves the grid's own store of tiles", async () => {
    const source = new PageSource(page(entry("a"), entry("b")));
    const tiles = new Tiles(source);
    tiles.show(1);
    tiles.wish({}, { visible: Ranges.span(0, 1), ahead: Ranges.empty, edge: 192 });
    await new Promise((done) => setTimeout(done));
    expect([tiles.get(0)?.name, tiles.get(1)?.state]).toEqual(["a", "ok"]);
    expect(tiles.inFlight).toBe(0);
  });

  it("cuts frames that lie end to end, and leaves out what is missing", async () => {
    const turning = entry("a", {
      blocks: [block(9), block(1, 2, 3, 4, 5)],
      turn: { mime: "image/webp", sizes: [2, 0, 3] },
    });
    const source = new PageSource(page(turning, entry("still")));
    expect(source.now.setup.turns).toBe(true);
    let frames: Frame[] = [];
    const turns = await source.turn(1, 0, 256, (count, found) => {
      expect(count).toBe(3);
      frames = found;
    });
    expect(turns).toBe(true);
    const bytes = frames.map(async ({ blob }) => blob && [...new Uint8Array(await blob.arrayBuffer())]);
    expect(await Promise.all(bytes)).toEqual([[1, 2], null, [3, 4, 5]]);
    expect(await source.turn(1, 1, 256, () => expect.unreachable())).toBe(false);
    expect(new PageSource(page(entry("still"))).now.setup.turns).toBe(false);
  });

  it("has nobody to tell of a selection", () => {
    const source = new PageSource(page(entry("a")));
    source.select();
    expect(source.now.selection.size).toBe(0);
    expect(source.now.setup.kind).toBe("page");
  });
});
