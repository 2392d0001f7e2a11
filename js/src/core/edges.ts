/** Sizes of pictures that are asked for: few, so that a change of layout seldom asks anew. */
const EDGES = [128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096];

/** The size to ask for so that `pixels` are filled, give or take what nobody sees, and at most `most`. */
export function edgeFor(pixels: number, most: number): number {
  const edge = EDGES.find((candidate) => candidate >= pixels * 0.9) ?? 4096;
  return Math.min(edge, most);
}
