/** What a page holds: blocks that Python wrote (`collections/page_text.py`), in script elements that are never run. */

const TYPE = "application/x-ipyassets-";

/** Of the whole page, in words that are ready to show. */
export interface About {
  title: string;
  nouns: [one: string, many: string];
  missing: string;
  notes: string[];
  troubles: string[];
}

export interface Entry {
  id: string;
  name: string;
  facts: [label: string, value: string][];
  picture: { state: "ok" | "none" | "error"; mime?: string; width?: number; height?: number };
  /** Frames end to end; of size 0 where one is missing. */
  turn?: { mime: string; sizes: number[] };
  /** In base64: the picture, then the turn. Read when they are needed. */
  blocks: { readonly textContent: string | null }[];
}

export interface PageData {
  about: About;
  entries: Entry[];
}

/** Throws where the page is cut off. */
export function read(root: ParentNode): PageData {
  const entries: Entry[] = [];
  let about: About | undefined;
  for (const block of root.querySelectorAll<HTMLScriptElement>(`script[type^="${TYPE}"]`)) {
    const kind = block.type.slice(TYPE.length);
    if (kind === "asset") entries.push({ ...JSON.parse(block.textContent ?? ""), blocks: [] });
    else if (kind === "bytes") entries.at(-1)?.blocks.push(block);
    else if (kind === "about") about = JSON.parse(block.textContent ?? "");
  }
  if (!about) throw new Error("this file is cut off.");
  return { about, entries };
}

export function decoded(block: { readonly textContent: string | null } | undefined): Uint8Array<ArrayBuffer> {
  const text = atob(block?.textContent ?? "");
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}
