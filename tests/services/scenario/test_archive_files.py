"""Archives over real HTTP: their names and their bytes, and what goes wrong with those."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from ipyassets.errors import (
    BadResponse,
)
from ipyassets.http import loop
from ipyassets.http.client import HttpClient
from ipyassets.sandbox import Sandbox
from ipyassets.services.base import Record
from ipyassets.services.downloading import ArchiveOrder
from ipyassets.services.scenario.client import ScenarioService
from ipyassets.services.scenario.errors import explain_file
from tests.services.calls import QUICK
from tests.services.scenario.archiving import ORDER, content, ids, made, opened, ordered, some
from tests.services.scenario.conftest import Make


@pytest.fixture(autouse=True)
def quick(sandbox: Sandbox) -> None:
    """Each look at a job brings it a step on."""
    sandbox.settings.archive_polls = 1


def whole(service: ScenarioService, found: list[Record]) -> list[Record]:
    async def go() -> list[Record]:
        return [await service.record(record.id) for record in found]

    return loop.run(go())


@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize(
    "template", ["<prompt>-<id>", "<description>/<seed>_<num>-<id>", "<id>-<nope>", "x/<prompt>/<id>-<prompt>"]
)
def test_names_are_as_they_were_previewed(service: ScenarioService, template: str, flat: bool) -> None:
    found = [record for kind in ("image", "3d", "video", "audio", "text") for record in some(service, 2, kind=kind)]
    order = ArchiveOrder(ids(found), template=template, flat=flat)
    names = opened(content(made(service, *order.assets, template=template, flat=flat))).namelist()
    assert service.member_names(whole(service, found), order) == names
    by_id = {record.id: record for record in found}
    assert [service.member_of(name, by_id) for name in names] == found


def test_an_archive_by_its_name(service: ScenarioService) -> None:
    file = made(service, *ids(some(service, 3)), archive_name="mine")
    assert (file.name, file.media_type) == (None, "application/zip")
    data = content(file)
    assert file.name == "mine.zip"
    assert len(opened(data).namelist()) == 3


def test_the_directory_of_an_archive_is_read_without_the_rest(sandbox: Sandbox, service: ScenarioService) -> None:
    file = made(service, *ids(some(service, 20)))
    data = content(file)

    async def go() -> tuple[Any, ...]:
        size = await file.size()
        assert size is not None
        return await file.ranges(), await file.version() is not None, size, await file.read(size - 22, size)

    sandbox.faults.log.clear()
    assert loop.run(go()) == (True, True, len(data), data[-22:])
    assert all("authorization" not in seen.headers for seen in sandbox.faults.log)


def test_a_url_that_expired_before_it_was_used(sandbox: Sandbox, service: ScenarioService) -> None:
    sandbox.archives.expire()
    job = ordered(service, *ids(some(service, 3)))
    while loop.run(service._archives._status(job))[0] != "success":
        pass
    sandbox.faults.log.clear()
    file = loop.run(service.archive_file(job))
    assert opened(content(file))


def test_a_url_that_expires_while_it_is_used(
    sandbox: Sandbox, service: ScenarioService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sandbox.archives.expire(after=40_000)
    job = ordered(service, *ids(some(service, 20)))
    sandbox.settings.archive_polls = 0
    file = loop.run(service.archive_file(job))
    data = content(file)
    assert len(opened(data).namelist()) == 20
    asked = [(seen.headers.get("range"), seen.status) for seen in sandbox.faults.requests("/cdn/archives/")]
    assert asked[0] == (None, 200)
    assert asked[-1][1] == 206
    assert 403 in [status for _, status in asked]
    assert "Signature=" not in caplog.text


@pytest.mark.parametrize("ranges", [True, False])
def test_an_archive_that_breaks_off_is_gone_on_with(sandbox: Sandbox, service: ScenarioService, ranges: bool) -> None:
    if not ranges:
        sandbox.archives.no_ranges()
    file = made(service, *ids(some(service, 20)))
    sandbox.faults.add("/cdn/archives/", kind="cut", after=50_000)
    sandbox.faults.add("/cdn/archives/", kind="reset")
    data = content(file)
    assert len(opened(data).namelist()) == 20
    assert loop.run(file.ranges()) is ranges
    if not ranges:
        with pytest.raises(BadResponse, match="as a whole"):
            loop.run(file.read(10, 20))


def test_an_archive_that_was_made_anew_in_the_middle(sandbox: Sandbox, service: ScenarioService) -> None:
    file = made(service, *ids(some(service, 20)))
    sandbox.faults.add("/cdn/archives/", kind="cut", after=50_000)
    sandbox.faults.add(
        "/cdn/archives/", kind="wrong_content", status=200, body=bytes(200_000), headers={"etag": '"another"'}
    )
    with pytest.raises(BadResponse, match="changed"):
        content(file)


def test_an_archive_that_goes_silent_in_the_middle(sandbox: Sandbox, make: Make) -> None:
    service = make()
    patient = service._files
    service._archives._files = HttpClient("files", explain=explain_file, policy=QUICK, read_timeout=0.2)
    file = made(service, *ids(some(service, 20)))
    sandbox.faults.add("/cdn/archives/", kind="stall", after=50_000)
    assert len(opened(content(file)).namelist()) == 20
    loop.run(service._archives._files.close())
    service._archives._files = patient


def test_the_file_server_may_redirect(sandbox: Sandbox, service: ScenarioService) -> None:
    file = made(service, *ids(some(service, 3)))
    port = sandbox.origin.rpartition(":")[2]
    elsewhere = f"http://localhost:{port}/elsewhere?Signature=canary"
    sandbox.faults.add("/cdn/archives/", kind="redirect", location=elsewhere)
    sandbox.faults.add("/elsewhere", status=200, body=b"PK", headers={"content-type": "application/zip"})
    sandbox.faults.log.clear()
    assert content(file) == b"PK"
    assert not any("authorization" in seen.headers for seen in sandbox.faults.log)


def test_a_web_page_instead_of_the_archive(sandbox: Sandbox, service: ScenarioService) -> None:
    file = made(service, *ids(some(service, 3)))
    sandbox.faults.add("/cdn/archives/", kind="html")
    with pytest.raises(BadResponse, match="web page"):
        content(file)


def test_storms_of_refusals_are_waited_out(sandbox: Sandbox, service: ScenarioService) -> None:
    body = {"reason": "Too many requests", "remainingSeconds": 0.01}
    assets = ids(some(service, 5))
    for path in (ORDER, "/assets/download/", "/cdn/archives/"):
        sandbox.faults.add(path, status=429, body=body, count=2)
    assert len(opened(content(made(service, *assets))).namelist()) == 5


def test_readers_of_one_archive_at_once(sandbox: Sandbox, service: ScenarioService) -> None:
    file = made(service, *ids(some(service, 20)))
    data = content(file)
    sandbox.faults.add("/cdn/archives/", status=403, count=8)
    sandbox.faults.log.clear()

    async def go() -> list[bytes]:
        return await asyncio.gather(*(file.read(n * 1000, n * 1000 + 500) for n in range(8)))

    assert loop.run(go()) == [data[n * 1000 : n * 1000 + 500] for n in range(8)]
    assert len(sandbox.faults.requests("/v1/assets/download/")) <= 2  # they renewed it together
