from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from typing import Any

import pytest
from PIL import Image

from ipyassets.collections import archive_contents, archive_reader, salvage
from ipyassets.collections.archive_job import ArchiveJob
from ipyassets.collections.archive_reader import ArchiveReader, Held
from ipyassets.collections.members import ArchiveLimits
from ipyassets.errors import AssetServiceError, BadResponse, InvalidRequest, NotFound, ServiceUnavailable
from ipyassets.http import loop
from tests.collections.archives import MemoryArchives, MemoryFile, made, packed, pictures
from tests.waiting import begun

LIMITS = ArchiveLimits()


def noise(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


def names(content: bytes, **limits: Any) -> list[str]:
    reader = ArchiveReader(MemoryFile(content))
    return [one.name for one in loop.run(reader.members(ArchiveLimits(**limits)))]


def contents(reader: ArchiveReader, limits: ArchiveLimits = LIMITS) -> dict[str, bytes | AssetServiceError]:
    """All members by name, streamed; errors in their place."""

    async def read() -> dict[str, bytes | AssetServiceError]:
        found: dict[str, bytes | AssetServiceError] = {}
        async for one, held in reader.stream(await reader.members(limits), limits):
            if isinstance(held, Held):
                try:
                    found[one.name] = held.read()
                except AssetServiceError as error:
                    found[one.name] = error
                finally:
                    held.close()
            else:
                found[one.name] = held
        return found

    return loop.run(read())


def file_of(service: MemoryArchives) -> MemoryFile:
    (file,) = service.files.values()
    return file


def entry(content: bytes, number: int) -> int:
    """Where the directory's entry ``number`` begins."""
    at = -1
    for _ in range(number + 1):
        at = content.index(b"PK\x01\x02", at + 1)
    return at


def patched(content: bytes, at: int, new: bytes) -> bytes:
    return content[:at] + new + content[at + len(new) :]


@pytest.mark.parametrize("parts", [True, False], ids=["parts", "whole"])
@pytest.mark.parametrize("streamed", [False, True], ids=["sizes before", "sizes after"])
@pytest.mark.parametrize("deflate", [False, True], ids=["stored", "deflated"])
def test_all_members_stream_in_the_order_of_their_bytes(deflate: bool, streamed: bool, parts: bool) -> None:
    members = {f"n{i}.bin": noise(i * 7000, i) for i in (3, 1, 0, 2)}
    file = MemoryFile(packed(members, deflate=deflate, streamed=streamed), parts=parts)
    found = contents(ArchiveReader(file))
    assert found == members
    assert list(found) == list(members)
    assert file.open_streams == 0


def test_names_and_single_members_cost_few_bytes() -> None:
    content = packed({f"asset-{n}.bin": noise(20_000, n) for n in range(200)})
    file = MemoryFile(content)
    reader = ArchiveReader(file)
    members = loop.run(reader.members(LIMITS))
    assert len(members) == 200
    assert file.fetched < 70_000 < len(content) / 50
    before = file.fetched
    held = loop.run(reader.hold(members[77], LIMITS))
    assert held.read() == noise(20_000, 77)
    held.close()
    assert file.fetched - before < 20_200


def test_bytes_are_let_go_of_once_they_were_read() -> None:
    file = MemoryFile(packed({f"{n}.bin": noise(50_000, n) for n in range(20)}))
    reader = ArchiveReader(file)

    async def read() -> int:
        most = 0
        async for _, held in reader.stream(await reader.members(LIMITS), LIMITS):
            assert isinstance(held, Held)
            assert reader._pieces is not None
            most = max(most, len(reader._pieces._pieces))
            held.close()
        return most

    assert loop.run(read()) == 1
    assert reader._pieces is not None
    assert not reader._pieces._pieces


def test_the_download_waits_for_the_reader() -> None:
    file = MemoryFile(packed({f"{n}.bin": noise(50_000, n) for n in range(20)}))
    reader = ArchiveReader(file)

    async def first() -> int:
        members = await reader.members(LIMITS)
        before = file.fetched
        stream = reader.stream(members, LIMITS)
        _, held = await anext(stream)
        assert isinstance(held, Held)
        assert held.read() == noise(50_000, 0)
        held.close()
        await stream.aclose()
        return file.fetched - before

    assert loop.run(first()) < 60_000
    assert file.open_streams == 0


def test_large_members_lie_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_reader, "_IN_MEMORY", 10_000)
    members = {"large.bin": noise(40_000), "small.bin": noise(9_000, 1)}
    reader = ArchiveReader(MemoryFile(packed(members)))
    assert contents(reader) == members
    held = loop.run(reader.hold(loop.run(reader.members(LIMITS))[0], LIMITS))
    assert held.read() == members["large.bin"]
    held.close()


