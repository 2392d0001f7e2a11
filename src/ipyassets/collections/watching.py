"""Whether the files of a render are the new ones: what a service tells, weighed against what stood before the order.

Old files and old words stay until they are replaced, so neither their presence nor a word proves anything by itself.
Nothing here sends or waits: a watch is told what was found, and judges.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias

from ipyassets.collections.jobs import PartStage
from ipyassets.errors import AssetServiceError, BadResponse, InvalidRequest, JobFailed, NotFound, PermissionDenied
from ipyassets.services.rendering import Part, RenderFile, Stage

__all__ = ["Verdict", "Version", "Watch"]

Version: TypeAlias = tuple[str, str | None, datetime | None]

STALE_FAILED: Final = 30.0
"""Seconds after an order in which "failed" is not believed where it had been said before the order too."""
SETTLED: Final = 4.0
"""Seconds that new files must stay as they are where nobody says that the work is done: they may come one by one."""
UNCHANGED: Final = 30.0
"""The same where there are fewer than before, or where old ones stay that nobody is known to have uploaded."""
OVERDUE: Final = 300.0
"""Seconds after which work that is said to be completed, but has brought no new files, has failed."""
FORGOTTEN: Final = 60.0
"""The same for work that was told of and is not any more: the service was started anew, say."""
_LOOKS: Final = 2
"""Looks that must find the same files where the word about them is not believed, or not all of them are new."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look has shown of a part; ``stage`` None: nothing new."""

    stage: PartStage | None = None
    files: tuple[RenderFile, ...] = ()
    error: AssetServiceError | None = None
    soon: bool = False
    """Something is under way that another look soon will tell."""


