import { describe, expect, it } from "vitest";
import { Picker } from "../src/core/picker";
import { type Range, Ranges } from "../src/core/ranges";

const of = (...pairs: Range[]) => Ranges.of(pairs);

describe("Ranges", () => {
  it("joins what overlaps or touches, in any order", () => {
    expect(of([5, 9], [0, 2], [3, 3], [8, 12]).pairs).toEqual([
      [0, 3],
      [5, 12],
    ]);
  });

  it("holds 100,000 as one pair", () => {
    const all = Ranges.span(99_999, 0);
    expect(all.pairs).toEqual([[0, 99_999]]);
    expect(all.size).toBe(100_000);
  });

  it("takes away from the middle, the ends and across", () => {
    expect(of([0, 9]).minus(of([3, 4])).pairs).toEqual([
      [0, 2],
      [5, 9],
    ]);
    expect(of([0, 4], [6, 9]).minus(of([4, 6])).pairs).toEqual([
      [0, 3],
      [7, 9],
    ]);
    expect(of([2, 3]).minus(of([0, 9])).pairs).toEqual([]);
  });

  it("agrees with a plain set, whatever is done to it", () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed % below;
    };
    let ranges = Ranges.empty;
    const plain = new Set<number>();
    for (let step = 0; step < 500; step++) {
      const [a, b] = [random(60), random(60)];
      const span = Ranges.span(a, b);
      if (random(3) === 0) {
        ranges = ranges.toggle(a);
        if (!plain.delete(a)) plain.add(a);
      } else if (random(2)) {
        ranges = ranges.union(span);
        for (const i of span) plain.add(i);
      } else {
        ranges = ranges.minus(span);
        for (const i of span) plain.delete(i);
      }
      expect([...ranges]).toEqual([...plain].sort((x, y) => x - y));
      expect(ranges.size).toBe(plain.size);
      expect(ranges.has(a)).toBe(plain.has(a));
    }
  });
});

describe("Picker", () => {
  it("extends from the anchor, and again from the same anchor", () => {
    const picker = new Picker();
    picker.only(10);
    expect(picker.extend(14).pairs).toEqual([[10, 14]]);
    expect(picker.extend(7).pairs).toEqual([[7, 10]]);
  });

  it("keeps what was selected before when a range is added to it", () => {
    const picker = new Picker();
    let selection = picker.only(1);
    selection = picker.toggle(selection, 20);
    expect(picker.extend(22, true).pairs).toEqual([
      [1, 1],
      [20, 22],
    ]);
    expect(picker.extend(21, true).pairs).toEqual([
      [1, 1],
      [20, 21],
    ]);
  });

  it("begins the next range where the focus went", () => {
    const picker = new Picker();
    picker.moveAnchor(5, Ranges.empty);
    expect(picker.extend(6, true).pairs).toEqual([[5, 6]]);
  });
});