def test_what_nobody_wants_is_not_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_reader, "_GAP", 1000)
    members = {"a.png": noise(5_000), "film.mp4": noise(500_000), "b.png": noise(5_000, 1), "c.png": noise(9_000, 2)}
    file = MemoryFile(packed(members))
    reader = ArchiveReader(file)

    async def read() -> list[bytes]:
        wanted = [one for one in await reader.members(LIMITS) if one.is_image]
        found = []
        async for _, held in reader.stream(wanted, LIMITS):
            assert isinstance(held, Held)
            found.append(held.read())
            held.close()
        return found

    assert loop.run(read()) == [members["a.png"], members["b.png"], members["c.png"]]
    assert file.fetched < 100_000


@pytest.mark.parametrize("parts", [True, False], ids=["parts", "whole"])
def test_sixty_six_thousand_members(parts: bool) -> None:
    content = packed((f"{n:05d}.png", b"%d" % n) for n in range(66_000))
    reader = ArchiveReader(MemoryFile(content, parts=parts))
    members = loop.run(reader.members(LIMITS))
    assert len(members) == 66_000
    held = loop.run(reader.hold(members[65_999], LIMITS))
    assert (held.member.name, held.read()) == ("65999.png", b"65999")
    held.close()


def test_64_bit_sizes() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, archive.open("big.bin", "w", force_zip64=True) as member:
        member.write(b"not that big")
    assert contents(ArchiveReader(MemoryFile(buffer.getvalue()))) == {"big.bin": b"not that big"}


def test_one_damaged_member_does_not_harm_the_others() -> None:
    members = {f"{n}.bin": noise(5_000, n) for n in range(3)}
    content = bytearray(packed(members, deflate=True))
    content[content.index(b"1.bin") + 100] ^= 0xFF
    found = contents(ArchiveReader(MemoryFile(bytes(content))))
    assert isinstance(found["1.bin"], BadResponse)
    assert "'1.bin' is damaged" in str(found["1.bin"])
    assert (found["0.bin"], found["2.bin"]) == (members["0.bin"], members["2.bin"])


def test_a_wrong_checksum_is_said() -> None:
    content = packed({"a.bin": b"content", "b.bin": b"other"})
    found = contents(ArchiveReader(MemoryFile(content.replace(b"content", b"c0ntent"))))
    assert "its checksum is wrong" in str(found["a.bin"])
    assert found["b.bin"] == b"other"


def test_a_name_that_is_another_before_the_content_is_refused() -> None:
    """The directory is believed, and must say what the member itself says."""
    content = packed({"aaa.png": b"one", "bbb.png": b"two"})
    found = contents(ArchiveReader(MemoryFile(content.replace(b"aaa.png", b"zzz.png", 1))))
    assert "header and directory differ" in str(found["aaa.png"])
    assert found["bbb.png"] == b"two"


def test_a_header_that_leads_elsewhere_is_refused() -> None:
    content = packed({"a.png": noise(2000), "b.png": noise(2000, 1)})
    found = contents(ArchiveReader(MemoryFile(patched(content, 28, struct.pack("<H", 60_000)))))
    assert isinstance(found["a.png"], BadResponse)
    assert found["b.png"] == noise(2000, 1)


def test_encrypted_members_are_named() -> None:
    content = packed({"a.png": b"one", "b.png": b"two"})
    at = entry(content, 0)
    found = contents(ArchiveReader(MemoryFile(patched(content, at + 8, b"\x01\x00"))))
    assert "'a.png' is encrypted" in str(found["a.png"])
    assert found["b.png"] == b"two"


