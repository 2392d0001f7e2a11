"""What every asset service gives to the layers above: pages of records, and a way to a record's poster.

A service is a folder with the same file names in each (``client.py``, ``records.py``, …) and one class derived from
`AssetService`. Everything here runs on the package's loop thread (`ipyassets.http.loop`); nothing here knows of
widgets, threads or PIL.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Self, TypeAlias

__all__ = [
    "AssetService",
    "Capabilities",
    "Choice",
    "Filter",
    "Kind",
    "Page",
    "PosterSource",
    "Record",
    "Search",
    "Served",
    "Workspace",
    "arguments",
    "lightened",
]

Kind: TypeAlias = Literal["3d", "image", "video", "audio", "document", "text", "imodel", "other"]


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """One asset as its service described it. Data only; equal by (service, id)."""

    service: str
    id: str
    name: str
    kind: Kind = "other"
    status: str | None = None
    created: datetime | None = None
    """Aware, in UTC."""
    updated: datetime | None = None
    """Aware, in UTC."""
    tags: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    raw: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """The service's own JSON object, unchanged; unknown fields live here. Not printed: it may hold signed URLs."""
    portable: bool = field(default=False, repr=False)
    """Whether it came from another process: ``raw`` is then what `AssetService.portable` left of it."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Record):
            return NotImplemented
        return (self.service, self.id) == (other.service, other.id)

    def __hash__(self) -> int:
        return hash((self.service, self.id))


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search. An empty or short page, or ``next=None`` in a sequential search, is the end."""

    records: Sequence[Record]
    total: int | None = None
    """All matches, if the service counts them exactly."""
    next: str | None = None
    """Opaque cursor of the following page (sequential searches only)."""


class Search(ABC):
    """One question put to a service, answered page by page. Stateless: the caller keeps the cursor."""

    page_size: int
    most_per_page: int = 0
    """The largest page the service gives; 0 where the size is settled, for one because a person chose it."""
    random_access: bool
    """True: any page can be asked for by number. False: only the first, then each by the ``next`` of the one before."""

    @abstractmethod
    async def page(self, number: int, cursor: str | None = None) -> Page:
        """Page ``number`` (from 0, whatever the service counts from); ``cursor`` only in sequential searches."""

    def in_pages_of(self, wanted: int | None) -> Self:
        """The same question in pages of up to ``wanted`` records (None: all there are), as far as the service goes."""
        size = self.most_per_page if wanted is None else min(wanted, self.most_per_page)
        if size <= self.page_size:
            return self
        larger = copy.copy(self)
        larger.page_size = size
        return larger


@dataclass(frozen=True, slots=True)
class Served:
    """Bytes as a service sent them."""

    content: bytes
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class PosterSource:
    """Where a poster comes from: a cache key without secrets, and how to fetch it."""

    key: tuple[str, ...]
    """Identifies the exact bytes: service, host, ids, blob id, size asked for. Never a token, never a signed URL."""
    fetch: Callable[[], Awaitable[Served]]
    lifetime: float | None = None
    """Seconds the bytes stay good in a cache; None: for ever (the key names an immutable blob)."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a filter, or one sort order: what is sent, and what a person reads."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Filter:
    """A search keyword that a widget can offer. ``name`` is the keyword of ``search()`` itself."""

    name: str
    label: str
    kind: Literal["choice", "choices", "text", "flag"] = "text"
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a service can do. Widgets ask for abilities, never for names; ``"render" in capabilities`` works too."""

    search: bool = True
    poster: bool = True
    render: bool = False
    archive: bool = False
    download: bool = False
    events: bool = False
    workspaces: str | None = None
    """What the service calls the place assets live in ("Workspace", "iTwin"), None if a person cannot choose one."""
    filters: tuple[Filter, ...] = ()
    sorts: tuple[Choice, ...] = ()
    """Values for the ``sort=`` keyword of ``search()``."""

    def __contains__(self, ability: object) -> bool:
        return ability in tuple(self)

    def __iter__(self) -> Iterator[str]:
        return (f.name for f in fields(self) if getattr(self, f.name) is True)


@dataclass(frozen=True, slots=True)
class Workspace:
    """A place assets live in: a VNTANA workspace, an iTwin. ``id`` is what ``search(workspace=…)`` takes."""

    id: str
    name: str
    slug: str | None = None
    raw: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), repr=False, compare=False)


class AssetService(ABC):
    """One asset service behind one set of credentials."""

    name: ClassVar[str]
    """Short and stable: ``vntana``, ``itwin``; it stands in `Record.service` and is the name of its entry point."""
    title: ClassVar[str]
    """For people: "VNTANA", "Bentley iTwin"."""
    capabilities: ClassVar[Capabilities]
    base_url: str

    @abstractmethod
    def search(
        self, text: str = "", *, workspace: str | None = None, sort: str | None = None, **filters: Any
    ) -> Search:
        """Prepare a search; sends nothing. Raises `InvalidRequest` for an unknown or ill-typed filter."""

    @abstractmethod
    async def record(self, id: str) -> Record:
        """One asset by id. Raises `NotFound`."""

    @abstractmethod
    def poster_source(
        self, record: Record, *, width: int | None = None, height: int | None = None, size: str | None = None
    ) -> PosterSource | None:
        """Where the poster of ``record`` comes from, None if it has none; sends nothing.

        ``width``/``height`` are a maximum box in pixels, used where the service can resize (the caller resizes
        anyway); ``size`` is the service's own word ("small", "large") where it has such words.
        """

    async def workspaces(self) -> Sequence[Workspace]:
        """The places this account can search; empty where the service has none."""
        return ()

    # -- other processes: credentials stay here, and what is signed with them -----------------------------------------

    def reference(self) -> Mapping[str, str]:
        """Arguments by which the client's class makes a client like this one in another process; nothing secret.

        The class is found there by the entry point that has the name of the service, and adds the credentials of that
        process.
        """
        return {}

    def portable(self, record: Record) -> Record:
        """``record`` as it may leave this process: of ``raw`` only what its poster needs, and no signed URL.

        By default nothing of ``raw``; `restored` then asks for it anew.
        """
        return lightened(record, {})

    async def restored(self, record: Record) -> Record:
        """A record that came from another process, as `poster_source` takes it."""
        return await self.record(record.id)

    @abstractmethod
    async def close(self) -> None:
        """Close connections and forget tokens. Safe to call twice."""


def arguments(**given: str | None) -> dict[str, str]:
    """Those that were given, for `AssetService.reference`."""
    return {name: value for name, value in given.items() if value is not None}


def lightened(record: Record, raw: Mapping[str, Any]) -> Record:
    """``record`` with ``raw`` in the place of its own, for `AssetService.portable`."""
    return replace(record, raw=MappingProxyType(dict(raw)), portable=True)
