"""Decodes that do not end: given up and named, while the others come and nothing stands still."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from ipyassets.collections import decode_threads, images, thumbnails
from ipyassets.collections.decode_threads import TOO_SLOW, DecodeThreads, begun
from ipyassets.collections.film import film_facts, film_frames
from ipyassets.collections.images import in_decode_pool, opened
from ipyassets.collections.thumbnails import thumbnail
from ipyassets.collections.turn_frames import ReadFilm
from ipyassets.errors import AssetServiceError, BadResponse
from ipyassets.http import loop
from tests.collections.archives import MemoryArchives, archived, packed
from tests.collections.renders import rendered
from tests.collections.test_asset_list import listed
from tests.collections.test_turntables import turntable
from tests.fakes import MemoryRenders, MemoryService, film, picture
from tests.waiting import PATIENCE

HANGS: Final = picture(50, 40)
"""What the planted decoder does not come to an end with."""


class Planted:
    """A decoder that hangs until it is let go."""

    def __init__(self) -> None:
        self.entered, self.let_go = threading.Event(), threading.Event()
        self.threads: list[threading.Thread] = []

    def hang(self) -> None:
        self.threads.append(threading.current_thread())
        self.entered.set()
        assert self.let_go.wait(PATIENCE)

    def decode(self, content: bytes, *_: Any, **__: Any) -> None:
        if content == HANGS:
            self.hang()


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Planted]:
    """In the place where pictures are decoded. At the end no thread is left but those that there always are."""
    threads = DecodeThreads(2)
    monkeypatch.setattr(images, "_decoding", threads)
    monkeypatch.setattr(decode_threads, "MAX_SECONDS", 0.5)
    planted = Planted()
    monkeypatch.setattr(images, "sooner", planted.decode)
    yield planted
    planted.let_go.set()
    others = list(threads._threads)
    threads._leave()
    for thread in {*planted.threads, *others}:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def given_up(error: BaseException, name: str) -> None:
    assert isinstance(error, BadResponse)
    assert error.code == TOO_SLOW
    assert f"{name} took more than" in str(error)


def test_a_poster_whose_decode_hangs_is_named_and_the_others_come(planted: Planted) -> None:
    """One hostile picture held its whole batch, and its thread, for as long as it liked."""
    service = MemoryService(30)
    service.posters["asset-2"] = HANGS
    for _ in range(2):  # and the threads go on
        batch = listed(service).posters()
        ((index, asset, error),) = batch.failures
        assert (index, asset.id) == (2, "asset-2")
        given_up(error, "Memory: the poster of 'asset-2' (asset-2)")
        assert [image is None for image in batch] == [number == 2 for number in range(30)]
    assert service.fetched.count("asset-2") == 2, "it is not fetched anew by itself"
    first, second = planted.threads
    assert first is not second
    planted.let_go.set()
    for thread in planted.threads:
        thread.join(PATIENCE)
    assert images._decoding._lost == 0
    assert listed(service).posters().failures == []


def test_a_picture_of_an_archive_whose_decode_hangs(planted: Planted) -> None:
    service = MemoryArchives(1)
    members = {"a.png": picture(), "b.png": HANGS, "c.png": picture(colour=3)}
    service.pack = lambda order: packed(members)
    job = archived(service).wait(timeout=10)
    batch = job.images()
    given_up(batch.failures[0][2], "'b.png'")
    assert sum(image is not None for image in batch) == 2


def test_a_still_whose_decode_hangs_is_not_fetched_again(planted: Planted) -> None:
    """What comes damaged is fetched anew once; this would have hung twice."""
    service = MemoryRenders(1)
    job = rendered(service).wait(10)
    for file in service.files["asset-0"]:
        service.contents[file.id] = HANGS
    batch = job.stills()
    assert batch.failures
    for _, _, error in batch.failures:
        assert error.code == TOO_SLOW
    assert len(planted.threads) == len(batch.failures)


def test_a_frame_of_a_turntable_that_hangs(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    service, made = turntable()

    def frames(content: bytes, *_: Any) -> Any:
        begun("The turn")
        planted.hang()

    monkeypatch.setattr("ipyassets.collections.turntables.frames", frames)
    with pytest.raises(BadResponse) as raised:
        made.frames()
    given_up(raised.value, "The turn")
    assert len(planted.threads) == len(service.downloads) == 1


def test_a_film_that_hangs_gives_the_frames_before_and_goes_on_later(
    planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = film()

    def read() -> Iterator[Any]:
        for number, frame in enumerate(film_frames(content)):
            if number == 2 and not planted.let_go.is_set():
                planted.hang()
            yield frame

    async def turned() -> None:
        shown = ReadFilm(film_facts(content), read)
        first, *_, last = await asyncio.gather(*(shown.frame(n, 32) for n in range(6)), return_exceptions=True)
        assert isinstance(first, thumbnails.Thumbnail)
        assert isinstance(last, BadResponse)
        given_up(last, "The film")
        planted.let_go.set()
        await asyncio.gather(*(in_decode_pool(thread.join, PATIENCE) for thread in planted.threads))
        assert isinstance(await shown.frame(5, 32), thumbnails.Thumbnail)
        shown.close()

    loop.run(turned())


def test_a_thumbnail_that_hangs(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    service = MemoryService(1)
    shrink = thumbnails.shrink

    def hanging(content: bytes, *arguments: Any) -> Any:
        opened(content, arguments[2])
        planted.hang()
        return shrink(content, *arguments)

    monkeypatch.setattr(thumbnails, "shrink", hanging)
    with pytest.raises(BadResponse) as raised:
        loop.run(thumbnail(service, service.make("asset-0"), 64))
    given_up(raised.value, "the poster of 'asset-0' (asset-0)")


# -- threads ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[DecodeThreads, Planted]]:
    """One thread, and at most one in its place; time passes as the test says."""
    monkeypatch.setattr(decode_threads, "_MOST_LOST", 1)
    threads, planted = DecodeThreads(1), Planted()
    yield threads, planted
    planted.let_go.set()
    ours = list(threads._threads)
    threads._leave()
    for thread in ours:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def passed(threads: DecodeThreads, seconds: float) -> None:
    with threads._lock:
        threads._age(0.0)  # it is seen that another picture began
        threads._age(seconds)


async def entered(planted: Planted) -> None:
    assert await asyncio.to_thread(planted.entered.wait, PATIENCE)
    planted.entered.clear()


def hanging(planted: Planted) -> Callable[[], None]:
    def work() -> None:
        begun("A")
        planted.hang()

    return work


def test_of_lost_threads_there_is_a_bounded_number_and_nobody_waits_for_them(
    two: tuple[DecodeThreads, Planted],
) -> None:
    """With a thread more for each, hostile pictures would take all memory; without, all others would wait for ever."""
    threads, planted = two

    async def main() -> None:
        for _ in range(2):
            slow = asyncio.ensure_future(threads.run(hanging(planted)))
            await entered(planted)
            waiting = asyncio.ensure_future(threads.run(int))
            passed(threads, 61)
            with pytest.raises(BadResponse, match="A took more than 60 s to decode"):
                await slow
            if len(planted.threads) == 1:
                assert await waiting == 0
        with pytest.raises(AssetServiceError, match="2 pictures before it") as raised:
            await waiting
        assert raised.value.code == "DECODE_BUSY"
        with pytest.raises(AssetServiceError, match="2 pictures before it"):
            await threads.run(int)
        assert len(threads._threads) == 2
        planted.let_go.set()
        async with asyncio.timeout(PATIENCE):
            while (len(threads._threads), threads._lost) != (1, 0):  # whichever of both ends
                for thread in planted.threads:
                    await asyncio.to_thread(thread.join, 0.05)
        assert await threads.run(int) == 0

    loop.run(main())


def test_each_picture_has_the_whole_time_and_other_work_has_no_limit(two: tuple[DecodeThreads, Planted]) -> None:
    """A film of many frames is no picture that hangs."""
    threads, planted = two
    step = threading.Event()

    def film_of_two() -> str:
        begun("A")
        planted.entered.set()
        assert step.wait(PATIENCE)
        begun("B")
        planted.hang()
        return "done"

    async def main() -> None:
        film = asyncio.ensure_future(threads.run(film_of_two))
        await entered(planted)
        passed(threads, 50)
        step.set()
        await entered(planted)
        passed(threads, 50)
        planted.let_go.set()
        assert await film == "done"
        planted.let_go.clear()
        other = asyncio.ensure_future(threads.run(planted.hang))
        await entered(planted)
        passed(threads, 5000)
        planted.let_go.set()
        await other

    loop.run(main())


def test_a_process_that_was_held_gives_nothing_up_for_it(
    two: tuple[DecodeThreads, Planted], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A laptop that slept for an hour had no time to decode."""
    threads, planted = two
    monkeypatch.setattr(threads, "_wait", lambda: None)

    async def main() -> None:
        slow = asyncio.ensure_future(threads.run(hanging(planted)))
        await entered(planted)
        threads._look()
        threads._looked -= 3600
        threads._look()
        assert not threads._lost
        planted.let_go.set()
        await slow

    loop.run(main())