def test_a_method_nobody_knows_is_named() -> None:
    content = packed({"a.png": b"one", "b.png": b"two"})
    found = contents(ArchiveReader(MemoryFile(patched(content, entry(content, 0) + 10, b"\x63\x00"))))
    assert "packed in a way that cannot be read" in str(found["a.png"])
    assert found["b.png"] == b"two"


def overlapping(count: int) -> bytes:
    """Members whose entries all lead to the same bytes."""
    content = packed({f"{n:03d}.bin": noise(3_000, n) for n in range(count)})
    for number in range(count):
        content = patched(content, entry(content, number) + 42, struct.pack("<L", 0))
    return content


def test_members_that_lie_over_each_other_are_not_fetched_again_and_again() -> None:
    file = MemoryFile(overlapping(50))
    found = contents(ArchiveReader(file))
    assert sum(isinstance(one, AssetServiceError) for one in found.values()) == 50  # the last has another name, too
    assert any("lies over other parts" in str(one) for one in found.values())
    assert file.fetched < 2 * len(file.content)


def test_a_bomb_is_not_unpacked() -> None:
    content = packed({"bomb.bin": bytes(40 << 20), "b.bin": b"fine"}, deflate=True)
    reader = ArchiveReader(MemoryFile(content))
    found = contents(reader)
    assert "more than 200 times as many" in str(found["bomb.bin"])
    assert found["b.bin"] == b"fine"
    assert "limit of 1,000,000" in str(contents(reader, ArchiveLimits(member_bytes=1_000_000))["bomb.bin"])
    unpacked = contents(reader, ArchiveLimits(ratio=2000))["bomb.bin"]
    assert isinstance(unpacked, bytes)
    assert len(unpacked) == 40 << 20


def test_a_bomb_that_lies_about_its_size_gives_no_more_than_it_says() -> None:
    content = packed({"bomb.bin": bytes(40 << 20), "b.bin": b"fine"}, deflate=True)
    content = patched(content, entry(content, 0) + 24, struct.pack("<L", 1000))
    found = contents(ArchiveReader(MemoryFile(content)))
    assert "its checksum is wrong" in str(found["bomb.bin"])
    assert found["b.bin"] == b"fine"


