"""What the platform tells of renders under way, what goes wrong with them on demand, how the work begins and ends."""

from __future__ import annotations

import json
import logging
import sys
import threading

import httpx
import pytest

from ipyassets.sandbox import Sandbox, Settings
from ipyassets.sandbox.rendering import Stills, Turntable
from ipyassets.sandbox.vntana.accounts import WORKSHOP

from .conftest import code
from .renders import NEVER_RENDERED, actions, attachments, place, stills
from .test_search import everything

# States


def test_states_are_told_in_order_by_every_means(sandbox, admin, product, events):
    renders = sandbox.renders
    index = NEVER_RENDERED[0]
    renders.pause()
    place(admin, product)
    assert actions(admin, product) == ("PENDING", "PENDING")
    assert events == [("renders.pending", index), ("turntable.pending", index)]
    assert attachments(admin, product) == []
    renders.resume()
    renders.wait_idle()
    assert actions(admin, product) == ("COMPLETED", "COMPLETED")
    for part in ("renders", "turntable"):
        told = [name for name, _ in events if name.startswith(part)]
        assert told == [f"{part}.pending", f"{part}.processing", f"{part}.completed"]


def test_held_jobs_stay_running(sandbox, admin, product, listen):
    began = threading.Event()
    seen = set()

    def hear(name, index):
        seen.add(name)
        if {"renders.processing", "turntable.processing"} <= seen:
            began.set()

    listen(hear)
    sandbox.renders.hold()
    place(admin, product)
    assert began.wait(30)
    assert actions(admin, product) == ("RUNNING", "RUNNING")
    with pytest.raises(TimeoutError, match="still queued or running"):
        sandbox.renders.wait_idle(0.05)
    sandbox.renders.resume()
    sandbox.renders.wait_idle()
    assert actions(admin, product) == ("COMPLETED", "COMPLETED")


def test_files_are_there_when_completion_is_told(sandbox, admin, product, listen):
    """Whoever acts on the event at once must find the new files, not the old ones."""
    found = {}

    def hear(name, index):
        if name.endswith(".completed"):
            kept = sandbox.vntana_api._attachments._attachments.of(index)
            found[name] = sorted({entry.entity_type for entry in kept if entry.file.exists()})

    listen(hear)
    place(admin, product)
    sandbox.renders.wait_idle()
    assert "RENDER" in found["renders.completed"]
    assert "TURNTABLE" in found["turntable.completed"]


def test_settings_make_each_stage_last_longer(sandbox, admin, product, others, events):
    """The slow job came first and is done last."""
    sandbox.settings.render_queue_time = 0.3
    place(admin, product)
    sandbox.settings.render_queue_time = 0.0
    sandbox.settings.render_work_time = 0.2
    place(admin, others[0])
    sandbox.renders.wait_idle()
    begun = [index for name, index in events if name == "renders.processing"]
    assert begun == [NEVER_RENDERED[1], NEVER_RENDERED[0]]
    slow, held = (job.stills for job in sandbox.renders.jobs)
    assert slow.state == held.state == "completed"
    assert held.running_for == 0.2


# What goes wrong


@pytest.mark.parametrize("which", ["oak table", "desk lamp"])
def test_a_damaged_file_really_fails(sandbox, admin, caplog, which):
    damaged = everything(admin, WORKSHOP, name=f"{which} (damaged file)")[0]
    assert damaged["status"] == "LIVE_PUBLIC"
    with caplog.at_level(logging.WARNING, "ipyassets.sandbox"):
        assert place(admin, damaged["uuid"]).is_success
        sandbox.renders.wait_idle()
    assert actions(admin, damaged["uuid"]) == ("FAILED", "FAILED")
    assert attachments(admin, damaged["uuid"]) == []
    assert "ModelError" in sandbox.renders.jobs[0].stills.error
    assert "ModelError" in caplog.text


@pytest.mark.parametrize(
    ("part", "told", "left"),
    [("stills", ("FAILED", "COMPLETED"), {"TURNTABLE"}), ("turntable", ("COMPLETED", "FAILED"), {"RENDER"})],
)
def test_one_part_fails_on_demand_and_the_other_does_not(sandbox, admin, product, events, part, told, left):
    sandbox.renders.fail(product, part)
    place(admin, product)
    sandbox.renders.wait_idle()
    assert actions(admin, product) == told
    assert {entry["entityType"] for entry in attachments(admin, product)} == left
    first = {"stills": "renders", "turntable": "turntable"}[part]
    assert [name for name, _ in events if name.startswith(first)][-2:] == [f"{first}.processing", f"{first}.failed"]
    place(admin, product)
    sandbox.renders.wait_idle()
    assert actions(admin, product) == ("COMPLETED", "COMPLETED"), "only once"


