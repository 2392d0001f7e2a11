"""What the emulated platform holds: iTwins, and iModels made on demand from their index.

Every iModel is one of the shipped buildings. The main iTwin has them all once, then as many numbered stages as
``Settings.assets`` asks for; the other iTwins reuse some under names of their own.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal, overload

from ipyassets.sandbox import library

__all__ = ["Catalogue", "IModel", "IModels", "ITwin", "identifier"]

_NAMESPACE = uuid.UUID("6a1f0a52-6a55-4f8e-8d0e-5a3f5a0f7c11")
_DAY = 86_400


def identifier(*parts: object) -> str:
    """The same GUID for the same parts, on every run."""
    return str(uuid.UUID(bytes=_raw(*parts)))


def _raw(*parts: object) -> bytes:
    """The bytes of uuid5, without the objects: a grown catalogue needs a hundred thousand of them at once."""
    digest = bytearray(
        hashlib.sha1(_NAMESPACE.bytes + "/".join(map(str, parts)).encode(), usedforsecurity=False).digest()
    )
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    return bytes(digest[:16])


@dataclass(frozen=True, slots=True)
class ITwin:
    key: str
    number: str
    display_name: str
    class_: str
    sub_class: str
    type: str | None = None
    status: Literal["Active", "Inactive", "Trial"] = "Active"
    data_center: str = "East US"
    location: str | None = None
    time_zone: str | None = None
    created: dt.datetime = dt.datetime(2023, 2, 6, 9, 30, tzinfo=dt.UTC)
    member: bool = True
    """Whether the sandbox's account sees it at all."""
    manages: bool = True
    """Whether that account has ``imodels_manage`` there (it may always look)."""

    @property
    def id(self) -> str:
        return identifier("itwin", self.key)


ACCOUNT = ITwin("account", "Nordkai", "Nordkai Ingenieure", "Account", "Account")
MAIN = ITwin(
    "main", "NK-2301", "Harbour Quarter", "Endeavor", "Project", "Urban development",
    location="Hamburg, Germany", time_zone="Europe/Berlin",
)  # fmt: skip
_ITWINS = (
    MAIN,
    ITwin(
        "crossings", "NK-2207", "River Crossings", "Thing", "Asset", "Bridge",
        location="Maidenhead, United Kingdom", time_zone="Europe/London",
        created=dt.datetime(2022, 7, 18, 7, 5, 11, tzinfo=dt.UTC), manages=False,
    ),
    ITwin(
        "campus", "NK-2402", "Birchwood Campus", "Endeavor", "Project", "Education", "Trial",
        location="Stockholm, Sweden", time_zone="Europe/Stockholm", data_center="North Europe",
        created=dt.datetime(2024, 3, 1, 12, 0, tzinfo=dt.UTC),
    ),
    ITwin(
        "empty", "NK-2410", "Tender Sandbox", "Endeavor", "WorkPackage",
        created=dt.datetime(2024, 10, 9, 8, 15, tzinfo=dt.UTC),
    ),
    ITwin(
        "archive", "NK-1604", "Weaving Mill Conversion", "Endeavor", "Project", "Refurbishment", "Inactive",
        location="Manchester, United Kingdom", time_zone="Europe/London",
        created=dt.datetime(2016, 7, 6, 10, 45, tzinfo=dt.UTC),
    ),
    ITwin(
        "foreign", "SB-0117", "Southbank Stadium", "Endeavor", "Project", "Sports",
        created=dt.datetime(2023, 9, 20, 16, 0, tzinfo=dt.UTC), member=False,
    ),
    ACCOUNT,
)  # fmt: skip

# iTwin -> (building, what its iModel is called there)
_OTHERS = {
    "crossings": (
        ("weir-road-bridge", "Weir Road Bridge as built"),
        ("north-gate-cable-stayed-bridge", "North Gate inspection 2024"),
        ("canal-footbridge", "Canal Footbridge renewal"),
        ("mill-valley-viaduct", "Mill Valley Viaduct scan"),
    ),
    "campus": (
        ("birchwood-primary-school", "Birchwood School architecture"),
        ("chilled-water-plant-room", "Birchwood School mechanical services"),
        ("hilltop-water-tower", "Birchwood water supply"),
    ),
    "archive": (("weaving-mill", "Weaving Mill survey"), ("logistics-warehouse", "Weaving Mill storage hall")),
    "foreign": (("riverside-grandstand", "Stadium grandstand"),),
}
# The two oddities a client has to cope with, by their place in the main iTwin.
_NO_PICTURE = 13
_NOT_INITIALIZED = 16


