"""A marimo notebook: an Explorer, and what follows from its selection."""

import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo

    import ipyassets as ia

    services = ia.connect()
    chosen, set_chosen = mo.state(())
    return chosen, ia, mo, services, set_chosen


@app.cell
def _(mo, services, set_chosen):
    explorer = services.explore()
    explorer.observe(lambda change: set_chosen(tuple(change["new"])), names="selection")
    mo.ui.anywidget(explorer)
    return (explorer,)


@app.cell
def _(chosen, mo):
    mo.md("Chosen: " + ", ".join(asset.name for asset in chosen()))
    return


@app.cell
def _(chosen, explorer, ia):
    images = explorer.images(width=256) if len(chosen()) > 1 else ()
    ia.Compare(*images[:2]) if images else None
    return


if __name__ == "__main__":
    app.run()
