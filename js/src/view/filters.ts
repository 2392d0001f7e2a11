import { Debounce, TYPING } from "../core/debounce";
import type { Filter, FilterValue, Service } from "../protocol";
import { button, h, SUPPRESS, say, select } from "./dom";

/** The filters a service declares, as form fields; tells the values that are set, the others left out. */
export class Filters {
  readonly element = h("div", { class: "ipya-filters", role: "group", "aria-label": "Filters" });
  #service = "";
  #values: Record<string, FilterValue> = {};
  #show: ((values: Record<string, FilterValue>) => void)[] = [];
  readonly #reset = button({ text: "Reset filters", onClick: () => this.#resetAll() });
  readonly #typed: Debounce<Record<string, FilterValue>>;
  readonly #onChange: (values: Record<string, FilterValue>) => void;

  constructor(onChange: (values: Record<string, FilterValue>) => void) {
    this.#onChange = onChange;
    this.#typed = new Debounce(TYPING, (values) => this.#onChange(values));
  }

  /** How many are set. */
  get active(): number {
    return Object.keys(this.#values).length;
  }

  sync(service: Service | undefined, values: Record<string, FilterValue>): void {
    if (service && service.key !== this.#service) {
      this.#service = service.key;
      this.#typed.cancel();
      this.#show = [];
      this.element.replaceChildren(...service.filters.map((filter) => this.#field(filter)), this.#reset);
    }
    if (this.#typed.pending) return; // what is being typed is newer
    this.#values = { ...values };
    for (const show of this.#show) show(values);
    this.#reset.hidden = this.active === 0;
  }

  close(): void {
    this.#typed.cancel();
  }

  #resetAll(): void {
    this.#typed.cancel();
    this.#values = {};
    this.#onChange({});
  }

  #set(name: string, value: FilterValue | null, typing = false): void {
    const { [name]: _, ...others } = this.#values;
    this.#values = value === null ? others : { ...others, [name]: value };
    if (typing) {
      this.#typed.set(this.#values);
    } else {
      this.#typed.cancel();
      this.#onChange(this.#values);
    }
  }

  #field(filter: Filter): HTMLElement {
    switch (filter.kind) {
      case "choice":
        return this.#choice(filter);
      case "choices":
        return this.#choices(filter);
      case "flag":
        return this.#flag(filter);
      case "text":
        return this.#text(filter);
    }
  }

  #choice({ name, label, choices }: Filter): HTMLElement {
    const any = { value: "", label: "Any" };
    const field = select(label, [any, ...choices], (value) => this.#set(name, value || null));
    this.#show.push((values) => {
      field.value = String(values[name] ?? "");
    });
    return h("label", { class: "ipya-field" }, h("span", {}, label), field);
  }

  /** Many of many: closed it says what is chosen, open it is a list of boxes. */
  #choices({ name, label, choices }: Filter): HTMLElement {
    const chosen = h("span", { class: "ipya-chosen" });
    const boxes = choices.map(({ value, label }) => {
      const box = h("input", { type: "checkbox", value, [SUPPRESS]: "true" });
      box.addEventListener("change", () => {
        const on = boxes.filter(({ box }) => box.checked).map(({ box }) => box.value);
        this.#set(name, on.length ? on : null);
      });
      return { box, label, line: h("label", { class: "ipya-choice" }, box, label) };
    });
    this.#show.push((values) => {
      const on = values[name];
      for (const { box } of boxes) box.checked = Array.isArray(on) && on.includes(box.value);
      const words = boxes.filter(({ box }) => box.checked).map(({ label }) => label);
      say(chosen, words.join(", ") || "Any");
    });
    const list = h("div", { class: "ipya-choices" }, ...boxes.map(({ line }) => line));
    const head = h("summary", { class: "ipya-select", "aria-label": label, [SUPPRESS]: "true" }, chosen);
    return h(
      "div",
      { class: "ipya-field", role: "group", "aria-label": label },
      h("span", {}, label),
      h("details", {}, head, list),
    );
  }

  #flag({ name, label }: Filter): HTMLElement {
    const box = h("input", { type: "checkbox", [SUPPRESS]: "true" });
    box.addEventListener("change", () => this.#set(name, box.checked || null));
    this.#show.push((values) => {
      box.checked = values[name] === true;
    });
    return h("label", { class: "ipya-field ipya-choice" }, box, label);
  }

  #text({ name, label }: Filter): HTMLElement {
    const field = h("input", { type: "text", class: "ipya-input", dir: "auto", [SUPPRESS]: "true" });
    field.addEventListener("input", () => this.#set(name, field.value || null, true));
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.#typed.flush();
    });
    this.#show.push((values) => {
      const value = String(values[name] ?? "");
      if (field.value !== value) field.value = value;
    });
    return h("label", { class: "ipya-field" }, h("span", {}, label), field);
  }
}
