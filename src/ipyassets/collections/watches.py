"""What one job awaits: a watch for each part of each of its assets, and what each look means for them."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final, TypeAlias

from ipyassets.collections.following import Found, Pace
from ipyassets.collections.posters import called
from ipyassets.collections.watching import Verdict, Watch
from ipyassets.errors import (
    AssetServiceError,
    AuthenticationError,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    RateLimited,
)
from ipyassets.services.base import Record
from ipyassets.services.rendering import PARTS, Part, RenderOrder, RenderService, Stage, Standings

__all__ = ["News", "Watches", "what"]

REFUSED_LOOKS: Final = 3
"""Looks in a row that are refused for good before nobody looks any more; the service has logged in again by then."""
_FOR_GOOD: Final = (AuthenticationError, PermissionDenied, InvalidRequest)

News: TypeAlias = Callable[[list[tuple[str, Part, Verdict]], AssetServiceError | None, bool], None]
"""Told after each look: verdicts by asset id, the trouble there was, and whether nobody looks any more."""


class Watches:
    """Holds its job weakly: a job that nobody else holds is not followed any more."""

    def __init__(self, service: RenderService, pace: Pace, news: News) -> None:
        self.pace = pace
        self._service = service
        self._news: weakref.WeakMethod[News] = weakref.WeakMethod(news)
        self._assets: dict[str, tuple[Record, dict[Part, Watch]]] = {}
        self._refusals = 0

    def expect(self, record: Record, order: RenderOrder, before: Mapping[Part, Stage], files: Found) -> None:
        """Await what was just ordered; ``before`` and ``files``: how the asset stood before the order."""
        there = () if isinstance(files, AssetServiceError) else files
        kinds = frozenset({"mp4", "gif"} if order.turntable.gif else {"mp4"})
        self._assets[record.id] = (
            record,
            {
                part: Watch(
                    part,
                    self._what(part, record),
                    time.monotonic(),
                    old=frozenset(file.version for file in there if file.part == part),
                    before=before.get(part),
                    expected=kinds if part == "turntable" else frozenset(),
                    least=sum(file.part == part == "stills" and not file.uploaded for file in there),
                )
                for part in PARTS
            },
        )

    def pick_up(self, record: Record, since: datetime | None) -> None:
        """Await what somebody else ordered."""
        self._assets[record.id] = (
            record,
            {part: Watch(part, self._what(part, record), time.monotonic(), since=since) for part in PARTS},
        )

    def clear(self) -> None:
        self._assets.clear()

    # -- for the follower -----------------------------------------------------------------------------------------

    def awaited(self) -> Mapping[str, Record]:
        return {
            id: record
            for id, (record, parts) in self._assets.items()
            if not all(watch.over for watch in parts.values())
        }

    def wants_files(self, id: str, standings: Standings) -> bool:
        stages = standings.stages.get(id, {})
        return any(watch.wants_files(stages.get(part)) for part, watch in self._parts(id))

    def looked(self, standings: Standings, files: Mapping[str, Found], ids: Iterable[str]) -> None:
        now, trouble, verdicts = time.monotonic(), None, list[tuple[str, Part, Verdict]]()
        for id in ids:
            stages, found = standings.stages.get(id, {}), files.get(id)
            gone = standings.gone.get(id)
            if isinstance(found, NotFound):
                gone = found
            elif isinstance(found, AssetServiceError):
                trouble = found
            for part, watch in self._parts(id):
                if watch.over:
                    continue
                if gone is not None:
                    verdict = watch.lost(gone)
                elif isinstance(found, AssetServiceError):
                    verdict = watch.refused(found, REFUSED_LOOKS)
                else:
                    of_part = None if found is None else tuple(file for file in found if file.part == part)
                    verdict = watch.judge(stages.get(part), of_part, now)
                verdicts.append((id, part, verdict))
        self._refusals = self._refusals + 1 if isinstance(trouble, AuthenticationError) else 0
        news = [entry for entry in verdicts if entry[2].stage is not None]
        limits = [_limit(error) for error in files.values() if isinstance(error, AssetServiceError)]
        soon = any(verdict.soon for _, _, verdict in verdicts)
        self.pace.looked(changed=bool(news), soon=soon, at_least=max(limits, default=0.0))
        self._tell(news, trouble, over=False)
        if trouble is not None and self._refusals >= REFUSED_LOOKS:
            self.give_up(trouble)

    def troubled(self, error: AssetServiceError) -> None:
        self.pace.looked(changed=False, at_least=_limit(error))
        self._refusals = self._refusals + 1 if isinstance(error, _FOR_GOOD) else 0
        if self._refusals >= REFUSED_LOOKS:
            self.give_up(error)
        else:
            self._tell([], error, over=False)

    def give_up(self, error: AssetServiceError) -> None:
        if self.awaited():
            self.clear()
            self._tell([], error, over=True)

    def _parts(self, id: str) -> Iterable[tuple[Part, Watch]]:
        entry = self._assets.get(id)
        return () if entry is None else entry[1].items()

    def _tell(
        self, verdicts: list[tuple[str, Part, Verdict]], trouble: AssetServiceError | None, *, over: bool
    ) -> None:
        news = self._news()
        if news is not None:
            news(verdicts, trouble, over)

    def _what(self, part: Part, record: Record) -> str:
        return what(self._service, part, record)


def _limit(error: AssetServiceError) -> float:
    """Seconds the service asked to wait."""
    return (error.retry_after or 0.0) if isinstance(error, RateLimited) else 0.0


def what(service: RenderService, part: Part, record: Record) -> str:
    """What messages call a part: "VNTANA: the stills of 'Chair' (…)"."""
    return f"{service.title}: the {part} of {called(record)}"