@pytest.mark.parametrize("way", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA], ids=["bzip2", "lzma"])
def test_only_what_can_be_unpacked_little_by_little_is(way: int) -> None:
    """zipfile unpacks bzip2 and LZMA without a limit: 1,245 bytes that were to be 1 MB took 3 GB and half a minute."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("bomb.png", bytes(4 << 20), way)
        archive.writestr("b.bin", b"fine")
    content = target.getvalue()
    content = patched(content, entry(content, 0) + 24, struct.pack("<L", 1 << 20))
    found = contents(ArchiveReader(MemoryFile(content)))
    assert "packed in a way that cannot be read here" in str(found["bomb.png"])
    assert found["b.bin"] == b"fine"


def test_too_many_members_are_refused_before_anything_is_made_of_them() -> None:
    content = packed((f"{n}.png", b"") for n in range(2000))
    with pytest.raises(BadResponse, match="more than 1,999 members"):
        names(content, members=1999)
    assert len(names(content, members=2000)) == 2000
    with pytest.raises(BadResponse, match="more than 1,000 members"):
        loop.run(ArchiveReader(MemoryFile(content, parts=False)).members(ArchiveLimits(members=1000)))


@pytest.mark.parametrize(
    "content", [b"", b"PK", b"<html>sorry</html>", noise(100_000)], ids=["", "PK", "html", "noise"]
)
@pytest.mark.parametrize("parts", [True, False], ids=["parts", "whole"])
def test_what_is_no_archive_is_said(content: bytes, parts: bool) -> None:
    with pytest.raises(BadResponse, match="no ZIP archive") as caught:
        loop.run(ArchiveReader(MemoryFile(content, parts=parts)).members(LIMITS))
    assert caught.type is BadResponse, "tracebacks named a class that nobody knows"


def test_a_directory_of_absurd_length_is_not_fetched() -> None:
    content = packed({"a.png": noise(3_000_000)})
    end = content.rindex(b"PK\x05\x06")
    file = MemoryFile(patched(content, end + 12, struct.pack("<LL", 2_500_000, 10)))
    with pytest.raises(BadResponse, match="more than 10 members"):
        loop.run(ArchiveReader(file).members(ArchiveLimits(members=10)))
    assert file.fetched < 100_000


@pytest.mark.parametrize("deflate", [False, True], ids=["stored", "deflated"])
@pytest.mark.parametrize("parts", [True, False], ids=["parts", "whole"])
def test_an_archive_that_was_cut_off_keeps_what_came(deflate: bool, parts: bool) -> None:
    members = {f"{n}.bin": noise(10_000, n) for n in range(10)}
    content = packed(members, deflate=deflate)
    reader = ArchiveReader(MemoryFile(content[: len(content) // 2], parts=parts))
    found = contents(reader)
    assert found == {f"{n}.bin": members[f"{n}.bin"] for n in range(len(found))}
    assert 3 <= len(found) <= 5
    assert reader.damage is not None
    assert "cut off" in str(reader.damage)


def test_what_was_written_without_going_back_is_salvaged_too() -> None:
    members = {f"{n}.bin": noise(10_000, n) for n in range(6)}
    content = packed(members, deflate=True, streamed=True)
    found = contents(ArchiveReader(MemoryFile(content[: content.index(b"5.bin")])))
    assert found == {name: members[name] for name in list(members)[:5]}


@pytest.mark.parametrize("size", [65_536, 65_537, 300_000])
def test_large_members_of_such_an_archive_do_not_end_it(size: int) -> None:
    """Of what unpacks to more than 64 kB the end was looked for at a wrong place: it and all behind it were lost, or
    reading the archive was a bare ValueError.
    """
    members = {"a.bin": bytes(size), "b.bin": noise(size), "c.bin": b"c", "d.bin": b"cut off"}
    content = packed(members, deflate=True, streamed=True)
    found = contents(ArchiveReader(MemoryFile(content[: content.index(b"d.bin")])))
    assert found == {name: members[name] for name in ("a.bin", "b.bin", "c.bin")}


def test_a_bomb_without_a_directory_is_not_gone_through_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where members end is seen by unpacking them: 4 MB without a directory took ten seconds, 400 MB a quarter hour."""
    members = {f"{n}.bin": bytes(8 << 20) for n in range(6)}
    content = packed(members, deflate=True, streamed=True)
    unpacked = 0
    crc32 = zlib.crc32

    def counted(piece: bytes, before: int = 0) -> int:
        nonlocal unpacked
        unpacked += len(piece)
        return crc32(piece, before)

    monkeypatch.setattr(salvage.zlib, "crc32", counted)
    file = io.BytesIO(content[: content.index(b"PK\1\2")])
    found = salvage.salvaged(file, len(file.getvalue()), LIMITS)
    assert [info.filename for info in found] == ["0.bin", "1.bin", "2.bin"]
    assert unpacked < (16 << 20) + LIMITS.ratio * len(content) + (1 << 17)


def test_an_archive_that_was_cut_off_behind_a_pointer_to_its_directory_is_read() -> None:
    """The pointer was followed to nowhere, and ended in a bare BadZipFile."""
    member = packed({"a.bin": b"one"}).partition(b"PK\1\2")[0]
    reader = ArchiveReader(MemoryFile(member + struct.pack("<4sLQL", b"PK\6\7", 1, 1 << 40, 3)))
    assert contents(reader) == {"a.bin": b"one"}


def test_a_directory_that_leads_to_places_before_the_archive_is_not_believed() -> None:
    """Its members were asked for from before the first byte on, and all of them lost; they are there to be read."""
    members = {"a.bin": b"one", "b.bin": noise(1000)}
    content = packed(members)
    lying = patched(content, content.index(b"PK\5\6") + 16, struct.pack("<L", 0x00A00042))
    reader = ArchiveReader(MemoryFile(lying))
    assert contents(reader) == members
    assert "before its beginning" in str(reader.damage)


