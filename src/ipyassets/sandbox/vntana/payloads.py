"""What a webhook says about a product: two shapes, one for the work of the renderer and one for all the rest."""

from __future__ import annotations

import json
from typing import Any

from ipyassets.sandbox.vntana.catalogue import Catalogue
from ipyassets.sandbox.vntana.events import listed_name, payload_name
from ipyassets.sandbox.vntana.rows import Rows
from ipyassets.sandbox.world import World

__all__ = ["Payloads"]

RENDERED = ("renders", "turntable")
"""First words of the events that tell of the renderer's work."""


class Payloads:
    """Makes the bodies of webhooks."""

    def __init__(self, world: World, catalogue: Catalogue, rows: Rows) -> None:
        self._world = world
        self._catalogue = catalogue
        self._rows = rows

    def body(self, event: str, index: int) -> bytes:
        """The JSON that tells that ``event`` happened to the product ``index``, as it is now."""
        renamed = self._world.settings.vntana_webhook_asset_names
        product = self._rendered(index) if event.partition(".")[0] in RENDERED else self._product(index)
        workspace = self._catalogue.workspace(index)
        payload = {
            "event": listed_name(event) if renamed else payload_name(event),
            "organization": {"uuid": workspace.organization.uuid},
            "product": product,
            "client": {"uuid": workspace.uuid},
        }
        # As most servers write it, names unescaped: whoever checks the signature has to do it over these very bytes.
        return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()

    def _rendered(self, index: int) -> dict[str, Any]:
        """For renders and turntables. It names no files: they are to be searched."""
        row = self._rows.product(index)
        told = ("assetOriginalName", "assetOriginalSize", "generationRequestUuid")
        return {
            **{name: row[name] for name in ("uuid", "name", "description", "status")},
            "asset": {name: row["asset"][name] for name in told} if row["asset"] else None,
        }

    def _product(self, index: int) -> dict[str, Any]:
        row = self._rows.product(index)
        return {
            **{name: row[name] for name in ("uuid", "name", "description")},
            "tags": [tag["name"] for tag in row["tags"]],
            **{name: row[name] for name in ("attributes", "status", "autoPublish", "pipelineUuid")},
        }
