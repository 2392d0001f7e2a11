import type { AnyModel, AnyWidget } from "@anywidget/types";

/** On a view whose kernel has answered; where there is none, the still picture beside the view stays in sight. */
const LIVE = "ipya-live";

/**
 * A widget whose views share what belongs to its model: made in `initialize`, so that it is there before any view is,
 * and closed with the model. The factory is called once for each model, so nothing here leaks into another one.
 * `show` puts one view into `host` and gives what takes it down again.
 */
export function hosted<Traits extends object, Shared>(
  make: (model: AnyModel<Traits>) => Shared,
  show: (shared: Shared, host: HTMLElement) => () => void,
  close: (shared: Shared) => void,
): () => AnyWidget<Traits> {
  return () => {
    let shared: Shared | undefined;
    const views = new Set<HTMLElement>();
    let answered = false;
    const hear = () => {
      answered = true;
      for (const el of views) el.classList.add(LIVE);
    };
    const connect = (model: AnyModel<Traits>): Shared => {
      if (!shared) {
        model.on("msg:custom", hear);
        shared = make(model);
      }
      return shared;
    };
    return {
      initialize({ model }) {
        connect(model);
        return () => {
          model.off("msg:custom", hear);
          if (shared) close(shared);
          shared = undefined;
        };
      },
      render({ model, el }) {
        try {
          el.classList.add("ipya-host");
          el.classList.toggle(LIVE, answered);
          views.add(el);
          const takeDown = show(connect(model), el);
          return () => {
            takeDown();
            views.delete(el);
            el.classList.remove("ipya-host", LIVE);
          };
        } catch (error) {
          // A widget that fails shows nothing at all in its cell unless it says so itself.
          el.textContent = `This widget could not be shown: ${(error as Error).message}`;
          throw error;
        }
      },
    };
  };
}
