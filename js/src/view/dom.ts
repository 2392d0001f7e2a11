/** Elements in a line. Text always goes in as text nodes: names are never markup. */

type Child = Node | string | null | undefined | false;
type Attributes = Record<string, string | number | boolean | null | undefined>;

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
  for (const child of children) if (child) element.append(child);
  return element;
}

export function setAttribute(element: Element, name: string, value: Attributes[string]): void {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : String(value));
}

/** On what takes the focus, and there only: JupyterLab looks for it on the focused element, not on its ancestors. */
export const SUPPRESS = "data-lm-suppress-shortcuts";

const ICONS = {
  search:
    "M7 2.5a4.5 4.5 0 1 0 2.7 8.1l3.1 3.1 1-1-3.1-3.1A4.5 4.5 0 0 0 7 2.5zm0 1.4a3.1 3.1 0 1 1 0 6.2 3.1 3.1 0 0 1 0-6.2z",
  filter: "M2 3h12v1.4H2zm2.2 4.3h7.6v1.4H4.2zm2.3 4.3h3v1.4h-3z",
  check: "M6.4 11.6 2.9 8.1l1-1 2.5 2.5 5.7-5.7 1 1z",
  close: "m4 3 4 4 4-4 1 1-4 4 4 4-1 1-4-4-4 4-1-1 4-4-4-4z",
  previous: "m10 2.8 1 1L6.8 8l4.2 4.2-1 1L4.8 8z",
  next: "m6 2.8-1 1L9.2 8 5 12.2l1 1L11.2 8z",
  noPicture:
    "M2 3.4 3 2.4l11 11-1 1-1.4-1.4H3.4A1.4 1.4 0 0 1 2 11.6zm1.4 1.4v4.3l1.9-1.9 2 2 .5-.5zm0 6.3v.5h6.8L8.3 9.7l-1 1-2-2zM6.3 3h6.3A1.4 1.4 0 0 1 14 4.4v6.3l-1.4-1.4V4.4H7.7z",
  warning: "M8 2.2 14.6 13.6H1.4zm0 2.8-4.2 7.2h8.4zM7.3 7h1.4v2.8H7.3zm0 3.4h1.4v1.3H7.3z",
  chevron: "m3 5.8 1-1 4 4 4-4 1 1-5 5z",
  clock:
    "M8 1.6a6.4 6.4 0 1 1 0 12.8A6.4 6.4 0 0 1 8 1.6zM8 3a5 5 0 1 0 0 10A5 5 0 0 0 8 3zm-.7 2h1.4v2.8l2 1.6-.9 1-2.5-2z",
  turning: "M8 1.6A6.4 6.4 0 1 1 1.6 8H3a5 5 0 1 0 5-5z",
  failed: "M8 1.6a6.4 6.4 0 1 1 0 12.8A6.4 6.4 0 0 1 8 1.6zm-.8 2.8v4.6h1.6V4.4zm0 5.6v1.6h1.6V10z",
  stopped: "M3.4 3.4h9.2v9.2H3.4zm1.4 1.4v6.4h6.4V4.8z",
  play: "M4.5 2.6 13 8l-8.5 5.4z",
  pause: "M4 3h3v10H4zm5 0h3v10H9z",
  backwards:
    "M6.2 2.2 7.2 3.2 5.7 4.7H9a4.6 4.6 0 1 1-4.6 4.6h1.4A3.2 3.2 0 1 0 9 6.1H5.7l1.5 1.5-1 1L3 5.4z",
  plus: "M7.3 3h1.4v4.3H13v1.4H8.7V13H7.3V8.7H3V7.3h4.3z",
  minus: "M3 7.3h10v1.4H3z",
  fit: "M2 2h4v1.4H3.4V6H2zm8 0h4v4h-1.4V3.4H10zM2 10h1.4v2.6H6V14H2zm10.6 0H14v4h-4v-1.4h2.6z",
  beside: "M2 3h5.3v10H2zm6.7 0H14v10H8.7zM3.4 4.4v7.2h2.5V4.4zm6.7 0v7.2h2.5V4.4z",
  wipe: "M2 3h5.3V1.5h1.4V3H14v10H8.7v1.5H7.3V13H2zm6.7 1.4v7.2h3.9V4.4z",
  difference:
    "M6 2.5a4.5 4.5 0 0 1 4.4 3.6A4.5 4.5 0 1 1 5.6 10 4.5 4.5 0 0 1 6 2.5zm0 1.4a3.1 3.1 0 0 0-.4 6.2 4.5 4.5 0 0 1 3.3-3.9A3.1 3.1 0 0 0 6 3.9zm4.5 3.7a3.1 3.1 0 0 1-3.4 2.8 3.1 3.1 0 1 0 3.4-2.8z",
  small: "M3 3h4v4H3zm6 0h4v4H9zM3 9h4v4H3zm6 0h4v4H9z",
  large: "M3 3h10v10H3z",
} as const;

const SVG = "http://www.w3.org/2000/svg";

export function icon(name: keyof typeof ICONS): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "ipya-icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  path.setAttribute("fill", "currentColor");
  svg.append(path);
  return svg;
}

interface ButtonOptions {
  icon?: keyof typeof ICONS;
  text?: string;
  /** For people who do not see the icon, and as a tooltip. */
  label?: string;
  look?: "plain" | "primary";
  onClick: () => void;
}

export function button(options: ButtonOptions): HTMLButtonElement {
  const element = h(
    "button",
    {
      type: "button",
      class: `ipya-button${options.look === "primary" ? " ipya-primary" : ""}${options.text ? "" : " ipya-square"}`,
      "aria-label": options.label,
      title: options.label,
      [SUPPRESS]: "true",
    },
    options.icon && icon(options.icon),
    options.text && h("span", {}, options.text),
  );
  element.addEventListener("click", options.onClick);
  return element;
}

export function select(
  label: string,
  options: readonly { value: string; label: string }[],
  onChange: (value: string) => void,
): HTMLSelectElement {
  const element = h("select", {
    class: "ipya-select",
    "aria-label": label,
    title: label,
    [SUPPRESS]: "true",
  });
  setOptions(element, options);
  element.addEventListener("change", () => onChange(element.value));
  return element;
}

export function setOptions(
  element: HTMLSelectElement,
  options: readonly { value: string; label: string }[],
): void {
  const before = [...element.options].map((option) => `${option.value}\n${option.text}`).join();
  if (before === options.map((option) => `${option.value}\n${option.label}`).join()) return;
  const { value } = element;
  element.replaceChildren(...options.map((option) => h("option", { value: option.value }, option.label)));
  element.value = value;
}

/** Focus the nearest thing outside that can take it: in JupyterLab that is the cell or the notebook. */
export function leave(root: HTMLElement): void {
  const outside = root.parentElement?.closest<HTMLElement>("[tabindex]");
  if (outside) outside.focus({ preventScroll: true });
  else (document.activeElement as HTMLElement | null)?.blur();
}

/** Text in an element, written only when it differs: no needless layout, no repeated announcement. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export const counted = (count: number, [one, many]: readonly [string, string]): string =>
  `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
