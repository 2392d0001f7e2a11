"""A list that changes while it is read: what a catalogue shows of which one item was added or removed at the front."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from ipyassets.sandbox.fault_bodies import document, dumped, main_list

if TYPE_CHECKING:
    from ipyassets.sandbox.faults import Fault

__all__ = ["drifted"]

_TOTALS: Final = ("totalCount", "totalHits")


async def drifted(fault: Fault, asked: bytes, body: bytes, other: Callable[[Any], Awaitable[bytes]]) -> bytes:
    """The page that ``asked`` for would be after the change; ``other`` gives the true answer to another request.

    The first page is as it was: the change comes after it. Where pages are told by cursors, the last item of the page
    before comes again (``added``), or nothing changes.
    """
    value, request = document(body), document(asked)
    there = main_list(value)
    if there is None:
        return body
    holder, name = there
    items: list[Any] = holder[name]
    before, fault.before = fault.before, items[-1:]
    if before is None:
        return body
    step = _step(request)
    if step is None:
        holder[name] = before + items if fault.change == "added" else items
        return dumped(value)
    key, by, at_first = step
    size = by if key == "offset" else int(request.get("size") or request.get("hitsPerPage") or len(items))
    place = int(request.get(key, at_first))

    async def page(number: int) -> list[Any]:
        found = document(await other({**request, key: number}))
        where = main_list(found)
        return [] if where is None else where[0][where[1]]

    if fault.change == "added":
        earlier = (await page(place - by))[-1:] if place > at_first else [_newcomer(items[0])] if items else []
        holder[name] = (earlier + items)[:size]
        more = 1
    else:
        holder[name] = items[1:] + (await page(place + by))[:1]
        more = -1
    for total in _TOTALS:
        if isinstance(holder.get(total), int):
            holder[total] += more
    return dumped(value)


def _step(request: Any) -> tuple[str, int, int] | None:
    """How a request says which page it wants: the name, the way to the next one, and what the first is."""
    if isinstance(request, dict):
        if isinstance(request.get("page"), int):
            return "page", 1, 1
        if isinstance(request.get("offset"), int) and isinstance(request.get("limit"), int):
            return "offset", request["limit"], 0
    return None


def _newcomer(item: Any) -> Any:
    """Another item of the same kind."""
    return {**item, **{name: _next(item[name]) for name in ("uuid", "id") if name in item}}


def _next(id: str) -> str:
    """Another id of the same form."""
    return id[:-4] + "0000" if not id.endswith("0000") else id[:-4] + "1111"
