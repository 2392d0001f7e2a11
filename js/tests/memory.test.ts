import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Debounce } from "../src/core/debounce";
import { Lru } from "../src/core/lru";

describe("Lru", () => {
  function cache(budget: number, pinned: number[] = []) {
    const dropped: string[] = [];
    const lru = new Lru<number, string>(
      budget,
      (key) => pinned.includes(key),
      (value) => dropped.push(value),
    );
    return { lru, dropped };
  }

  it("drops what was used longest ago", () => {
    const { lru, dropped } = cache(30);
    for (const key of [1, 2, 3]) lru.set(key, `v${key}`, 10);
    lru.get(1);
    lru.set(4, "v4", 10);
    expect(dropped).toEqual(["v2"]);
    expect(lru.used).toBe(30);
  });

  it("never drops what is on screen, also beyond the budget", () => {
    const { lru, dropped } = cache(20, [1, 2, 3]);
    for (const key of [1, 2, 3]) lru.set(key, `v${key}`, 10);
    expect(dropped).toEqual([]);
    lru.set(4, "v4", 10);
    lru.set(5, "v5", 10);
    expect(dropped).toEqual(["v4"]);
  });

  it("counts a replaced value once", () => {
    const { lru, dropped } = cache(100);
    lru.set(1, "small", 10);
    lru.set(1, "large", 50);
    expect(lru.used).toBe(50);
    expect(dropped).toEqual(["small"]);
    lru.clear();
    expect([lru.used, lru.size]).toEqual([0, 0]);
    expect(dropped).toEqual(["small", "large"]);
  });

  it("stays flat however much passes through", () => {
    const { lru } = cache(1_000);
    for (let key = 0; key < 100_000; key++) lru.set(key, "v", 10);
    expect(lru.size).toBe(100);
  });
});

describe("Debounce", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("runs once, with the last value, after a rest", () => {
    const run = vi.fn();
    const debounce = new Debounce<string>(300, run);
    for (const text of ["c", "ch", "cha", "chair"]) {
      debounce.set(text);
      vi.advanceTimersByTime(200);
    }
    expect(run).not.toHaveBeenCalled();
    vi.advanceTimersByTime(300);
    expect(run.mock.calls).toEqual([["chair"]]);
  });

  it("runs at once when told to, and not again", () => {
    const run = vi.fn();
    const debounce = new Debounce<string>(300, run);
    debounce.set("chair");
    debounce.flush();
    debounce.flush();
    vi.advanceTimersByTime(1_000);
    expect(run.mock.calls).toEqual([["chair"]]);
  });

  it("forgets when called off", () => {
    const run = vi.fn();
    const debounce = new Debounce<string>(300, run);
    debounce.set("chair");
    debounce.cancel();
    vi.advanceTimersByTime(1_000);
    expect(run).not.toHaveBeenCalled();
  });
});
