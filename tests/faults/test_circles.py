"""What was done is let go of at once, also when it went wrong: nothing waits for the garbage collector."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CoroutineType, FrameType
from typing import Any, Final

import pytest

import ipyassets
from ipyassets.clients.scenario import Scenario
from ipyassets.clients.vntana import Vntana
from ipyassets.errors import AssetServiceError, InvalidRequest
from ipyassets.http.cache import cache
from ipyassets.http.retry import RetryPolicy
from ipyassets.sandbox import Sandbox

OURS: Final = str(Path(ipyassets.__file__).parent)
TROUBLES: Final[tuple[dict[str, Any], ...]] = (
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 429, "headers": {"Retry-After": "0.01"}},
    {"kind": "reset"},
    {"kind": "reset", "after": 40},
    {"kind": "cut"},
    {"kind": "html"},
    {"kind": "truncated"},
    {"kind": "corrupt"},
)


def _posters(vntana: Vntana, _: Scenario) -> None:
    vntana.search(page_size=10)[:40].posters(width=32, progress=False)


def _pages(vntana: Vntana, _: Scenario) -> None:
    list(vntana.search(sort="name", page_size=10)[:40])


def _archive(_: Vntana, scenario: Scenario) -> None:
    found = scenario.search(kind="image", limit=3)
    scenario.archive(found, flat=True, poll=0.01).wait(20, progress=False).images(width=32, progress=False)


SMALL: Final = {"ArchiveWatch", "Pace"}
"""Some hundred bytes each, which know nothing large."""
WORKS: Final[tuple[Callable[[Vntana, Scenario], None], ...]] = (_posters, _pages, _archive)


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: "-".join(map(str, trouble.values())))
def test_no_failure_keeps_what_it_was_about(sandbox: Sandbox, trouble: dict[str, Any]) -> None:
    """Errors, and the frames they came through, kept each other in memory; with them stayed the answers, connections
    with a quarter of a megabyte of room each, and lists of records. A process that read 20,000 posters over a bad
    network grew by some 100 MB, until Python's collector came by.
    """
    sandbox.settings.archive_queue_time = sandbox.settings.archive_work_time = 0.0
    cache.enabled = False
    with sandbox.vntana() as vntana, sandbox.scenario() as scenario:
        for client in (vntana, scenario):
            client.core._http.policy = RetryPolicy(attempts=4, first=0.001, longest=0.002)  # type: ignore[attr-defined]
        for work in WORKS:
            work(vntana, scenario)
        with _collecting() as left:
            sandbox.faults.add("/", count=None, rate=0.15, **trouble)
            for work in 2 * WORKS:
                with contextlib.suppress(AssetServiceError):
                    work(vntana, scenario)
            assert sandbox.faults.log
            sandbox.faults.clear()
    assert [what for what in left if what not in SMALL] == []


def test_an_order_that_is_refused_keeps_no_job(sandbox: Sandbox) -> None:
    """The job kept the error, and the error, by the frames it came through, the job, with its list of records; nobody
    had been given that job. By chance the test above sees it only now and then.
    """
    with sandbox.vntana() as vntana, sandbox.scenario() as scenario:
        rendered, images = vntana.search(limit=2), scenario.search(kind="image", limit=3)
        len(rendered), len(images)
        sandbox.faults.add("/assets/download|/products/renders", count=None, kind="status", status=400)
        with _collecting() as left:
            for order in (lambda: scenario.archive(images, flat=True), lambda: vntana.render(rendered)):
                with contextlib.suppress(InvalidRequest):
                    order()
        assert len(sandbox.faults.requests("/assets/download$|/products/renders$")) >= 2
    assert [what for what in left if what not in SMALL] == []


@contextlib.contextmanager
def _collecting() -> Iterator[list[str]]:
    """What is left for the collector of ours, by name, once the block has ended."""
    left: list[str] = []
    gc.collect()
    gc.disable()
    try:
        yield left
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        left += [name for name in map(_ours, gc.garbage) if name]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def _ours(thing: object) -> str:
    """What a frame, a coroutine or an object of the package is called; nothing for those of others."""
    code = thing.f_code if isinstance(thing, FrameType) else thing.cr_code if isinstance(thing, CoroutineType) else None
    if code is not None:
        return code.co_qualname if code.co_filename.startswith(OURS) and "sandbox" not in code.co_filename else ""
    module = type(thing).__module__
    ours = module.startswith("ipyassets.") and not module.startswith("ipyassets.sandbox")
    return type(thing).__qualname__ if ours else ""