def test_what_was_cancelled_before_it_began_is_not_decoded(two: tuple[DecodeThreads, Planted]) -> None:
    threads, planted = two
    ran: list[int] = []

    async def main() -> None:
        slow = asyncio.ensure_future(threads.run(hanging(planted)))
        await entered(planted)
        second = asyncio.ensure_future(threads.run(ran.append, 1))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        planted.let_go.set()
        await slow
        assert await threads.run(int) == 0

    loop.run(main())
    assert ran == []


def test_errors_come_as_they_are(two: tuple[DecodeThreads, Planted]) -> None:
    with pytest.raises(ZeroDivisionError):
        loop.run(two[0].run(divmod, 1, 0))
    assert loop.run(two[0].run(divmod, 7, 4)) == (1, 3)


HUNG: Final = """
    import signal, threading
    from ipyassets.collections import images
    from ipyassets.errors import Interrupted
    from ipyassets.http.cache import cache
    from tests.collections.test_asset_list import listed
    from tests.fakes import MemoryService, picture

    def hang(content, *_, **__):
        if content == HANGS:
            entered.set()
            threading.Event().wait()

    HANGS, entered = picture(50, 40), threading.Event()
    images.sooner, cache.enabled = hang, False
    service = MemoryService(12)
    service.posters["asset-2"] = HANGS

    def interrupt():
        entered.wait()
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    try:
        listed(service).posters(progress=False)
    except Interrupted as error:
        print("interrupted after", len(error.partial))
"""


@pytest.mark.skipif(os.name == "nt", reason="interrupts a process by a signal")
def test_neither_ctrl_c_nor_the_end_of_the_process_waits_for_a_decode_that_hangs() -> None:
    """Pools of concurrent.futures are joined at the end: one picture kept a script from ever ending."""
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(HUNG)],
        capture_output=True,
        text=True,
        timeout=3 * PATIENCE,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("interrupted after")
