import { Encoded } from "../core/encoded";
import type { Picture } from "../source";

/** Raster types only: an SVG is a document, and whatever Python may send, it is not shown as one. */
const RASTER = new Set(["image/jpeg", "image/png", "image/webp", "image/gif", "image/avif", "image/bmp"]);

/** How a message tells of a picture in its buffers. */
export interface PictureMessage {
  state: Picture["state"];
  message?: string;
  width?: number;
  height?: number;
  mime?: string;
  /** Which of the message's buffers holds the picture. */
  buffer?: number;
}

export function asPicture(message: PictureMessage, buffers: DataView[]): Picture {
  const view = message.buffer === undefined ? undefined : buffers[message.buffer];
  const type = message.mime ?? "";
  const usable = view !== undefined && RASTER.has(type);
  const missing = message.state === "ok" && !usable;
  return {
    state: missing ? "error" : message.state,
    message: missing ? "The picture is of a type that is not shown." : (message.message ?? ""),
    // The view may be a window on a larger message: copy its own bytes only.
    encoded: usable
      ? new Encoded(
          new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength).slice(),
          type,
        )
      : null,
    width: message.width ?? 0,
    height: message.height ?? 0,
  };
}
