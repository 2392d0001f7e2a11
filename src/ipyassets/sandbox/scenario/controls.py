"""Trouble with archives, on demand: ``sandbox.archives``."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from ipyassets.sandbox.scenario import mischief
from ipyassets.sandbox.scenario.jobs import Course, Job, Jobs
from ipyassets.sandbox.scenario.packing import Member

__all__ = ["Archives", "Trouble", "merged"]


@dataclass(slots=True)
class Trouble:
    """What shall befall some of the next jobs; see `Archives`."""

    count: int | None = 1
    skip: int = 0
    course: Course | None = None
    alter: mischief.Alter | None = None
    spoil: mischief.Spoil | None = None
    lifetime: float | None = None
    """Seconds that the first URL is good for."""
    breaks_after: int | None = None
    """Bytes after which the first URL, in the middle of its use, expires."""
    ranges: bool = True
    sized: bool = True
    hits: int = 0
    """Jobs it befell so far."""


@dataclass(eq=False)
class Archives:
    """The archives of one sandbox: what jobs there were, and what shall go wrong with the next ones.

    Each method tells of one trouble, for the next ``count`` jobs (None: for all) after ``skip`` others; a job takes
    all that are due. What goes wrong between client and server (resets, cut and slow answers, 429) is in
    ``sandbox.faults``, by path: ``/assets/download``, ``/jobs/``, ``/cdn/archives/``.
    """

    _jobs: Jobs
    _troubles: list[Trouble] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __repr__(self) -> str:
        return f"<{len(self._jobs.all())} archives>"

    @property
    def jobs(self) -> tuple[Job, ...]:
        """Of every project, the oldest first (the last thousand)."""
        return tuple(self._jobs.all())

    def reset(self) -> None:
        """Forget all jobs and troubles."""
        with self._lock:
            self._troubles.clear()
        self._jobs.clear()

    def take(self) -> list[Trouble]:
        """The troubles of a job that begins now; counts them."""
        with self._lock:
            taken = []
            for trouble in self._troubles:
                if trouble.skip > 0:
                    trouble.skip -= 1
                elif trouble.count is None or trouble.hits < trouble.count:
                    trouble.hits += 1
                    taken.append(trouble)
            return taken

    def _add(self, trouble: Trouble) -> Trouble:
        with self._lock:
            self._troubles.append(trouble)
        return trouble

    def fail(
        self,
        error: str = "The archive could not be built",
        *,
        hint: str | None = None,
        word: str = "failure",
        count: int | None = 1,
        skip: int = 0,
    ) -> Trouble:
        """A job ends in ``word``: ``failure`` or ``canceled``, or one that is told in place of ``failure``."""
        end = "canceled" if word == "canceled" else "failure"
        return self._add(Trouble(count, skip, Course(end, error, hint, words={end: word})))

    def hang(self, word: str = "in-progress", *, count: int | None = 1, skip: int = 0) -> Trouble:
        """A job stays in progress for ever, and says ``word``."""
        return self._add(Trouble(count, skip, Course(endless=True, words={"in-progress": word})))

    def say(self, word: str, instead_of: str = "in-progress", *, count: int | None = 1, skip: int = 0) -> Trouble:
        """A job has ``word`` for the status ``instead_of``."""
        return self._add(Trouble(count, skip, Course(words={instead_of: word})))

    def add_members(self, *members: Member, count: int | None = 1, skip: int = 0) -> Trouble:
        """``members`` lie in the archive after the true ones."""
        return self.alter(lambda own: [*own, *members], count=count, skip=skip)

    def alter(self, change: mischief.Alter, *, count: int | None = 1, skip: int = 0) -> Trouble:
        """The archive has the members that ``change`` makes of the true ones."""
        return self._add(Trouble(count, skip, alter=change))

    def slip(self, *, count: int | None = 1, skip: int = 0) -> Trouble:
        """Names that lead out of the folder: ``../``, absolute, drive letters, backslashes."""
        return self.alter(mischief.slips, count=count, skip=skip)

    def link(self, *, count: int | None = 1, skip: int = 0) -> Trouble:
        """Symbolic links, a file below one of them, and a device."""
        return self.alter(mischief.links, count=count, skip=skip)

    def odd_names(self, *, count: int | None = 1, skip: int = 0) -> Trouble:
        """Composed and decomposed letters, case, emoji, controls, CP437, device names, endless ones, folders."""
        return self.alter(mischief.odd_names, count=count, skip=skip)

    def duplicate(self, *, count: int | None = 1, skip: int = 0) -> Trouble:
        """Three members have the name of the first; the last has other content."""
        return self.alter(mischief.doubles, count=count, skip=skip)

    def strangers(self, *, count: int | None = 1, skip: int = 0) -> Trouble:
        """Files that are no pictures, some with a picture's name; one PNG of absurd size."""
        return self.alter(mischief.strangers, count=count, skip=skip)

    def crowd(self, members: int = 66_000, *, count: int | None = 1, skip: int = 0) -> Trouble:
        """So many members that the 64-bit form is needed. It takes seconds to make."""
        return self.alter(partial(mischief.crowd, count=members), count=count, skip=skip)

    def bomb(self, mebibytes: int = 256, *, honest: bool = True, count: int | None = 1, skip: int = 0) -> Trouble:
        """``bomb.png``, last, unpacks to ``mebibytes``; if not ``honest``, its headers say 1,000 bytes."""
        trouble = self.alter(partial(mischief.bomb, mebibytes=mebibytes), count=count, skip=skip)
        if not honest:
            trouble.spoil = partial(mischief.liar, index=-1)
        return trouble

    def corrupt(self, member: int = 0, *, count: int | None = 1, skip: int = 0) -> Trouble:
        """The content of one member is damaged; its checksum tells."""
        return self._add(Trouble(count, skip, spoil=partial(mischief.corrupt, index=member)))

    def cut(self, share: float = 0.5, *, count: int | None = 1, skip: int = 0) -> Trouble:
        """The archive ends after ``share`` of it, and the server takes that for the whole."""
        return self._add(Trouble(count, skip, spoil=partial(mischief.cut, share=share)))

    def expire(self, after: int | None = None, *, count: int | None = 1, skip: int = 0) -> Trouble:
        """The first URL has expired when it is given; or, with ``after``, it expires when it has sent so many bytes.

        Then the connection breaks. The URL that the next look at the status gives is good again.
        """
        if after is None:
            return self._add(Trouble(count, skip, lifetime=0.0))
        return self._add(Trouble(count, skip, breaks_after=after))

    def no_ranges(self, *, count: int | None = 1, skip: int = 0) -> Trouble:
        """The archive is served as a whole only."""
        return self._add(Trouble(count, skip, ranges=False))

    def no_length(self, *, count: int | None = 1, skip: int = 0) -> Trouble:
        """The archive is served as a whole only, and nobody says how long it is."""
        return self._add(Trouble(count, skip, ranges=False, sized=False))


def merged(troubles: Sequence[Trouble]) -> Course:
    """One course of all that were given: of two ends the later, of words all."""
    course = Course()
    for one in (trouble.course for trouble in troubles if trouble.course is not None):
        words = {**course.words, **one.words}
        kept = one if one.end != "success" else course
        course = Course(kept.end, kept.error, kept.hint, course.endless or one.endless, words)
    return course
