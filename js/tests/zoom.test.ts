import { describe, expect, it } from "vitest";
import {
  bounded,
  columnsFor,
  commonFrame,
  fitted,
  holds,
  inPane,
  moved,
  type Place,
  seenPixels,
  share,
  whole,
  zoomed,
} from "../src/core/zoom";

const frame = { width: 1920, height: 1080 };
const pane = { width: 480, height: 400 };

/** The point of the frame that shows at (dx, dy) from the middle of the pane. */
const under = ({ scale, x, y }: Place, dx: number, dy: number) => [x + dx / scale, y + dy / scale];

describe("where one looks", () => {
  it("begins with all of it, in the middle", () => {
    expect(whole(frame, pane)).toEqual({ scale: 0.25, x: 960, y: 540 });
    const lies = inPane({ left: 0, top: 0, right: 1920, bottom: 1080 }, whole(frame, pane), pane);
    expect(lies).toEqual({ left: 0, top: 65, right: 480, bottom: 335 });
  });

  it("keeps what is under the pointer there while zooming, in and out", () => {
    const place = { scale: 0.5, x: 700, y: 500 };
    const before = under(place, 120, -80);
    for (const factor of [1.5, 7, 0.3]) {
      const [x, y] = under(zoomed(place, factor, 120, -80), 120, -80);
      expect(x).toBeCloseTo(before[0] as number);
      expect(y).toBeCloseTo(before[1] as number);
    }
  });

  it("follows a hand pixel for pixel, however close one is", () => {
    const place = { scale: 4, x: 700, y: 500 };
    const [x, y] = under(moved(place, 40, -20), 40, -20);
    expect([x, y]).toEqual([700, 500]);
  });

  it("shows nothing beyond the edges, and centres what is smaller than the pane", () => {
    const far = bounded({ scale: 1, x: -5_000, y: 90_000 }, frame, pane, 1);
    expect(far).toEqual({ scale: 1, x: 240, y: 880 });
    const low = bounded({ scale: 0.3, x: 0, y: 0 }, frame, pane, 1);
    expect(low.y).toBe(540);
    expect(low.x).toBeCloseTo(800);
  });

  it("is never smaller than all of it, nor closer than 32 device pixels to one", () => {
    expect(bounded({ scale: 0.01, x: 0, y: 0 }, frame, pane, 2)).toEqual(whole(frame, pane));
    expect(bounded({ scale: 900, x: 960, y: 540 }, frame, pane, 2).scale).toBe(16);
  });

  it("lets a small picture be seen in its own pixels, though the pane is larger", () => {
    const small = { width: 64, height: 64 };
    expect(whole(small, pane).scale).toBe(6.25);
    expect(bounded({ scale: 1, x: 0, y: 0 }, small, pane, 1)).toEqual({ scale: 1, x: 32, y: 32 });
    expect(bounded({ scale: 0.2, x: 0, y: 0 }, small, pane, 2).scale).toBe(0.5);
  });
});

describe("pictures of other sizes", () => {
  it("share the frame of the largest, in its middle", () => {
    expect(commonFrame([{ width: 512, height: 512 }, frame])).toEqual(frame);
    expect(fitted({ width: 960, height: 540 }, frame)).toEqual({
      left: 0,
      top: 0,
      right: 1920,
      bottom: 1080,
    });
    expect(fitted({ width: 512, height: 512 }, frame)).toEqual({
      left: 420,
      top: 0,
      right: 1500,
      bottom: 1080,
    });
  });

  it("know which of their own pixels show", () => {
    const picture = { width: 3840, height: 2160 };
    expect(seenPixels(picture, frame, { scale: 1, x: 960, y: 540 }, pane, 0)).toEqual({
      left: 1440,
      top: 680,
      right: 2400,
      bottom: 1480,
    });
    const corner = seenPixels(picture, frame, { scale: 1, x: 240, y: 200 }, pane, 0.5);
    expect(corner).toEqual({ left: 0, top: 0, right: 1440, bottom: 1200 });
    const square = { width: 512, height: 512 };
    expect(seenPixels(square, frame, { scale: 4, x: 100, y: 540 }, pane, 0), "beside it").toBeNull();
  });

  it("need no new part while one looks within the last", () => {
    const box = { left: 10, top: 10, right: 100, bottom: 100 };
    expect(holds(box, { left: 10, top: 20, right: 90, bottom: 100 })).toBe(true);
    expect(holds(box, { left: 9, top: 20, right: 90, bottom: 100 })).toBe(false);
  });
});

describe("panes", () => {
  it("stand side by side where that shows the pictures largest", () => {
    expect(columnsFor(2, 16 / 9, { width: 960, height: 440 }, 8)).toBe(2);
    expect(columnsFor(2, 16 / 9, { width: 330, height: 440 }, 8)).toBe(1);
    expect(columnsFor(4, 1, { width: 600, height: 600 }, 8)).toBe(2);
    expect(columnsFor(3, 1, { width: 900, height: 300 }, 8)).toBe(3);
  });

  it("are wiped from edge to edge", () => {
    expect([share(-3, 200), share(50, 200), share(300, 200), share(1, 0)]).toEqual([0, 0.25, 1, 0.5]);
  });
});
