from __future__ import annotations

import _thread
import asyncio
import os
import signal
import subprocess
import sys
import threading

import pytest

from ipyassets.http import loop
from tests.canaries.witness import TRACEBACKS
from tests.waiting import main_waits


async def forty_two() -> int:
    await asyncio.sleep(0)
    return 42


def test_a_coroutine_runs_on_the_packages_own_thread():
    async def where() -> str:
        return threading.current_thread().name

    assert loop.run(where()) == "ipyassets"


def test_blocking_calls_work_while_another_loop_is_running():
    async def cell() -> int:
        return loop.run(forty_two())

    assert asyncio.run(cell()) == 42


@pytest.mark.parametrize("way", ["blocking", "awaited"])
def test_a_bug_says_where_it_is_and_not_what_was_in_hand(way: str):
    """In the middle of an answer, a traceback with local variables showed all of it: signed URLs, new tokens."""

    async def depths(answer: str) -> str:
        return {len(answer): answer}[0]

    async def between() -> str:
        held = "can" + "ary"
        return held + await depths(held)

    with pytest.raises(KeyError) as caught:
        loop.run(between()) if way == "blocking" else asyncio.run(loop.awaiting(between()))
    for style, shown in TRACEBACKS.items():
        text = shown(caught.value)
        assert "depths" in text, style
        assert "canary" not in text, style


def test_waiting_for_oneself_is_refused_rather_than_hung():
    async def nested() -> int:
        return loop.run(forty_two())

    with pytest.raises(RuntimeError, match="Async classes"):
        loop.run(nested())


def test_what_is_done_while_waiting_is_done_once_more_at_the_end():
    """A bar stayed short of its end where the work ended just after the last look at it, or before the first."""
    ended = threading.Event()
    seen: list[bool] = []

    async def work() -> int:
        await asyncio.to_thread(looked.wait)
        ended.set()
        return 42

    def look() -> None:
        seen.append(ended.is_set())
        if not looked.is_set():
            looked.set()
            ended.wait(10)

    looked = threading.Event()
    assert loop.run(work(), look) == 42
    assert (seen[0], seen[-1]) == (False, True)


async def test_any_loop_can_await_our_work():
    assert await loop.awaiting(forty_two()) == 42


async def test_cancelling_the_waiter_cancels_the_work():
    started, ended = threading.Event(), threading.Event()

    async def work() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    task = asyncio.create_task(loop.awaiting(work()))
    await asyncio.to_thread(started.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(ended.wait, 10)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_gets_a_loop_of_its_own():
    """The loop thread does not survive a fork; a child that used the parent's would wait for ever."""
    assert loop.run(forty_two()) == 42
    code = (
        "import os, sys\n"
        "from ipyassets.http import loop\n"
        "async def f(): return 42\n"
        "assert loop.run(f()) == 42\n"
        "pid = os.fork()\n"
        "if pid == 0: os._exit(0 if loop.run(f()) == 42 else 1)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


def test_ctrl_c_interrupts_a_blocking_call_and_cancels_its_work():
    code = (
        "import asyncio, sys\n"
        "from ipyassets.http import loop\n"
        "async def f():\n"
        "    print('started', flush=True)\n"
        "    try: await asyncio.Event().wait()\n"
        "    except asyncio.CancelledError: print('cancelled', flush=True); raise\n"
        "try: loop.run(f())\n"
        "except KeyboardInterrupt: print('interrupted', flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[0] == "cancelled\ninterrupted\n"


@pytest.mark.parametrize("begun", [True, False])
def test_ctrl_c_while_the_work_is_only_begun_cancels_it_too(monkeypatch: pytest.MonkeyPatch, begun: bool):
    """The interrupt came before the call had anything to cancel in hand, and the work went on without it."""
    running, ended = loop.loop(), threading.Event()
    call_soon = running.call_soon_threadsafe

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    def interrupted(*arguments: object) -> None:
        monkeypatch.undo()
        if begun:
            call_soon(*arguments)  # type: ignore[arg-type]
            asyncio.run_coroutine_threadsafe(forty_two(), running).result(10)  # by now it runs
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "call_soon_threadsafe", interrupted)
    with pytest.raises(KeyboardInterrupt):
        loop.run(work())
    assert ended.is_set() == begun


def test_ctrl_c_that_wakes_nobody_is_heard():
    """One that came just as the wait began was slept through, until a second one came."""

    async def work() -> None:
        while not main_waits():  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0)
        _thread.interrupt_main()  # notes it, and does not end what the main thread waits for
        await asyncio.Event().wait()

    with pytest.raises(KeyboardInterrupt):
        loop.run(work())


async def test_a_scripts_asyncio_run_can_be_pasted_into_a_notebook():
    code = (
        "import asyncio, ipyassets as ia\n"
        "async def main(): return 42\n"
        "async def cell():\n"
        "    ia.allow_asyncio_run()\n"
        "    return asyncio.run(main())\n"
        "loop = asyncio.new_event_loop()\n"
        "assert loop.run_until_complete(cell()) == 42\n"
    )
    done = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    assert await done.wait() == 0


def test_what_is_done_while_waiting_happens_where_the_caller_is():
    """A progress bar was first shown from the loop thread: in a notebook it stood below an older cell."""
    threads = []
    ended = threading.Event()

    async def work() -> int:
        await asyncio.to_thread(ended.wait)
        return 42

    def meanwhile() -> None:
        threads.append(threading.current_thread())
        ended.set()

    assert loop.run(work(), meanwhile) == 42
    assert set(threads) == {threading.current_thread()}
