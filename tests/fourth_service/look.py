"""What a person would see of an installed fourth service: run in a process of its own, prints one line of JSON."""

from __future__ import annotations

import json
import os

import comm
from PIL import Image

import ipyassets as ia
from ipyassets.widgets import bundle
from tests.widgets.browser import Browser, RecordingComm


def look(services: ia.Services) -> dict[str, object]:
    folder = services["folder"]
    found = folder.search("o", sort="name")
    batch = found.posters(width=32)
    explorer = services.explore()
    browser = Browser(explorer)
    query = {"service": "folder", "place": None, "text": "", "filters": {}, "sort": "-updated"}
    generation = browser.ask("search", query=query).last["generation"]
    result = browser.ready()
    tiles = browser.ask("tiles", generation=generation, ranges=[[0, result["count"] - 1]], edge=192).tiles
    explorer.selection = explorer.assets[:1]
    picked = explorer.images(width=16)
    seen = {
        "services": list(services),
        "names": [asset.name for asset in found],
        "posters": [image.size for image in batch.images if isinstance(image, Image.Image)],
        "failures": [str(error) for _, _, error in batch.failures],
        "titles": [service["title"] for service in explorer._setup["services"]],
        "tiles": [(tile["name"], tile["state"], tile["width"]) for _, tile in sorted(tiles.items())],
        "picked": [image.size for image in picked.images if image is not None],
    }
    explorer.close()
    return seen


if __name__ == "__main__":
    comm.create_comm = RecordingComm
    bundle._static = lambda name: ""  # built by npm; this is about the Python half
    with ia.Sandbox() as sandbox:
        os.environ.update(sandbox.environment())
        with ia.connect() as services:
            print(json.dumps(look(services)))
