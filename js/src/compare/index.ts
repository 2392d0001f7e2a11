import type { AnyModel, AnyWidget } from "@anywidget/types";
import { Connection } from "../kernel/connection";
import { Pictures } from "./pictures";
import type { Reply, Traits } from "./protocol";
import { CompareView } from "./view";
import "./style.css";

interface Shared {
  pictures: Pictures;
  views: Set<CompareView>;
}

/** One connection and one set of pictures for each model; each view looks by itself. */
export default (): AnyWidget<Traits> => {
  let shared: Shared | undefined;

  function connect(model: AnyModel<Traits>): Shared {
    if (shared) return shared;
    const views = new Set<CompareView>();
    const connection = new Connection<Traits, Reply>(model, () => {
      for (const view of views) view.sync();
    });
    connection.knock();
    shared = { pictures: new Pictures(connection), views };
    return shared;
  }

  return {
    initialize({ model }) {
      connect(model);
      return () => {
        shared?.pictures.close();
        shared?.pictures.link.close();
        shared = undefined;
      };
    },
    render({ model, el }) {
      try {
        const { pictures, views } = connect(model);
        const view = new CompareView(pictures);
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
