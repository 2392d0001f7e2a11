"""``POST /assets/{id}/download``: a signed URL of one file, as it is stored or in another format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ipyassets.sandbox.scenario.catalogue import Asset
from ipyassets.sandbox.scenario.errors import bad_request
from ipyassets.sandbox.scenario.formats import DOWNLOADS, possible
from ipyassets.sandbox.scenario.records import Records

__all__ = ["download"]


def download(asset: Asset, body: Mapping[str, Any], records: Records) -> dict[str, str]:
    """``{"url", "mimeType"}``. Nothing is converted yet: the file is made when the URL is fetched.

    A 400 ``Invalid target format`` for a word that is none, for one that does not go with the asset's kind, and for
    those this server has no encoder for.
    """
    format = body.get("targetFormat")
    if format is None:
        return {"url": records.file(asset), "mimeType": asset.seed.mime}
    mime = possible(asset.seed.mime, format) if format in DOWNLOADS else None
    if mime is None:
        raise bad_request("Invalid target format")
    return {"url": records.file(asset, format), "mimeType": mime}