def test_names_without_a_mark_are_read_as_utf8_where_they_are() -> None:
    content = packed({"f\u00fcr-x.png": b"a"})
    unmarked = content.replace("f\u00fcr-x.png".encode(), b"f\x81r-xx.png")  # CP437, as long
    for at in (6, entry(unmarked, 0) + 8):
        unmarked = patched(unmarked, at, b"\x00\x00")
    assert names(unmarked) == ["f\u00fcr-xx.png"]
    forgotten = content
    for at in (6, entry(content, 0) + 8):
        forgotten = patched(forgotten, at, b"\x00\x00")
    assert names(forgotten) == ["f\u00fcr-x.png"]


# -- through a job -------------------------------------------------------------------------------------------------


def test_one_picture_of_many() -> None:
    service = MemoryArchives()
    job = made(service, packed(pictures(60, size=(300, 200))))
    assert len(job) == 60
    image = job[7]
    assert (image.size, image.getpixel((0, 0))) == ((300, 200), (7, 80, 120))
    assert job[-1].getpixel((0, 0)) == (59, 80, 120)
    assert [one.getpixel((0, 0))[0] for one in job[2:4]] == [2, 3]  # type: ignore[index]
    assert job.image("a chair-asset-5.png", width=30).size == (30, 20)
    with pytest.raises(IndexError, match="no member at index 60"):
        job[60]
    with pytest.raises(NotFound, match=r"no member 'x\.png'"):
        job.image("x.png")


def test_what_is_no_picture_is_named_and_read_as_it_is() -> None:
    service = MemoryArchives()
    members = {**pictures(1), "mesh.glb": b"glTF" + noise(100), "notes.txt": b"hello", "folder/": b"", "._x.png": b"\0"}
    job = made(service, packed(members))
    assert job.names == ("a chair-asset-0.png", "mesh.glb", "notes.txt", "._x.png")
    assert job.others == ("mesh.glb", "notes.txt", "._x.png")
    assert job.read("notes.txt") == b"hello"
    with job.open("mesh.glb") as file:
        assert file.read(4) == b"glTF"
    with pytest.raises(InvalidRequest, match="no raster picture"):
        job.image("mesh.glb")


def test_pictures_come_while_the_rest_is_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_contents.ArchiveStream, "ahead", 3)
    service = MemoryArchives(30)
    service.most_in_archive = 30
    job = made(service, packed({f"x-asset-{n}.png": one for n, one in enumerate(noisy(30))}))
    file = file_of(service)
    assert len(job.names) == 30
    before = file.fetched
    with begun():
        pairs = job.iter_images()
        asset, image = next(pairs)
        assert image is not None
        assert getattr(asset, "id", asset) == "asset-0"
        assert file.fetched - before < len(file.content) * 0.7
        pairs.close()  # type: ignore[attr-defined]
    assert file.open_streams == 0


def noisy(count: int) -> list[bytes]:
    """Pictures that do not pack well, so that there is something to wait for."""
    found = []
    for n in range(count):
        buffer = io.BytesIO()
        Image.frombytes("RGB", (60, 60), noise(60 * 60 * 3, n)).save(buffer, "PNG")
        found.append(buffer.getvalue())
    return found


def test_memory_stays_flat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_contents.ArchiveStream, "ahead", 3)
    service = MemoryArchives(20)
    service.most_in_archive = 20
    job = made(service, packed({f"x-asset-{n}.png": one for n, one in enumerate(noisy(20))}))
    reader = opened(job)
    most = 0
    for _ in job.iter_images():
        assert reader._pieces is not None
        most = max(most, len(reader._pieces._pieces))
    assert most <= 3


def opened(job: ArchiveJob) -> ArchiveReader:
    assert len(job)
    reader = job._contents.archives[0].reader
    assert reader is not None
    return reader


def test_a_batch_has_a_slot_for_each_picture_and_names_what_is_broken() -> None:
    service = MemoryArchives(4)
    members = pictures(4)
    content = packed({**members, "mesh.glb": b"glTF"})
    at = content.index(members["a chair-asset-2.png"]) + 45
    job = made(service, patched(content, at, b"\0\0\0"))
    batch = job.images()
    assert len(batch) == 4
    assert [image is None for image in batch] == [False, False, True, False]
    ((index, asset, error),) = batch.failures
    assert (index, asset.id) == (2, "asset-2")
    assert isinstance(error, BadResponse)
    assert [asset.id for asset in batch.assets] == [f"asset-{n}" for n in range(4)]
    assert job.last_batch is batch


