import { describe, expect, it } from "vitest";
import { actionFor, type Key, keepFromHost, type Motion, target } from "../src/core/keys";

const key = (key: string, held: Partial<Key> = {}): Key => ({
  key,
  shiftKey: false,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  ...held,
});

describe("actionFor", () => {
  it.each([
    ["ArrowLeft", {}, { do: "move", motion: "left", extend: false }],
    ["ArrowDown", { shiftKey: true }, { do: "move", motion: "down", extend: true }],
    ["Home", {}, { do: "move", motion: "rowStart", extend: false }],
    ["Home", { ctrlKey: true }, { do: "move", motion: "first", extend: false }],
    ["End", { metaKey: true }, { do: "move", motion: "last", extend: false }],
    ["PageDown", {}, { do: "move", motion: "pageDown", extend: false }],
    [" ", {}, { do: "toggle" }],
    [" ", { shiftKey: true }, { do: "extend" }],
    ["Enter", {}, { do: "open" }],
    ["a", { ctrlKey: true }, { do: "all" }],
    ["A", { metaKey: true }, { do: "all" }],
    ["Escape", {}, { do: "escape" }],
    ["b", {}, null],
    ["Tab", {}, null],
    ["Enter", { shiftKey: true }, null],
    ["ArrowLeft", { altKey: true }, null],
  ] as const)("%s with %o", (name, held, action) => {
    expect(actionFor(key(name, held))).toEqual(action);
  });
});

describe("keepFromHost", () => {
  it("keeps every key that would edit a notebook", () => {
    for (const name of ["b", "d", "x", "m", "0", "Delete", "Backspace", "ArrowDown", " ", "Enter"]) {
      expect(keepFromHost(key(name)), name).toBe(true);
      expect(keepFromHost(key(name, { shiftKey: true })), name).toBe(true);
    }
    for (const name of ["Enter", "z", "v", "a"])
      expect(keepFromHost(key(name, { ctrlKey: true })), name).toBe(true);
  });

  it("lets one leave, and save", () => {
    expect(keepFromHost(key("Tab"))).toBe(false);
    expect(keepFromHost(key("Tab", { shiftKey: true }))).toBe(false);
    expect(keepFromHost(key("Escape"))).toBe(false);
    expect(keepFromHost(key("s", { ctrlKey: true }))).toBe(false);
    expect(keepFromHost(key("c", { metaKey: true, shiftKey: true }))).toBe(false);
  });
});

describe("target", () => {
  // 23 tiles in rows of 5, three rows to a screen:  20 21 22 is the last row.
  const to = (motion: Motion, from: number) => target(motion, from, 5, 23, 3);

  it("stays within the tiles", () => {
    expect(to("left", 0)).toBe(0);
    expect(to("right", 22)).toBe(22);
    expect(to("up", 3)).toBe(3);
    expect(to("down", 22)).toBe(22);
  });

  it("goes on in the next row", () => {
    expect(to("right", 4)).toBe(5);
    expect(to("left", 5)).toBe(4);
  });

  it("goes down into a shorter last row", () => {
    expect(to("down", 17)).toBe(22);
    expect(to("down", 19)).toBe(22);
    expect(to("down", 21)).toBe(21);
  });

  it("goes to the ends of a row and of all", () => {
    expect(to("rowStart", 13)).toBe(10);
    expect(to("rowEnd", 13)).toBe(14);
    expect(to("rowEnd", 21)).toBe(22);
    expect(to("first", 13)).toBe(0);
    expect(to("last", 13)).toBe(22);
  });

  it("pages within its column", () => {
    expect(to("pageDown", 2)).toBe(17);
    expect(to("pageDown", 17)).toBe(22);
    expect(to("pageDown", 9)).toBe(19);
    expect(to("pageUp", 22)).toBe(7);
    expect(to("pageUp", 7)).toBe(2);
  });
});
