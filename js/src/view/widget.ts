import type { Tiles } from "../core/tiles";
import type { AssetSource } from "../source";
import { DetailView } from "./detail";
import { h, leave } from "./dom";
import { Grid } from "./grid";
import { keepKeys } from "./keys";
import { Notice } from "./notice";
import { Status, TILE_SIZES } from "./status";
import { banner, FailedStrip, LinkStrip, PickStrip } from "./strips";
import { Toolbar } from "./toolbar";

/** One view of the widget, put into `host`. Returns what takes it down again. */
export function show(source: AssetSource, tiles: Tiles, host: HTMLElement): () => void {
  const { setup } = source.now;
  const alone = setup.kind === "page"; // nobody is there to be asked once more
  const failed = new FailedStrip(() => grid.again());
  const grid = new Grid(source, tiles, TILE_SIZES.usual, {
    open: (index) => detail.show(index),
    leave: () => leave(root),
    failed: (count, why) => failed.say(alone || source.now.link === "lost" ? 0 : count, why),
  });
  const detail = new DetailView(source, tiles, (index) => grid.focus(index));
  const toolbar = setup.kind === "images" ? null : new Toolbar(source);
  const status = new Status(source, {
    selectAll: () => grid.selectAll(),
    tileSize: (size) => grid.setTileSize(size),
  });
  const notice = new Notice(source);
  const link = new LinkStrip(
    () => source.now.link,
    () => source.knock(),
  );
  const pick = new PickStrip(source);
  const main = h(
    "div",
    { class: "ipya-main" },
    h("div", { class: "ipya-busy", "aria-hidden": "true" }),
    grid.element,
    notice.element,
  );
  const root = h(
    "section",
    { class: "ipya-root", role: "group", "aria-label": setup.label },
    setup.banner && banner(setup.banner),
    toolbar?.element,
    status.element,
    link.element,
    failed.element,
    main,
    pick.element,
    detail.element,
  );
  root.dataset.kind = setup.kind;
  root.style.setProperty("--ipya-height", setup.height);

  const refresh = () => {
    root.dataset.state = source.now.result.state;
    grid.element.hidden = notice.sync();
    status.sync();
    link.sync();
    pick.sync();
  };
  const unsubscribe = source.subscribe((changed) => {
    toolbar?.sync(changed);
    detail.sync(changed);
    refresh();
  });
  root.addEventListener("keydown", keepKeys);
  host.append(root);
  refresh();

  return () => {
    unsubscribe();
    toolbar?.close();
    notice.close();
    detail.dispose();
    grid.close();
    root.remove();
  };
}
