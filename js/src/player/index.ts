import type { AnyModel, AnyWidget } from "@anywidget/types";
import { Connection } from "../kernel/connection";
import { Frames } from "./frames";
import type { Part, Reply, Traits } from "./protocol";
import { PlayerView } from "./view";
import "./style.css";

interface Shared {
  connection: Connection<Traits, Reply, Part>;
  frames: Frames;
  views: Set<PlayerView>;
}

/** One connection and one store of frames for each model; each view turns by itself. */
export default (): AnyWidget<Traits> => {
  let shared: Shared | undefined;

  function connect(model: AnyModel<Traits>): Shared {
    if (shared) return shared;
    const views = new Set<PlayerView>();
    const sync = () => {
      for (const view of views) view.sync();
    };
    const connection = new Connection<Traits, Reply, Part>(model, sync);
    connection.onChange("_film", sync);
    connection.knock();
    shared = { connection, frames: new Frames(connection), views };
    return shared;
  }

  return {
    initialize({ model }) {
      connect(model);
      return () => {
        shared?.frames.close();
        shared?.connection.close();
        shared = undefined;
      };
    },
    render({ model, el }) {
      try {
        const { connection, frames, views } = connect(model);
        const view = new PlayerView(connection, frames);
        views.add(view);
        el.classList.add("ipya-host");
        el.append(view.element);
        return () => {
          views.delete(view);
          view.close();
          el.classList.remove("ipya-host");
        };
      } catch (error) {
        // A widget that fails shows nothing at all in its cell unless it says so itself.
        el.textContent = `This widget could not be shown: ${(error as Error).message}`;
        throw error;
      }
    },
  };
};
