"""One queue with real workers for all tests of this folder."""

from __future__ import annotations

import pytest

from ipyassets.sandbox.rendering import Part, RenderQueue, Source, Stills, Turntable


@pytest.fixture(scope="session")
def running_queue():
    queue = RenderQueue(2)
    yield queue
    queue.close()


@pytest.fixture
def queue(running_queue):
    yield running_queue
    running_queue.clear()


@pytest.fixture
def part():
    """Makes parts that note their states in ``part.log``."""
    log = []

    def make(order=None, key="osaka-chair", quality="draft", kind="object", **more):
        order = order or Stills(24, 24, count=2)
        return Part(Source(kind, key), order, quality, lambda part: log.append((part, part.state)), **more)

    make.log = log
    return make


@pytest.fixture
def film():
    return Turntable(8, 4, 24, 24)
