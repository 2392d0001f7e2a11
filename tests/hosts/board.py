"""A Panel app: an Explorer, and what was chosen in it."""

import panel as pn

import ipyassets as ia

pn.extension("ipywidgets")

services = ia.connect()
explorer = services.explore()
chosen = pn.pane.Markdown("Chosen: nothing")
explorer.observe(
    lambda change: setattr(chosen, "object", f"Chosen: {', '.join(asset.name for asset in change['new'])}"), "selection"
)
pn.Column(explorer, chosen, sizing_mode="stretch_width").servable()
