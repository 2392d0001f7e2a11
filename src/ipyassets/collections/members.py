"""The members of an archive: what is known of them before they are read, and how much of them is taken."""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from ipyassets.collections.images import MAX_PIXELS
from ipyassets.errors import AssetServiceError, BadResponse
from ipyassets.services.base import Record
from ipyassets.texts import shown

if TYPE_CHECKING:
    from zipfile import ZipInfo

__all__ = ["LIMITED", "ArchiveLimits", "Member", "at_most", "is_picture", "member", "over"]

LIMITED: Final = "If you trust it, set that limit higher."
_MIB: Final = 1 << 20
_GIB: Final = 1 << 30
_SUSPICIOUS: Final = 16 * _MIB
"""Bytes up to which nobody minds how well they were packed: blank pictures and drawings pack very well."""

_PICTURES: Final = frozenset(
    [".avif", ".bmp", ".gif", ".heic", ".heif", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"]
)
_UTF8: Final = 0x800
_ENCRYPTED: Final = 0x1
_BOUNDED: Final = frozenset({0, 8})
"""Stored, and deflate. Of others (bzip2, LZMA) zipfile unpacks all it has at once, whatever size was told."""


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """How much of an archive is taken; what is more is refused, and said. ``job.limits = ArchiveLimits(…)``."""

    members: int = 100_000
    """Members of one archive."""
    member_bytes: int = 4 * _GIB
    """One member, unpacked."""
    total_bytes: int = 64 * _GIB
    """All members that are extracted, unpacked."""
    memory_bytes: int = 512 * _MIB
    """One member that is read into memory, unpacked."""
    ratio: float = 200.0
    """How many times its packed size a member of more than 16 MiB may unpack to."""
    pixels: int = MAX_PIXELS
    """One picture."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive."""

    archive: int
    """Which archive of its job it is in, from 0."""
    name: str
    """As the archive has it: text that may look like a path, and lead anywhere."""
    size: int
    """Bytes, unpacked."""
    packed: int
    """Bytes in the archive."""
    is_image: bool
    """Whether it is a raster picture, by its name."""
    regular: bool
    """Whether it is a plain file, and no link or device."""
    record: Record | None
    """The asset it came from, where its name tells."""
    info: ZipInfo

    @property
    def encrypted(self) -> bool:
        return bool(self.info.flag_bits & _ENCRYPTED)


def member(archive: int, info: ZipInfo, find: Callable[[str], Record | None]) -> Member:
    """What the directory says of one; ``find`` gives the asset of a name."""
    name = decoded_name(info)
    regular = stat.S_IFMT(info.external_attr >> 16) in (0, stat.S_IFREG)
    is_image = regular and is_picture(name)
    return Member(archive, name, info.file_size, info.compress_size, is_image, regular, find(name), info)


def decoded_name(info: ZipInfo) -> str:
    """The name as it was meant: many who write UTF-8 forget to mark it."""
    name = info.filename
    if info.flag_bits & _UTF8 or name.isascii():
        return name
    try:
        return name.encode("cp437").decode()
    except UnicodeError:
        return name


def is_picture(name: str) -> bool:
    """Whether a file of this name is a raster picture."""
    path = PurePosixPath(name.replace("\\", "/"))
    return path.suffix.lower() in _PICTURES and not path.name.startswith("._")  # macOS' notes beside a file


def over(member: Member, limits: ArchiveLimits, *, memory: bool = False) -> AssetServiceError | None:
    """Why ``member`` is not unpacked, if so."""
    if member.encrypted:
        return BadResponse(f"{shown(member.name)} is encrypted; it cannot be read.")
    if member.info.compress_type not in _BOUNDED:
        return BadResponse(f"{shown(member.name)} is packed in a way that cannot be read here.")
    if member.size > limits.member_bytes:
        return _more(member, "member_bytes", limits.member_bytes)
    if memory and member.size > limits.memory_bytes:
        return _more(member, "memory_bytes", limits.memory_bytes)
    if member.size > _SUSPICIOUS and member.size > limits.ratio * max(member.packed, 1):
        return BadResponse(
            f"{shown(member.name)} would unpack {member.packed:,} bytes to {member.size:,}, more than "
            f"{limits.ratio:g} times as many; it was not unpacked (job.limits.ratio).",
            advice=LIMITED,
        )
    return None


def at_most(packed: int, limits: ArchiveLimits) -> float:
    """Bytes that an archive of ``packed`` bytes may unpack to before it is no archive but a bomb."""
    return _SUSPICIOUS + limits.ratio * packed


def _more(member: Member, name: str, limit: int) -> AssetServiceError:
    return BadResponse(
        f"{shown(member.name)} has {member.size:,} bytes, more than the limit of {limit:,}; it was not unpacked "
        f"(job.limits.{name}).",
        advice=LIMITED,
    )
