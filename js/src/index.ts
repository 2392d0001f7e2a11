import { Tiles } from "./core/tiles";
import { KernelSource } from "./kernel/source";
import type { Traits } from "./protocol";
import { hosted } from "./view/host";
import { show } from "./view/widget";
import "./style/index.css";

/** One connection and one store of tiles for each model; each view shows what it scrolled to. */
export default hosted<Traits, { source: KernelSource; tiles: Tiles }>(
  (model) => {
    const source = new KernelSource(model);
    return { source, tiles: new Tiles(source) };
  },
  ({ source, tiles }, host) => show(source, tiles, host),
  ({ source, tiles }) => {
    tiles.close();
    source.close();
  },
);
