import type { AnyModel, AnyWidget } from "@anywidget/types";

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
    const connect = (model: AnyModel<Traits>): Shared => {
      shared ??= make(model);
      return shared;
    };
    return {
      initialize({ model }) {
        connect(model);
        return () => {
          if (shared) close(shared);
          shared = undefined;
        };
      },
      render({ model, el }) {
        try {
          el.classList.add("ipya-host");
          const takeDown = show(connect(model), el);
          return () => {
            takeDown();
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
}
