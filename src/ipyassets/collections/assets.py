"""One asset: what its service told of it, and its poster."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn, Self

from ipyassets.collections.portable import Reference, record_of, reference_to, service_of, travelling
from ipyassets.collections.posters import Box, fetch_poster, poster
from ipyassets.http import loop
from ipyassets.services.base import AssetService, Kind, Record, Served
from ipyassets.texts import cut, shown, visible

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["Asset", "AssetBase", "AsyncAsset"]


class AssetBase:
    """An asset of a service. Immutable, hashable, equal by service and id.

    Pickled, it is what is known of it and a reference to its service: no credential, no signed URL, and of `raw` only
    what its poster needs. Where it is unpickled it belongs to the client it came from if that is in the same process;
    else to a client that the process makes when it is first needed, with the credentials of its own environment or
    keyring (`AuthenticationError` then if it has none). So batches can be kept in files, and workers can be sent
    assets and send them back.
    """

    __slots__ = ("_home", "_record")

    _record: Record
    _home: AssetService | Reference

    def __init__(self, record: Record, service: AssetService | Reference) -> None:
        object.__setattr__(self, "_record", record)
        object.__setattr__(self, "_home", service)

    @property
    def _service(self) -> AssetService:
        # A reference stays one, so that an asset that comes back from a worker finds the client it left.
        return service_of(self._home) if isinstance(self._home, Reference) else self._home

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"Assets cannot be changed; {name!r} is read-only.")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"Assets cannot be changed; {name!r} is read-only.")

    @property
    def id(self) -> str:
        """The service's id of it; text, whatever its form."""
        return self._record.id

    @property
    def name(self) -> str:
        """For people; need not be unique."""
        return self._record.name

    @property
    def service(self) -> str:
        """The short name of its service, such as ``vntana``."""
        return self._record.service

    @property
    def kind(self) -> Kind:
        """One of 3d, image, video, audio, document, text, imodel, other."""
        return self._record.kind

    @property
    def status(self) -> str | None:
        """The service's own word, such as ``LIVE_PUBLIC``."""
        return self._record.status

    @property
    def created(self) -> datetime | None:
        """When it was made, in UTC."""
        return self._record.created

    @property
    def updated(self) -> datetime | None:
        """When it was last changed, in UTC."""
        return self._record.updated

    @property
    def tags(self) -> tuple[str, ...]:
        """The service's tags; empty where there are none."""
        return self._record.tags

    @property
    def attributes(self) -> Mapping[str, Any]:
        """What only this service knows of its assets, by name."""
        return self._record.attributes

    @property
    def raw(self) -> Mapping[str, Any]:
        """The service's own JSON object, unchanged; after a journey between processes, what the poster needs of it."""
        return self._record.raw

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AssetBase):
            return NotImplemented
        return self._record == other._record

    def __hash__(self) -> int:
        return hash(self._record)

    def __repr__(self) -> str:
        status = f" {visible(cut(' '.join(self.status.split()), 40))}" if self.status else ""
        return f"<Asset {self.service} {shown(self.name)} {self.kind}{status}>"

    def __reduce__(self) -> tuple[Any, ...]:
        home = self._home
        if isinstance(home, Reference):
            return (_arrived, (type(self), home, travelling(None, self._record)))
        return (_arrived, (type(self), reference_to(home), travelling(home, self._record)))

    def __copy__(self) -> Self:
        return self  # it cannot be changed

    def __deepcopy__(self, memo: object) -> Self:
        return self

    async def _poster(self, box: Box) -> Image.Image:
        return (await poster(self._service, self._record, box))[0]

    async def _poster_served(self, box: Box) -> Served:
        return await fetch_poster(self._service, self._record, width=box.width, height=box.height, size=box.size)


def _arrived(kind: type[AssetBase], home: Reference, data: dict[str, Any]) -> AssetBase:
    return kind(record_of(data), home)


class Asset(AssetBase):
    """An asset whose methods block until they are done (`AsyncAsset` is awaited)."""

    __slots__ = ()

    def poster(self, width: int | None = None, height: int | None = None, *, size: str | None = None) -> Image.Image:
        """The poster, at most ``width`` x ``height`` pixels: ratio kept, never scaled up.

        ``size`` is the service's own word where it has some (iTwin: ``"small"``, ``"large"``). Raises `NotFound` if
        the asset has no poster, `BadResponse` if what came is no picture.
        """
        return loop.run(self._poster(Box(width, height, size)))

    def poster_bytes(self, width: int | None = None, height: int | None = None, *, size: str | None = None) -> bytes:
        """The poster as the service serves it, not re-encoded; where the service cannot resize, in its own size."""
        return loop.run(self._poster_served(Box(width, height, size))).content

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        del include, exclude
        from ipyassets.collections.display import asset_html

        return {"text/plain": repr(self), "text/html": asset_html(self)}


class AsyncAsset(AssetBase):
    """An asset whose methods are awaited (`Asset` blocks)."""

    __slots__ = ()

    async def poster(
        self, width: int | None = None, height: int | None = None, *, size: str | None = None
    ) -> Image.Image:
        """As `Asset.poster`."""
        return await loop.awaiting(self._poster(Box(width, height, size)))

    async def poster_bytes(
        self, width: int | None = None, height: int | None = None, *, size: str | None = None
    ) -> bytes:
        """As `Asset.poster_bytes`."""
        return (await loop.awaiting(self._poster_served(Box(width, height, size)))).content
