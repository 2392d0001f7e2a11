"""The archive panel: names as they will be, orders, and what came of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import pytest

import ipyassets as ia
from ipyassets.collections.archive_job import ArchiveJob
from ipyassets.collections.asset_list import AssetList
from ipyassets.collections.assets import Asset
from ipyassets.errors import InvalidRequest, ServiceUnavailable
from ipyassets.http import loop
from ipyassets.services.base import Record
from ipyassets.services.downloading import ArchiveOrder, ArchiveStanding, SeenTemplate
from ipyassets.widgets import ArchivePanel, Explorer
from tests.collections.archives import MemoryArchives, archived, packed
from tests.fakes import MemoryService, picture
from tests.widgets.browser import Browser
from tests.widgets.panels import alive, opening, settled, shows, text

Open = Callable[..., ArchivePanel]


class Packer(MemoryArchives):
    """Assets of 1 kB and more; templates must not be empty."""

    title = "Packer"
    template_tokens = {"<prompt>": "the prompt", "<id>": "the id"}  # noqa: RUF012

    def __init__(self, count: int = 4) -> None:
        super().__init__(count)
        self.silent: set[str] = set()
        """Assets of which the size is not told."""
        self.previewed: list[str] = []

    def make(self, name: str) -> Record:
        record = super().make(name)
        attributes = {} if name in self.silent else {"size": 1_000 + 100 * record.attributes["n"]}
        return replace(record, attributes=attributes)

    def check_template(self, template: str) -> tuple[str, ...]:
        if not template.strip():
            raise InvalidRequest("The template is empty.")
        return super().check_template(template)

    def member_names(self, records: Any, order: ArchiveOrder) -> list[str]:
        self.check_template(order.template)
        self.previewed.append(order.template)
        folder = "" if order.flat else "group/"
        return [f"{folder}{order.template.replace('<id>', record.id)}.png" for record in records]


class PackerClient:
    """What a public client is to the panel; its ``archive`` blocks as `Scenario.archive` does."""

    def __init__(self, count: int = 4) -> None:
        self.core = Packer(count)
        self.refusal: Exception | None = None
        self.asked: list[tuple[list[str], dict[str, Any]]] = []

    def archive(self, assets: AssetList, *, split: bool, **options: Any) -> ArchiveJob:
        ids = [asset.id for asset in assets]  # blocks: may not be called on the loop thread
        if self.refusal is not None:
            raise self.refusal
        self.asked.append((ids, {**options, "split": split}))
        order = ArchiveOrder(template=options["file_name_template"], archive_name=options["archive_name"])
        return archived(self.core, assets, order, split=split)

    def assets(self, *numbers: int) -> AssetList:
        return AssetList.of([Asset(self.core.make(f"asset-{n}"), self.core) for n in numbers])


@pytest.fixture
def client() -> PackerClient:
    return PackerClient()


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def panel_of() -> Iterator[Open]:
    yield from opening(ArchivePanel)


def names(panel: ArchivePanel) -> list[str]:
    """The names that are previewed."""
    html = panel._form.preview.value
    return [part.partition("</li>")[0].partition(">")[2] for part in html.split("<li")[1:]]


def write(panel: ArchivePanel, template: str) -> None:
    panel._form.template.value = template
    settled(panel)


def finished(panel: ArchivePanel) -> Any:
    """Wait until the last job is done and the panel shows what it gave; gives that part of the panel."""
    job = panel.job
    assert isinstance(job, ArchiveJob)
    told = threading.Event()
    job.on_done(lambda _: told.set())  # people's callbacks come in order: the panel's was there before
    assert told.wait(10)
    settled(panel)
    return panel._result


_pages: WeakKeyDictionary[ArchivePanel, Browser] = WeakKeyDictionary()


def page(panel: ArchivePanel) -> Browser:
    """The page that shows the panel's grid; one, as requests have numbers."""
    if panel not in _pages:
        _pages[panel] = Browser(panel._result.grid)
    return _pages[panel]


def results(panel: ArchivePanel) -> dict[int, dict[str, Any]]:
    """The tiles of the grid, as the browser gets them."""
    browser = page(panel)
    count = browser.trait("_result")["count"]
    return browser.ask("tiles", generation=browser.generation, ranges=[[0, count - 1]], edge=64).tiles


# -- what is said ---------------------------------------------------------------------------------------------------


