import { button, h, icon, SUPPRESS, say } from "../view/dom";
import { Announcer } from "./announcer";
import type { Job } from "./job";
import { List } from "./list";
import type { Status } from "./protocol";
import { Results } from "./results";
import { stageIcon } from "./row";
import { FILTERS, type Filter, hasMade } from "./state";
import { clock, countWords, left, spokenCount, statusWords } from "./words";

const FILTER_WORDS: Record<Filter, string> = { all: "All", running: "Running", failed: "Failed" };
const GOES_ON = "The service goes on with the work; only looking how it stands ends.";

/** One job in one view: its heading, and its lines below. */
export class Section {
  readonly element: HTMLElement;
  readonly #job: Job;
  readonly #list: List;
  readonly #results: Results;
  readonly #announcer: Announcer;
  readonly #mark = h("span", { class: "ipya-job-mark", "aria-hidden": "true" });
  readonly #words = h("span", { class: "ipya-job-words" });
  readonly #bar = h("span", { class: "ipya-job-fill" });
  readonly #progress = h(
    "div",
    { class: "ipya-job-bar", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100 },
    this.#bar,
  );
  readonly #count = h("span", { class: "ipya-job-count" });
  readonly #time = h("span", { class: "ipya-job-time" });
  readonly #filters = new Map<Filter, HTMLButtonElement>();
  readonly #title: HTMLElement;
  readonly #fold: HTMLButtonElement;
  readonly #show: HTMLButtonElement;
  readonly #retry: HTMLButtonElement;
  readonly #stop: HTMLButtonElement;
  readonly #trouble = strip();
  readonly #refusal = strip();
  readonly #body: HTMLElement;
  #status: Status | null = null;

  constructor(job: Job, leave: () => void) {
    this.#job = job;
    const { info } = job.state;
    this.#list = new List(job, { open: (index) => this.#open(index), leave });
    this.#results = new Results(job, {
      beside: (index, by) => this.#list.beside(index, by),
      back: (index) => this.#back(index),
    });
    this.#fold = button({ icon: "chevron", label: "Lines of this job", onClick: () => this.#toggle() });
    this.#fold.classList.add("ipya-fold");
    this.#show = button({ text: "Show results", onClick: () => this.#openFirst() });
    this.#retry = button({ text: "Retry failed", onClick: () => void job.act("retry") });
    this.#stop = button({
      text: "Stop following",
      label: `Stop following. ${GOES_ON}`,
      onClick: () => void job.act("stop"),
    });
    const title = h(
      "h2",
      { class: "ipya-job-title", dir: "auto", id: `ipya-${Math.random().toString(36).slice(2)}` },
      info.title,
    );
    this.#title = title;
    this.#progress.setAttribute("aria-labelledby", title.id);
    const live = h("span", { class: "ipya-unseen", role: "status" });
    this.#announcer = new Announcer((text) => say(live, `${job.state.info.title}: ${text}`));
    const filters = h("div", { class: "ipya-job-filters", role: "group", "aria-label": "Which lines" });
    for (const filter of FILTERS) {
      const chosen = button({ text: FILTER_WORDS[filter], onClick: () => this.#choose(filter) });
      this.#filters.set(filter, chosen);
      filters.append(chosen);
    }
    const dismiss = button({ icon: "close", label: "Dismiss", onClick: () => job.forgetRefusal() });
    this.#refusal.element.append(h("span", { class: "ipya-space" }), dismiss);
    this.#body = h("div", { class: "ipya-job-body" }, this.#list.element, this.#results.element);
    this.element = h(
      "section",
      { class: "ipya-job", role: "group", "aria-labelledby": title.id },
      h(
        "div",
        { class: "ipya-job-head" },
        h(
          "div",
          { class: "ipya-job-line" },
          this.#fold,
          this.#mark,
          title,
          this.#words,
          h("span", { class: "ipya-space" }),
          h("span", { class: "ipya-job-buttons" }, this.#show, this.#retry, this.#stop),
        ),
        this.#progress,
        h(
          "div",
          { class: "ipya-job-line" },
          this.#count,
          this.#time,
          h("span", { class: "ipya-space" }),
          filters,
        ),
        live,
      ),
      this.#trouble.element,
      this.#refusal.element,
      this.#body,
    );
    this.#fold.setAttribute("aria-expanded", "true");
    this.#choose("all");
    this.sync(job.state.rows.map(({ index }) => index));
  }

  /** The job changed, and these of its lines. */
  sync(changed: readonly number[]): void {
    const { state, refusal, acting } = this.#job;
    this.#list.sync(changed);
    this.#results.sync();
    this.#refusal.say(refusal);
    say(this.#title, state.info.title);
    this.#title.title = state.info.title;
    const { standing } = state;
    if (!standing) return;
    const { status, trouble } = standing;
    this.#trouble.say(trouble && `Looking again… ${trouble}`);
    if (status !== this.#status) {
      this.#status = status;
      this.element.dataset.status = status;
      this.#mark.replaceChildren(stageIcon(status === "partly_failed" ? "failed" : status));
      say(this.#words, statusWords(status));
    }
    const percent = Math.floor(standing.progress * 100);
    this.#bar.style.width = `${standing.progress * 100}%`;
    this.#progress.setAttribute("aria-valuenow", String(percent));
    this.#progress.setAttribute("aria-valuetext", countWords(standing, state.info.count));
    say(this.#count, countWords(standing, state.info.count));
    this.#announcer.say(spokenCount(standing, state.info.count), state.over);
    this.#stop.hidden = state.over;
    this.#stop.disabled = acting !== null;
    this.#retry.hidden = standing.failed === 0;
    this.#retry.disabled = acting !== null;
    say(this.#retry.lastElementChild as Element, acting === "retry" ? "Asking again…" : "Retry failed");
    this.#show.hidden = !state.rows.some(hasMade);
    for (const [filter, chosen] of this.#filters) {
      const count = state.matching(filter).length.toLocaleString("en");
      say(chosen.lastElementChild as Element, `${FILTER_WORDS[filter]} ${count}`);
    }
    this.tick(Date.now() / 1000);
  }

  /** A second has passed. */
  tick(now: number): void {
    const { state } = this.#job;
    const { standing } = state;
    if (!standing) return;
    const rest = state.remaining(now);
    const elapsed = clock(state.elapsed(standing.began, standing.ended, now));
    say(this.#time, rest === null || state.over ? elapsed : `${elapsed} · ${left(rest)}`);
    if (!state.over) this.#list.tick(now);
  }

  close(): void {
    this.#announcer.close();
    this.#list.close();
    this.#results.dispose();
    this.element.remove();
  }

  #choose(filter: Filter): void {
    for (const [other, chosen] of this.#filters)
      chosen.setAttribute("aria-pressed", String(other === filter));
    if (this.#results.open) this.#results.close();
    this.#list.show(filter);
  }

  #toggle(): void {
    this.#body.hidden = !this.#body.hidden;
    this.#fold.setAttribute("aria-expanded", String(!this.#body.hidden));
  }

  #openFirst(): void {
    const first = this.#job.state.rows.find(hasMade);
    if (!first) return;
    if (this.#body.hidden) this.#toggle();
    this.#open(first.index);
  }

  #open(index: number): void {
    this.#list.element.hidden = true;
    this.#results.show(index);
  }

  #back(index: number): void {
    this.#list.element.hidden = false;
    this.#list.focus(index);
  }
}

/** A line that is there only while it has something to say. */
function strip(): { element: HTMLElement; say(text: string | null): void } {
  const words = h("span", { class: "ipya-strip-text", dir: "auto", tabindex: 0, [SUPPRESS]: "true" });
  const element = h(
    "div",
    { class: "ipya-strip ipya-trouble", role: "status", hidden: true },
    icon("warning"),
    words,
  );
  return {
    element,
    say(text) {
      element.hidden = !text;
      say(words, text ?? "");
    },
  };
}
