"""A page of its own: pictures, what is known of them, and a search, in one HTML file.

It needs no Python, no server and no network, and is written entry by entry, so that its size is no matter of memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import warnings
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any, ClassVar, Final

from ipyassets._version import __version__
from ipyassets.arguments import flag, whole
from ipyassets.collections.ahead import Ahead, collected, collected_awaiting
from ipyassets.collections.aside import aside
from ipyassets.collections.facts import Facts
from ipyassets.collections.images import in_decode_pool
from ipyassets.collections.page_text import entry, foot, head
from ipyassets.collections.thumbnails import Thumbnail, as_webp
from ipyassets.collections.turn_frames import Film
from ipyassets.errors import AssetServiceError, Interrupted, InvalidRequest, NotFound
from ipyassets.texts import cut, visible

__all__ = ["LIMIT", "Page", "PageEntry", "PageItem", "PageStream", "write", "write_awaiting"]

LIMIT: Final = 1_000
"""Entries of a page, unless told: some 9 MB."""
_WIDEST: Final = 2_048
_FRAMES: Final = 24
_FRAME_EDGE: Final = 256
_TURNS: Final = 8
"""Turns that are looked for and read at once."""
_NAMED: Final = 5
_ENDINGS: Final = (".html", ".htm")


@dataclass(frozen=True, slots=True)
class PageItem:
    """One thing to put on a page. Its coroutines run on the loop thread."""

    id: str
    name: str
    facts: Facts
    picture: Callable[[int], Awaitable[Thumbnail]]
    """Its picture within so many pixels a side. Raises `NotFound` if it has none."""
    film: Callable[[int], Awaitable[Film | None]]
    """At most so many frames all around it; None if it does not turn."""


@dataclass(slots=True)
class PageEntry:
    """One item as it stands on the page."""

    name: str
    html: bytes
    turns: bool = False
    errors: dict[str, AssetServiceError] = field(default_factory=dict)
    """What could not be had, by what it is: ``picture``, ``turntable``."""


class PageStream(Ahead[PageItem, PageEntry]):
    """Entries of many items, in order."""

    unit: ClassVar[str] = "asset"
    ahead: ClassVar[int] = 16

    def __init__(self, items: AsyncGenerator[PageItem, None], page: Page) -> None:
        super().__init__(page.limited(items))
        self._width = page.width
        self._turntables = page.turntables
        self._turning = asyncio.Semaphore(_TURNS)

    async def _one(self, index: int, item: PageItem) -> PageEntry:
        del index
        errors: dict[str, AssetServiceError] = {}
        picture: Thumbnail | str
        try:
            picture = await item.picture(self._width)
        except NotFound:
            picture = "none"
        except Exception as error:  # noqa: BLE001  # one item's surprise must not lose the others
            picture, errors["picture"] = "error", _as_ours(error)
        frames: Sequence[Thumbnail | None] = ()
        if self._turntables:
            try:
                frames, broken = await self._frames(item)
            except NotFound:
                broken = None
            except Exception as error:  # noqa: BLE001
                broken = error
            if broken is not None:
                errors["turntable"] = _as_ours(broken)
        html = await in_decode_pool(entry, item.id, item.name, item.facts, picture, frames)
        return PageEntry(item.name, html, any(frames), errors)

    async def _frames(self, item: PageItem) -> tuple[Sequence[Thumbnail | None], BaseException | None]:
        """The frames of its turn, None where one could not be had, and why."""
        async with self._turning:
            film = await item.film(_FRAMES)
            if film is None:
                return (), None
            film.encode = as_webp
            edge = min(_FRAME_EDGE, self._width)
            try:
                work = (film.frame(index, edge) for index in range(film.facts.count))
                found = await asyncio.gather(*work, return_exceptions=True)
            finally:
                film.close()
        errors = [frame for frame in found if isinstance(frame, BaseException)]
        return [None if isinstance(frame, BaseException) else frame for frame in found], next(iter(errors), None)


class Page:
    """A page while it is written: at most ``limit`` entries, and where it goes.

    Raises `InvalidRequest` for settings, or a place to write to, that make no sense.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        title: str,
        width: int,
        limit: int | None,
        turntables: bool,
        nouns: tuple[str, str] = ("asset", "assets"),
        missing: str = "No poster",
    ) -> None:
        self.path = _place(path)
        self.part = self.path.with_name(f"{self.path.stem}.part{self.path.suffix}")
        """Where the page goes if it is broken off."""
        self.width = whole("width", width, 16, _WIDEST, unit="pixels")
        self.limit = None if limit is None else whole("limit", limit, none="for all there are")
        self.turntables = flag("turntables", turntables)
        if not isinstance(title, str):
            raise InvalidRequest(f"title must be a text, or None for what was searched; got {title!r:.80}.")
        self._title = title
        self._nouns = nouns
        self._missing = missing
        self._written = (0, 0)
        """Bytes and entries that are whole. One value, so that an interrupt comes before or after both."""
        self._entries: Sequence[PageEntry] = ()
        self._cut = False
        """Whether there was more than ``limit``."""
        self._broken: BaseException | None = None
        self._file: IO[bytes] | None = None

    async def limited(self, items: AsyncGenerator[PageItem, None]) -> AsyncIterator[PageItem]:
        """The items that the page takes."""
        count = 0
        async with contextlib.aclosing(items):
            async for item in items:
                if count == self.limit:
                    self._cut = True
                    return
                count += 1
                yield item

    @contextlib.contextmanager
    def opened(self, total: Callable[[], int | None]) -> Iterator[None]:
        """The file, in its place when the block ends: the whole page; as `part`, what had come when it was broken off.

        ``total`` tells, then, how many entries there would have been.
        """
        start = head(self._title)
        with contextlib.ExitStack() as stack:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                place = aside(self.path, place=lambda: self.path if self._broken is None else self.part)
                self._file = stack.enter_context(place)
            except OSError as error:
                raise InvalidRequest(f"{self.path} cannot be written: {error.strerror}.") from None
            self._write(start, 0)
            try:
                yield
            except (Interrupted, asyncio.CancelledError, AssetServiceError) as error:
                if not self._entries:
                    raise
                self._broken = error
            self._write(foot(self._about(total())), 0)
            self._file.truncate()
        if self._broken is not None:
            raise self._told(self._broken) from None

    def add(self, entries: Sequence[PageEntry]) -> None:
        """Write what just came."""
        for made in entries:
            self._write(made.html, 1)
            made.html = b""

    def complete(self, entries: Sequence[PageEntry]) -> None:
        """Write those of all ``entries`` that are not written yet."""
        self._entries = entries
        self.add(entries[self._written[1] :])

    def _write(self, content: bytes, entries: int) -> None:
        assert self._file is not None
        size, count = self._written
        self._file.seek(size)  # what an interrupt left half written is written over
        self._file.write(content)
        self._written = (size + len(content), count + entries)

    def _about(self, total: int | None) -> dict[str, Any]:
        """What is said of the whole page, in words that are ready to show."""
        count = len(self._entries)
        of = f" of {total:,}" if total is not None and total > count else ""
        notes = [f"Made on {datetime.now().astimezone().date().isoformat()} with ipyassets {__version__}."]
        if self._cut:
            notes.insert(0, f"The first {count:,}{of}.")
        turning = sum(made.turns for made in self._entries)
        if turning:
            notes.append(f"{turning:,} {'turns' if turning == 1 else 'turn'}: rest the pointer on one, or press T.")
        troubles = []
        if self._broken is not None:
            troubles.append(f"This page is not whole: it was broken off after {count:,}{of} {self._nouns[1]}.")
        for what, failed in self._failures():
            names = [visible(cut(name, 80)) for name, _ in failed[:_NAMED]]
            more = [f"{len(failed) - _NAMED:,} more"] if len(failed) > _NAMED else []
            troubles.append(f"{_counted(len(failed), what)} could not be loaded: {', '.join(names + more)}.")
        return {
            "title": self._title,
            "nouns": self._nouns,
            "missing": self._missing,
            "notes": notes,
            "troubles": troubles,
        }

    def _failures(self) -> Iterator[tuple[str, list[tuple[str, AssetServiceError]]]]:
        for what in ("picture", "turntable"):
            failed = [(made.name, made.errors[what]) for made in self._entries if what in made.errors]
            if failed:
                yield what, failed

    def _told(self, error: BaseException) -> BaseException:
        """``error``, with the word where to find what had come."""
        if isinstance(error, Interrupted):
            return Interrupted(f"{error} They are in {self.part.name}.", partial=self.part)
        error.add_note(f"What had come is in {self.part}.")
        return error

    def warn(self, level: int = 4) -> Path:
        """Warn of what is not on the page; gives its path. ``level``: frames up to whose call it was."""
        for what, failed in self._failures():
            reasons = "; ".join(f"{name[:80]!r}: {error}" for name, error in failed[:_NAMED])
            more = f"; and {len(failed) - _NAMED:,} more" if len(failed) > _NAMED else ""
            warnings.warn(
                f"{_counted(len(failed), what)} could not be loaded for {self.path.name}: {reasons}{more}",
                UserWarning,
                stacklevel=level,
            )
        if self._cut and self.limit == LIMIT:  # else somebody thought of it
            warnings.warn(
                f"{self.path.name} has the first {len(self._entries):,} {self._nouns[1]}; limit=None takes all.",
                UserWarning,
                stacklevel=level,
            )
        return self.path