@dataclass(frozen=True, slots=True)
class IModel:
    itwin: ITwin
    index: int
    name: str
    building: library.Building

    @property
    def id(self) -> str:
        return identifier("imodel", self.itwin.key, self.name)

    @property
    def description(self) -> str:
        return self.building.description

    @property
    def created(self) -> dt.datetime:
        """Grows with the index, so that creation order and the default order are the same."""
        started = self.itwin.created.timestamp()
        return dt.datetime.fromtimestamp(started + _DAY + self.index * 900 + 0.103, dt.UTC)

    @property
    def state(self) -> str:
        return "notInitialized" if self._is(_NOT_INITIALIZED) else "initialized"

    @property
    def has_picture(self) -> bool:
        """False: nobody uploaded one, the service draws its default."""
        return not self._is(_NO_PICTURE) and not self._is(_NOT_INITIALIZED)

    def _is(self, place: int) -> bool:
        return self.itwin is MAIN and self.index == place


class IModels(Sequence[IModel]):
    """The iModels of one iTwin in creation order; nothing is kept but what a search found."""

    def __init__(self, itwin: ITwin, count: int | None = None) -> None:
        self.itwin = itwin
        buildings = {building.key: building for building in library.buildings()}
        if itwin is MAIN:
            self._rows = [(building, building.name) for building in buildings.values()]
        else:
            self._rows = [(buildings[key], name) for key, name in _OTHERS.get(itwin.key, ())]
        self._count = max(len(self._rows), count or 0)
        self.matches: Callable[[str, str | None, str | None, tuple[tuple[str, bool], ...]], array[int]] = lru_cache(
            maxsize=16
        )(self._matches)

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> IModel: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[IModel]: ...
    def __getitem__(self, index: int | slice) -> IModel | Sequence[IModel]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self._count))]
        if not 0 <= index < self._count:
            raise IndexError(index)
        building, _ = self._rows[index % len(self._rows)]
        return IModel(self.itwin, index, self._name(index), building)

    def _name(self, index: int) -> str:
        stage, row = divmod(index, len(self._rows))
        name = self._rows[row][1]
        return f"{name} stage {stage}" if stage else name

    def __iter__(self) -> Iterator[IModel]:
        return (self[i] for i in range(self._count))

    @cached_property
    def index_of(self) -> dict[bytes, int]:
        """From an id to a place. Built at the first look-up by id: a quarter of a second for 100,000."""
        return {_raw("imodel", self.itwin.key, self._name(index)): index for index in range(self._count)}

    def _matches(
        self, search: str, name: str | None, state: str | None, order: tuple[tuple[str, bool], ...]
    ) -> array[int]:
        """Places of what was asked for, in order. Works on names, not on iModels: there may be very many."""
        text = search.casefold()
        described = [text in building.description.casefold() for building, _ in self._rows]
        found = [
            index
            for index in range(self._count)
            if (name is None or self._name(index) == name)
            and (described[index % len(described)] or text in self._name(index).casefold())
            and (state is None or self[index].state == state)
        ]
        for field, descending in reversed(order):
            if field == "name":
                found.sort(key=lambda index: self._name(index).casefold(), reverse=descending)
            else:
                found.sort(reverse=descending)
        return array("I", found)


class Catalogue:
    """All iTwins, and the iModels in them."""

    def __init__(self, assets: int | None) -> None:
        self.itwins = _ITWINS
        self._by_id = {itwin.id: itwin for itwin in _ITWINS}
        self._imodels = {itwin.id: IModels(itwin, assets if itwin is MAIN else None) for itwin in _ITWINS}

    def itwin(self, id: str) -> ITwin | None:
        """The iTwin, or None if there is none or the account is not a member."""
        itwin = self._by_id.get(id.lower())
        return itwin if itwin is not None and itwin.member else None

    def imodels(self, itwin: ITwin) -> IModels:
        return self._imodels[itwin.id]

    def imodel(self, id: str) -> IModel | None:
        """The iModel, or None if there is none or the account may not see it."""
        try:
            key = uuid.UUID(id).bytes
        except ValueError:
            return None
        # The small iTwins first: a look-up in one of them should not build the index of a grown catalogue.
        for imodels in sorted(self._imodels.values(), key=len):
            index = imodels.index_of.get(key)
            if index is not None:
                return imodels[index] if imodels.itwin.member else None
        return None
