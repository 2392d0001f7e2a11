/** What stands in the grid's place when there is nothing to show; pure, so that all of it can be read in one place. */

import type { Trouble } from "../protocol";
import type { Snapshot } from "../source";

export type Remedy = "retry" | "reset";

export interface Said {
  kind: "trouble" | "empty" | "wait";
  title: string;
  text: string;
  /** What else can be done, if anything. */
  hint: string;
  remedies: readonly Remedy[];
}

const TITLES: Record<Trouble, (title: string) => string> = {
  credentials: (title) => `${title} does not accept the credentials`,
  permission: (title) => `${title} does not permit this`,
  limit: (title) => `${title} asks to wait`,
  offline: (title) => `${title} cannot be reached`,
  unavailable: (title) => `${title} is out of order`,
  other: (title) => `${title} could not be searched`,
};

/** `had`: a result has been there before; then a search dims what shows, and does not replace it. */
export function noticeFor(now: Snapshot, had: boolean): Said | null {
  const { setup, query, result, refusal, link } = now;
  const service = setup.services.find(({ key }) => key === query.service);
  if (result.state === "error" || (refusal !== null && result.state === "ready")) {
    const trouble = refusal === null ? (result.trouble ?? "other") : "other";
    return {
      kind: "trouble",
      title: service ? TITLES[trouble](service.title) : "Something went wrong",
      text: refusal ?? result.message ?? "",
      hint: others(setup.services.filter((other) => other !== service).map(({ title }) => title)),
      remedies: link === "lost" ? [] : ["retry"],
    };
  }
  if (result.state === "ready" && result.count === 0 && result.ended) return nothing(now, service);
  if (result.state !== "loading" || had) return null;
  return link === "lost"
    ? { kind: "wait", title: "No answer came", text: "", hint: "", remedies: [] }
    : {
        kind: "wait",
        title: service ? `Searching ${service.title}…` : "Loading…",
        text: "",
        hint: "",
        remedies: [],
      };
}

function nothing(
  { setup, query, link }: Snapshot,
  service: Snapshot["setup"]["services"][number] | undefined,
): Said {
  const many = setup.nouns[1];
  const filters = Object.keys(query.filters).length;
  if (query.text || filters)
    return {
      kind: "empty",
      title: `No ${many} match`,
      text: query.text ? `“${query.text}”` : "",
      hint: filters ? `${filters === 1 ? "A filter is" : `${filters} filters are`} set.` : "",
      remedies: link === "lost" ? [] : ["reset"],
    };
  if (!service)
    return {
      kind: "empty",
      title: `No ${many}`,
      text: `There are no ${many} to show.`,
      hint: "",
      remedies: [],
    };
  const where = service.places?.toLowerCase();
  return {
    kind: "empty",
    title: `No ${many} here`,
    text: where
      ? `This ${where} of ${service.title} is empty. Choose another ${where} above, or look again later.`
      : `${service.title} has nothing to show yet.`,
    hint: "",
    remedies: link === "lost" ? [] : ["retry"],
  };
}

/** One service failed: what is left to search. */
const others = (titles: readonly string[]): string =>
  titles.length === 0
    ? ""
    : `${new Intl.ListFormat("en").format(titles)} can still be searched: choose above.`;
