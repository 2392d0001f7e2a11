"""Small pictures for a screen: the service's own bytes where they are small, else ours, encoded small."""

from __future__ import annotations

import contextlib
import io
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias
from weakref import WeakKeyDictionary

from ipyassets.collections import kept
from ipyassets.collections.gate import Gate
from ipyassets.collections.images import WHAT, in_decode_pool, opened, upright
from ipyassets.collections.posters import Box, about, source_of
from ipyassets.errors import BadResponse
from ipyassets.http.cache import cache
from ipyassets.services.base import AssetService, PosterSource, Record

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["Encode", "Thumbnail", "as_webp", "miniature", "quick", "shrink", "thumbnail"]

PASS_THROUGH: Final = 12_000
"""Bytes up to which a service's own rendition goes to the browser as it came."""
_ENCODER: Final = "2"
"""Changes with what `shrink` makes of the same bytes, so that nothing older is taken for it."""
_OVERHEAD: Final = 500
"""Bytes a thumbnail in memory takes besides its content."""
_BROWSER_TYPES: Final = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif"}


_SAYS_NOTHING: Final = frozenset(
    [
        "adobe",
        "adobe_transform",
        "aspect",
        "background",
        "dpi",
        "duration",
        "extension",
        "gamma",
        "icc_profile",
        "jfif",
        "jfif_density",
        "jfif_unit",
        "jfif_version",
        "loop",
        "progression",
        "progressive",
        "srgb",
        "timestamp",
        "transparency",
        "version",
    ]
)
"""What Pillow tells of a picture besides its pixels that names nobody; a comment, XMP or EXIF may have an author in it,
and thumbnails are kept in notebooks."""


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """An encoded picture for the browser, its type and its size in pixels."""

    content: bytes
    mime: str
    width: int
    height: int


Encode: TypeAlias = "Callable[[Image.Image], Thumbnail]"
"""What makes bytes of a picture that has its size."""


async def thumbnail(
    service: AssetService, record: Record, edge: int, *, as_is: int = PASS_THROUGH, ahead: bool = False
) -> Thumbnail:
    """A thumbnail of at most ``edge`` x ``edge`` pixels. Raises as `fetch_poster` does.

    The service's own rendition is given as it came if it has at most ``as_is`` bytes. What is kept, in memory or on
    disk, is neither fetched nor decoded; the rest waits its turn, with ``ahead`` behind what shows.
    """
    source = await source_of(service, record, Box(edge, edge))
    key = (*source.key, "thumbnail", _ENCODER, str(edge), str(as_is))
    wanted = _Wanted(source, key, edge, as_is, about(service, record))
    if cache.enabled:
        made = _memory.get(key)
        if made is not None:
            return made
        if await kept.has(key) or await kept.has(source.key):
            made = await in_decode_pool(_of_kept, wanted)
            if made is not None:
                # How old they are is not known here: what does not stay good is looked at again.
                if source.lifetime is None:
                    _memory.put(key, made)
                return made
    async with _gate(service).turn(ahead=ahead):
        fetched = await source.fetch()
        made = await in_decode_pool(_of_fetched, wanted, fetched.content)
    if cache.enabled:
        _memory.put(key, made, source.lifetime)
    return made


@dataclass(frozen=True, slots=True)
class _Wanted:
    source: PosterSource
    key: tuple[str, ...]
    """Of the thumbnail; that of the picture itself is in ``source``."""
    edge: int
    as_is: int
    what: str


def _of_kept(wanted: _Wanted) -> Thumbnail | None:
    encoded = cache.get(wanted.key)
    if encoded is not None:
        with contextlib.suppress(BadResponse):
            made = _as_it_is(encoded, wanted.what)
            if made is not None:
                return made
        cache.drop(wanted.key)
    source = wanted.source
    content = cache.get(source.key)
    if content is None:
        return None
    try:
        made = shrink(content, wanted.edge, wanted.as_is, wanted.what)
    except BadResponse:  # damaged in a way the cache did not see
        cache.drop(source.key)
        return None
    if source.lifetime is None and made.content is not content:
        cache.put_soon(wanted.key, made.content)
    return made


def _of_fetched(wanted: _Wanted, content: bytes) -> Thumbnail:
    made = shrink(content, wanted.edge, wanted.as_is, wanted.what)
    source = wanted.source
    cache.put_soon(source.key, content, source.lifetime)
    if made.content is not content:
        cache.put_soon(wanted.key, made.content, source.lifetime)
    return made


def _gate(service: AssetService) -> Gate:
    if service not in _gates:
        _gates[service] = Gate()
    return _gates[service]


