"""Archives that a service made once more while somebody held their job, as it may once the first expired."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ipyassets.collections.archive_job import ArchiveJob
from ipyassets.errors import BadResponse, NotFound
from ipyassets.http import loop
from tests.collections.archives import MemoryArchives, MemoryFile, Remade, archived, packed, pictures


def remade(before: bytes, after: bytes) -> ArchiveJob:
    """A job whose names were read of the archive ``before``; by now it is ``after``."""
    service = MemoryArchives(3)
    job = archived(service).wait(timeout=10)
    (id,) = job.ids
    first = service.files[id] = Remade(before)
    assert len(job.names) == 3
    first.new = service.files[id] = MemoryFile(after)
    return job


WAYS: list[tuple[str, Callable[[ArchiveJob, Path], Any], Any]] = [
    ("images", lambda job, _: [image and image.size for image in job.images()], [(32, 24)] * 3),
    ("iter_images", lambda job, _: len(list(job.iter_images())), 3),
    ("item", lambda job, _: job[1].size, (32, 24)),
    ("save", lambda job, folder: job.save(folder / "a.zip").stat().st_size > 0, True),  # type: ignore[union-attr]
    ("extract", lambda job, folder: len(job.extract(folder)), 3),
]


@pytest.mark.parametrize(("read", "result"), [way[1:] for way in WAYS], ids=[way[0] for way in WAYS])
def test_the_next_try_reads_the_new_one(tmp_path: Path, read: Callable[..., Any], result: Any) -> None:
    """The error said "begin again", and each new try ended in the same error."""
    job = remade(packed(pictures(3)), packed(pictures(3, size=(32, 24))))
    with pytest.raises(BadResponse, match="changed"):
        read(job, tmp_path)
    assert read(job, tmp_path) == result


def test_a_member_found_before_is_looked_for_by_its_name() -> None:
    """A grid that showed the first one asked the second for members it did not know: a KeyError."""
    members = pictures(3)
    job = remade(packed(members), packed({"new.txt": b"x" * 99, **dict(list(members.items())[1:])}))
    results = loop.run(job._results(0))
    with pytest.raises(BadResponse, match="changed"):
        job.images()
    assert "new.txt" in job.names
    gone, *there = results
    assert [loop.run(one.read()) for one in there] == list(members.values())[1:]
    with pytest.raises(NotFound, match="not in the archive any more"):
        loop.run(gone.read())
