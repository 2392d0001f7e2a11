import { Connection } from "../kernel/connection";
import { hosted } from "../view/host";
import { Pictures } from "./pictures";
import type { Reply, Traits } from "./protocol";
import { CompareView } from "./view";
import "./style.css";

interface Shared {
  pictures: Pictures;
  views: Set<CompareView>;
}

/** One connection and one set of pictures for each model; each view looks by itself. */
export default hosted<Traits, Shared>(
  (model) => {
    const views = new Set<CompareView>();
    const connection = new Connection<Traits, Reply>(model, () => {
      for (const view of views) view.sync();
    });
    connection.knock();
    return { pictures: new Pictures(connection), views };
  },
  ({ pictures, views }, host) => {
    const view = new CompareView(pictures);
    views.add(view);
    host.append(view.element);
    return () => {
      views.delete(view);
      view.close();
    };
  },
  ({ pictures }) => {
    pictures.close();
    pictures.link.close();
  },
);