def test_it_says_how_many_how_large_and_what_they_will_be_called(panel_of: Open, client: PackerClient):
    panel = panel_of(client.assets(0, 1), client)
    assert text(panel._summary) == "2 assets in one archive."
    assert text(panel._estimate) == "About 2 kB."
    assert panel._button.description == "Archive 2 assets"
    assert names(panel) == ["group/&lt;prompt&gt;-asset-0.png", "group/&lt;prompt&gt;-asset-1.png"]
    assert repr(panel) == "ArchivePanel('<prompt>-<id>', in folders)"


def test_names_follow_what_is_typed_once_it_rests(panel_of: Open, client: PackerClient):
    panel = panel_of(client.assets(0), client)
    client.core.previewed.clear()
    for typed in ("x", "x-", "x-<", "x-<i", "x-<id"):
        panel._form.template.value = typed
    write(panel, "x-<id>")
    assert client.core.previewed == ["x-<id>"], "not once for each key"
    assert names(panel) == ["group/x-asset-0.png"]
    panel._form.folders.value = True
    settled(panel)
    assert names(panel) == ["x-asset-0.png"]


def test_only_the_first_names_are_shown(panel_of: Open):
    client = PackerClient(5)
    client.core.most_in_archive = 1_000
    panel = panel_of(client.assets(*range(5)), client)
    assert len(names(panel)) == 5
    assert "more like these" not in panel._form.preview.value
    client = PackerClient(1_200)
    panel = panel_of(client.assets(*range(1_200)), client)
    assert len(names(panel)) == 5
    assert text(panel._form.preview).endswith("and 1,195 more like these")


def test_names_are_text(panel_of: Open, client: PackerClient):
    panel = panel_of(client.assets(0), client)
    write(panel, "<img src=x onerror=alert(1)>")
    assert "<img" not in panel._form.preview.value + panel._form.judged.value
    assert text(panel._form.judged) == "<img src=x onerror=alert(1)> has no <id>"


def test_a_template_that_cannot_work_is_said_and_not_sent(panel_of: Open, client: PackerClient):
    panel = panel_of(client.assets(0), client)
    write(panel, " ")
    assert text(panel._form.judged) == "The template is empty."
    assert panel._button.disabled
    assert names(panel) == []
    with pytest.raises(InvalidRequest, match="is empty"):
        panel.submit()
    assert client.asked == []
    write(panel, "<id>")
    assert not shows(panel._form.judged)
    assert not panel._button.disabled


def test_tokens_are_inserted_once(panel_of: Open, client: PackerClient):
    panel = panel_of(client.assets(0), client)
    tokens = panel._form.tokens
    assert tokens["<prompt>"].tooltip == "Insert <prompt>: the prompt"
    assert tokens["<id>"].disabled, "it stands there already"
    write(panel, "")
    tokens["<prompt>"].click()
    tokens["<id>"].click()
    assert panel._form.template.value == "<prompt>-<id>"
    write(panel, "chairs/")
    tokens["<id>"].click()
    assert panel._form.template.value == "chairs/<id>"
    settled(panel)


def test_sizes_that_are_not_told_are_said(panel_of: Open, client: PackerClient):
    client.core.silent = {"asset-1", "asset-2"}
    panel = panel_of(client.assets(0, 1, 2), client)
    assert text(panel._estimate) == "At least 1 kB; how large 2 of them are is not known."
    panel._form.original.value = True
    assert text(panel._estimate).endswith("Originals may be larger.")
    settled(panel)
    client.core.silent.add("asset-0")
    assert text(panel_of(client.assets(0), client)._estimate) == "How large they are is not known before."


def test_services_that_make_no_archives_are_named_and_left_out(panel_of: Open, client: PackerClient):
    other = MemoryService(2)
    other.title = "Gallery"  # type: ignore[misc]
    other.base_url = "gallery://"
    foreign = [Asset(replace(other.make(f"asset-{n}"), service="gallery"), other) for n in range(2)]
    panel = panel_of([*client.assets(1), *foreign], client)
    assert text(panel._summary) == (
        "1 asset in one archive. 2 assets of Gallery left out: the service makes no archives."
    )
    assert [asset.id for asset in panel.assets] == ["asset-1"]


def test_it_says_what_it_needs(client: PackerClient):
    with pytest.raises(TypeError, match=r"needs the client that archives them: ArchivePanel\(assets, scenario\)"):
        ArchivePanel(client.assets(0))
    with pytest.raises(TypeError, match=r"archives, such as Scenario\(\)"):
        ArchivePanel(client.assets(0), object())


