"""Poster images of both APIs."""

from __future__ import annotations

from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from ipyassets.sandbox import library
from ipyassets.sandbox.vntana.catalogue import Catalogue
from ipyassets.sandbox.vntana.errors import Refused

__all__ = ["box", "poster"]


def box(request: Request) -> tuple[int | None, int | None]:
    """``width`` and ``height`` of the query; None where not given."""
    sides: list[int | None] = []
    for name in ("width", "height"):
        text = request.query_params.get(name)
        if text is None:
            sides.append(None)
        elif text.isascii() and text.isdecimal() and 0 < int(text) < 2**31:
            sides.append(int(text))
        else:
            raise Refused(400, "BAD_REQUEST")
    return sides[0], sides[1]


async def poster(
    catalogue: Catalogue,
    index: int,
    request: Request,
    size: tuple[int | None, int | None] = (None, None),
) -> Response:
    """The poster of a product as PNG, fitted into the box ``size``, never enlarged."""
    model = catalogue.variant(index).model
    if model is None or not catalogue.columns.poster[index]:
        raise Refused(404, "THUMBNAIL_NOT_FOUND")
    width, height = size
    # In a thread: decoding and encoding take tens of milliseconds.
    newer = catalogue.posters.get(index)
    if newer is None:
        make = partial(library.encoded, "object", model.key, width=width, height=height, format="PNG")
    else:
        make = partial(library.fitted, newer.content, width=width, height=height, format="PNG")
    content = await run_in_threadpool(make)
    headers = {}
    if request.query_params.get("download", "").lower() == "true":
        headers["content-disposition"] = f'attachment; filename="{model.key}.png"'
    return Response(content, media_type="image/png", headers=headers)
