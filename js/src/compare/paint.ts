import { type Box, fitted, inPane, type Place, type Size } from "../core/zoom";

/** A picture ready to be drawn: its own size, what there is of it, and a sharper part if there is one. */
export interface Layer extends Size {
  bitmap: ImageBitmap;
  part: { box: Box; bitmap: ImageBitmap } | null;
}

export interface Scene {
  frame: Size;
  place: Place;
  /** The pane, in CSS pixels. */
  pane: Size;
  /** Device pixels for one CSS pixel. */
  ratio: number;
  /** Whether nothing moves: then there is time to draw well. */
  resting: boolean;
}

/** From here on pixels are squares: one looks at them, not at the picture. */
const SQUARES = 3;

/** What see-through pictures are compared on: the same for all. */
const GROUND = "#808080";

export function prepare(canvas: HTMLCanvasElement, { pane, ratio }: Scene): CanvasRenderingContext2D {
  const width = Math.max(1, Math.round(pane.width * ratio));
  const height = Math.max(1, Math.round(pane.height * ratio));
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const pen = canvas.getContext("2d") as CanvasRenderingContext2D;
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.globalCompositeOperation = "source-over";
  pen.clearRect(0, 0, width, height);
  return pen;
}

/** Draw one picture where it lies in the pane. */
export function draw(pen: CanvasRenderingContext2D, layer: Layer, scene: Scene): void {
  const { frame, place, pane, ratio, resting } = scene;
  const lies = fitted(layer, frame);
  const perPixel = ((lies.right - lies.left) / layer.width) * place.scale * ratio;
  pen.imageSmoothingEnabled = perPixel < SQUARES;
  pen.imageSmoothingQuality = resting ? "high" : "low";
  const put = (bitmap: ImageBitmap, part: Box) => {
    const { left, top, right, bottom } = inPane(part, place, pane);
    const [x, y] = [Math.round(left * ratio), Math.round(top * ratio)];
    pen.drawImage(bitmap, x, y, Math.round(right * ratio) - x, Math.round(bottom * ratio) - y);
  };
  put(layer.bitmap, lies);
  if (!layer.part) return;
  const scale = (lies.right - lies.left) / layer.width;
  const { left, top, right, bottom } = layer.part.box;
  put(layer.part.bitmap, {
    left: lies.left + left * scale,
    top: lies.top + top * scale,
    right: lies.left + right * scale,
    bottom: lies.top + bottom * scale,
  });
}

/** Left of `share` the first picture, right of it the second. */
export function drawWipe(canvas: HTMLCanvasElement, a: Layer, b: Layer, scene: Scene, share: number): void {
  const pen = prepare(canvas, scene);
  const edge = Math.round(canvas.width * share);
  for (const [layer, from, to] of [
    [a, 0, edge],
    [b, edge, canvas.width],
  ] as const) {
    pen.save();
    pen.beginPath();
    pen.rect(from, 0, to - from, canvas.height);
    pen.clip();
    draw(pen, layer, scene);
    pen.restore();
  }
}

/** |a - b| for every channel, times `gain` (a power of two). */
export function drawDifference(
  canvas: HTMLCanvasElement,
  a: Layer,
  b: Layer,
  scene: Scene,
  gain: number,
): void {
  const pen = prepare(canvas, scene);
  const other = document.createElement("canvas");
  for (const [layer, onto] of [
    [a, pen],
    [b, prepare(other, scene)],
  ] as const) {
    onto.fillStyle = GROUND;
    onto.fillRect(0, 0, canvas.width, canvas.height);
    draw(onto, layer, scene);
  }
  pen.globalCompositeOperation = "difference";
  pen.drawImage(other, 0, 0);
  pen.globalCompositeOperation = "lighter";
  for (let factor = 1; factor < gain; factor *= 2) pen.drawImage(canvas, 0, 0);
}
