import { Tiles } from "../core/tiles";
import { h, icon } from "../view/dom";
import { show } from "../view/widget";
import { type About, read } from "./data";
import { PageSource } from "./source";
import "./style.css";

/** The title, what there is to know of the page, and what is not on it. */
function head({ title, notes, troubles }: About): HTMLElement {
  return h(
    "header",
    { class: "ipya-page-head" },
    h("h1", { class: "ipya-page-title", dir: "auto" }, title),
    h("p", { class: "ipya-page-notes" }, notes.join(" ")),
    ...troubles.map((words) =>
      h(
        "p",
        { class: "ipya-page-trouble", role: "note" },
        icon("warning"),
        h("span", { dir: "auto" }, words),
      ),
    ),
  );
}

try {
  const data = read(document);
  const source = new PageSource(data);
  const main = h("main", { class: "ipya-host ipya-page-main" });
  document.body.append(h("div", { class: "ipya-page" }, head(data.about), main));
  show(source, new Tiles(source), main);
} catch (error) {
  document.body.append(h("p", {}, `This page could not be shown: ${(error as Error).message}`));
  throw error;
}
