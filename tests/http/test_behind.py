"""What is put soon is there at once, and on disk later: never the wrong one, never twice, and none of it for ever."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ipyassets.http import behind
from ipyassets.http.behind import WriteBehind
from ipyassets.http.cache import DiskCache

KEY = ("k",)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[DiskCache]:
    made = DiskCache(tmp_path)
    yield made
    made.flush(5)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written until it is asked for."""
    monkeypatch.setattr(behind, "_QUIET", 1000.0)


def on_disk(folder: Path) -> DiskCache:
    """The same folder as another process sees it."""
    return DiskCache(folder)


def idle(kept: DiskCache) -> bool:
    return kept._behind._thread is None


class Held:
    """Holds the writer in the middle of its work."""

    def __init__(self, kept: DiskCache, monkeypatch: pytest.MonkeyPatch) -> None:
        self.writing, self.go = threading.Event(), threading.Event()
        write = kept._write

        def slow(path: str, content: bytes, expires: float | None) -> None:
            self.writing.set()
            self.go.wait(10)
            write(path, content, expires)

        monkeypatch.setattr(kept._behind, "_write", lambda: slow)


@pytest.mark.usefixtures("patient")
def test_it_is_there_before_it_is_written_and_after(kept: DiskCache, tmp_path: Path):
    kept.put_soon(KEY, b"x")
    assert kept.get(KEY) == b"x"
    assert kept.has(KEY)
    assert on_disk(tmp_path).get(KEY) is None
    kept.flush()
    assert kept.get(KEY) == on_disk(tmp_path).get(KEY) == b"x"
    assert kept.has(KEY)
    assert idle(kept)
    assert kept._behind._bytes == 0


def test_it_is_written_once_there_is_time_and_the_thread_ends(kept: DiskCache, tmp_path: Path):
    for number in range(20):
        kept.put_soon((str(number),), b"x" * number)
    with kept._behind._changed:
        assert kept._behind._changed.wait_for(lambda: idle(kept), 10)
    assert [on_disk(tmp_path).get((str(number),)) for number in range(20)] == [b"x" * n for n in range(20)]
    assert "ipyassets-cache" not in [thread.name for thread in threading.enumerate() if thread.is_alive()] or idle(kept)


@pytest.mark.usefixtures("patient")
def test_beyond_the_backlog_it_is_written_at_once(kept: DiskCache, tmp_path: Path):
    kept.put_soon(("a",), b"x" * 60, backlog=100)
    kept.put_soon(("b",), b"x" * 40, backlog=100)
    kept.put_soon(("c",), b"x", backlog=100)
    there = on_disk(tmp_path)
    assert [there.has((key,)) for key in "abc"] == [False, False, True]
    assert [kept.get((key,)) for key in "abc"] == [b"x" * 60, b"x" * 40, b"x"]
    kept.flush()
    kept.put_soon(("d",), b"x" * 100, backlog=100)  # the room is free again
    assert not there.has(("d",))


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("again", ["put", "put_soon", "backlog full"])
def test_the_last_one_put_is_the_one_that_is_kept(kept: DiskCache, tmp_path: Path, again: str):
    """What was put at once was hidden, and then overwritten, by what had been put soon before it."""
    kept.put_soon(KEY, b"old")
    if again == "put":
        kept.put(KEY, b"new")
    else:
        kept.put_soon(KEY, b"new", backlog=0 if again == "backlog full" else 100)
    assert kept.get(KEY) == b"new"
    kept.flush()
    assert kept.get(KEY) == on_disk(tmp_path).get(KEY) == b"new"
    assert kept._behind._bytes == 0


