import { afterEach, describe, expect, it, vi } from "vitest";
import { Encoded } from "../src/core/encoded";
import { Queue } from "../src/core/queue";
import { Rest } from "../src/core/rest";

afterEach(() => void vi.useRealTimers());

describe("Queue", () => {
  it("does as many as there is time for, and the rest next time", () => {
    let now = 0;
    const done: number[] = [];
    const queue = new Queue(
      4,
      (index) => {
        now += 1.5;
        done.push(index);
      },
      () => now,
    );
    for (const index of [7, 8, 9, 10, 8]) queue.add(index);
    expect(queue.run()).toBe(true);
    expect(done).toEqual([7, 8, 9]);
    expect(queue.run()).toBe(false);
    expect(done).toEqual([7, 8, 9, 10]);
  });

  it("does one even when one takes too long, or nothing would ever come", () => {
    let now = 0;
    const done: number[] = [];
    const queue = new Queue(
      4,
      (index) => {
        now += 50;
        done.push(index);
      },
      () => now,
    );
    for (const index of [1, 2]) queue.add(index);
    queue.run();
    expect(done).toEqual([1]);
  });

  it("takes what is put in meanwhile", () => {
    const done: number[] = [];
    const queue: Queue = new Queue(
      1_000,
      (index) => {
        if (done.push(index) === 1) queue.add(5);
      },
      () => 0,
    );
    queue.add(4);
    expect(queue.run()).toBe(false);
    expect(done).toEqual([4, 5]);
  });
});

describe("Rest", () => {
  it("is told once, when nothing has moved for a while", () => {
    vi.useFakeTimers();
    const run = vi.fn();
    const rest = new Rest(60, run);
    for (let i = 0; i < 10; i++) {
      rest.moved();
      vi.advanceTimersByTime(40);
    }
    expect(run).not.toHaveBeenCalled();
    vi.advanceTimersByTime(60);
    expect(run).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1_000);
    expect(run).toHaveBeenCalledTimes(1);
    rest.moved();
    vi.advanceTimersByTime(61);
    expect(run).toHaveBeenCalledTimes(2);
  });

  it("has one timer for any number of movements", () => {
    vi.useFakeTimers();
    const rest = new Rest(60, () => undefined);
    for (let i = 0; i < 100; i++) rest.moved();
    expect(vi.getTimerCount()).toBe(1);
    rest.cancel();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("Encoded", () => {
  it("is the same bytes as a data URL and as a blob", async () => {
    const bytes = new Uint8Array(20_001).map((_, i) => (i * 7) % 256);
    const encoded = new Encoded(bytes, "image/webp");
    const [head, text] = encoded.dataUrl().split(",");
    expect(head).toBe("data:image/webp;base64");
    expect(Uint8Array.from(atob(text as string), (letter) => letter.charCodeAt(0))).toEqual(bytes);
    const blob = encoded.blob();
    expect(blob.type).toBe("image/webp");
    expect(new Uint8Array(await blob.arrayBuffer())).toEqual(bytes);
  });

  it("is made without the browser's own base64 where there is none", () => {
    const bytes = new Uint8Array(9_000).fill(200);
    Object.defineProperty(bytes, "toBase64", { value: undefined });
    expect(new Encoded(bytes, "image/png").dataUrl()).toBe(
      `data:image/png;base64,${btoa(String.fromCharCode(...bytes))}`,
    );
  });
});
