// The least that a host of anywidgets does: models from comm messages, one view for each display. No JupyterLab, no
// subshells, and no styles but those of the page it stands in.
(() => {
  const models = new Map();
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

  class Model {
    #id;
    #state;
    #listeners = new Map();

    constructor(id, state) {
      this.#id = id;
      this.#state = state;
    }

    get(name) {
      return this.#state[name];
    }

    on(event, run) {
      const runs = this.#listeners.get(event) ?? new Set();
      this.#listeners.set(event, runs.add(run));
    }

    off(event, run) {
      this.#listeners.get(event)?.delete(run);
    }

    send(content) {
      window.ipyaToKernel(this.#id, content);
    }

    update(state) {
      Object.assign(this.#state, state);
      for (const name of Object.keys(state)) this.emit(`change:${name}`);
    }

    emit(event, ...args) {
      for (const run of [...(this.#listeners.get(event) ?? [])]) run(...args);
    }
  }

  async function open(id, state) {
    const model = new Model(id, state);
    const style = document.createElement("style");
    style.textContent = state._css;
    document.head.append(style);
    const url = URL.createObjectURL(new Blob([state._esm], { type: "text/javascript" }));
    const made = (await import(url)).default;
    const widget = typeof made === "function" ? await made() : made;
    await widget.initialize({ model, signal: new AbortController().signal });
    return { model, widget };
  }

  async function display(id, cell) {
    const { model, widget } = await models.get(id);
    const place = window.ipyaPlace(cell);
    const output = document.createElement("div");
    place.append(output);
    await widget.render({ model, el: output, signal: new AbortController().signal });
  }

  function handle({ op, id, data, buffers, cell }) {
    if (op === "open" && data.state?._esm) models.set(id, open(id, data.state));
    else if (op === "msg") {
      const views = buffers.map((text) => new DataView(bytes(text).buffer));
      models.get(id)?.then(({ model }) => {
        if (data.method === "update") model.update(data.state);
        else if (data.method === "custom") model.emit("msg:custom", data.content, views);
      });
    } else if (op === "display") display(id, cell);
    else if (op === "html") window.ipyaPlace(cell).insertAdjacentHTML("beforeend", data);
  }

  async function pump() {
    for (const message of await window.ipyaFromKernel()) handle(message);
    setTimeout(pump, 20);
  }
  pump();
})();
