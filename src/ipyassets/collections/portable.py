"""Assets in other processes: they travel as what is known of them and a reference to their service, without secrets.

The reference is what `AssetService.reference` gives. A process that has the client itself (where the asset came from)
goes on with that; any other makes one of its own, once, with the credentials of its environment or keyring. Those are
for the place that is set there: a file that somebody sent may name any other.
"""

from __future__ import annotations

import pickle
import threading
import uuid
import weakref
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any, Final

from ipyassets.collections.pages import Item
from ipyassets.errors import InvalidRequest
from ipyassets.http.board import join_board, open_board
from ipyassets.services.base import AssetService, Record

__all__ = [
    "Packed",
    "Reference",
    "packed",
    "record_of",
    "reference_to",
    "service_of",
    "travelling",
    "unpacked",
]


_PLAIN: Final = ("service", "id", "name", "kind", "status", "created", "updated", "tags")


@dataclass(frozen=True, slots=True)
class Reference:
    """Names a service and the settings of its client."""

    service: str
    settings: tuple[tuple[str, str], ...]
    mark: str
    """Of the client itself, in the process that has it: two accounts must not be taken for each other there."""


_marks: weakref.WeakKeyDictionary[AssetService, str] = weakref.WeakKeyDictionary()
_here: weakref.WeakValueDictionary[str, AssetService] = weakref.WeakValueDictionary()
_made: dict[tuple[str, tuple[tuple[str, str], ...]], AssetService] = {}
_vouched: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
"""Services and settings that came as work from the notebook, and not in a file from anywhere."""
_lock = threading.RLock()


def reference_to(service: AssetService) -> Reference:
    """The reference to ``service``; in this process it leads to ``service`` itself."""
    with _lock:
        mark = _marks.setdefault(service, uuid.uuid4().hex)
        _here[mark] = service
    return Reference(service.name, tuple(sorted(service.reference().items())), mark)


def service_of(reference: Reference) -> AssetService:
    """The service itself if it is in this process, else this process's own, made on first use; asks nobody.

    Raises `AuthenticationError` if there are no credentials for it here, `InvalidRequest` if it is not installed, or at
    another place than those credentials are for.
    """
    with _lock:
        found = _here.get(reference.mark)
        key = (reference.service, reference.settings)
        if found is None and key not in _made:
            _made[key] = _client(reference).core
        return _made[key] if found is None else found


def _client(reference: Reference) -> Any:
    points = entry_points(group="ipyassets.services", name=reference.service)
    try:
        (point,) = points
        kind = point.load()
    except Exception as error:
        raise InvalidRequest(
            f"The service {reference.service!r:.80} is not installed here, or cannot be loaded "
            f"({type(error).__name__}). Workers need the same packages as the notebook."
        ) from error
    settings = dict(reference.settings)
    if (reference.service, reference.settings) in _vouched:
        return kind.from_reference(settings)
    kind.check_place(settings)
    made = kind.from_reference(settings)
    if not settings.items() <= made.core.reference().items():  # such as where to get tokens
        raise InvalidRequest(f"The asset names settings of {kind.__name__} that no asset has; they are not used.")
    return made


def travelling(service: AssetService | None, record: Record) -> dict[str, Any]:
    """The record as plain data without secrets; `record_of` makes it one again. None: it has been that before."""
    light = record if service is None or record.portable else service.portable(record)
    plain = {name: getattr(light, name) for name in _PLAIN}
    return {**plain, "attributes": dict(light.attributes), "raw": dict(light.raw)}


def record_of(data: dict[str, Any]) -> Record:
    """The record that `travelling` gave."""
    maps = {name: MappingProxyType(data[name]) for name in ("attributes", "raw")}
    return Record(**{**data, **maps}, portable=True)


@dataclass(frozen=True, slots=True)
class Packed:
    """Some assets on their way to a worker, small: some 120 bytes each."""

    content: bytes = field(repr=False)
    count: int
    board: str = field(repr=False)
    """Where workers on this machine share their tokens (`ipyassets.http.board`)."""


def packed(items: Sequence[Item]) -> Packed:
    """``items`` as they are sent to workers."""
    references = {id(service): reference_to(service) for service, _ in items}
    data = [(references[id(service)], travelling(service, record)) for service, record in items]
    return Packed(zlib.compress(pickle.dumps(data, pickle.HIGHEST_PROTOCOL)), len(items), open_board())


def unpacked(parcel: Packed) -> list[tuple[Reference, Record]]:
    """What was `packed`; the services are to be had by `service_of`."""
    join_board(parcel.board)
    found = [(reference, record_of(data)) for reference, data in pickle.loads(zlib.decompress(parcel.content))]  # noqa: S301
    _vouched.update((reference.service, reference.settings) for reference, _ in found)
    return found
