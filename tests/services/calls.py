"""What the tests of every service do with one: walk its pages, fetch its posters, and not wait long between tries."""

from __future__ import annotations

from typing import Final

from ipyassets.http import loop
from ipyassets.http.retry import RetryPolicy
from ipyassets.services.base import Page, PosterSource, Record, Search, Served

__all__ = ["QUICK", "fetch", "records", "walk"]

QUICK: Final = RetryPolicy(attempts=3, first=0.001, longest=0.002, retry_after_limit=0.2)


def walk(search: Search) -> list[Page]:
    """All pages: by cursor, or by number up to the first that is empty."""

    async def go() -> list[Page]:
        pages = [await search.page(0)]
        while pages[-1].records if search.random_access else pages[-1].next is not None:
            pages.append(await search.page(len(pages), pages[-1].next))
        return pages

    return loop.run(go())


def records(search: Search) -> list[Record]:
    return [record for page in walk(search) for record in page.records]


def fetch(source: PosterSource | None) -> Served:
    assert source is not None

    async def go() -> Served:
        return await source.fetch()

    return loop.run(go())
