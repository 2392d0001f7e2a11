from __future__ import annotations

from typing import Any

import pytest

from ipyassets.errors import InvalidRequest
from ipyassets.services.scenario.records import asset
from ipyassets.services.scenario.renditions import renditions, wants_large

SIGNED = "https://cdn.example/x/assets-transform/a1?p=100&Policy=p&Key-Pair-Id=k&Signature=s"


def words(entity: dict[str, Any], *, large: bool) -> list[str]:
    return [found.word for found in renditions(asset({"id": "a1", **entity}), large=large)]


def link(name: str) -> dict[str, str]:
    return {"assetId": "b", "url": f"https://cdn.example/{name}"}


@pytest.mark.parametrize(
    ("width", "height", "size", "large"),
    [
        (None, None, None, True),
        (256, None, None, False),
        (384, 384, None, False),
        (385, None, None, True),
        (100, 2000, None, True),
        (4000, None, "small", False),
        (10, 10, "large", True),
    ],
)
def test_when_the_thumbnail_is_enough(width: int | None, height: int | None, size: str | None, large: bool) -> None:
    assert wants_large(width, height, size) is large


def test_unknown_size() -> None:
    with pytest.raises(InvalidRequest, match="'small'"):
        wants_large(None, None, "medium")


def test_order_for_an_image() -> None:
    entity = {"kind": "image", "mimeType": "image/png", "url": SIGNED, "thumbnail": link("t"), "preview": link("p")}
    assert words(entity, large=False) == ["thumbnail", "preview", "picture"]
    assert words(entity, large=True) == ["picture", "preview", "thumbnail"]


def test_hits_get_the_public_thumbnail_beside_their_own_url() -> None:
    first = renditions(
        asset({"id": "a1", "metadata": {"kind": "image"}, "mimeType": "image/png", "url": SIGNED}), large=False
    )
    assert first[0].url == "https://cdn.example/x/thumbnails/a1"
    assert first[1].url == SIGNED
    assert "Signature" not in repr(first)


@pytest.mark.parametrize("mime", ["image/svg+xml", "image/x-exr", None, "application/octet-stream"])
def test_what_is_no_raster_picture_is_not_fetched_for_one(mime: object) -> None:
    entity = {"kind": "image", "mimeType": mime, "url": SIGNED, "thumbnail": link("t")}
    assert words(entity, large=True) == ["thumbnail"]


def test_video_and_3d() -> None:
    entity = {"kind": "video", "mimeType": "video/mp4", "url": SIGNED, "thumbnail": link("t"), "firstFrame": link("f")}
    assert words(entity, large=True) == ["firstFrame", "thumbnail"]
    assert words({"kind": "3d", "mimeType": "model/obj", "url": SIGNED, "properties": {}}, large=True) == []
    assert words({"metadata": {"kind": "3d"}, "url": SIGNED}, large=True) == ["thumbnail"]


def test_canvas_thumbnail_below_metadata() -> None:
    assert words({"kind": "json", "metadata": {"thumbnail": link("t")}}, large=False) == ["thumbnail"]


@pytest.mark.parametrize("kind", ["audio", "text", "document", "json", "hologram"])
def test_kinds_without_a_picture(kind: str) -> None:
    assert words({"kind": kind, "url": SIGNED, "mimeType": "audio/wav"}, large=True) == []


@pytest.mark.parametrize(
    "url", [None, 5, "", "http://[x", "/assets/a1", "https://cdn.example/other/a1?x", "data:image/png,x"]
)
def test_no_guess_beside_strange_urls(url: object) -> None:
    assert words({"metadata": {"kind": "image"}, "url": url}, large=False) == []


@pytest.mark.parametrize("mime", [["image/png"], {"type": "image/png"}, 5, None])
def test_a_media_type_that_is_no_text_is_none(mime: Any) -> None:
    """A list in its place was a bare TypeError, and the whole batch of posters ended with it."""
    assert words({"kind": "image", "mimeType": mime, "url": SIGNED}, large=True) == ["thumbnail"]
