import { Debounce, TYPING } from "../core/debounce";
import type { Query, Service } from "../protocol";
import type { AssetSource, Topic } from "../source";
import { button, h, icon, SUPPRESS, say, select, setOptions } from "./dom";
import { Filters } from "./filters";

/** Where to look and for what: service, workspace, words, filters, order. */
export class Toolbar {
  readonly element: HTMLElement;
  readonly #source: AssetSource;
  readonly #search = h("input", {
    type: "search",
    class: "ipya-input ipya-search",
    placeholder: "Search",
    "aria-label": "Search",
    dir: "auto",
    spellcheck: "false",
    autocomplete: "off",
    maxlength: 500,
    [SUPPRESS]: "true",
  });
  readonly #typed: Debounce<string>;
  readonly #service: HTMLSelectElement;
  readonly #place: HTMLSelectElement;
  readonly #sort: HTMLSelectElement;
  readonly #filters: Filters;
  readonly #filterButton: HTMLButtonElement;
  readonly #filterCount = h("span", { class: "ipya-count" });
  #filtersOpen = false;

  constructor(source: AssetSource) {
    this.#source = source;
    this.#typed = new Debounce(TYPING, (text) => this.#ask({ text }));
    this.#service = select("Service", [], (key) => this.#changeService(key));
    this.#place = select("Workspace", [], (place) => this.#ask({ place: place || null }));
    this.#sort = select("Sort", [], (sort) => this.#ask({ sort: sort || null }));
    this.#filters = new Filters((filters) => this.#ask({ filters }));
    this.#filterButton = button({ icon: "filter", text: "Filters", onClick: () => this.#toggleFilters() });
    this.#filterButton.append(this.#filterCount);
    this.#search.addEventListener("input", () => this.#typed.set(this.#search.value));
    this.#search.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.#typed.flush();
      if (event.key === "Escape" && this.#search.value) {
        event.stopPropagation();
        event.preventDefault();
        this.#search.value = "";
        this.#typed.set("");
        this.#typed.flush();
      }
    });
    const words = h("div", { class: "ipya-searchbox" }, icon("search"), this.#search);
    this.element = h(
      "div",
      { class: "ipya-toolbar", role: "group", "aria-label": "Search and filters" },
      h("div", { class: "ipya-line" }, this.#service, this.#place, words, this.#filterButton, this.#sort),
      this.#filters.element,
    );
    this.sync(null);
  }

  sync(changed: ReadonlySet<Topic> | null): void {
    if (changed && !changed.has("query") && !changed.has("places") && !changed.has("setup")) return;
    const { setup, query, places } = this.#source.now;
    const service = setup.services.find(({ key }) => key === query.service);
    setOptions(
      this.#service,
      setup.services.map(({ key, title }) => ({ value: key, label: title })),
    );
    this.#service.value = query.service;
    this.#service.hidden = setup.services.length < 2;
    this.#syncPlaces(service, places[query.service]?.items ?? [], query.place);
    setOptions(this.#sort, [{ value: "", label: "Default order" }, ...(service?.sorts ?? [])]);
    this.#sort.value = query.sort ?? "";
    this.#sort.hidden = !service?.sorts.length;
    // What is being typed is newer than what was last asked.
    if (!this.#typed.pending && this.#search.value !== query.text) this.#search.value = query.text;
    const page = setup.kind === "page";
    this.#search.placeholder = service ? `Search ${service.title}` : page ? "Search this page" : "Search";
    this.#filters.sync(service, query.filters);
    this.#filterButton.hidden = !service?.filters.length;
    this.#showFilters();
  }

  close(): void {
    this.#typed.cancel();
    this.#filters.close();
  }

  #syncPlaces(
    service: Service | undefined,
    items: { value: string; label: string }[],
    place: string | null,
  ): void {
    const noun = service?.places ?? "";
    this.#place.setAttribute("aria-label", noun);
    this.#place.title = noun;
    // A place given by Python by another word than its id (a slug) is not in the list, and still the one in use.
    const known = place === null || items.some(({ value }) => value === place);
    const extra = known ? [] : [{ value: place, label: place }];
    setOptions(this.#place, [{ value: "", label: `Default ${noun}` }, ...extra, ...items]);
    this.#place.value = place ?? "";
    this.#place.hidden = !noun || items.length + extra.length === 0;
  }

  #ask(change: Partial<Query>): void {
    // Words still being typed belong to the question, whichever control sends it.
    if (this.#typed.pending) {
      this.#typed.cancel();
      change = { text: this.#search.value, ...change };
    }
    this.#source.search({ ...this.#source.now.query, ...change });
  }

  #changeService(service: string): void {
    // Places, filters and orders are the service's own; the words stay.
    this.#ask({ service, place: null, filters: {}, sort: null });
  }

  #toggleFilters(): void {
    this.#filtersOpen = !this.#filtersOpen;
    this.#showFilters();
  }

  #showFilters(): void {
    const { active } = this.#filters;
    this.#filters.element.hidden = !this.#filtersOpen || this.#filterButton.hidden;
    this.#filterButton.setAttribute("aria-expanded", String(this.#filtersOpen));
    this.#filterButton.setAttribute("aria-label", active ? `Filters, ${active} set` : "Filters");
    say(this.#filterCount, active ? String(active) : "");
    this.#filterCount.hidden = active === 0;
  }
}
