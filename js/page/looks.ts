import "./host.css";
// The turntable player and the comparison over made-up pictures, without Jupyter: `npm run page`, then open
// /looks.html of the address it prints.
// Parameters: show=player|compare, theme=dark, width, height, count, images, large, missing, delay,
// case=loading|error|gone, film=address of an MP4 that the browser plays itself.
import compare from "../src/compare/index";
import type { ImageFacts } from "../src/compare/protocol";
import player from "../src/player/index";
import type { Film } from "../src/player/protocol";
import { FakeModel } from "../tests/fake";
import { SOFTWARE } from "./canvas";

const parameters = new URLSearchParams(location.search);
const number = (name: string, otherwise: number) => Number(parameters.get(name) ?? otherwise);
const shown = parameters.get("case") ?? "";
const delay = number("delay", 30);
if (parameters.get("theme") === "dark") document.documentElement.classList.add("dark");

async function encoded(canvas: OffscreenCanvas): Promise<{ mime: string; view: DataView }> {
  const blob = await canvas.convertToBlob({ type: "image/webp", quality: 1 });
  return { mime: "image/webp", view: new DataView(await blob.arrayBuffer()) };
}

/** A box seen from above that turns once in `count` frames. */
function turned(index: number, count: number, width: number, height: number): OffscreenCanvas {
  const canvas = new OffscreenCanvas(width, height);
  const pen = canvas.getContext("2d", SOFTWARE) as OffscreenCanvasRenderingContext2D;
  pen.fillStyle = "#eceef1";
  pen.fillRect(0, 0, width, height);
  const size = Math.min(width, height);
  for (const [side, colour] of ["#b5651d", "#8b4513", "#cd853f", "#a0522d"].entries()) {
    const angle = (2 * Math.PI * (index / count + side / 4)) % (2 * Math.PI);
    const [x, z] = [Math.sin(angle), Math.cos(angle)];
    if (z < -0.7) continue;
    pen.fillStyle = colour;
    pen.globalAlpha = Math.max(0, z) ** 0.5;
    pen.fillRect(width / 2 + x * size * 0.2 - size * 0.15 * z, height * 0.3, size * 0.3 * z, height * 0.45);
  }
  pen.globalAlpha = 1;
  pen.fillStyle = "#333";
  pen.font = `${size / 14}px sans-serif`;
  pen.fillText(String(index + 1), size / 20, size / 10);
  return canvas;
}

/** A test card: a grid of lines, circles, and something that differs from one to the next. */
function card(index: number, width: number, height: number): OffscreenCanvas {
  const canvas = new OffscreenCanvas(width, height);
  const pen = canvas.getContext("2d", SOFTWARE) as OffscreenCanvasRenderingContext2D;
  const light = pen.createLinearGradient(0, 0, 0, height);
  light.addColorStop(0, index % 2 ? "#f4f1ea" : "#3b3f46");
  light.addColorStop(1, index % 2 ? "#c9c3b4" : "#15171a");
  pen.fillStyle = light;
  pen.fillRect(0, 0, width, height);
  pen.strokeStyle = "rgb(128 128 128 / 60%)";
  for (let x = 0; x < width; x += width / 16) pen.strokeRect(x, 0, 0.1, height);
  for (let y = 0; y < height; y += height / 9) pen.strokeRect(0, y, width, 0.1);
  pen.fillStyle = `hsl(${20 + index * 4} 60% ${index % 2 ? 50 : 28}%)`;
  pen.beginPath();
  pen.ellipse(width * 0.5, height * 0.5, height * 0.3, height * 0.3 + index * 4, 0, 0, 7);
  pen.fill();
  return canvas;
}

function part(whole: OffscreenCanvas, [left, top, right, bottom]: number[], most: number): OffscreenCanvas {
  const [width, height] = [(right as number) - (left as number), (bottom as number) - (top as number)];
  const scale = Math.min(1, Math.sqrt(most / (width * height)));
  const canvas = new OffscreenCanvas(Math.floor(width * scale), Math.floor(height * scale));
  const pen = canvas.getContext("2d", SOFTWARE) as OffscreenCanvasRenderingContext2D;
  pen.drawImage(whole, left as number, top as number, width, height, 0, 0, canvas.width, canvas.height);
  return canvas;
}