def write(
    page: Page, items: AsyncGenerator[PageItem, None], shown: Callable[[], Any], total: Callable[[], int | None]
) -> None:
    """Write ``page``, whole, under the progress bar that ``shown`` makes.

    Ctrl-C raises `Interrupted`, whose ``.partial`` is the path of a page of what had come; an error of ``items``
    leaves one as well and is raised.
    """
    with page.opened(total):
        collected(PageStream(items, page), shown, page.complete, page.add)


async def write_awaiting(page: Page, items: AsyncGenerator[PageItem, None], total: Callable[[], int | None]) -> None:
    """As `write`, awaited on any loop and without a bar. When cancelled, a page of what had come is left."""
    with page.opened(total):
        await collected_awaiting(PageStream(items, page), page.complete, page.add)


def _place(path: str | os.PathLike[str]) -> Path:
    try:
        place = Path(path).expanduser()
    except (TypeError, RuntimeError):
        raise InvalidRequest(f"A page is written to a path, such as 'chairs.html'; got {path!r:.80}.") from None
    if place.is_dir() or str(path).endswith(("/", "\\")):
        raise InvalidRequest(f"{place} is a folder: a page is one file, such as {place / 'assets.html'}.")
    if not place.suffix:
        return place.with_name(f"{place.name}.html")
    if place.suffix.lower() not in _ENDINGS:
        raise InvalidRequest(f"A page is opened by its ending, .html or .htm; got {place.name!r}.")
    return place


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _as_ours(error: BaseException) -> AssetServiceError:
    return error if isinstance(error, AssetServiceError) else AssetServiceError(f"{type(error).__name__}.")
