"""``sandbox.archives``: each trouble is what it says it is, and befalls the jobs it should."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from ipyassets.sandbox import Sandbox
from ipyassets.sandbox.scenario.packing import Member
from ipyassets.sandbox.scenario.sending import ArchiveFile

Start = Callable[[], str]
Open = Callable[[], zipfile.ZipFile]


@pytest.fixture(autouse=True)
def at_once(restored: Sandbox) -> None:
    restored.settings.archive_polls = 0


@pytest.fixture(scope="module")
def images(assets: list[dict]) -> list[dict]:
    return [asset for asset in assets if asset["mimeType"] == "image/webp"][:4]


@pytest.fixture(scope="module")
def start(http: httpx.Client, images: list[dict]) -> Start:
    """Begin a job of four images; its id."""

    def start() -> str:
        query = {"assetIds": [image["id"] for image in images], "inferenceIds": [], "modelIds": []}
        body = {"options": {"fileNameTemplate": "<id>", "flat": True}, "query": query}
        id: str = http.post("/assets/download", json=body).json()["jobId"]
        return id

    return start


@pytest.fixture(scope="module")
def status(http: httpx.Client) -> Callable[[str], dict]:
    return lambda job: http.get(f"/assets/download/{job}").json()


@pytest.fixture(scope="module")
def content(start: Start, status: Callable[[str], dict], anyone: httpx.Client) -> Callable[[], bytes]:
    def content() -> bytes:
        job = start()
        # Large ones may still be in the making, and each look waits for them a moment.
        while (answer := status(job)).get("downloadUrl") is None:
            assert answer["jobStatus"] == "in-progress"
        return anyone.get(answer["downloadUrl"]).content

    return content


@pytest.fixture(scope="module")
def opened(content: Callable[[], bytes]) -> Open:
    return lambda: zipfile.ZipFile(io.BytesIO(content()))


def test_a_job_that_fails(restored: Sandbox, http: httpx.Client, start: Start, status: Callable[[str], dict]) -> None:
    restored.archives.fail("Out of space", hint="Ask for less")
    id = start()
    assert status(id) == {"jobId": id, "jobStatus": "failure"}
    metadata = http.get(f"/jobs/{id}").json()["job"]["metadata"]
    assert (metadata["error"], metadata["hint"]) == ("Out of space", "Ask for less")
    assert status(start())["jobStatus"] == "success", "one job only"
    restored.archives.fail(word="canceled")
    restored.archives.fail(word="error", skip=1)
    ids = start(), start(), start()
    assert [status(id)["jobStatus"] for id in ids] == ["canceled", "error", "success"]


def test_a_job_that_never_ends(
    restored: Sandbox, http: httpx.Client, start: Start, status: Callable[[str], dict]
) -> None:
    trouble = restored.archives.hang(count=None)
    ids = start(), start()
    for _ in range(5):
        assert [status(id)["jobStatus"] for id in ids] == ["in-progress"] * 2
    assert http.get(f"/jobs/{ids[0]}").json()["job"]["progress"] == 0.5
    assert trouble.hits == 2
    restored.archives.reset()
    assert http.get(f"/jobs/{ids[0]}").status_code == 404
    restored.archives.hang("thinking")
    assert status(start())["jobStatus"] == "thinking"


def test_unknown_words(restored: Sandbox, start: Start, status: Callable[[str], dict]) -> None:
    restored.settings.archive_polls = 1
    restored.archives.say("packing")
    restored.archives.say("completed", instead_of="success")
    id = start()
    answers = [status(id) for _ in range(3)]
    assert [answer["jobStatus"] for answer in answers] == ["queued", "packing", "completed"]
    assert "downloadUrl" in answers[2]
    assert [job.id for job in restored.archives.jobs] == [id]


def test_cut(restored: Sandbox, content: Callable[[], bytes]) -> None:
    whole = len(content())
    restored.archives.cut(0.75)
    part = content()
    assert len(part) == int(whole * 0.75)
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(part))


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("deflated", [False, True])
def test_corrupt(restored: Sandbox, opened: Open, *, deflated: bool, streamed: bool) -> None:
    restored.settings.archive_deflated, restored.settings.archive_streamed = deflated, streamed
    assert opened().testzip() is None
    restored.archives.corrupt(2)
    archive = opened()
    good = [0, 1, 3]
    for index in good:
        archive.read(archive.infolist()[index])
    with pytest.raises((zipfile.BadZipFile, zlib.error)):
        archive.read(archive.infolist()[2])


def test_how_archives_are_written(restored: Sandbox, opened: Open) -> None:
    restored.settings.archive_deflated = restored.settings.archive_streamed = True
    for info in opened().infolist():
        assert info.flag_bits & 0x08, "sizes come after the content"
        assert info.compress_type == zipfile.ZIP_DEFLATED


def test_slips_and_links(restored: Sandbox, opened: Open) -> None:
    restored.archives.slip()
    restored.archives.link()
    infos = opened().infolist()
    names = {info.filename for info in infos}
    assert {"../outside.txt", "/tmp/absolute.txt", "C:\\Windows\\drive.txt", "..\\outside.txt"} <= names
    modes = {info.filename: info.external_attr >> 16 for info in infos}
    assert stat.S_ISLNK(modes["link.webp"])
    assert stat.S_ISLNK(modes["folder"])
    assert stat.S_ISCHR(modes["device.webp"])
    assert "folder/through.txt" in names
    assert stat.S_ISREG(modes[infos[0].filename])


def test_odd_names(restored: Sandbox, opened: Open) -> None:
    restored.archives.odd_names()
    infos = opened().infolist()
    names = {info.filename for info in infos}
    assert {"caf\u00e9.txt", "cafe\u0301.txt", "Case.txt", "case.TXT", "\U0001fa91\u200d\U0001f3a8 chair.txt"} <= names
    (cp437,) = [info for info in infos if info.filename == "f\u00fcr.txt"]
    assert not cp437.flag_bits & 0x800, "not marked as UTF-8"
    assert len(infos) == len(names) + 0


def test_duplicates(restored: Sandbox, opened: Open) -> None:
    restored.archives.duplicate()
    archive = opened()
    first, *_, second, third = archive.infolist()
    assert first.filename == second.filename == third.filename
    assert archive.read(first) == archive.read(second) != archive.read(third)


def test_strangers(restored: Sandbox, opened: Open) -> None:
    restored.archives.strangers()
    archive = opened()
    assert archive.read("huge.png").startswith(b"\x89PNG")
    assert archive.read("empty.webp") == b""
    assert {"README.txt", ".DS_Store", "inner.zip"} <= set(archive.namelist())


@pytest.mark.parametrize("streamed", [False, True])
def test_bomb(restored: Sandbox, content: Callable[[], bytes], *, streamed: bool) -> None:
    restored.settings.archive_streamed = streamed
    restored.archives.bomb(40)
    archive = zipfile.ZipFile(io.BytesIO(content()))
    info = archive.getinfo("bomb.png")
    assert (info.file_size, info.compress_size < 50_000) == (40 * 2**20, True)
    restored.archives.bomb(40, honest=False)
    data = content()
    archive = zipfile.ZipFile(io.BytesIO(data))
    info = archive.getinfo("bomb.png")
    assert info.file_size == 1_000
    assert all(one.file_size > 1_000 for one in archive.infolist()[:-1])


def test_crowd(restored: Sandbox, content: Callable[[], bytes]) -> None:
    restored.archives.crowd(66_000)
    data = content()
    assert b"PK\x06\x06" in data[-200:], "the 64-bit end of the directory"
    assert len(zipfile.ZipFile(io.BytesIO(data)).namelist()) == 66_000


def test_members_of_ones_own(restored: Sandbox, opened: Open) -> None:
    restored.archives.add_members(Member("note.txt", lambda: b"hello"), count=2)
    restored.archives.alter(lambda members: members[-1:], skip=1)
    assert len(opened().namelist()) == 5
    archive = opened()
    assert (archive.namelist(), archive.read("note.txt")) == (["note.txt"], b"hello")
    assert len(opened().namelist()) == 4


def test_url_that_has_expired(
    restored: Sandbox, anyone: httpx.Client, start: Start, status: Callable[[str], dict]
) -> None:
    restored.archives.expire()
    id = start()
    assert anyone.get(status(id)["downloadUrl"]).status_code == 403
    assert anyone.get(status(id)["downloadUrl"]).status_code == 200


def test_url_that_expires_in_its_use(
    restored: Sandbox, anyone: httpx.Client, start: Start, status: Callable[[str], dict]
) -> None:
    restored.archives.expire(after=5_000)
    id = start()
    url = status(id)["downloadUrl"]
    assert len(anyone.get(url, headers={"Range": "bytes=0-999"}).content) == 1_000
    got = 0
    with (
        pytest.raises(httpx.RemoteProtocolError),
        httpx.Client() as own,
        own.stream("GET", url, headers={"Range": "bytes=1000-"}) as response,
    ):
        assert response.status_code == 206
        for chunk in response.iter_raw():
            got += len(chunk)
    assert got == 4_000
    assert anyone.get(url).status_code == 403
    rest = anyone.get(status(id)["downloadUrl"], headers={"Range": "bytes=5000-"})
    assert (rest.status_code, rest.headers["content-range"].partition("/")[0][:11]) == (206, "bytes 5000-")


def test_no_ranges(restored: Sandbox, anyone: httpx.Client, start: Start, status: Callable[[str], dict]) -> None:
    restored.archives.no_ranges()
    url = status(start())["downloadUrl"]
    response = anyone.get(url, headers={"Range": "bytes=0-9"})
    assert (response.status_code, response.headers["accept-ranges"]) == (200, "none")
    assert zipfile.ZipFile(io.BytesIO(response.content)).testzip() is None


def test_no_length(restored: Sandbox, anyone: httpx.Client, start: Start, status: Callable[[str], dict]) -> None:
    restored.archives.no_length()
    response = anyone.get(status(start())["downloadUrl"], headers={"Range": "bytes=0-9"})
    assert (response.status_code, response.headers["transfer-encoding"]) == (200, "chunked")
    assert "content-length" not in response.headers
    assert zipfile.ZipFile(io.BytesIO(response.content)).testzip() is None


async def test_bandwidth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow archive goes in many small pieces, so that a reader can begin before the end."""
    file = tmp_path / "slow.zip"
    file.write_bytes(bytes(range(256)) * 400)
    pieces: list[bytes] = []
    pauses: list[float] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        pieces.append(message.get("body", b""))

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.disconnect"}

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("ipyassets.sandbox.scenario.sending.sleep", sleep)
    slow = ArchiveFile(file, "slow.zip", etag="x", modified="", bandwidth=100_000)
    await slow({"type": "http", "method": "GET", "headers": [], "asgi": {"spec_version": "2.4"}}, receive, send)
    assert b"".join(pieces) == file.read_bytes()
    assert max(map(len, pieces)) == 2_000
    assert sum(pauses) == pytest.approx(1.024)


def test_reset_of_the_sandbox(restored: Sandbox, start: Start, status: Callable[[str], dict]) -> None:
    restored.archives.fail()
    restored.reset()
    assert status(start())["jobStatus"] == "success"
    assert repr(restored.archives) == "<1 archives>"


def test_no_room_on_the_disk(
    restored: Sandbox,
    http: httpx.Client,
    start: Start,
    status: Callable[[str], dict],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*arguments: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ipyassets.sandbox.scenario.archives.pack", full)
    id = start()
    assert status(id)["jobStatus"] == "failure"
    assert "No space" in http.get(f"/jobs/{id}").json()["job"]["metadata"]["error"]
