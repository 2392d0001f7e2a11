import type { AnyModel, AnyWidget } from "@anywidget/types";
import { Tiles } from "./core/tiles";
import { KernelSource } from "./kernel/source";
import type { Traits } from "./protocol";
import { show } from "./view/widget";
import "./style/index.css";

/**
 * One connection and one store of tiles for each model, made in `initialize` and shared by all its views. The factory
 * is called once for each model, so nothing here outlives or leaks into another one.
 */
export default (): AnyWidget<Traits> => {
  let source: KernelSource | undefined;
  let tiles: Tiles | undefined;

  function connect(model: AnyModel<Traits>): { source: KernelSource; tiles: Tiles } {
    source ??= new KernelSource(model);
    tiles ??= new Tiles(source);
    return { source, tiles };
  }

  return {
    initialize({ model }) {
      connect(model);
      return () => {
        tiles?.close();
        source?.close();
        tiles = source = undefined;
      };
    },
    render({ model, el }) {
      try {
        const connected = connect(model);
        return show(connected.source, connected.tiles, el);
      } catch (error) {
        // A widget that fails shows nothing at all in its cell unless it says so itself.
        el.textContent = `This widget could not be shown: ${(error as Error).message}`;
        throw error;
      }
    },
  };
};
