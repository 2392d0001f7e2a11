"""A list of assets as a page: which of them, under which title, and what is shown of each."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipyassets.collections import html_page
from ipyassets.collections.facts import asset_facts
from ipyassets.collections.html_page import Page, PageItem
from ipyassets.collections.images import in_decode_pool
from ipyassets.collections.posters import about, fetch_poster
from ipyassets.collections.progress import bar
from ipyassets.collections.thumbnails import Thumbnail, as_webp, shrink
from ipyassets.collections.turn_frames import Film
from ipyassets.collections.turn_sources import rendered
from ipyassets.services.base import AssetService, Record

if TYPE_CHECKING:
    from ipyassets.collections.asset_list import AssetList, AsyncAssetList

__all__ = ["write", "write_awaiting"]


def write(
    assets: AssetList,
    path: str | Path,
    title: str | None,
    width: int,
    limit: int | None,
    *,
    turntables: bool,
    progress: bool | None,
) -> Path:
    """As `AssetList.to_html`."""
    page = _page(assets, path, title, width, limit, turntables=turntables)

    def shown() -> Any:
        counts = [count for count in (assets._count_if_known(), page.limit) if count is not None]  # noqa: SLF001
        return bar(min(counts, default=None), "asset", "Page", progress)

    html_page.write(page, _items(assets, page.limit), shown, lambda: _count_so_far(assets))
    return page.warn()


async def write_awaiting(
    assets: AsyncAssetList, path: str | Path, title: str | None, width: int, limit: int | None, *, turntables: bool
) -> Path:
    """As `AsyncAssetList.to_html`."""
    page = _page(assets, path, title, width, limit, turntables=turntables)
    await html_page.write_awaiting(page, _items(assets, page.limit), lambda: _count_so_far(assets))
    return page.warn()


def _page(
    assets: AssetList | AsyncAssetList,
    path: str | Path,
    title: str | None,
    width: int,
    limit: int | None,
    *,
    turntables: bool,
) -> Page:
    label = assets._label  # noqa: SLF001
    called = label[:1].upper() + label[1:] if title is None else title
    return Page(path, title=called, width=width, limit=limit, turntables=turntables)


async def _items(assets: AssetList | AsyncAssetList, limit: int | None) -> AsyncGenerator[PageItem, None]:
    """What is shown of the assets: one more than ``limit``, where there is one."""
    span = assets._span.sliced(None, None if limit is None else limit + 1, None)  # noqa: SLF001
    assert span is not None
    async with aclosing(assets._view(span)._walk()) as items:  # noqa: SLF001
        async for service, record in items:
            yield _item(service, record)


def _count_so_far(assets: AssetList | AsyncAssetList) -> int | None:
    """The length, where it is known without asking."""
    pages, span = assets._pages, assets._span  # noqa: SLF001
    return span.within(pages.known) if pages.random_access or pages.ended else None


def _item(service: AssetService, record: Record) -> PageItem:
    """An asset, with the facts that the Explorer shows of it and no more."""

    async def picture(edge: int) -> Thumbnail:
        found = await fetch_poster(service, record, width=edge, height=edge)
        # Never as it came: beside its pixels a file may hold where it was made, and by whom.
        return await in_decode_pool(shrink, found.content, edge, 0, about(service, record), as_webp)

    async def film(most: int) -> Film | None:
        return await rendered(service, record, most)

    return PageItem(record.id, record.name, asset_facts(record), picture, film)
