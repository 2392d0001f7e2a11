"""What assets have already that new renders would replace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from ipyassets.collections.pages import Item
from ipyassets.errors import AssetServiceError, NotFound, without_frames
from ipyassets.http.gather import gathered
from ipyassets.services.rendering import RenderService

__all__ = ["Replaced", "look"]

MOST_LOOKED_AT: Final = 100
"""Assets of which is asked whether they have renders; of more, the rest is only said to be unknown."""
_AT_ONCE: Final = 6


@dataclass(slots=True)
class Replaced:
    """Which assets have renders now, as far as was looked."""

    total: int
    looked: int = 0
    having: dict[int, str] = field(default_factory=dict)
    """Names of those that have, by their place."""
    unknown: int = 0
    error: AssetServiceError | None = None
    """Why one could not be looked at."""
    done: bool = False

    @property
    def names(self) -> list[str]:
        """Of those that have, in order."""
        return [self.having[place] for place in sorted(self.having)]

    @property
    def certain(self) -> bool:
        """Whether all were looked at, with an answer."""
        return self.done and self.looked - self.unknown == self.total

    @property
    def anything(self) -> bool:
        """Whether something will be replaced, or may be."""
        return bool(self.having) or not self.certain


async def look(items: Sequence[Item], told: Callable[[Replaced], None]) -> Replaced:
    """See which of ``items`` have renders now; ``told`` hears how far it is. Asks of `MOST_LOOKED_AT` at most."""
    found = Replaced(len(items))

    async def one(placed: tuple[int, Item]) -> None:
        place, (service, record) = placed
        try:
            has = isinstance(service, RenderService) and bool(await service.render_files(record))
        except NotFound:
            has = False
        except AssetServiceError as error:
            found.unknown += 1
            found.error = without_frames(error)
            has = False
        found.looked += 1
        if has:
            found.having[place] = record.name
        told(found)

    await gathered(one, enumerate(items[:MOST_LOOKED_AT]), _AT_ONCE)
    found.done = True
    return found
