import { keepFromHost } from "../core/keys";
import { SUPPRESS } from "./dom";

/**
 * Keys meant for us go no further. The host's own chords, such as saving, do: for them the mark that holds JupyterLab
 * off is taken from the focused element for as long as this one event travels.
 */
export function keepKeys(event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  // The browser's own undo would reach back into the search box from anywhere on the page.
  const undo = (event.ctrlKey || event.metaKey) && /^[zy]$/i.test(event.key);
  if (undo && !target.matches("input")) event.preventDefault();
  if (event.defaultPrevented || keepFromHost(event)) {
    event.stopPropagation();
    return;
  }
  if (event.key === "Tab" || !target.hasAttribute(SUPPRESS)) return;
  target.removeAttribute(SUPPRESS);
  setTimeout(() => target.setAttribute(SUPPRESS, "true"));
}
