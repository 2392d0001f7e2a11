from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime

import numpy as np
import pytest

from ipyassets.errors import InvalidRequest
from ipyassets.services.rendering import RenderFile, RenderOrder, Turntable


def test_an_order_without_a_wish():
    order = RenderOrder()
    assert (order.width, order.height, order.format) == (1920, 1080, "PNG")
    assert (order.background, order.transparent) == (None, False)
    assert order.turntable == Turntable()
    assert order.turntable.duration == 3.0
    assert hash(order) == hash(RenderOrder())


@pytest.mark.parametrize(
    ("given", "format"),
    [("png", "PNG"), (".webp", "WEBP"), ("JPEG", "JPG"), ("jpg", "JPG"), (".jpeg", "JPG")],
)
def test_formats_in_the_spellings_people_use(given, format):
    assert RenderOrder(format=given).format == format


@pytest.mark.parametrize("format", ["TIFF", "", None, 5, "image/png"])
def test_other_formats_are_refused_by_naming_those_there_are(format):
    with pytest.raises(InvalidRequest, match="PNG, JPG, WEBP"):
        RenderOrder(format=format)


@pytest.mark.parametrize("name", ["width", "height"])
@pytest.mark.parametrize("value", [0, -1, 1.5, "1920", None, True, float("nan")])
def test_sizes_that_are_none(name, value):
    with pytest.raises(InvalidRequest, match=f"{name} must be a whole number, 1 or more"):
        RenderOrder(**{name: value})
    with pytest.raises(InvalidRequest, match=rf"turntable\.{name} must be a whole number"):
        Turntable(**{name: value})


@pytest.mark.parametrize("name", ["frames", "fps"])
def test_frames_and_their_rate(name):
    with pytest.raises(InvalidRequest, match=rf"turntable\.{name}"):
        Turntable(**{name: 0})


def test_numpys_integers_are_numbers():
    order = RenderOrder(width=np.int64(640), turntable=Turntable(frames=np.uint8(12)))
    assert (type(order.width), type(order.turntable.frames)) == (int, int)


@pytest.mark.parametrize(
    ("given", "colour"),
    [("#F4F1EA", "#f4f1ea"), ("white", "#ffffff"), ("#fff", "#ffffff"), ("rgb(1, 2, 3)", "#010203"), (None, None)],
)
def test_backgrounds_are_colours_as_pillow_reads_them(given, colour):
    assert RenderOrder(background=given).background == colour
    assert Turntable(background=given).background == colour


@pytest.mark.parametrize("colour", ["whiteish", "", 5, (1, 2, 3), "#ggg"])
def test_other_backgrounds_are_refused(colour):
    with pytest.raises(InvalidRequest, match="must be a colour such as"):
        RenderOrder(background=colour)
    with pytest.raises(InvalidRequest, match="must be a colour such as"):
        Turntable(background=colour)


def test_what_contradicts_itself():
    with pytest.raises(InvalidRequest, match="transparent and have a background"):
        RenderOrder(transparent=True, background="white")
    with pytest.raises(InvalidRequest, match="transparent and have a background"):
        Turntable(transparent=True, background="white")
    with pytest.raises(InvalidRequest, match="JPG cannot be transparent"):
        RenderOrder(transparent=True, format="jpeg")
    with pytest.raises(InvalidRequest, match="True or False"):
        RenderOrder(transparent="yes")
    with pytest.raises(InvalidRequest, match="True or False"):
        Turntable(gif=1)
    with pytest.raises(InvalidRequest, match=r"must be a Turntable\(...\), not dict"):
        RenderOrder(turntable={"frames": 3})


def test_an_order_is_checked_again_when_it_is_changed():
    assert replace(RenderOrder(), width=10).width == 10
    with pytest.raises(InvalidRequest):
        replace(RenderOrder(format="JPG"), transparent=True)
    with pytest.raises(FrozenInstanceError):
        RenderOrder().width = 5


def test_orders_and_files_travel():
    order = RenderOrder(background="white")
    file = RenderFile("p1", "stills", "a1", "render-0-x.png", "png")
    assert pickle.loads(pickle.dumps((order, file))) == (order, file)
    assert copy.deepcopy(order) == order


def test_a_new_rendering_has_another_version():
    """A service may keep the file's id, or its blob id, when it replaces the bytes."""
    old = RenderFile("p1", "stills", "a1", "render-0-x.png", "png", blob="b1", updated=datetime(2026, 1, 1, tzinfo=UTC))
    assert replace(old, position=3, name="other.png").version == old.version
    for change in ({"id": "a2"}, {"blob": "b2"}, {"updated": datetime(2026, 1, 2, tzinfo=UTC)}):
        assert replace(old, **change).version != old.version
