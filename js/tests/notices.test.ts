import { describe, expect, it } from "vitest";
import { noticeFor } from "../src/core/notices";
import { Ranges } from "../src/core/ranges";
import type { Query, Result, Service, Setup } from "../src/protocol";
import type { Snapshot } from "../src/source";
import { result, setup } from "./fake";

const service = (key: string, title: string, places: string | null): Service => ({
  key,
  title,
  places,
  filters: [],
  sorts: [],
  turns: false,
});
const SERVICES = [
  service("vntana", "VNTANA", "Workspace"),
  service("itwin", "Bentley iTwin", "iTwin"),
  service("scenario", "Scenario", null),
];

function now(change: Partial<Result>, more: Partial<Snapshot> & { on?: Partial<Query> } = {}): Snapshot {
  const { on, ...rest } = more;
  return {
    setup: setup({ services: SERVICES }),
    query: { service: "vntana", place: null, text: "", filters: {}, sort: null, ...on },
    places: {},
    result: result({ state: "ready", ...change }),
    selection: Ranges.empty,
    outside: 0,
    picking: false,
    link: "ok",
    refusal: null,
    ...rest,
  };
}

describe("What stands in the grid's place", () => {
  it("is nothing while there is something to see", () => {
    expect(noticeFor(now({ count: 3 }), true)).toBeNull();
    expect(noticeFor(now({ state: "loading" }), true)).toBeNull();
    expect(noticeFor(now({ count: 0, ended: false }), true)).toBeNull();
  });

  it("says of an error whose it is, what it is, and what else there is", () => {
    const said = noticeFor(
      now({ state: "error", trouble: "offline", message: "VNTANA could not be reached." }),
      false,
    );
    expect(said).toEqual({
      kind: "trouble",
      title: "VNTANA cannot be reached",
      text: "VNTANA could not be reached.",
      hint: "Bentley iTwin and Scenario can still be searched: choose above.",
      remedies: ["retry"],
    });
    const titles = (["credentials", "permission", "limit", "unavailable", "other"] as const).map(
      (trouble) => noticeFor(now({ state: "error", trouble }), true)?.title,
    );
    expect(new Set(titles).size).toBe(5);
    expect(noticeFor(now({ state: "error" }), true)?.title).toBe("VNTANA could not be searched");
  });

  it("names no other service where there is none", () => {
    const alone = setup({ services: SERVICES.slice(0, 1) });
    expect(noticeFor(now({ state: "error" }, { setup: alone }), false)?.hint).toBe("");
  });

  it("says of a refused request what Python said", () => {
    const said = noticeFor(now({ count: 3 }, { refusal: "There is no such filter." }), true);
    expect(said?.text).toBe("There is no such filter.");
    expect(said?.title).toBe("VNTANA could not be searched");
  });

  it("tells a search without a match from an empty place", () => {
    const searched = noticeFor(
      now({}, { on: { text: "zzz", filters: { status: ["DRAFT"], tag: "a" } } }),
      true,
    );
    expect(searched).toMatchObject({ title: "No assets match", text: "“zzz”", remedies: ["reset"] });
    expect(searched?.hint).toBe("2 filters are set.");
    const empty = noticeFor(now({}), true);
    expect(empty).toMatchObject({ title: "No assets here", remedies: ["retry"] });
    expect(empty?.text).toContain("This workspace of VNTANA is empty. Choose another workspace above");
    expect(noticeFor(now({}, { on: { service: "scenario" } }), true)?.text).toBe(
      "Scenario has nothing to show yet.",
    );
  });

  it("offers nothing to look for in a grid of images", () => {
    const grid: Setup = setup({ kind: "images", nouns: ["image", "images"], services: [] });
    const said = noticeFor(now({}, { setup: grid, on: { service: "" } }), true);
    expect(said).toMatchObject({ title: "No images", remedies: [] });
  });

  it("waits for nothing once the kernel is gone", () => {
    expect(noticeFor(now({ state: "loading" }), false)?.title).toBe("Searching VNTANA…");
    expect(noticeFor(now({ state: "loading" }, { link: "lost" }), false)?.title).toBe("No answer came");
    for (const change of [{ state: "error" as const }, {}])
      expect(noticeFor(now(change, { link: "lost" }), true)?.remedies).toEqual([]);
  });
});
