import { describe, expect, it } from "vitest";
import { GAP, layout, offsetToShow, rowsFor, rowsInView } from "../src/core/layout";
import { ScrollMap } from "../src/core/scroll";

describe("layout", () => {
  it("fills the width with columns of about the size asked for", () => {
    const { columns, tileWidth } = layout(900, 152);
    expect(columns).toBe(5);
    expect(columns * tileWidth + (columns - 1) * GAP).toBeLessThanOrEqual(900);
    expect(900 - columns * tileWidth - (columns - 1) * GAP).toBeLessThan(columns);
  });

  it("has one column however narrow it gets", () => {
    expect(layout(20, 152).columns).toBe(1);
    expect([230, 232, 311, 312].map((width) => layout(width, 152).columns)).toEqual([1, 2, 2, 2]);
    expect(layout(300, 240).columns).toBe(1); // large tiles were asked for
  });

  it("keeps pictures near their size in a single wide column", () => {
    expect(layout(230, 152).pictureHeight).toBe(190);
  });
});

describe("rowsInView", () => {
  it("gives the rows that show", () => {
    expect(rowsInView(0, 400, 100, 20)).toEqual({ first: 0, last: 3 });
    expect(rowsInView(150, 400, 100, 20)).toEqual({ first: 1, last: 5 });
    expect(rowsInView(1_900, 400, 100, 20)).toEqual({ first: 19, last: 19 });
  });

  it("gives none of none", () => {
    const { first, last } = rowsInView(0, 400, 100, rowsFor(0, 5));
    expect(last).toBeLessThan(first);
  });
});

describe("offsetToShow", () => {
  it("moves no more than it must", () => {
    expect(offsetToShow(3, 0, 400, 100)).toBe(0);
    expect(offsetToShow(4, 0, 400, 100)).toBe(100);
    expect(offsetToShow(1, 250, 400, 100)).toBe(100);
  });
});

describe("ScrollMap", () => {
  const view = 500;

  function map(content: number): ScrollMap {
    const scroll = new ScrollMap();
    scroll.resize(content, view);
    return scroll;
  }

  it("is the scroller's own offset while a browser can lay it out", () => {
    const scroll = map(1_000_000);
    scroll.scrolled(123_456);
    expect([scroll.offset, scroll.shift, scroll.height]).toEqual([123_456, 0, 1_000_000]);
  });

  it("moves by as many pixels as the wheel, also through 200 million", () => {
    const scroll = map(200_000_000);
    scroll.scrolled(ScrollMap.tallest / 2);
    const before = scroll.offset;
    scroll.scrolled(ScrollMap.tallest / 2 + 120);
    expect(scroll.offset - before).toBe(120);
  });

  it("jumps in proportion when the scrollbar is dragged", () => {
    const scroll = map(200_000_000);
    scroll.scrolled((ScrollMap.tallest - view) / 2);
    expect(scroll.offset).toBeCloseTo((200_000_000 - view) / 2, 3);
  });

  it("reaches both ends", () => {
    const scroll = map(200_000_000);
    scroll.scrolled(ScrollMap.tallest - view);
    expect(scroll.offset).toBe(200_000_000 - view);
    scroll.scrolled(0);
    expect(scroll.offset).toBe(0);
  });

  it("puts the scrollbar where it belongs without moving the content", () => {
    const scroll = map(200_000_000);
    scroll.scrolled(1_000_000);
    for (let i = 0; i < 50; i++) scroll.scrolled(1_000_000 + i * 400);
    const { offset } = scroll;
    const bar = scroll.rest();
    expect(bar / (ScrollMap.tallest - view)).toBeCloseTo(offset / (200_000_000 - view), 9);
    scroll.scrolled(bar);
    expect(scroll.offset).toBe(offset);
  });

  it("places a row inside the scrolled element wherever that is", () => {
    const scroll = map(200_000_000);
    const bar = scroll.moveTo(150_000_000);
    expect(150_000_000 + scroll.shift).toBeCloseTo(bar, 6);
    expect(bar).toBeLessThan(ScrollMap.tallest);
  });
});
