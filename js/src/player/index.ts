import { Connection } from "../kernel/connection";
import { hosted } from "../view/host";
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
export default hosted<Traits, Shared>(
  (model) => {
    const views = new Set<PlayerView>();
    const sync = () => {
      for (const view of views) view.sync();
    };
    const connection = new Connection<Traits, Reply, Part>(model, sync);
    connection.onChange("_film", sync);
    connection.knock();
    return { connection, frames: new Frames(connection), views };
  },
  ({ connection, frames, views }, host) => {
    const view = new PlayerView(connection, frames);
    views.add(view);
    host.append(view.element);
    return () => {
      views.delete(view);
      view.close();
    };
  },
  ({ connection, frames }) => {
    frames.close();
    connection.close();
  },
);
