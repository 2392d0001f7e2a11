/** An encoded picture as it came. */
export class Encoded {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: string;

  constructor(bytes: Uint8Array<ArrayBuffer>, type: string) {
    this.bytes = bytes;
    this.type = type;
  }

  get size(): number {
    return this.bytes.byteLength;
  }

  blob(): Blob {
    return new Blob([this.bytes], { type: this.type });
  }

  /**
   * For small pictures. An object URL costs two calls to the browser's own process that the page waits for, a third of
   * a millisecond each while one scrolls, and has to be given back; this is made when it is painted, a tenth as dear.
   */
  dataUrl(): string {
    return `data:${this.type};base64,${base64(this.bytes)}`;
  }
}

/** At most so many arguments to one call. */
const CHUNK = 8_192;

function base64(bytes: Uint8Array & { toBase64?: () => string }): string {
  if (bytes.toBase64) return bytes.toBase64();
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK)
    text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(text);
}