@dataclass(slots=True)
class Watch:
    """One part of the renders of one asset, from the order to the end.

    ``old``: the versions of its files before the order; None where nobody saw them, because the work was picked up
    while it ran: they are then told apart at the first look, by ``since`` if that is given. ``before``: what the
    service said before the order. ``began``: when it was ordered. All times in seconds of one steady clock.
    """

    part: Part
    what: str
    """What messages call it: "VNTANA: the stills of 'Chair' (…)"."""
    began: float
    old: frozenset[Version] | None = None
    before: Stage | None = None
    since: datetime | None = None
    expected: frozenset[str] = frozenset()
    """Kinds of files that were ordered, such as ``mp4`` and ``gif``."""
    least: int = 0
    """How many files there were before."""
    seen: PartStage = "queued"
    refusals: int = 0
    """Looks in a row at which its files could not be listed for want of permission."""
    _moved: bool = False
    """Whether the service has said anything else than before the order, so that its word can be believed."""
    _there: frozenset[Version] = field(default_factory=frozenset)
    _there_since: float = 0.0
    _looks: int = 0
    _idle_since: float | None = None
    _named: bool = False
    """Whether files of this part were seen that bear the service's names for renderings: uploads can be told then."""
    _ordered: bool = field(init=False)

    def __post_init__(self) -> None:
        self._ordered = self.old is not None

    @property
    def over(self) -> bool:
        return self.seen not in ("queued", "running")

    def wants_files(self, stage: Stage | None) -> bool:
        """Whether the files must be listed to judge what the service says."""
        if self.over:
            return False
        return self.old is None or stage in (None, "completed") or (stage == "failed" and not self._believes(stage))

    def judge(self, stage: Stage | None, files: tuple[RenderFile, ...] | None, now: float) -> Verdict:
        """``files`` of this part as they are now; None where they were not listed."""
        if self.over:
            return Verdict()
        self.refusals = 0
        if files is not None and self.old is None:
            self._learn(stage, files)
            if stage is None and not files and self.since is None:
                return self._end("failed", error=NotFound(
                    f"{self.what} do not exist, and the service tells of no work on them. Order them with render()."
                ))  # fmt: skip
        self._moved = self._believes(stage)
        if stage in ("queued", "running"):
            self._looks, self._idle_since = 0, None
            return self._working(stage)
        if files is None or self.old is None:
            return self._failed() if stage == "failed" and self._moved else Verdict()
        return self._weigh(stage, files, now)

    def _weigh(self, stage: Stage | None, files: tuple[RenderFile, ...], now: float) -> Verdict:
        old = self.old or frozenset()
        there = frozenset(file.version for file in files)
        if there != self._there or not self._looks:
            self._there, self._there_since, self._looks = there, now, 0
        self._looks += 1
        new = tuple(file for file in files if file.version not in old)
        self._named = self._named or not all(file.uploaded for file in files)
        rendered = tuple(file for file in new if not (self._named and file.uploaded))
        stay = any(file.version in old and not (self._named and file.uploaded) for file in files)
        if stage == "failed" and (self._moved or (there != old and not rendered) or now - self.began > STALE_FAILED):
            return self._failed()
        told, lasted = stage == "completed" and self._moved, now - self._there_since
        settled = self._looks >= _LOOKS and (told or (lasted >= SETTLED and len(rendered) >= self.least))
        if rendered:
            signs = (told, settled, not stay)  # any two of them are enough
            whole = sum(signs) > 1 and self.expected <= {file.media for file in rendered}
            if whole or (stage != "failed" and lasted >= UNCHANGED):
                # Uploads that came meanwhile are none of what was ordered; who only follows is given all there is.
                return self._end("completed", rendered if self._ordered else new)
        silent = stage is None and self._moved
        if rendered or not (told or silent):
            self._idle_since = None
            return self._working("running", soon=True) if rendered else Verdict()
        if self._idle_since is None:
            self._idle_since = now
        if silent:
            return self._forgotten() if now - self._idle_since > FORGOTTEN else Verdict()
        if now - self._idle_since > OVERDUE:
            return self._end("failed", error=BadResponse(
                f"{self.what} are completed, says the service, but after {OVERDUE:.0f} s their files are still those "
                "from before the order, or none. They were not taken."
            ))  # fmt: skip
        return self._working("running")

    def _forgotten(self) -> Verdict:
        return self._end("failed", error=JobFailed(
            f"{self.what}: the service tells nothing of the work any more, and there are no new files. It may have "
            "been started anew meanwhile; order them again."
        ))  # fmt: skip

    def _believes(self, stage: Stage | None) -> bool:
        return self._moved or (stage is not None and stage != self.before)

    def _learn(self, stage: Stage | None, files: tuple[RenderFile, ...]) -> None:
        """Tell old files from new ones at the first look at work that somebody else began."""
        if self.since is not None:
            new = {file.version for file in files if _newer(file, self.since)}
            self.old = frozenset(file.version for file in files) - new
            self.before = stage if stage in ("completed", "failed") and not new else None
        elif stage in ("completed", "failed"):
            self.old = frozenset()  # it is over: what is there is what came of it
        else:
            self.old = frozenset(file.version for file in files)

    def lost(self, error: AssetServiceError) -> Verdict:
        """The asset itself is no more."""
        return self._end("failed", error=error)

    def refused(self, error: AssetServiceError, most: int) -> Verdict:
        """Its files could not be listed; over, if that was refused ``most`` times in a row."""
        self.refusals = self.refusals + 1 if isinstance(error, PermissionDenied | InvalidRequest) else 0
        return self._end("failed", error=error) if self.refusals >= most else Verdict()

    def _working(self, stage: PartStage, *, soon: bool = False) -> Verdict:
        if self.seen in ("running", stage):  # never back to queued: words may come from an older copy
            return Verdict(soon=soon)
        self.seen = stage
        return Verdict(stage, soon=soon)

    def _failed(self) -> Verdict:
        return self._end("failed", error=JobFailed(
            f"{self.what} could not be made, says the service; it gives no reason."
        ))  # fmt: skip

    def _end(
        self, stage: PartStage, files: tuple[RenderFile, ...] = (), error: AssetServiceError | None = None
    ) -> Verdict:
        self.seen = stage
        return Verdict(stage, files, error)


def _newer(file: RenderFile, since: datetime) -> bool:
    at = file.updated or file.created
    return at is not None and at >= since
