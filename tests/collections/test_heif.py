"""HEIF pictures whose own words on their size do not agree: the limit of pixels holds for what is decoded."""

from __future__ import annotations

import io
import struct
from typing import Any

import pytest
from PIL import Image

from ipyassets.collections.images import decode, opened
from ipyassets.collections.thumbnails import shrink
from ipyassets.errors import BadResponse
from tests.fuzz.__main__ import kept


def heif(width: int, height: int) -> bytearray:
    """One whose coded picture is larger than what is shown of it, as it says itself ("clap")."""
    pillow_heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (width, height), (200, 30, 30))).save(buffer, quality=10)
    made = bytearray(buffer.getvalue())
    assert made.count(b"clap") == 1
    return made


def showing(made: bytearray, *words: int) -> bytes:
    """The same with another cut: width, height and the two distances of its middle, each a fraction."""
    at = made.index(b"clap") + 4
    return bytes(made[:at] + struct.pack(">8i", *words) + made[at + 32 :])


def test_a_small_part_of_a_giant_is_refused_before_anything_is_decoded(monkeypatch: Any):
    """The limit of pixels was held against the part that is shown: 10 x 10 of 16,000 x 16,000 were decoded whole."""
    lying = showing(heif(129, 97), 10, 1, 10, 1, 0, 1, 0, 1)
    assert opened(lying).size == (10, 10)
    monkeypatch.setattr("pillow_heif.HeifImageFile.load", lambda _: pytest.fail("it was decoded"))
    with pytest.raises(BadResponse, match=r"130 x 98 pixels, more than the limit of 12,000"):
        opened(lying, most=12_000)
    with pytest.raises(BadResponse, match=r"more than the limit of 12,000"):
        decode(lying, most=12_000)


def test_one_that_turns_out_larger_than_it_said_still_fits_the_box():
    """Found by fuzzing: a cut that leads outside was left out in decoding, and 64 rows came for a box of 30."""
    pytest.importorskip("pillow_heif")
    growing = dict(kept("images"))["images-crashes.zip:heif-that-grew-when-it-was-decoded"]
    try:
        decode(growing)
    except BadResponse:
        pytest.skip("older versions of libheif refuse it")
    assert (opened(growing).size, decode(growing).size) == ((1, 16), (1, 64))
    made = decode(growing, 20, 30)
    assert made.width <= 20
    assert made.height <= 30
    assert max(shrink(growing, 16).width, shrink(growing, 16).height) <= 16


def test_what_stands_outside_of_its_head_is_no_size():
    honest = bytes(heif(129, 97))
    assert decode(honest, most=13_000).size == (129, 97)
    behind = honest + struct.pack(">I4s4xI4s4xII", 28, b"free", 20, b"ispe", 99_999, 99_999)
    assert decode(behind, most=13_000).size == (129, 97)
