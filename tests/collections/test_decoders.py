from __future__ import annotations

import gc
import io
import pickle
import zlib
from collections.abc import Iterator

import pytest
from PIL import Image, ImageChops, PngImagePlugin

import ipyassets as ia
from ipyassets import errors
from ipyassets.collections import decoders
from ipyassets.collections.images import decode, opened
from ipyassets.collections.thumbnails import shrink


@pytest.fixture(params=["pillow", "imagecodecs"])
def chosen(request: pytest.FixtureRequest) -> Iterator[None]:
    pytest.importorskip(request.param) if request.param != "pillow" else None
    ia.options.decoder = request.param
    yield
    ia.options.decoder = "pillow"


def by_pillow(content: bytes, edge: int | None) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    if edge:
        image.thumbnail((edge, edge), reducing_gap=2.0)
    image.load()
    return image


def picture(mode: str, size: tuple[int, int] = (61, 37)) -> Image.Image:
    made = Image.effect_noise(size, 90)
    other = Image.linear_gradient("L").resize(size)
    bands = {"L": (made,), "RGB": (made, other, made), "RGBA": (made, other, made, other), "LA": (made, other)}
    if mode == "P":
        return made.convert("P")
    return Image.merge(mode, bands[mode])


def png(image: Image.Image, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", **options)
    return out.getvalue()


def same(one: Image.Image, other: Image.Image) -> bool:
    return one.mode == other.mode and one.size == other.size and one.tobytes() == other.tobytes()


@pytest.mark.parametrize("box", [None, 20])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA"])
def test_pixels_are_those_of_pillow(chosen: None, mode: str, box: int | None):
    content = png(picture(mode), dpi=(72, 72))
    ours, theirs = decode(content, box, box), by_pillow(content, box)
    assert same(ours, theirs)
    assert ours.info.get("dpi") == theirs.info.get("dpi")
    assert ours.format == theirs.format == "PNG"


def test_it_is_used_for_plain_pngs(chosen: None):
    content = png(picture("RGB"))
    assert decoders.sooner(content, opened(content)) is not None


def test_several_pieces_of_pixels_are_one_picture(chosen: None):
    image = picture("RGB", (512, 512))
    content = png(image)
    at = content.index(b"IDAT") - 4
    length = int.from_bytes(content[at : at + 4], "big")
    body = content[at + 8 : at + 8 + length]
    cut = b"".join(
        len(part).to_bytes(4, "big") + b"IDAT" + part + zlib.crc32(b"IDAT" + part).to_bytes(4, "big")
        for part in (body[start : start + 1000] for start in range(0, length, 1000))
    )
    assert same(decode(content[:at] + cut + content[at + 12 + length :]), image)


def test_a_second_picture_does_not_change_the_first(chosen: None):
    """Both are decoded into the same buffer."""
    first, second = picture("RGBA"), ImageChops.invert(picture("RGBA"))
    one = decode(png(first))
    decode(png(second))
    assert same(one, first)


def with_chunk(content: bytes, name: bytes, body: bytes) -> bytes:
    """``content`` with one more chunk before its end."""
    end = content.rindex(b"IEND") - 4
    chunk = len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big")
    return content[:end] + chunk + content[end:]


def test_what_stands_behind_the_pixels_is_left_to_pillow(chosen: None):
    """An orientation told there was lost, and the picture lay on its side."""
    exif = Image.Exif()
    exif[0x0112] = 6
    content = with_chunk(png(picture("RGB")), b"eXIf", exif.tobytes()[6:])
    assert decode(content).size == (37, 61)
    # It came out higher than its box: turned only after it had been made to fit.
    assert decode(content, None, 30).size == (18, 30)


@pytest.mark.parametrize(
    "image", [picture("RGB").convert("P"), picture("RGB").convert("1"), picture("L").convert("I;16")]
)
def test_other_kinds_are_left_to_pillow(chosen: None, image: Image.Image):
    content = png(image)
    assert decoders.sooner(content, opened(content)) is None
    assert decode(content).mode == image.mode


def test_transparent_colours_and_films_are_left_to_pillow(chosen: None):
    see_through = png(picture("RGB"), transparency=(0, 0, 0))
    film = io.BytesIO()
    picture("RGB").save(film, "PNG", save_all=True, append_images=[ImageChops.invert(picture("RGB"))])
    for content in (see_through, film.getvalue()):
        assert decoders.sooner(content, opened(content)) is None


def test_of_two_sizes_the_one_counts_that_pillow_takes(chosen: None):
    """Found by fuzzing: what Pillow read by its second head, a decoder that reads the first refused as damaged."""
    content, other = png(picture("RGB", (24, 30))), png(picture("RGB", (24, 16)))
    heads = content[8:33] + other[8:33]
    both = content[:8] + heads + other[33:]
    assert opened(both).size == (24, 16)
    assert same(decode(both), by_pillow(both, None))


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, on some of them
@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("said", [b"EM\0*\0\0\0\x08", b"MM\0*\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff", b""])
def test_what_cannot_be_read_of_a_camera_is_no_damage(chosen: None, format: str, said: bytes):
    """Found by fuzzing: a picture whose EXIF was broken was refused as damaged; browsers and Pillow show it."""
    out = io.BytesIO()
    picture("RGB").save(out, format, exif=b"Exif\0\0" + said)
    content = out.getvalue()
    assert same(decode(content), by_pillow(content, None))
    assert max(decode(content, 20, 20).size) == 20
    assert shrink(content, 16, 0).width == 16


def test_damaged_ones_are_refused_as_ever(chosen: None):
    content = png(picture("RGB"))
    with pytest.raises(errors.BadResponse, match="damaged or cut off"):
        decode(content[: len(content) // 2])
    wrong = bytearray(content)
    at = content.index(b"IDAT") + 40
    wrong[at] ^= 0xFF
    with pytest.raises(errors.BadResponse):
        decode(bytes(wrong))


def test_a_wrong_word_is_refused_and_says_what_there_is():
    with pytest.raises(errors.InvalidRequest, match="'imagecodecs'"):
        ia.options.decoder = "libvips"
    with pytest.raises(AttributeError):
        ia.options.decodr = "pillow"  # type: ignore[attr-defined]


def test_one_that_is_not_there_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"ipyassets\[fast\]"):
        ia.options.decoder = "imagecodecs"


def test_a_picture_does_not_hold_the_file_it_was_read_from():
    """A thousand posters held their thousand files too, a quarter more of memory."""
    image = decode(png(picture("P")))
    assert type(image) is PngImagePlugin.PngImageFile
    assert all(not isinstance(value, io.BytesIO) for value in vars(image).values())


@pytest.fixture(params=["of memory got at once", "of memory as ever"])
def memory(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "of memory as ever":
        monkeypatch.setattr(decoders, "_maps", lambda: False)
    elif not decoders._maps():
        pytest.skip("this system or this Pillow cannot")


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_picture_that_is_held_is_one_like_any_other(chosen: None, memory: None, mode: str):
    content = png(picture(mode, (300, 200)))
    image, theirs = decode(content, held=True), by_pillow(content, None)
    assert same(image, theirs)
    assert same(pickle.loads(pickle.dumps(image)), theirs)
    assert same(image.copy(), theirs)
    assert same(image.convert("L"), theirs.convert("L"))
    assert same(image.resize((50, 40)), theirs.resize((50, 40)))
    image.putpixel((3, 4), (1,) * len(mode))
    assert image.getpixel((3, 4)) == (1,) * len(mode)
    image.paste(0, (0, 0, 300, 200))
    assert image.getbbox() is None


def test_held_pictures_do_not_share_memory(chosen: None, memory: None):
    one, other = (png(Image.new("RGB", (300, 200), color)) for color in ("red", "blue"))
    images = [decode(content, held=True) for content in (one, other, one)]
    assert [image.getpixel((299, 199)) for image in images] == [(255, 0, 0), (0, 0, 255), (255, 0, 0)]


def test_a_held_picture_outlives_others(memory: None):
    picked = picture("RGB", (300, 200))
    images = [decode(png(picked), held=True) for _ in range(5)]
    kept = images[2]
    del images
    gc.collect()
    assert same(kept, picked)


def test_where_the_system_gives_no_more_such_memory_the_picture_is_made_as_ever(monkeypatch: pytest.MonkeyPatch):
    def refuses(*_: object, **__: object) -> object:
        raise OSError(12, "Cannot allocate memory")

    assert decoders._maps() in (True, False)  # tried before
    monkeypatch.setattr(decoders.mmap, "mmap", refuses)
    picked = picture("RGB", (300, 200))
    assert same(decode(png(picked), held=True), picked)


def test_another_pillow_that_maps_no_memory_is_used_as_ever(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delattr(Image.core, "map_buffer")
    assert not decoders._maps.__wrapped__()


def test_pixels_that_break_off_are_an_error_where_it_is_held(chosen: None, memory: None):
    content = png(picture("RGB", (300, 200)))
    with pytest.raises(errors.BadResponse, match="damaged or cut off"):
        decode(content[: len(content) // 2], held=True)