def test_old_files_stay_when_new_ones_fail(sandbox, admin, product):
    place(admin, product)
    sandbox.renders.wait_idle()
    before = attachments(admin, product)
    sandbox.renders.fail(product, "stills", times=2)
    sandbox.renders.fail(product, "turntable", times=2)
    for _ in range(2):
        place(admin, product)
        sandbox.renders.wait_idle()
        assert actions(admin, product) == ("FAILED", "FAILED")
        assert attachments(admin, product) == before
        assert len(stills(admin, product)) == 5


def test_without_a_video_encoder_the_turntable_fails_and_says_what_to_install(
    sandbox, admin, product, monkeypatch, caplog
):
    monkeypatch.setitem(sys.modules, "av", None)
    with caplog.at_level(logging.WARNING, "ipyassets.sandbox"):
        place(admin, product)
        sandbox.renders.wait_idle()
    assert actions(admin, product) == ("COMPLETED", "FAILED")
    assert 'pip install "ipyassets[sandbox]"' in caplog.text


def test_work_that_the_platform_breaks_off(sandbox, admin, product, events):
    sandbox.renders.pause()
    place(admin, product)
    sandbox.renders.terminate(product)
    assert actions(admin, product) == ("TERMINATED", "TERMINATED")
    assert [name for name, _ in events][-2:] == ["renders.failed", "turntable.failed"]
    sandbox.renders.resume()
    sandbox.renders.wait_idle()
    assert attachments(admin, product) == []


def test_a_deleted_product_is_known_nowhere(sandbox, admin, public, others):
    product, other = others[:2]
    total = len(everything(admin))
    sandbox.renders.pause()
    place(admin, product, other)
    sandbox.renders.delete(product)
    sandbox.renders.resume()
    sandbox.renders.wait_idle()
    gone, done = sandbox.renders.jobs
    assert [part.state for part in gone.parts] == ["dropped", "dropped"]
    assert done.stills.state == "completed"
    path = f"/v1/products/{product}"
    assert code(admin.get(path)) == (404, "PRODUCT_NOT_FOUND")
    assert code(admin.get(f"{path}/conversion-action-types/status")) == (404, "PRODUCT_NOT_FOUND")
    assert code(place(admin, product)) == (404, "PRODUCT_NOT_FOUND")
    body = {"page": 0, "size": 9, "productUuid": product}
    assert code(admin.post("/v1/attachments/search", json=body)) == (404, "PRODUCT_NOT_FOUND")
    assert everything(admin, productsUuids=[product]) == []
    assert len(everything(admin)) == total - 1
    assert public.get(f"/products/{product}/organizations/northlight-home/clients/showroom").status_code == 404
    sandbox.reset()
    assert len(everything(admin)) == total
    with pytest.raises(LookupError, match="no product"):
        sandbox.renders.delete("nobody")


def test_a_reset_takes_everything_back(sandbox, admin, product):
    first = sandbox.vntana_api.catalogue.products.uuid(0)
    before = attachments(admin, first)
    sandbox.renders.fail(product)
    sandbox.renders.pause()
    place(admin, product, first)
    sandbox.reset()
    assert sandbox.renders.jobs == ()
    assert sandbox.renders.wait_idle(0)
    assert actions(admin, product) == ("", "")
    assert attachments(admin, first) == before
    place(admin, product)
    sandbox.renders.wait_idle()
    assert actions(admin, product) == ("COMPLETED", "COMPLETED")


def test_controls_refuse_what_makes_no_sense(sandbox, product):
    with pytest.raises(ValueError, match="stills, turntable"):
        sandbox.renders.fail(product, "movie")
    with pytest.raises(LookupError, match="no product"):
        sandbox.renders.fail("nobody")


# Life


def test_nothing_is_started_before_somebody_wants_a_picture():
    before = set(threading.enumerate())
    with Sandbox() as sandbox, httpx.Client() as client:
        client.get(f"{sandbox.origin}/vntana/admin/v1/organizations")
        assert sandbox.renders.pids == []
        begun = {thread.name for thread in set(threading.enumerate()) - before}
        assert not [name for name in begun if name.startswith("ipyassets-render")]


def test_a_sandbox_that_was_stopped_starts_anew():
    own = Sandbox(settings=Settings(render_quality="draft", render_workers=1))
    index = NEVER_RENDERED[0]
    for _ in range(2):
        with own:
            assert own.renders.jobs == ()
            assert own.renders.actions(index) == {}
            job = own.renders.submit(index, *_orders())
            own.renders.wait_idle()
            folder = job.stills.folder
            assert job.stills.state == "completed"
            assert len(own.renders.pids) == 1
        assert not folder.exists()
        assert own.renders.pids == []
    with pytest.raises(RuntimeError, match="not running"):
        own.renders.submit(index, *_orders())


def _orders():
    return Stills(16, 16), Turntable(2, 2, 16, 16), {}


def test_a_listener_that_fails_stops_no_job(sandbox, admin, product, listen, caplog):
    def broken(name, index):
        raise ValueError(json.dumps(name))

    listen(broken)
    place(admin, product)
    sandbox.renders.wait_idle()
    assert actions(admin, product) == ("COMPLETED", "COMPLETED")
    assert "a listener failed" in caplog.text
