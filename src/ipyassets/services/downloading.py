"""What a service that hands out files gives to the layers above: single files in a format, and archives of many."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, TypeAlias

from ipyassets.http.remote import RemoteFile
from ipyassets.services.base import AssetService, Kind, Record

__all__ = [
    "ArchiveOrder",
    "ArchiveService",
    "ArchiveStage",
    "ArchiveStanding",
    "DownloadService",
    "RemoteFile",
    "SeenTemplate",
]

ArchiveStage: TypeAlias = Literal["queued", "running", "completed", "failed"]

DEFAULT_TEMPLATE: Final = "<prompt>-<id>"


class SeenTemplate(str):
    """A template of which somebody has seen what `ArchiveService.check_template` warns of: nobody is warned again."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class ArchiveOrder:
    """What an archive is to hold (the union of the three) and how its members are called."""

    assets: tuple[str, ...] = ()
    inferences: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    template: str = DEFAULT_TEMPLATE
    flat: bool = False
    archive_name: str | None = None
    prefer_original: bool = False


@dataclass(frozen=True, slots=True)
class ArchiveStanding:
    """How far the making of an archive has come."""

    stage: ArchiveStage
    word: str = ""
    """The service's own word for it."""
    progress: float | None = None
    """0 to 1, if the service tells."""
    message: str | None = None
    """Why it failed, if the service tells."""


class DownloadService(AssetService):
    """A service that gives single files: ``capabilities.download`` is True."""

    formats: ClassVar[Mapping[Kind, Sequence[str]]]
    """The formats it makes of each kind of asset, besides the original."""

    @abstractmethod
    async def download(self, record: Record, format: str | None = None) -> RemoteFile:
        """The file of ``record``: the original, or made into ``format``.

        Raises `InvalidRequest` for a format this kind of asset has not, before anything is sent.
        """


class ArchiveService(AssetService):
    """A service that packs many files into one: ``capabilities.archive`` is True."""

    most_in_archive: ClassVar[int]
    """Assets that one archive may hold."""
    template_tokens: ClassVar[Mapping[str, str]]
    """What may stand in a template of member names, such as ``<id>``, and what comes in its place, in words."""

    @abstractmethod
    def check_template(self, template: str) -> tuple[str, ...]:
        """Warnings about a template of member names, in words. Raises `InvalidRequest` for one that cannot work."""

    @abstractmethod
    def member_names(self, records: Sequence[Record], order: ArchiveOrder) -> list[str]:
        """The names the members are likely to have, for people to look at: the service makes the real ones."""

    @abstractmethod
    def member_of(self, name: str, records: Mapping[str, Record]) -> Record | None:
        """The asset that a member called ``name`` came from, where its name tells; ``records`` by id."""

    @abstractmethod
    async def request_archive(self, order: ArchiveOrder) -> str:
        """Have an archive made; gives the id of the job. Raises `InvalidRequest` for too many or no assets."""

    @abstractmethod
    async def archive_standing(self, job: str) -> ArchiveStanding:
        """How far it has come. Raises `NotFound` for an unknown job."""

    @abstractmethod
    async def archive_file(self, job: str) -> RemoteFile:
        """The archive of a job that is completed."""
