/** A turn in frames: positions wrap around, and a drag turns the thing like a disc under the hand. */

export const wrap = (frame: number, count: number): number => ((frame % count) + count) % count;

/** Pixels a hand moves for one whole turn: the width of what shows it, but no twitch in a small one. */
export const pixelsPerTurn = (width: number): number => Math.max(240, width);

/**
 * The frame, with a fraction, after a drag of `pixels` that began at `frame`. From frame to frame the front of a thing
 * goes to the left (the camera goes round counter-clockwise), so a hand that goes to the right leads backwards.
 */
export const dragged = (frame: number, pixels: number, width: number, count: number): number =>
  wrap(frame - (pixels / pixelsPerTurn(width)) * count, count);

/** The frame under a pointer `x` pixels into a tile: the tile's width is one turn, the first frame is at its left. */
export function frameUnder(x: number, width: number, count: number): number {
  if (width <= 0) return 0;
  const place = Math.min(count - 1, Math.max(0, Math.floor((x / width) * count)));
  return wrap(-place, count);
}

/** Of the frames that are there, the one nearest to `frame`; null if there are none. */
export function nearest(frame: number, count: number, has: (frame: number) => boolean): number | null {
  for (let away = 0; away <= count / 2; away++) {
    const before = wrap(frame - away, count);
    if (has(before)) return before;
    const after = wrap(frame + away, count);
    if (has(after)) return after;
  }
  return null;
}

/**
 * Which frames to ask for next, at most `size`: what shows, then some all around the turn, so that it can be turned at
 * once if coarsely, then the nearest; those ahead of the motion (`direction` 1 or -1) count as half as far.
 */
export function nextFrames(
  count: number,
  missing: (frame: number) => boolean,
  at: number,
  direction: number,
  size: number,
): number[] {
  const stride = Math.max(1, Math.ceil(count / size));
  const cost = (frame: number): number => {
    if (frame === at) return -2;
    if (frame % stride === 0) return -1;
    const ahead = wrap((frame - at) * direction, count);
    return Math.min(ahead / 2, count - ahead);
  };
  const wanted: number[] = [];
  for (let frame = 0; frame < count; frame++) if (missing(frame)) wanted.push(frame);
  return wanted.sort((a, b) => cost(a) - cost(b) || a - b).slice(0, size);
}

/** A film that is turned by hand or plays: where it stands, and how it goes on. */
export class Turn {
  count = 1;
  fps = 12;
  speed = 1;
  direction: 1 | -1 = 1;
  playing = false;
  /** With a fraction, so that slow playing and slow hands move it too. */
  position = 0;

  get frame(): number {
    return Math.floor(this.position) % this.count;
  }

  film(count: number, fps: number): void {
    this.count = Math.max(1, count);
    this.fps = fps;
    this.position = wrap(this.position, this.count);
  }

  go(frame: number): void {
    this.position = wrap(frame, this.count);
  }

  /** Whole frames on from the one that shows. */
  step(frames: number): void {
    this.go(this.frame + frames);
  }

  /** `milliseconds` of playing. A page that slept does not spin. */
  play(milliseconds: number): void {
    const elapsed = Math.min(milliseconds, 250) / 1000;
    this.position = wrap(this.position + elapsed * this.fps * this.speed * this.direction, this.count);
  }
}
