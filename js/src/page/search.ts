/** Searching within what a page holds. */

/** Case and marks (accents, vowel points) make no difference; nor does which form of a letter was typed. */
export const folded = (text: string): string => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/** The words of a question, each of which has to be found somewhere. */
export const words = (text: string): string[] => folded(text).split(/\s+/u).filter(Boolean);

/** What of one asset is looked through: its name, its id, and the values of all that is known of it. */
export const haystack = (name: string, id: string, facts: readonly (readonly [string, string])[]): string =>
  folded([name, id, ...facts.map(([, value]) => value)].join("\n"));

export const matches = (hay: string, wanted: readonly string[]): boolean =>
  wanted.every((word) => hay.includes(word));
