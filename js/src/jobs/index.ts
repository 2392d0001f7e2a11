import type { AnyWidget } from "@anywidget/types";
import type { Traits } from "./protocol";
import { JobsSource } from "./source";
import "./style.css";
import { show } from "./widget";

/** One connection for each model, made in `initialize` and shared by all its views. */
export default (): AnyWidget<Traits> => {
  let source: JobsSource | undefined;
  return {
    initialize({ model }) {
      source = new JobsSource(model);
      return () => {
        source?.close();
        source = undefined;
      };
    },
    render({ model, el }) {
      try {
        source ??= new JobsSource(model);
        return show(source, el);
      } catch (error) {
        // A widget that fails shows nothing at all in its cell unless it says so itself.
        el.textContent = `This widget could not be shown: ${(error as Error).message}`;
        throw error;
      }
    },
  };
};