class Memory:
    """Thumbnails by recent use, of at most so many bytes in all, as long as the cache on disk is the same one and not
    cleared. Lives on the loop thread.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[tuple[str, ...], tuple[Thumbnail, float]] = OrderedDict()
        self._bytes = 0
        self._of: object = None

    def get(self, key: tuple[str, ...]) -> Thumbnail | None:
        """What is kept under ``key`` and still good."""
        self._follow()
        found, expires = self._kept.get(key, (None, 0.0))
        if found is None:
            return None
        if time.monotonic() > expires:
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return found

    def put(self, key: tuple[str, ...], made: Thumbnail, lifetime: float | None = None) -> None:
        """Keep ``made`` for ``lifetime`` seconds; None: until it is pushed out."""
        self._follow()
        self._drop(key)
        self._kept[key] = (made, math.inf if lifetime is None else time.monotonic() + lifetime)
        self._bytes += len(made.content) + _OVERHEAD
        while self._bytes > self._most:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: tuple[str, ...]) -> None:
        gone = self._kept.pop(key, None)
        if gone is not None:
            self._bytes -= len(gone[0].content) + _OVERHEAD

    def _follow(self) -> None:
        of = (cache.folder, cache.cleared)
        if of != self._of:
            self._of = of
            self._kept.clear()
            self._bytes = 0


_memory: Final = Memory(32_000_000)
_gates: Final[WeakKeyDictionary[AssetService, Gate]] = WeakKeyDictionary()


def quick(image: Image.Image) -> Thumbnail:
    """``image`` as JPEG, or as WebP where it is see-through.

    At 192 pixels JPEG takes 0.13 ms for 3.8 kB, WebP 1.0 ms for 1.7 kB: a screenful is few bytes either way, and the
    cores are shared with the browser.
    """
    if image.has_transparency_data and image.convert("RGBA").getchannel("A").getextrema() != (255, 255):
        return _saved(image.convert("RGBA"), "WEBP", quality=78, method=2)
    return _saved(image.convert("RGB"), "JPEG", quality=80)


def as_webp(image: Image.Image) -> Thumbnail:
    """``image`` as WebP, for what is kept in a file: at 512 pixels 6.0 kB in 6 ms, where JPEG takes 0.6 ms for 15.7 kB.

    AVIF is as small and takes four times as long; a slower WebP (method 4) is 6 % smaller and takes twice as long.
    """
    return _saved(image.convert("RGBA" if image.has_transparency_data else "RGB"), "WEBP", quality=75, method=2)


def _saved(image: Image.Image, format: str, **options: int) -> Thumbnail:
    buffer = io.BytesIO()
    image.save(buffer, format, comment=None, **options)  # else a JPEG's own goes along
    return Thumbnail(buffer.getvalue(), _BROWSER_TYPES[format], *image.size)


def shrink(content: bytes, edge: int, as_is: int = PASS_THROUGH, what: str = WHAT, encode: Encode = quick) -> Thumbnail:
    """``content`` as a thumbnail of at most ``edge`` pixels a side.

    Raises `BadResponse`, calling it ``what``, if it is no raster picture.
    """
    if len(content) <= as_is:
        given = _as_it_is(content, what)
        if given is not None and max(given.width, given.height) <= 4 * edge:
            return given
    image = opened(content, what)
    try:
        image.draft(None, (edge, edge))  # of a JPEG no more is decoded than is needed
        image.load()
        upright(image)
    except Exception as error:  # noqa: BLE001
        raise BadResponse(f"{what} is damaged or cut off ({type(error).__name__}: {error}).") from None
    return miniature(image, edge, encode)


def _as_it_is(content: bytes, what: str) -> Thumbnail | None:
    """``content`` itself, if it is of a type that browsers show and has no words of its own; by its header alone."""
    image = opened(content, what)
    mime = _BROWSER_TYPES.get(image.format or "")
    return Thumbnail(content, mime, *image.size) if mime and _SAYS_NOTHING.issuperset(image.info) else None


def miniature(image: Image.Image, edge: int, encode: Encode = quick) -> Thumbnail:
    """A thumbnail of at most ``edge`` pixels a side of an image that was decoded already, and stays as it is."""
    if image.mode in ("P", "1", "PA"):  # would be resized without smoothing
        image = image.convert("RGBA" if "transparency" in image.info or image.mode == "PA" else "RGB")
    elif image.mode not in ("L", "LA", "RGB", "RGBA"):
        image = image.convert("RGB")
    scale = min(1.0, edge / max(image.size))
    if scale < 1:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(size, reducing_gap=1.0)  # averaged down first: half the time, and one cannot tell
    return encode(image)
