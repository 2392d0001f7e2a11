"""How assets, lists, batches and snapshots show themselves in a notebook: small static HTML, safe to share.

Names are text, never markup; pictures are data URIs made here; there is no script, no style sheet, no link and no
address. It is all one line: what is compared or left out of a comparison is found by its line.
"""

from __future__ import annotations

import asyncio
import base64
import html
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ipyassets.collections.images import in_decode_pool
from ipyassets.collections.thumbnails import Thumbnail, miniature, thumbnail
from ipyassets.errors import AssetServiceError, NotFound
from ipyassets.http import loop
from ipyassets.texts import cut, encodable, straight

if TYPE_CHECKING:
    from PIL import Image

    from ipyassets.collections.asset_list import AssetList
    from ipyassets.collections.assets import AssetBase
    from ipyassets.collections.batch import ImageBatch

__all__ = ["EDGE", "MOST_BYTES", "SMALL", "SheetTile", "asset_html", "batch_html", "list_html", "sheet"]

MAX_TILES: Final = 16
EDGE: Final = 112
MOST_BYTES: Final = 150_000
"""Bytes that one sheet may have: it is saved with the notebook."""
SMALL: Final = 3_000
"""Bytes up to which a service's own picture goes into the notebook: it is saved with it, so less than on the screen."""
COLUMNS: Final = 8
"""Tiles to a row where styles are taken away; where they are not, as many as there is room for."""

_LONGEST_NAME: Final = 300
_LONGEST_ERROR: Final = 600
_NOTE_BYTES: Final = 4_000

_FONT = "font-family:var(--jp-ui-font-family,sans-serif)"
# A table, since GitHub and others take all styles away and a table is still one then; with styles its rows flow.
_TABLE = f"display:block;border:none;margin:4px 0;{_FONT}"
_BODY = "display:flex;flex-wrap:wrap;gap:8px"
_ROW = "display:contents"
_TILE = "display:block;padding:0;border:none;text-align:left;vertical-align:top;font-size:11px;line-height:1.35"
_PICTURE = "object-fit:contain;display:block;margin:0;border-radius:3px;background:var(--jp-layout-color2,#f5f5f5)"
_EMPTY = (
    "display:flex;align-items:center;justify-content:center;border-radius:3px;"
    "background:var(--jp-layout-color2,#f5f5f5);color:var(--jp-ui-font-color2,#757575)"
)
_NAME = "overflow:hidden;text-overflow:ellipsis;white-space:nowrap;padding-top:2px"
_SAID = f"{_NAME};padding-top:0;color:var(--jp-ui-font-color2,#757575)"
_PICKED = "outline:2px solid var(--jp-brand-color1,#1976d2);outline-offset:1px;"
_NOTE = f"font-size:12px;color:var(--jp-ui-font-color2,#757575);{_FONT}"
_CARD = f"display:flex;gap:8px;margin:4px 0;align-items:flex-start;{_FONT}"
_PLAIN = 'class="mathjax_ignore tex2jax_ignore"'
"""Keeps MathJax away, which JupyterLab and nbconvert's pages run over all HTML: with two dollars a name is a formula,
which may be a link, or higher than the page.
"""


@dataclass(frozen=True, slots=True)
class SheetTile:
    """One picture of a sheet."""

    name: str
    picture: Thumbnail | str
    """The picture, or the words that stand for it."""
    said: str = ""
    """A second line below it."""
    picked: bool = False
    """Whether a person had selected it."""


def list_html(assets: AssetList) -> str:
    """The first assets of a list with their posters, and how many more there are."""
    shown = list(assets[:MAX_TILES])
    tiles = loop.run(_tiles(shown))
    pages, span = assets._pages, assets._span  # noqa: SLF001
    count = span.within(pages.known) if pages.ended else None
    return sheet(tiles, lambda fit: _more(fit, count))


def batch_html(batch: ImageBatch) -> str:
    """The first images of a batch, and what failed in words."""
    small = loop.run(_miniatures(batch.images[:MAX_TILES]))
    shown = zip(batch.assets[:MAX_TILES], small, strict=True)
    tiles = [SheetTile(asset.name, picture or "failed") for asset, picture in shown]
    failures = "".join(
        # Each in a box that cuts off what sticks out: marks upon marks would run over the lines above.
        f'<li><div style="overflow:hidden"><bdi>{_text(asset.name, _LONGEST_NAME)}</bdi>: '
        f"<bdi>{_text(str(error), _LONGEST_ERROR)}</bdi></div></li>"
        for _, asset, error in batch.failures[:5]
    )
    more = f"<li>and {len(batch.failures) - 5} more</li>" if len(batch.failures) > 5 else ""
    pictures = sheet(tiles, lambda fit: _more(fit, len(batch)))
    return pictures + (
        f'<ul {_PLAIN} style="{_NOTE};overflow:hidden;overflow-wrap:anywhere">{failures}{more}</ul>' if failures else ""
    )