function playerModel() {
  const count = number("count", 36);
  const [width, height] = parameters.has("wide") ? [960, 540] : [512, 512];
  const mp4 = parameters.get("film");
  const film: Film = {
    state: mp4 ? "video" : shown === "loading" ? "loading" : shown === "error" ? "error" : "frames",
    count,
    fps: 12,
    width,
    height,
    message: shown === "error" ? "VNTANA: the turntable of 'Armchair' came cut off." : null,
  };
  const setup = {
    label: "Armchair",
    height: parameters.get("height") ?? "420px",
    autoplay: parameters.has("autoplay"),
  };
  const fake = new FakeModel<object>({ _setup: setup, _film: film });
  fake.onSend = ({ op, request, indexes, edge }) => {
    setTimeout(async () => {
      if (op === "frames") {
        const scale = Math.min(1, (edge as number) / Math.max(width, height));
        const frames: object[] = [];
        const buffers: DataView[] = [];
        for (const index of indexes as number[]) {
          const { mime, view } = await encoded(turned(index, count, width * scale, height * scale));
          frames.push({ index, state: "ok", mime, width, height, buffer: buffers.push(view) - 1 });
        }
        fake.receive({ op: "part", request, frames }, buffers);
      }
      if (op === "video" && mp4) {
        const bytes = await (await fetch(mp4)).arrayBuffer();
        fake.receive({ op: "reply", request, mime: "video/mp4", buffer: 0 }, [new DataView(bytes)]);
      } else if (op === "poster") {
        const { mime, view } = await encoded(turned(0, count, width, height));
        fake.receive({ op: "reply", request, poster: { state: "ok", mime, buffer: 0 } }, [view]);
      } else if (request) fake.receive({ op: "reply", request });
    }, delay);
  };
  return fake;
}

function compareModel() {
  const most = 2_100_000;
  const [width, height] = parameters.has("large") ? [4800, 2700] : [1920, 1080];
  const cards = Array.from({ length: number("images", 2) }, (_, index) =>
    index === 1 && parameters.has("sizes") ? card(index, width / 4, width / 4) : card(index, width, height),
  );
  const images: ImageFacts[] = cards.map((made, index) => ({
    label:
      ["Before", "After", "A long name of an image that somebody once made", "D"][index] ?? String(index),
    width: made.width,
    height: made.height,
    whole: made.width * made.height <= most,
    message: null,
  }));
  if (parameters.has("missing"))
    images[0] = { label: "Before", width: 0, height: 0, whole: true, message: null };
  const fake = new FakeModel<object>({
    _setup: { label: "Compare", height: parameters.get("height") ?? "480px", images },
  });
  fake.onSend = ({ op, request, index, box }) => {
    setTimeout(async () => {
      if (op !== "picture") {
        if (request) fake.receive({ op: "reply", request });
        return;
      }
      const whole = cards[index as number] as OffscreenCanvas;
      const { mime, view } = await encoded(
        part(whole, (box as number[] | null) ?? [0, 0, whole.width, whole.height], most),
      );
      fake.receive({ op: "reply", request, picture: { state: "ok", mime, buffer: 0 } }, [view]);
    }, delay);
  };
  return fake;
}

const showing = parameters.get("show") ?? "player";
const fake = showing === "compare" ? compareModel() : playerModel();
const widget = (showing === "compare" ? compare : player) as unknown as () => {
  initialize(props: object): void;
  render(props: object): void;
};
const host = document.createElement("div");
host.style.width = parameters.get("width") ?? "";
document.body.append(host);
Object.assign(window, { fake });
const made = widget();
made.initialize({ model: fake.model });
made.render({ model: fake.model, el: host });
if (shown === "gone")
  setTimeout(() => Object.assign(fake, { comm_live: false }) && fake.emit("comm_live_update"), 300);
