"""How assets, lists and batches show themselves in a notebook: small static HTML, safe to share.

Names are text, never markup; pictures are data URIs made here; there is no script, no link and no address.
"""

from __future__ import annotations

import asyncio
import base64
import html
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from ipyassets.collections.images import in_decode_pool
from ipyassets.collections.thumbnails import Thumbnail, miniature, thumbnail
from ipyassets.errors import AssetServiceError, NotFound
from ipyassets.http import loop

if TYPE_CHECKING:
    from PIL import Image

    from ipyassets.collections.asset_list import AssetList
    from ipyassets.collections.assets import AssetBase
    from ipyassets.collections.batch import ImageBatch

__all__ = ["asset_html", "batch_html", "list_html"]

MAX_TILES: Final = 16
EDGE: Final = 112
_SMALL: Final = 3_000
"""Bytes up to which a service's own picture goes into the notebook: it is saved with it, so less than on the screen."""

_SHEET = "display:flex;flex-wrap:wrap;gap:8px;margin:4px 0;font-family:var(--jp-ui-font-family,sans-serif)"
_TILE = f"margin:0;width:{EDGE}px;font-size:11px;line-height:1.35"
_PICTURE = (
    f"width:{EDGE}px;height:{EDGE}px;object-fit:contain;display:block;border-radius:3px;"
    "background:var(--jp-layout-color2,#f5f5f5)"
)
_EMPTY = (
    f"width:{EDGE}px;height:{EDGE}px;display:flex;align-items:center;justify-content:center;border-radius:3px;"
    "background:var(--jp-layout-color2,#f5f5f5);color:var(--jp-ui-font-color2,#757575)"
)
_NAME = "overflow:hidden;text-overflow:ellipsis;white-space:nowrap;padding-top:2px"
_NOTE = "font-size:12px;color:var(--jp-ui-font-color2,#757575);font-family:var(--jp-ui-font-family,sans-serif)"

Tile = tuple[str, Thumbnail | str]
"""A name, and its picture or the words that stand for it."""


def list_html(assets: AssetList) -> str:
    """The first assets of a list with their posters, and how many more there are."""
    shown = list(assets[:MAX_TILES])
    tiles = loop.run(_tiles(shown))
    pages, span = assets._pages, assets._span  # noqa: SLF001
    count = span.within(pages.known) if pages.ended else None
    return _sheet(tiles, _more(len(tiles), count))


def batch_html(batch: ImageBatch) -> str:
    """The first images of a batch, and what failed in words."""
    small = loop.run(_miniatures(batch.images[:MAX_TILES]))
    tiles = [(asset.name, picture or "failed") for asset, picture in zip(batch.assets[:MAX_TILES], small, strict=True)]
    failures = "".join(
        f"<li>{html.escape(asset.name)}: {html.escape(str(error))}</li>" for _, asset, error in batch.failures[:5]
    )
    note = _more(len(tiles), len(batch))
    more = f"<li>and {len(batch.failures) - 5} more</li>" if len(batch.failures) > 5 else ""
    return _sheet(tiles, note) + (f'<ul style="{_NOTE}">{failures}{more}</ul>' if failures else "")


def asset_html(asset: AssetBase) -> str:
    """One asset: its poster beside what is known of it."""
    ((_, picture),) = loop.run(_tiles([asset]))
    facts: dict[str, Any] = {
        "Name": asset.name,
        "Service": asset.service,
        "Kind": asset.kind,
        "Status": asset.status,
        "Created": asset.created.date().isoformat() if asset.created else None,
        "Tags": ", ".join(asset.tags),
        "Id": asset.id,
    }
    rows = "".join(
        f'<tr><th style="text-align:left;font-weight:500;vertical-align:top">{label}</th>'
        f'<td dir="auto" style="text-align:left;overflow-wrap:anywhere">{html.escape(str(value)[:300])}</td></tr>'
        for label, value in facts.items()
        if value
    )
    return f'<div style="{_SHEET};align-items:flex-start">{_picture(picture, asset.name)}<table>{rows}</table></div>'


async def _tiles(assets: Sequence[AssetBase]) -> list[Tile]:
    return list(await asyncio.gather(*map(_tile, assets)))


async def _tile(asset: AssetBase) -> Tile:
    try:
        picture = await thumbnail(asset._service, asset._record, EDGE, as_is=_SMALL)  # noqa: SLF001
        return asset.name, picture
    except NotFound:
        return asset.name, "no poster"
    except AssetServiceError:
        return asset.name, "failed"


async def _miniatures(images: Iterable[Image.Image | None]) -> list[Thumbnail | None]:
    async def one(image: Image.Image | None) -> Thumbnail | None:
        return None if image is None else await in_decode_pool(miniature, image, EDGE)

    return list(await asyncio.gather(*map(one, images)))


def _sheet(tiles: Sequence[Tile], note: str) -> str:
    figures = "".join(
        f'<figure style="{_TILE}">{_picture(picture, name)}'
        f'<figcaption dir="auto" title="{html.escape(name[:300])}" style="{_NAME}">{html.escape(name[:300])}'
        "</figcaption></figure>"
        for name, picture in tiles
    )
    return f'<div style="{_SHEET}">{figures}</div><div style="{_NOTE}">{note}</div>'


def _picture(picture: Thumbnail | str, name: str) -> str:
    if isinstance(picture, str):
        return f'<div style="{_EMPTY}">{picture}</div>'
    data = base64.b64encode(picture.content).decode()
    return f'<img style="{_PICTURE}" alt="{html.escape(name[:300])}" src="data:{picture.mime};base64,{data}">'


def _more(shown: int, total: int | None) -> str:
    if not shown:
        return "No assets."
    if total is None:
        return f"{shown} shown"
    return f"{total} in all" if total <= shown else f"{shown} of {total} shown"