def test_it_follows_the_selection_of_an_explorer(panel_of: Open, client: PackerClient):
    explorer = Explorer(client)
    panel = panel_of(explorer)
    assert text(panel._summary) == "Nothing is selected."
    assert panel._button.disabled
    assert set(panel._form.tokens) == {"<prompt>", "<id>"}
    explorer.selection = client.assets(0, 2)
    settled(panel)
    assert panel._button.description == "Archive 2 assets"
    assert len(names(panel)) == 2
    explorer.selection = []
    settled(panel)
    assert names(panel) == []
    assert not shows(panel._estimate)
    explorer.close()


# -- ordering ---------------------------------------------------------------------------------------------------------


def test_what_the_form_says_is_ordered(panel_of: Open, client: PackerClient):
    panel = panel_of(client.assets(0, 2), client)
    order = ArchiveOrder(template="<id>", flat=True, archive_name="chairs", prefer_original=True)
    panel.order = order
    assert panel.order == order
    settled(panel)
    panel._button.click()
    settled(panel)
    assert client.asked == [
        (
            ["asset-0", "asset-2"],
            {
                "file_name_template": "<id>",
                "flat": True,
                "archive_name": "chairs",
                "prefer_original": True,
                "split": False,
            },
        )
    ]
    assert panel.job is panel.jobs[0]
    assert panel._monitor.jobs == panel.jobs
    finished(panel)


def test_more_than_one_archive_holds_make_several_if_a_person_says_so(panel_of: Open):
    client = PackerClient(12)
    panel = panel_of(client.assets(*range(12)), client)
    assert text(panel._summary) == ("12 assets: more than the 5 that one archive may hold. It takes 3 archives.")
    assert shows(panel._form.split)
    assert panel._form.split.description == "Make 3 archives of them"
    assert panel._button.disabled
    with pytest.raises(InvalidRequest, match="holds at most 5"):
        panel.submit()
    panel._form.split.value = True
    assert not panel._button.disabled
    settled(panel)
    job = panel.submit()
    assert [item.name for item in job.items] == ["archive 1 of 3", "archive 2 of 3", "archive 3 of 3"]
    result = finished(panel)
    assert text(result.said).startswith("12 files, ")
    few = panel_of(client.assets(0), client)
    assert not shows(few._form.split)


def test_a_refused_order_is_said(panel_of: Open, client: PackerClient):
    client.refusal = ServiceUnavailable("The service is away.")
    panel = panel_of(client.assets(0), client)
    panel._button.click()
    settled(panel)
    assert text(panel._problem) == "The service is away."
    assert not panel._button.disabled, "one may try again"
    assert panel.job is None


def test_nobody_is_warned_of_a_template_once_the_panel_has_shown_what_is_wrong_with_it():
    """A warning in the thread that orders would come out below any cell, or end the order where warnings are errors."""
    client = ia.Scenario("key", "secret", base_url="http://127.0.0.1:9/v1")

    async def taken(order: ArchiveOrder) -> str:
        return order.template

    client.core.request_archive = taken  # type: ignore[method-assign]
    with pytest.warns(UserWarning, match="Without <id>"):
        client.archive(["a"], file_name_template="<prompt>").stop_following()
    client.archive(["a"], file_name_template=SeenTemplate("<prompt>")).stop_following()
    client.close()


# -- what came of it --------------------------------------------------------------------------------------------------


def test_what_is_in_the_archive_is_shown_once_it_is_there(panel_of: Open, client: PackerClient):
    members = {"a/chair.png": picture(colour=7), "a/chair.glb": b"glTF", "a/<b>.png": picture(colour=8)}
    client.core.pack = lambda order: packed(members)
    panel = panel_of(client.assets(0, 1), client)
    assert not shows(panel._result)
    panel.submit()
    result = finished(panel)
    assert shows(result)
    assert text(result.said).startswith("3 files, ")
    assert "2 pictures and 1 other (chair.glb)." in text(result.said)
    tiles = results(panel)
    assert [tile["name"] for tile in tiles.values()] == ["chair.png", "chair.glb", "<b>.png"]
    assert tiles[0]["content"] == members["a/chair.png"], "small pictures go as they are"
    assert tiles[1]["state"] == "none"
    assert text(result.code) == "To go on with the pictures: images = panel.job.images()"
    browser = page(panel)
    detail = browser.ask("detail", generation=browser.generation, index=1, edge=512).last["detail"]
    assert ["File", "a/chair.glb"] in [list(fact) for fact in detail["facts"]]


