/**
 * Values by recent use within a byte budget. What is pinned (on screen) is never dropped, also when that alone
 * exceeds the budget.
 */
export class Lru<K, V> {
  #entries = new Map<K, { value: V; cost: number }>();
  #used = 0;
  readonly #budget: number;
  readonly #pinned: (key: K) => boolean;
  readonly #dropped: (value: V) => void;

  constructor(budget: number, pinned: (key: K) => boolean, dropped: (value: V) => void) {
    this.#budget = budget;
    this.#pinned = pinned;
    this.#dropped = dropped;
  }

  get used(): number {
    return this.#used;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Look without counting as use. */
  peek(key: K): V | undefined {
    return this.#entries.get(key)?.value;
  }

  get(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  set(key: K, value: V, cost: number): void {
    this.delete(key);
    this.#entries.set(key, { value, cost });
    this.#used += cost;
    this.#trim(key);
  }

  delete(key: K): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#used -= entry.cost;
    this.#dropped(entry.value);
  }

  clear(): void {
    for (const { value } of this.#entries.values()) this.#dropped(value);
    this.#entries.clear();
    this.#used = 0;
  }

  #trim(newest: K): void {
    if (this.#used <= this.#budget) return;
    for (const key of this.#entries.keys()) {
      if (this.#used <= this.#budget) return;
      if (key !== newest && !this.#pinned(key)) this.delete(key);
    }
  }
}