def test_batches_are_saved_as_served(tmp_path: Any) -> None:
    service = MemoryArchives(2)
    members = pictures(2)
    batch = made(service, packed(members)).images()
    assert [path.read_bytes() for path in batch.save(tmp_path)] == list(members.values())


def test_assets_that_did_not_come_are_named() -> None:
    service = MemoryArchives(4)
    job = made(service, packed(pictures(3)))
    batch = job.images()
    assert len(batch) == 4
    ((index, asset, error),) = batch.failures
    assert (index, asset.id, batch[3]) == (3, "asset-3", None)
    assert "is not in the archive" in str(error)
    assert [asset.id for asset in job.missing] == ["asset-3"]
    assert [(index, asset and asset.id) for index, asset, _ in job.failures] == [(0, "asset-3")]
    assert [getattr(one, "id", one) for one, _ in job.iter_images()] == ["asset-0", "asset-1", "asset-2"]


def test_a_member_of_no_known_asset_stands_by_its_name() -> None:
    service = MemoryArchives(1)
    job = made(service, packed({**pictures(1), "strange/picture.png": noisy(1)[0]}))
    assert [getattr(one, "id", one) for one, _ in job.iter_images()] == ["asset-0", "strange/picture.png"]
    batch = job.images()
    assert [asset.name for asset in batch.assets] == ["asset-0", "picture.png"]
    assert not batch.failures


def test_a_cut_archive_gives_what_came_and_says_so() -> None:
    service = MemoryArchives(4)
    content = packed({f"x-asset-{n}.png": one for n, one in enumerate(noisy(4))})
    job = made(service, content[: len(content) * 2 // 3])
    batch = job.images()
    assert [image is None for image in batch] == [False, False, True, True]
    assert {type(error) for *_, error in batch.failures} == {BadResponse}
    assert "cut off" in str(job.failures[0][2])


def test_a_download_that_fails_leaves_what_came() -> None:
    service = MemoryArchives(20)
    service.most_in_archive = 20
    job = made(service, packed({f"x-asset-{n}.png": one for n, one in enumerate(noisy(20))}))
    file = file_of(service)
    assert len(job) == 20
    file.breaks = len(file.content) // 2
    with pytest.raises(ServiceUnavailable, match="broke off"):
        job.images()
    assert job.last_batch is not None
    assert 5 < len(job.last_batch) < 15
    assert file.open_streams == 0
    file.breaks = None
    assert not job.images().failures


@pytest.mark.parametrize("change", [None, 100], ids=["usual", "tiny"])
def test_pictures_of_too_many_pixels_are_not_decoded(change: int | None) -> None:
    service = MemoryArchives(1)
    job = made(service, packed(pictures(1, size=(40, 30))))
    if change is not None:
        job.limits = ArchiveLimits(pixels=change)
    batch = job.images()
    assert bool(batch.failures) is (change is not None)
    if change is not None:
        assert "more than the limit of 100" in str(batch.failures[0][2])


def test_limits_are_limits() -> None:
    job = made(MemoryArchives(1), packed(pictures(1)))
    with pytest.raises(InvalidRequest, match="limits must be ArchiveLimits"):
        job.limits = 5  # type: ignore[assignment]
    job.limits = ArchiveLimits(memory_bytes=10)
    with pytest.raises(BadResponse, match=r"job\.limits\.memory_bytes"):
        job.read("a chair-asset-0.png")


def test_hostile_names_are_shown_without_their_controls() -> None:
    content = packed({"bell\x07\x1b[31m\u202e.png": b"no picture"})
    batch = made(MemoryArchives(1), content).images()
    text = str(batch.failures[0][2])
    assert "\x07" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_a_broken_archive_is_asked_for_anew_the_next_time() -> None:
    service = MemoryArchives(1)
    job = made(service, b"not an archive")
    with pytest.raises(BadResponse):
        len(job)
    service.files["job-1"] = MemoryFile(packed(pictures(1)))
    assert len(job) == 1
