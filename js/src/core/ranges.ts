/** A set of indices as sorted, disjoint, inclusive ranges: 100,000 selected assets are one pair. */

export type Range = readonly [first: number, last: number];

export class Ranges {
  static readonly empty = new Ranges([]);
  readonly pairs: readonly Range[];

  private constructor(pairs: readonly Range[]) {
    this.pairs = pairs;
  }

  /** Any pairs, in any order, overlapping or not. */
  static of(pairs: Iterable<Range>): Ranges {
    const sorted = [...pairs].filter(([first, last]) => last >= first).sort((a, b) => a[0] - b[0]);
    const joined: [number, number][] = [];
    for (const [first, last] of sorted) {
      const previous = joined.at(-1);
      if (previous && first <= previous[1] + 1) previous[1] = Math.max(previous[1], last);
      else joined.push([first, last]);
    }
    return joined.length ? new Ranges(joined) : Ranges.empty;
  }

  static span(a: number, b: number): Ranges {
    return new Ranges([[Math.min(a, b), Math.max(a, b)]]);
  }

  static indices(indices: Iterable<number>): Ranges {
    const pairs: Range[] = [];
    for (const index of indices) pairs.push([index, index]);
    return Ranges.of(pairs);
  }

  get size(): number {
    return this.pairs.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  }

  has(index: number): boolean {
    let low = 0;
    let high = this.pairs.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const [first, last] = this.pairs[middle] as Range;
      if (index < first) high = middle - 1;
      else if (index > last) low = middle + 1;
      else return true;
    }
    return false;
  }

  union(other: Ranges): Ranges {
    if (!other.pairs.length) return this;
    return Ranges.of([...this.pairs, ...other.pairs]);
  }

  minus(other: Ranges): Ranges {
    let left: Range[] = [...this.pairs];
    for (const [first, last] of other.pairs) {
      left = left.flatMap(([a, b]): Range[] => {
        if (b < first || a > last) return [[a, b]];
        const kept: Range[] = [];
        if (a < first) kept.push([a, first - 1]);
        if (b > last) kept.push([last + 1, b]);
        return kept;
      });
    }
    return Ranges.of(left);
  }

  toggle(index: number): Ranges {
    const one = Ranges.span(index, index);
    return this.has(index) ? this.minus(one) : this.union(one);
  }

  equals(other: Ranges): boolean {
    return (
      this.pairs.length === other.pairs.length &&
      this.pairs.every(([first, last], i) => first === other.pairs[i]?.[0] && last === other.pairs[i]?.[1])
    );
  }

  *[Symbol.iterator](): Generator<number> {
    for (const [first, last] of this.pairs) for (let i = first; i <= last; i++) yield i;
  }
}
