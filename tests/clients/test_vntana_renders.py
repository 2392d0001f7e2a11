"""Renders from the order to PIL images, over real HTTP, really rendered."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import pytest

import ipyassets as ia
from ipyassets.clients.vntana import AsyncVntana, Vntana
from ipyassets.errors import (
    AuthenticationError,
    BadResponse,
    InvalidRequest,
    JobFailed,
    NotFound,
    PermissionDenied,
    ServiceUnavailable,
)
from ipyassets.http import loop
from ipyassets.sandbox import Sandbox
from ipyassets.services.events import Event, hub
from tests.services.calls import QUICK
from tests.waiting import until_status

SMALL = {"width": 48, "height": 32, "turntable": ia.Turntable(frames=4, fps=8, width=32, height=32), "poll": 0.05}
TIMEOUT = 120


@pytest.fixture(autouse=True)
def draft(sandbox: Sandbox) -> None:
    sandbox.settings.render_quality = "draft"
    sandbox.settings.render_stills = 2


@pytest.fixture
def vntana(sandbox: Sandbox) -> Iterator[Vntana]:
    with sandbox.vntana() as client:
        client.core._http.policy = QUICK
        yield client


@pytest.fixture
def assets(vntana: Vntana) -> ia.AssetList:
    """Products with a model; the first have earlier renders."""
    return vntana.search(asset_types="THREE_D", conversion_status="COMPLETED", sort="created")


def connection(sandbox: Sandbox) -> dict[str, str]:
    info = sandbox.connection_info()["vntana"]
    return {
        "personal_access_token": info["personal_access_token"],
        "organization": info["organization_slug"],
        "workspace": info["workspace_slug"],
        "base_url": info["admin_url"],
    }


def asked(sandbox: Sandbox, path: str) -> int:
    return len(sandbox.faults.requests(path))


def in_time(found: threading.Event) -> None:
    assert found.wait(TIMEOUT)


def test_from_the_order_to_pil_images(sandbox, vntana, assets, tmp_path):
    chosen = assets[:3]
    turntable = ia.Turntable(frames=4, fps=8, width=32, height=32, gif=True)
    job = vntana.render(chosen, **{**SMALL, "turntable": turntable}, format="WEBP", background="#204060")
    assert (job.title, len(job.items)) == ("3 renders", 3)
    assert job.wait(TIMEOUT).status == "completed"
    stills = job.stills()
    assert stills.failures == []
    assert [asset.id for asset in stills.assets] == [asset.id for asset in chosen for _ in range(2)]
    assert {image.size for image in stills} == {(48, 32)}
    assert {image.format for image in stills} == {"WEBP"}
    assert [path.suffix for path in stills.save(tmp_path / "stills")] == [".webp"] * 6
    assert np.asarray(stills[0].convert("RGB")).std() > 3, "there is something to see"
    for made in job.turntables():
        frames = made.frames()
        assert [frame.size for frame in frames] == [(32, 32)] * 4
        assert np.abs(np.asarray(frames[0], float) - np.asarray(frames[1], float)).max() > 3, "it turns"
        assert len(made.frames(step=2)) == 2
        assert made.fps == 8
        assert made.save_mp4(tmp_path / "turn.mp4").read_bytes()[4:8] == b"ftyp"
        assert made.save_gif(tmp_path / "turn.gif").read_bytes() == made.gif_bytes()
    downloads = asked(sandbox, "/storage/")
    assert len(job.stills()) == 6
    assert asked(sandbox, "/storage/") == downloads


def test_earlier_renders_are_never_given_as_new_ones(sandbox, vntana, assets):
    """The first products have renders, and the service says they are completed before the order and right after it."""
    first = vntana.asset(sandbox.vntana_api.catalogue.products.uuid(0))
    old = {file.version for file in loop.run(vntana.core.render_files(first._record))}
    assert old
    sandbox.renders.pause()
    job = vntana.render(first, **SMALL)
    for _ in range(3):
        with pytest.raises(ia.JobTimeout):
            job.wait(0.2)
    assert list(job.stills()) == [None]
    sandbox.renders.resume()
    job.wait(TIMEOUT)
    made = {file.version for files in job._files.values() for file in files}
    assert made
    assert not made & old
    assert {image.size for image in job.stills()} == {(48, 32)}


def test_half_fails_and_is_retried(sandbox, vntana, assets):
    # Long enough to be seen: work that was never seen under way is believed only after it has long stayed the same.
    sandbox.settings.render_queue_time = 0.3
    good, bad = assets[20], assets[21]
    sandbox.renders.fail(bad.id, "stills")
    sandbox.renders.fail(bad.id, "turntable")
    job = vntana.render([good, bad.id], **SMALL).wait(TIMEOUT)
    assert job.status == "partly_failed"
    assert [image is None for image in job.stills()] == [False, False, True]
    assert {asset.id for _, asset, _ in job.failures} == {bad.id}
    kept = job._files[0, "stills"]
    assert job.retry_failed().wait(TIMEOUT).status == "completed"
    assert job._files[0, "stills"] == kept
    assert len(job.stills()) == 4


def test_a_turntable_that_fails_with_good_stills(sandbox, vntana, assets):
    one = assets[22]
    sandbox.renders.fail(one.id, "turntable")
    job = vntana.render(one, **SMALL).wait(TIMEOUT)
    assert job.items[0].parts == {"stills": "completed", "turntable": "failed"}
    assert job.turntables() == []
    assert len(job.stills()) == 2


def test_a_product_that_is_deleted_on_the_way(sandbox, vntana, assets):
    stays, goes = assets[23], assets[24]
    sandbox.renders.hold()
    job = vntana.render([stays, goes], **SMALL)
    sandbox.renders.delete(goes.id)
    sandbox.renders.resume()
    job.wait(TIMEOUT)
    assert [item.status for item in job.items] == ["completed", "failed"]
    assert {type(error) for _, _, error in job.failures} == {NotFound}


def test_a_damaged_model_really_fails(sandbox, vntana):
    (damaged,) = vntana.search("oak table (damaged file)", workspace="workshop", limit=1)
    job = vntana.render(damaged, **SMALL)
    with pytest.raises(JobFailed, match=f"the stills of '{re.escape(damaged.name)}'"):
        job.wait(TIMEOUT)
    assert len(job.failures) == 2


def test_an_expired_signed_url_is_renewed(sandbox, vntana, assets):
    job = vntana.render(assets[26], **SMALL).wait(TIMEOUT)
    expired = sandbox.faults.add("/vntana/storage/", "GET", kind="status", status=403, count=2)
    assert job.stills().failures == []
    assert len(job.turntables()[0].frames()) == 4
    assert expired.hits == 2


def test_a_cut_video_is_fetched_anew_and_a_lastingly_cut_one_is_said(sandbox, vntana, assets):
    job = vntana.render(assets[27], **SMALL).wait(TIMEOUT)
    (made,) = job.turntables()
    lasting = sandbox.faults.add(r"\.mp4", "GET", kind="cut", after=600, count=None)
    with pytest.raises((BadResponse, ServiceUnavailable)):
        made.frames()
    assert lasting.hits > 1
    sandbox.faults.clear()
    sandbox.faults.add(r"\.mp4", "GET", kind="cut", after=600, count=1)
    assert len(made.frames()) == 4


def test_a_token_that_is_revoked_on_the_way(sandbox, vntana, assets):
    sandbox.renders.hold()
    job = vntana.render(assets[28], **SMALL)
    until_status(job, "running")
    sandbox.vntana_api.tokens.revoke_all()
    sandbox.renders.resume()
    assert job.wait(TIMEOUT).status == "completed"
    assert job.trouble is None
    sandbox.vntana_api.tokens.revoke_all()
    assert job.stills().failures == []


def test_an_account_that_is_shut_out_on_the_way(sandbox, vntana, assets):
    sandbox.renders.hold()
    job = vntana.render(assets[29], **SMALL)
    sandbox.faults.add(
        "/v1/auth/",
        kind="status",
        status=403,
        body={"success": False, "errors": ["BAD_CREDENTIALS"]},
        count=None,
    )
    sandbox.vntana_api.tokens.revoke_all()
    with pytest.raises(AuthenticationError):
        job.wait(TIMEOUT)
    assert job.status == "stopped"
    sandbox.faults.clear()
    sandbox.renders.resume()
    with sandbox.vntana() as other:
        assert other.follow_renders(job.items[0].asset.id, poll=0.05).wait(TIMEOUT).status == "completed"


def test_the_service_is_away_for_a_while(sandbox, vntana, assets):
    sandbox.renders.hold()
    job = vntana.render(assets[30], **SMALL)
    troubled = threading.Event()
    job.subscribe(lambda: troubled.set() if isinstance(job.trouble, ServiceUnavailable) else None)
    sandbox.faults.add("/v1/products", kind="reset", count=12)
    in_time(troubled)
    sandbox.renders.resume()
    assert job.wait(TIMEOUT).status == "completed"
    assert job.trouble is None


def test_200_assets_in_one_job_are_few_requests(sandbox, vntana):
    with Sandbox(assets=300) as large, large.vntana() as client:
        large.settings.render_quality = "draft"
        everything = client.search(asset_types="THREE_D", conversion_status="COMPLETED", page_size=100)[:200]
        ids = [asset.id for asset in everything]
        assert len(ids) == 200
        large.renders.pause()
        large.faults.log.clear()
        job = client.render(ids, **{**SMALL, "poll": 600})
        assert [item.name for item in job.items] == [asset.name for asset in everything]
        assert (asked(large, "/products/renders"), asked(large, "/attachments/search")) == (2, 200)
        # A product that was never rendered tells nothing in its row, so its state is asked for: once, before the order.
        assert asked(large, "conversion-action-types/status") <= 200
        assert len(large.faults.log) < 420
        large.faults.log.clear()
        loop.run(job._follower.look([job._watches]))
        assert len(large.faults.log) <= 4
        assert {item.status for item in job.items} == {"queued"}
        job.stop_following()


def test_a_new_kernel_picks_up_what_is_under_way(sandbox, vntana, assets):
    sandbox.renders.hold()
    began = datetime.now(UTC)
    chosen = [assets[0].id, assets[31].id]
    vntana.render(chosen, **SMALL).stop_following()
    with sandbox.vntana() as other:
        job = other.follow_renders(chosen, poll=0.05)
        assert job.status in ("queued", "running")
        sandbox.renders.resume()
        job.wait(TIMEOUT)
        assert {image.size for image in job.stills()} == {(48, 32)}
        assert job.turntables()[0].fps == 8
        done = other.follow_renders(chosen, since=began)
        assert done.status == "completed"
        assert len(done.stills()) == 4
        with pytest.raises(InvalidRequest, match="since"):
            other.follow_renders(chosen, since=datetime(2024, 1, 1))  # noqa: DTZ001
        nothing = other.follow_renders(assets[33])
        assert nothing.status == "failed"
        assert "Order them with render()" in str(nothing.failures[0][2])


def test_what_makes_no_sense_is_refused_before_anything_is_sent(sandbox, vntana, assets):
    first = assets[0]
    with sandbox.itwin() as itwin:
        foreign = itwin.search(limit=1)[0]
    sandbox.faults.log.clear()
    for wrong in (
        {"assets": []},
        {"assets": 5},
        {"assets": foreign},
        {"assets": first, "width": 0},
        {"assets": first, "format": "TIFF"},
        {"assets": first, "transparent": True, "background": "red"},
        {"assets": first, "turntable": 36},
        {"assets": first, "poll": 0},
        {"assets": "Armchair"},
        {"assets": ["not-a-uuid", first]},
    ):
        with pytest.raises(InvalidRequest):
            vntana.render(**wrong)
    assert list(sandbox.faults.log) == []


def test_unknown_ids_are_refused_one_by_one_and_drafts_are_found(sandbox, vntana, assets):
    sandbox.renders.pause()
    draft = vntana.search(status="DRAFT")[0]
    unknown = str(uuid.uuid4())
    job = vntana.render([assets[34], unknown, draft.id, uuid.UUID(assets[35].id)], **SMALL)
    assert [item.status == "failed" for item in job.items] == [False, True, False, False]
    assert [item.name for item in job.items] == [assets[34].name, unknown, draft.name, assets[35].name]
    assert {type(error) for _, _, error in job.failures} == {NotFound}
    with pytest.raises(NotFound):
        vntana.render(unknown, **SMALL)
    job.stop_following()


def test_a_role_that_may_not_order(sandbox, assets):
    viewer = getattr(sandbox.vntana_api, "viewer", None) or sandbox.vntana_api.guest
    with (
        Vntana(viewer.personal_access_token, base_url=f"{sandbox.origin}/vntana/admin") as client,
        pytest.raises((PermissionDenied, AuthenticationError)),
    ):
        client.render(assets[36].id, **SMALL)


def test_events_bring_the_result_without_polling(sandbox, vntana, assets):
    one = assets[32]
    with hub.receiver():
        job = vntana.render(one, **{**SMALL, "poll": 600})
        sandbox.renders.wait_idle(TIMEOUT)
        hub.publish(Event("vntana", "renders.completed", one.id))
        assert job.wait(TIMEOUT).status == "completed"


def test_a_closed_client_says_so(sandbox, assets):
    client = sandbox.vntana()
    sandbox.renders.pause()
    job = client.render(assets[38].id, **SMALL)
    client.close()
    with pytest.raises(InvalidRequest, match="closed"):
        job.wait(TIMEOUT)
    assert job.status == "stopped"


def test_a_job_shows_its_monitor_and_a_turntable_its_player(vntana, assets):
    job = vntana.render(assets[39], **SMALL).wait(TIMEOUT)
    for shown in (job, job.turntables()[0]):
        bundle = shown._repr_mimebundle_()
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        assert "application/vnd.jupyter.widget-view+json" in data


async def test_awaited(sandbox):
    async with AsyncVntana(**connection(sandbox)) as client:
        found = client.search(asset_types="THREE_D", conversion_status="COMPLETED", sort="created")
        sandbox.renders.pause()
        job = client.render(found[40:42], **SMALL)
        await job.submitted()
        assert job.status == "queued"
        sandbox.renders.resume()
        assert len(job.items) == 2
        assert (await job).status == "completed"
        assert {image.size for image in await job.stills()} == {(48, 32)}
        assert [len(await made.frames()) for made in job.turntables()] == [4, 4]
        again = await client.follow_renders([await found.get(40)], poll=0.05)
        assert len(await again.stills()) == 2
        with pytest.raises(NotFound):
            await client.render(str(uuid.uuid4()), **SMALL)