def test_what_is_put_while_the_same_is_written_is_not_lost(
    kept: DiskCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    held = Held(kept, monkeypatch)
    kept.put_soon(KEY, b"old")
    assert held.writing.wait(10)
    kept.put_soon(KEY, b"new")
    kept.put_soon(("other",), b"other")
    held.go.set()
    kept.flush()
    assert kept.get(KEY) == on_disk(tmp_path).get(KEY) == b"new"
    assert on_disk(tmp_path).get(("other",)) == b"other"


def test_the_same_bytes_with_another_lifetime_are_not_taken_for_written(
    kept: DiskCache, monkeypatch: pytest.MonkeyPatch
):
    """The very same bytes put again while they were written kept the lifetime they had before."""
    held = Held(kept, monkeypatch)
    content = b"the same"
    kept.put_soon(KEY, content, lifetime=1000)
    assert held.writing.wait(10)
    kept.put_soon(KEY, content)
    held.go.set()
    kept.flush()
    monkeypatch.setattr("time.time", lambda: 1e11)
    assert kept.get(KEY) == content


@pytest.mark.parametrize("how", ["drop", "clear", "put"])
def test_what_is_dropped_while_it_is_written_does_not_come_back(
    kept: DiskCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
):
    """A damaged picture that was dropped in the moment it was written came back, and so did an older one put anew."""
    held = Held(kept, monkeypatch)
    kept.put_soon(KEY, b"old")
    assert held.writing.wait(10)
    deeds: dict[str, Callable[[], None]] = {
        "drop": lambda: kept.drop(KEY),
        "clear": kept.clear,
        "put": lambda: kept.put(KEY, b"new"),
    }
    doing = threading.Thread(target=deeds[how])
    doing.start()
    with kept._behind._changed:
        kept._behind._changed.wait_for(lambda: not kept._behind._waiting, 10)
    held.go.set()
    doing.join()
    kept.flush()
    assert kept.get(KEY) == on_disk(tmp_path).get(KEY) == (b"new" if how == "put" else None)


@pytest.mark.usefixtures("patient")
def test_dropped_or_cleared_it_is_not_written(kept: DiskCache, tmp_path: Path):
    for key in "abc":
        kept.put_soon((key,), b"x")
    kept.drop(("a",))
    assert not kept.has(("a",))
    kept.flush()
    assert [on_disk(tmp_path).has((key,)) for key in "abc"] == [False, True, True]
    kept.put_soon(("d",), b"x")
    kept.clear()
    assert [kept.has((key,)) for key in "abcd"] == [False] * 4
    assert kept.size() == 0
    assert kept._behind._bytes == 0


@pytest.mark.usefixtures("patient")
def test_past_its_lifetime_it_is_gone_though_it_was_never_written(kept: DiskCache, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("time.time", lambda: 1000.0)
    kept.put_soon(KEY, b"x", lifetime=10)
    assert kept.get(KEY) == b"x"
    monkeypatch.setattr("time.time", lambda: 1011.0)
    assert kept.get(KEY) is None
    kept.flush()
    assert kept.get(KEY) is None


def test_a_write_that_fails_does_not_end_all_writing(kept: DiskCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An error nobody thought of ended the thread: nothing was written after it, and `flush` waited for ever."""
    write = kept._write

    def failing(path: str, content: bytes, expires: float | None) -> None:
        if content == b"bad":
            raise RuntimeError("no home folder")
        write(path, content, expires)

    monkeypatch.setattr(kept._behind, "_write", lambda: failing)
    kept.put_soon(("bad",), b"bad")
    kept.put_soon(("good",), b"good")
    kept.flush(10)
    assert idle(kept)
    assert on_disk(tmp_path).get(("good",)) == b"good"
    assert kept.get(("bad",)) is None


def test_where_no_thread_can_be_started_it_is_written_at_once(
    kept: DiskCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """From Python 3.12 on none can while the interpreter ends: putting raised, and `flush` waited for a thread."""

    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", start)
    kept.put_soon(KEY, b"x")
    kept.flush()
    assert kept.get(KEY) == on_disk(tmp_path).get(KEY) == b"x"


@pytest.mark.usefixtures("patient")
def test_flushing_waits_no_longer_than_told(kept: DiskCache, monkeypatch: pytest.MonkeyPatch):
    held = Held(kept, monkeypatch)
    kept.put_soon(KEY, b"x")
    kept.flush(0.01)
    assert not idle(kept)
    assert kept.get(KEY) == b"x"
    held.go.set()


@pytest.mark.usefixtures("patient")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_starts_with_nothing_and_writes_its_own(kept: DiskCache, tmp_path: Path):
    kept.put_soon(("parent",), b"parent")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            nothing = kept.get(("parent",)) is None
            kept.put_soon(("child",), b"child")
            kept.flush(10)
            code = 0 if nothing and on_disk(tmp_path).get(("child",)) == b"child" else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert kept.get(("parent",)) == b"parent"
    kept.flush()
    assert on_disk(tmp_path).get(("parent",)) == b"parent"


def test_the_end_of_the_process_writes_what_waits(tmp_path: Path):
    code = f"""
from ipyassets.http import behind
from ipyassets.http.cache import DiskCache
behind._QUIET = 1000.0
kept = DiskCache({str(tmp_path)!r})
for number in range(50):
    kept.put_soon((str(number),), bytes([number]) * 1000)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout + done.stderr == ""
    assert [on_disk(tmp_path).get((str(number),)) for number in range(50)] == [bytes([n]) * 1000 for n in range(50)]


def _hammer(folder: str, seed: int) -> None:
    kept = DiskCache(folder, size_limit=400_000)
    for step in range(200):
        number = (seed * 7 + step) % 40
        content = bytes([number]) * 10_000
        found = kept.get((str(number),))
        assert found is None or found == content
        kept.put_soon((str(number),), content, backlog=50_000)
    kept.flush()


def test_two_processes_write_behind_into_one_folder(tmp_path: Path):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_hammer, args=(str(tmp_path), seed)) for seed in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert DiskCache(tmp_path).size() <= 420_000
    assert not list(tmp_path.rglob("tmp-*"))


def test_many_threads_put_get_and_drop_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(behind, "_QUIET", 0.0)
    kept = DiskCache(tmp_path)
    wrong: list[object] = []

    def work(seed: int) -> None:
        own = (f"own-{seed}",)
        for step in range(150):
            content = b"%d-%d" % (seed, step)
            (kept.put if step % 7 == 3 else kept.put_soon)(own, content)
            found = kept.get(own)
            if found != content:
                wrong.append((content, found))
            if step % 11 == 5:
                kept.drop(own)
                if kept.get(own) is not None:
                    wrong.append((content, "dropped"))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept.flush()
    assert wrong == []
    assert kept._behind._bytes == 0
    assert idle(kept)
    assert [on_disk(tmp_path).get((f"own-{seed}",)) for seed in range(4)] == [b"%d-149" % n for n in range(4)]


def test_a_cache_that_nobody_has_any_more_is_not_kept_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(behind, "_QUIET", 0.0)
    kept = DiskCache(tmp_path)
    waiting: WriteBehind = kept._behind
    del kept
    assert waiting.add("path", b"x", None, 100)
    waiting.flush(10)
    assert waiting._thread is None
