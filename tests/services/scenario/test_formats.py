from __future__ import annotations

from typing import Any

import pytest

from ipyassets.errors import InvalidRequest
from ipyassets.services.base import Record
from ipyassets.services.scenario.client import ScenarioService
from ipyassets.services.scenario.formats import FORMATS, MEDIA_TYPES, ending, understood

RASTER = ("jpeg", "png", "webp", "avif", "tiff", "gif", "heif")


def record(kind: Any, mime: str | None) -> Record:
    return Record("scenario", "asset_1", "An asset", kind, raw={"mimeType": mime} if mime else {})


PICTURE = record("image", "image/png")
MESH = record("3d", "model/gltf-binary")


def test_the_fifteen_documented_words_are_all_understood():
    drawing, film = record("image", "image/svg+xml"), record("video", "video/mp4")
    sound = record("audio", "audio/mpeg")
    of = {"svg": drawing, "glb": MESH, "fbx": MESH, "obj": MESH, "mp3": sound, "mp4": film}
    words = ("jpeg", "jpg", "png", "webp", "avif", "tif", "tiff", "gif", "heif", *of)
    assert len(words) == 15
    assert {understood(word, of.get(word, PICTURE)) for word in words} == set(MEDIA_TYPES)


@pytest.mark.parametrize(
    ("given", "sent"),
    [("JPG", "jpeg"), ("jpeg", "jpeg"), ("Tif", "tiff"), ("TIFF", "tiff"), (" .WebP ", "webp"), (None, None)],
)
def test_case_dots_and_other_spellings_do_not_matter(given: str | None, sent: str | None):
    assert understood(given, PICTURE) == sent


@pytest.mark.parametrize("kind", ["image", "3d", "video", "audio", "document", "text", "other"])
def test_the_original_can_be_had_of_everything(kind: str):
    assert understood(None, record(kind, None)) is None


@pytest.mark.parametrize("mime", [None, "image/vnd.radiance", "image/webp"])
@pytest.mark.parametrize("format", RASTER)
def test_pictures_become_other_pictures(mime: str | None, format: str):
    assert understood(format, record("image", mime)) == format


@pytest.mark.parametrize(
    ("asset", "format", "allowed"),
    [
        (PICTURE, "glb", "webp"),
        (PICTURE, "mp4", "webp"),
        (PICTURE, "svg", "webp"),
        (MESH, "png", "glb, fbx, obj"),
        (record("audio", "audio/wav"), "mp3", "as it is stored"),
        (record("audio", "audio/mpeg"), "mp4", "had as mp3;"),
        (record("video", "video/webm"), "mp4", "as it is stored"),
        (record("video", "video/mp4"), "gif", "had as mp4;"),
        (record("text", "text/plain"), "png", "as it is stored"),
        (record("document", "application/pdf"), "jpeg", "as it is stored"),
    ],
)
def test_wrong_pairs_are_refused_with_what_is_allowed(asset: Record, format: str, allowed: str):
    with pytest.raises(InvalidRequest, match=allowed):
        understood(format, asset)


@pytest.mark.parametrize("format", ["wepb", "bmp", "", "png ; rm", 5, b"png"])
def test_words_that_are_no_format(format: Any):
    with pytest.raises(InvalidRequest):
        understood(format, PICTURE)


def test_a_slip_of_the_pen_is_guessed():
    with pytest.raises(InvalidRequest, match="Did you mean 'webp'"):
        understood("wepb", PICTURE)


def test_what_only_the_service_can_know_is_left_to_it():
    """A vector drawing as a picture, a file of unknown type, a kind newer than this program."""
    assert understood("png", record("image", "image/svg+xml")) == "png"
    assert understood("svg", record("image", None)) == "svg"
    assert understood("mp3", record("audio", None)) == "mp3"
    assert understood("glb", record("other", "model/new")) == "glb"


def test_the_service_declares_what_it_can():
    assert ScenarioService.capabilities.download
    assert ScenarioService.capabilities.archive
    assert ScenarioService.formats is FORMATS
    assert {word for words in FORMATS.values() for word in words} == set(MEDIA_TYPES)


@pytest.mark.parametrize(
    ("mime", "last"),
    [("image/jpeg", "jpg"), ("image/webp", "webp"), ("model/gltf-binary", "glb"), ("audio/wav", "wav"),
     ("application/pdf", "pdf"), ("application/octet-stream", None), ("model/quite-new", None), (None, None)],
)  # fmt: skip
def test_endings_of_names(mime: str | None, last: str | None):
    assert ending(mime) == last
