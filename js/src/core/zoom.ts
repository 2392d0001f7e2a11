/** Where one looks at pictures that share a frame: pure arithmetic, the same for every pane. */

export interface Size {
  width: number;
  height: number;
}

export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** `scale` is CSS pixels for one pixel of the frame; (`x`, `y`) is the frame's point in the middle of the pane. */
export interface Place {
  scale: number;
  x: number;
  y: number;
}

/** Device pixels for one pixel of the frame, at most. */
const CLOSEST = 32;

/** The frame that all pictures are fitted to: the one with the most pixels. */
export const commonFrame = (sizes: readonly Size[]): Size =>
  sizes.reduce(
    (largest, size) => (size.width * size.height > largest.width * largest.height ? size : largest),
    {
      width: 1,
      height: 1,
    },
  );

/** Where a picture lies in the frame: as large as fits, in the middle. */
export function fitted(picture: Size, frame: Size): Box {
  const scale = Math.min(frame.width / picture.width, frame.height / picture.height);
  const left = (frame.width - picture.width * scale) / 2;
  const top = (frame.height - picture.height * scale) / 2;
  return { left, top, right: frame.width - left, bottom: frame.height - top };
}

export const fitScale = (frame: Size, pane: Size): number =>
  Math.min(pane.width / frame.width, pane.height / frame.height);

/** All of the frame, as large as the pane takes it. */
export const whole = (frame: Size, pane: Size): Place => ({
  scale: fitScale(frame, pane),
  x: frame.width / 2,
  y: frame.height / 2,
});

/** A place within bounds: never smaller than whole (or its own size, if that is less), and no edge inside the pane. */
export function bounded(place: Place, frame: Size, pane: Size, ratio: number): Place {
  const least = Math.min(fitScale(frame, pane), 1 / ratio);
  const most = Math.max(CLOSEST / ratio, fitScale(frame, pane));
  const scale = Math.min(most, Math.max(least, place.scale));
  return {
    scale,
    x: within(place.x, frame.width, pane.width / scale),
    y: within(place.y, frame.height, pane.height / scale),
  };
}

/** The middle of a window of `seen` on something of `length`: centred if all of it is seen, else nothing beyond. */
const within = (middle: number, length: number, seen: number): number =>
  seen >= length ? length / 2 : Math.min(length - seen / 2, Math.max(seen / 2, middle));

/** Zoomed by `factor` so that what lies at (`dx`, `dy`) CSS pixels from the middle of the pane stays there. */
export function zoomed(place: Place, factor: number, dx = 0, dy = 0): Place {
  const scale = place.scale * factor;
  return {
    scale,
    x: place.x + dx / place.scale - dx / scale,
    y: place.y + dy / place.scale - dy / scale,
  };
}

/** Moved so that the picture follows a hand that went (`dx`, `dy`) CSS pixels. */
export const moved = (place: Place, dx: number, dy: number): Place => ({
  ...place,
  x: place.x - dx / place.scale,
  y: place.y - dy / place.scale,
});

/** Where a part of the frame lies in the pane, in CSS pixels. */
export function inPane(part: Box, place: Place, pane: Size): Box {
  const across = (x: number) => (x - place.x) * place.scale + pane.width / 2;
  const down = (y: number) => (y - place.y) * place.scale + pane.height / 2;
  return {
    left: across(part.left),
    top: down(part.top),
    right: across(part.right),
    bottom: down(part.bottom),
  };
}

/** The pixels of a picture that show, with a margin, whole and within it; null if none do. */
export function seenPixels(picture: Size, frame: Size, place: Place, pane: Size, margin: number): Box | null {
  const lies = fitted(picture, frame);
  const scale = picture.width / (lies.right - lies.left);
  const across = (pane.width / place.scale) * (0.5 + margin);
  const down = (pane.height / place.scale) * (0.5 + margin);
  const box = {
    left: Math.max(0, Math.floor((place.x - across - lies.left) * scale)),
    top: Math.max(0, Math.floor((place.y - down - lies.top) * scale)),
    right: Math.min(picture.width, Math.ceil((place.x + across - lies.left) * scale)),
    bottom: Math.min(picture.height, Math.ceil((place.y + down - lies.top) * scale)),
  };
  return box.left < box.right && box.top < box.bottom ? box : null;
}

export const holds = (outer: Box, inner: Box): boolean =>
  outer.left <= inner.left &&
  outer.top <= inner.top &&
  outer.right >= inner.right &&
  outer.bottom >= inner.bottom;

/** Columns for `count` panes of pictures `ratio` wide by high: those that show the pictures largest. */
export function columnsFor(count: number, ratio: number, area: Size, gap: number): number {
  let best = { columns: 1, width: 0 };
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const width = (area.width - gap * (columns - 1)) / columns;
    const height = (area.height - gap * (rows - 1)) / rows;
    const shown = Math.min(width, height * ratio);
    // Side by side unless it costs much: rows are harder to compare.
    if (shown > best.width * 0.85) best = { columns, width: Math.max(shown, best.width) };
  }
  return best.columns;
}

/** A divider's place as a share of the width. */
export const share = (x: number, width: number): number =>
  width > 0 ? Math.min(1, Math.max(0, x / width)) : 0.5;
