import { hosted } from "../view/host";
import type { Traits } from "./protocol";
import { JobsSource } from "./source";
import "./style.css";
import { show } from "./widget";

/** One connection for each model. */
export default hosted<Traits, JobsSource>(
  (model) => new JobsSource(model),
  show,
  (source) => source.close(),
);
