"""The shipped catalogue and its pictures."""

from __future__ import annotations

import importlib.util
import io
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from ipyassets.sandbox import library

ROOT = Path(__file__).parents[2]

ENTRIES = [
    *(("object", model.key) for model in library.objects()),
    *(("building", building.key) for building in library.buildings()),
    *(("generated", image.key) for image in library.generated()),
]


def script(name: str):
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_catalogue_is_large_enough_and_its_keys_are_unique():
    assert len(library.objects()) >= 80
    assert len(library.buildings()) >= 12
    assert len(library.generated()) >= 60
    assert len(set(ENTRIES)) == len(ENTRIES)


def test_objects_say_who_made_them_and_how_they_may_be_used():
    for model in library.objects():
        assert model.licence == "CC0-1.0"
        assert model.creator
        assert model.names["en"] == model.name
        assert len(model.names) >= 4
        assert model.source.startswith("http")
        assert min(model.width_cm, model.depth_cm, model.height_cm) > 0
        hash(model)


def test_names_keep_their_own_scripts():
    armchair = library.objects()[0]
    assert armchair.names["ja"] == "肘掛け椅子"
    assert armchair.names["de"] == "Stuhl mit Armlehnen"


def test_generated_images_refer_to_objects_and_carry_aware_dates():
    keys = {model.key for model in library.objects()}
    for image in library.generated():
        assert image.object_key in keys
        assert image.created.utcoffset().total_seconds() == 0
        assert 0 <= image.seed < 2**32
        assert image.prompt
        assert image.negative_prompt
    assert len({image.prompt for image in library.generated()}) == len(library.generated())
    assert list(library.generated()) == sorted(library.generated(), key=lambda image: image.created)


def test_buildings_lie_on_the_globe():
    for building in library.buildings():
        assert -90 <= building.latitude <= 90
        assert -180 <= building.longitude <= 180
        assert building.storeys >= 1


def test_lists_come_from_the_data_in_the_same_order_every_time():
    first = library.objects(), library.buildings(), library.generated()
    for cached in (library.objects, library.buildings, library.generated):
        cached.cache_clear()
    assert (library.objects(), library.buildings(), library.generated()) == first


def test_generated_list_is_what_its_script_writes():
    rows = script("make_generated").rows()
    assert [row["key"] for row in rows] == [image.key for image in library.generated()]
    assert [row["seed"] for row in rows] == [image.seed for image in library.generated()]


def test_credits_file_is_what_its_script_writes():
    pytest.importorskip("numpy")
    assert (ROOT / "THIRD_PARTY_MODELS.md").read_text(encoding="utf-8") == script("make_pictures").credits_text()


def test_every_licence_text_is_shipped():
    zipfile = pytest.importorskip("zipfile")
    with zipfile.ZipFile(ROOT / "src/ipyassets/sandbox/data/models/furniture-cc0.zip") as archive:
        names = set(archive.namelist())
    for model in library.objects():
        assert model.model in names
        assert model.licence_file in names


@pytest.mark.parametrize(("kind", "key"), ENTRIES)
def test_picture_decodes_and_has_its_stated_size(kind, key):
    with Image.open(io.BytesIO(library.picture(kind, key))) as image:
        assert image.format == "WEBP"
        assert image.size == library.size(kind, key)
        assert max(image.size) >= 512
        # A picture that shows nothing has hardly any contrast.
        low, high = image.convert("L").getextrema()
        assert high - low > 40


def test_pictures_of_all_entries_are_small_together_and_no_others_are_shipped():
    folder = ROOT / "src/ipyassets/sandbox/data/pictures"
    shipped = {(path.parent.name, path.stem) for path in folder.glob("*/*.webp")}
    assert shipped == set(ENTRIES)
    assert sum(path.stat().st_size for path in folder.glob("*/*.webp")) < 4_000_000


def test_no_two_pictures_are_the_same():
    assert len({library.picture(kind, key) for kind, key in ENTRIES}) == len(ENTRIES)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ({}, (800, 500)),
        ({"width": 400}, (400, 250)),
        ({"height": 100}, (160, 100)),
        ({"width": 400, "height": 100}, (160, 100)),
        ({"width": 4000, "height": 4000}, (800, 500)),
        ({"width": 1}, (1, 1)),
    ],
)
def test_encoded_fits_the_box_and_is_never_enlarged(box, expected):
    data = library.encoded("building", "fzk-house", **box)
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert image.format == "PNG"
        assert image.size == expected


@pytest.mark.parametrize(("name", "format"), [("PNG", "PNG"), ("jpg", "JPEG"), ("JPEG", "JPEG"), ("webp", "WEBP")])
def test_encoded_formats(name, format):
    with Image.open(io.BytesIO(library.encoded("object", "chair", width=64, format=name))) as image:
        image.load()
        assert image.format == format
        assert image.size == (64, 64)


def test_stored_file_passes_through_unchanged():
    assert library.encoded("object", "chair", format="WEBP") == library.picture("object", "chair")


@pytest.mark.parametrize("call", [library.picture, library.size, library.encoded])
def test_unknown_entries_are_key_errors(call):
    with pytest.raises(KeyError):
        call("object", "../../catalogue")
    with pytest.raises(KeyError):
        call("nonsense", "chair")


def test_library_needs_no_numpy():
    """The services import the catalogue; numpy takes a tenth of a second and is an extra."""
    code = (
        "import sys; sys.modules['numpy'] = None; sys.modules['PIL'] = None\n"
        "from ipyassets.sandbox import library\n"
        "print(len(library.objects()), len(library.picture('object', 'chair')) > 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(len(library.objects())), "True"]