def test_assets_that_did_not_come_are_said(panel_of: Open, client: PackerClient):
    client.core.pack = lambda order: packed({"x-asset-0.png": picture()})
    panel = panel_of(client.assets(0, 1), client)
    panel.submit()
    assert "asset-1' (asset-1) is not in the archive that was asked for it." in text(finished(panel).said)


def test_an_archive_that_cannot_be_read_is_said(panel_of: Open, client: PackerClient):
    client.core.pack = lambda order: b"<html>the gateway is tired</html>"
    panel = panel_of(client.assets(0), client)
    panel.submit()
    result = finished(panel)
    assert "cannot be read" in text(result.said)
    assert not shows(result.grid)
    assert not shows(result.code)


def test_a_damaged_picture_is_a_tile_that_says_so(panel_of: Open, client: PackerClient):
    client.core.pack = lambda order: packed({"good.png": picture(), "bad.png": b"not a picture"})
    panel = panel_of(client.assets(0), client)
    panel.submit()
    finished(panel)
    tiles = results(panel)
    assert tiles[0]["state"] == "ok"
    assert "is not a picture" in tiles[1]["message"]


def test_a_huge_picture_is_not_read_to_be_shown_small(
    panel_of: Open, client: PackerClient, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("ipyassets.widgets.job_results._LARGEST_PICTURE", 10)
    panel = panel_of(client.assets(0), client)
    panel.submit()
    finished(panel)
    assert "too large to be shown here" in results(panel)[0]["message"]


def test_several_orders_in_a_row_each_with_what_came_of_it(panel_of: Open, client: PackerClient):
    panel = panel_of(client.assets(0, 1), client)
    panel.submit()
    result = finished(panel)
    assert not shows(result.which)
    client.core.pack = lambda order: packed({"one.png": picture()})
    panel.submit()
    finished(panel)
    assert shows(result.which)
    assert [label for label, _ in result.which.options] == [
        "Order 1: Archive of 2 assets",
        "Order 2: Archive of 2 assets",
    ]
    assert len(results(panel)) == 1, "the newest is shown"
    assert result.save.path.value == "archive-2.zip"
    result.which.value = 1
    settled(panel)
    assert result.job is panel.jobs[0]
    assert len(results(panel)) == 2
    assert result.save.path.value == "archive.zip"
    assert text(result.code).endswith("images = panel.jobs[0].images()")


def test_what_is_selected_can_be_gone_on_with(panel_of: Open, client: PackerClient):
    client.core.pack = lambda order: packed({"a/b.png": picture(), "c.png": picture(), "d.glb": b"glTF"})
    panel = panel_of(client.assets(0), client)
    panel.submit()
    result = finished(panel)
    browser = page(panel)
    browser.ask("select", generation=browser.generation, ranges=[[0, 1]])
    assert panel.picked == ["a/b.png", "c.png"]
    assert text(result.code).endswith("images = [panel.job.image(name) for name in panel.picked]")
    assert isinstance(panel.job, ArchiveJob)
    assert [panel.job.image(name).size for name in panel.picked] == [(64, 48), (64, 48)]
    browser.ask("select", generation=browser.generation, ranges=[[1, 2]])
    assert text(result.code).endswith('panel.job.extract("folder", panel.picked)')
    browser.ask("select", generation=browser.generation, ranges=[])
    assert panel.picked == []
    assert text(result.code).endswith("images = panel.job.images()")


def test_a_failed_archive_shows_nothing_below(panel_of: Open, client: PackerClient):
    client.core.standings = lambda job, number: ArchiveStanding("failed", "failure", None, "It went wrong.")
    panel = panel_of(client.assets(0), client)
    panel.submit()
    result = finished(panel)
    assert panel.job is not None
    assert panel.job.status == "failed"
    assert not shows(result)


# -- saving -----------------------------------------------------------------------------------------------------------


def press_save(panel: ArchivePanel) -> Any:
    panel._result.save.button.click()
    settled(panel)
    return panel._result.save


def test_saved_by_a_button(panel_of: Open, client: PackerClient, tmp_path: Path):
    panel = panel_of(client.assets(0, 1), client)
    panel._form.name.value = "chairs"
    panel.submit()
    finished(panel)
    save = press_save(panel)
    content = client.core.files["job-1"].content
    assert (tmp_path / "chairs.zip").read_bytes() == content
    assert text(save.said) == f"Saved as {tmp_path / 'chairs.zip'} ({len(content)} bytes)."
    assert not shows(save.bar)


def test_nothing_is_replaced_before_a_person_said_so(panel_of: Open, client: PackerClient, tmp_path: Path):
    target = tmp_path / "archive.zip"
    target.write_text("years of work")
    panel = panel_of(client.assets(0), client)
    panel.submit()
    finished(panel)
    save = press_save(panel)
    assert shows(save.question)
    assert text(save.question.question) == "archive.zip is there already. Replace it?"
    save.question.no.click()
    assert not shows(save.question)
    settled(panel)
    assert target.read_text() == "years of work"
    save = press_save(panel)
    save.question.yes.click()
    settled(panel)
    assert target.read_bytes() == client.core.files["job-1"].content


def test_several_archives_are_several_files(panel_of: Open, tmp_path: Path):
    client = PackerClient(7)
    panel = panel_of(client.assets(*range(7)), client)
    panel._form.split.value = True
    panel.submit()
    finished(panel)
    (tmp_path / "all-2.zip").touch()
    panel._result.save.path.value = "all.zip"
    save = press_save(panel)
    assert text(save.question.question) == "all-2.zip is there already. Replace it?"
    save.question.yes.click()
    settled(panel)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all-1.zip", "all-2.zip"]


def test_a_path_may_be_a_folder(panel_of: Open, client: PackerClient, tmp_path: Path):
    panel = panel_of(client.assets(0), client)
    panel.submit()
    finished(panel)
    panel._result.save.path.value = "new/"
    press_save(panel)
    assert (tmp_path / "new" / "archive.zip").is_file()


@pytest.mark.parametrize(
    ("path", "said"),
    [("", "Where to?"), ("file.txt/archive.zip", "cannot be written"), ("x" * 300, "cannot be written")],
    ids=["none", "below a file", "too long"],
)
def test_what_cannot_be_saved_is_said(panel_of: Open, client: PackerClient, tmp_path: Path, path: str, said: str):
    (tmp_path / "file.txt").touch()
    panel = panel_of(client.assets(0), client)
    panel.submit()
    finished(panel)
    panel._result.save.path.value = path
    save = press_save(panel)
    assert said in text(save.said)
    assert "ipya-panel-bad" in save.said.value
    assert save.button.description == "Save"


def test_saving_is_told_as_it_goes_and_can_be_stopped_and_gone_on_with(
    panel_of: Open, client: PackerClient, tmp_path: Path
):
    client.core.pack = lambda order: packed({f"{n}.bin": bytes(20_000) for n in range(5)})
    panel = panel_of(client.assets(0), client)
    panel.submit()
    finished(panel)
    save, file = panel._result.save, client.core.files["job-1"]
    half, going_on = asyncio.Event(), asyncio.Event()

    async def held() -> None:
        half.set()
        await going_on.wait()

    file.on_piece = lambda at: held() if at >= 50_000 else None
    save.button.click()
    loop.run(asyncio.wait_for(half.wait(), 10))
    assert save.button.description == "Stop saving"
    assert shows(save.bar)
    assert text(save.said).startswith("Saving… ")
    assert text(save.said).endswith(" of 100 kB")
    save.button.click()
    settled(panel)
    assert text(save.said) == "Stopped. Saving to the same place goes on where this ended."
    assert not (tmp_path / "archive.zip").exists()
    file.on_piece = None
    file.fetched = 0
    press_save(panel)
    assert (tmp_path / "archive.zip").read_bytes() == file.content
    assert file.fetched < 60_000, "what had come before was not fetched again"


def test_a_closed_panel_ends_what_it_does(client: PackerClient):
    panel = ArchivePanel(client.assets(0), client)
    settled(panel)
    panel.submit()
    panel.close()
    assert panel.job is not None
    panel.job.wait(10)  # type: ignore[attr-defined]
    settled(panel)
    assert panel._result.comm is None


def test_a_closed_panel_leaves_no_widget_behind(client: PackerClient):
    """Layouts and styles of its fields stayed with ipywidgets, some 80 kB a panel."""
    before = alive()
    panel = ArchivePanel(client.assets(0), client)
    settled(panel)
    panel.submit().wait(10)  # type: ignore[attr-defined]
    settled(panel)
    assert len(alive() - before) > 60
    panel.close()
    assert alive() == before
