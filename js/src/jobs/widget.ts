import { h, leave } from "../view/dom";
import { keepKeys } from "../view/keys";
import { LinkStrip } from "../view/strips";
import type { Job } from "./job";
import { Section } from "./section";
import type { JobsSource } from "./source";

/** One view of the monitor, put into `host`. Returns what takes it down again. */
export function show(source: JobsSource, host: HTMLElement): () => void {
  const sections = new Map<Job, Section>();
  const changed = new Map<Job, Set<number>>();
  const link = new LinkStrip(
    () => source.link,
    () => source.look(),
  );
  const root = h(
    "section",
    { class: "ipya-root ipya-jobs", role: "group", "aria-label": "Jobs" },
    link.element,
  );
  root.style.setProperty("--ipya-height", source.height);
  let frame = 0;

  const open = () => {
    for (const job of source.jobs) {
      if (sections.has(job)) continue;
      const section = new Section(job, () => leave(root));
      sections.set(job, section);
      root.append(section.element);
    }
    root.hidden = sections.size === 0;
    link.sync();
  };
  const paint = () => {
    frame = 0;
    for (const [job, rows] of changed) sections.get(job)?.sync([...rows]);
    changed.clear();
  };
  // However many messages come in a moment, they are painted once.
  const unsubscribe = source.subscribe((job, rows) => {
    if (!job) {
      open();
      return;
    }
    const waiting = changed.get(job) ?? new Set();
    changed.set(job, waiting);
    for (const row of rows) waiting.add(row);
    frame ||= requestAnimationFrame(paint);
  });
  const timer = setInterval(() => {
    const now = Date.now() / 1000;
    for (const [job, section] of sections) if (!job.state.over) section.tick(now);
  }, 1_000);

  root.addEventListener("keydown", keepKeys);
  host.append(root);
  open();

  return () => {
    unsubscribe();
    clearInterval(timer);
    cancelAnimationFrame(frame);
    for (const section of sections.values()) section.close();
    root.remove();
  };
}