def asset_html(asset: AssetBase) -> str:
    """One asset: its poster beside what is known of it."""
    (tile,) = loop.run(_tiles([asset]))
    facts: dict[str, Any] = {
        "Name": asset.name,
        "Service": asset.service,
        "Kind": asset.kind,
        "Status": asset.status,
        "Created": asset.created.date().isoformat() if asset.created else None,
        "Tags": ", ".join(map(straight, asset.tags)),
        "Id": asset.id,
    }
    rows = "".join(
        f'<tr><th style="text-align:left;font-weight:500;vertical-align:top">{label}</th>'
        f'<td dir="auto" style="text-align:left;overflow-wrap:anywhere">{_text(str(value), _LONGEST_NAME)}</td></tr>'
        for label, value in facts.items()
        if value
    )
    return f'<div {_PLAIN} style="{_CARD}">{_picture(tile, EDGE)}<table>{rows}</table></div>'


def sheet(tiles: Sequence[SheetTile], note: Callable[[int], str], *, edge: int = EDGE, most: int = MOST_BYTES) -> str:
    """Tiles of ``edge`` pixels side by side, as many of the first as ``most`` bytes hold, and a line below them.

    ``note`` says that line, as plain text, for the number of tiles that fit.
    """
    cells: list[str] = []
    left = most - _NOTE_BYTES
    for tile in tiles:
        cell = _cell(tile, edge)
        left -= len(cell.encode()) + (40 if len(cells) % COLUMNS == 0 else 0)
        if left < 0:
            break
        cells.append(cell)
    rows = "".join(
        f'<tr style="{_ROW}">{"".join(cells[first : first + COLUMNS])}</tr>' for first in range(0, len(cells), COLUMNS)
    )
    table = f'<table {_PLAIN} style="{_TABLE}"><tbody style="{_BODY}">{rows}</tbody></table>' if rows else ""
    return f'{table}<div {_PLAIN} dir="auto" style="{_NOTE}">{_text(note(len(cells)), 600)}</div>'


async def _tiles(assets: Sequence[AssetBase]) -> list[SheetTile]:
    return list(await asyncio.gather(*map(_tile, assets)))


async def _tile(asset: AssetBase) -> SheetTile:
    try:
        picture = await thumbnail(asset._service, asset._record, EDGE, as_is=SMALL)  # noqa: SLF001
        return SheetTile(asset.name, picture)
    except NotFound:
        return SheetTile(asset.name, "no poster")
    except AssetServiceError:
        return SheetTile(asset.name, "failed")


async def _miniatures(images: Iterable[Image.Image | None]) -> list[Thumbnail | None]:
    async def one(image: Image.Image | None) -> Thumbnail | None:
        return None if image is None else await in_decode_pool(miniature, image, EDGE)

    return list(await asyncio.gather(*map(one, images)))


def _cell(tile: SheetTile, edge: int) -> str:
    name = _text(tile.name, _LONGEST_NAME)
    mark = "<b>\u2713</b> " if tile.picked else ""
    said = f'<div dir="auto" style="{_SAID}">{_text(tile.said, _LONGEST_NAME)}</div>' if tile.said else ""
    return (
        f'<td style="{_TILE};width:{edge}px">{_picture(tile, edge)}'
        f'<div dir="auto" title="{name}" style="{_NAME}">{mark}{name}</div>{said}</td>'
    )


def _picture(tile: SheetTile, edge: int) -> str:
    picked = _PICKED if tile.picked else ""
    if isinstance(tile.picture, str):
        return f'<div style="{picked}width:{edge}px;height:{edge}px;{_EMPTY}">{_text(tile.picture, 100)}</div>'
    data = base64.b64encode(tile.picture.content).decode()
    longest = max(tile.picture.width, tile.picture.height, 1)
    width = max(1, round(tile.picture.width * min(1.0, edge / longest)))  # what is left where styles are not
    return (
        f'<img width="{width}" style="{picked}width:{edge}px;height:{edge}px;{_PICTURE}" '
        f'alt="{_text(tile.name, _LONGEST_NAME)}" src="data:{tile.picture.mime};base64,{data}">'
    )


def _text(text: str, longest: int) -> str:
    """``text`` as HTML on one line, and as UTF-8 can say it."""
    return html.escape(encodable(cut(" ".join(text.split()), longest)))


def _more(shown: int, total: int | None) -> str:
    if not shown:
        return "No assets."
    if total is None:
        return f"{shown} shown"
    return f"{total} in all" if total <= shown else f"{shown} of {total} shown"
