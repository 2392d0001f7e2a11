"""The renderer: what it reads, what it refuses, and what its pictures must show."""

from __future__ import annotations

import base64
import gzip
import io
import json
import struct

import numpy as np
import pytest
from PIL import Image

from ipyassets.sandbox import library
from ipyassets.sandbox.renderer import ModelError, bake, engine_name, load_building, load_model, load_object, render
from ipyassets.sandbox.renderer.camera import frame_camera
from ipyassets.sandbox.renderer.engines import make_engine
from ipyassets.sandbox.renderer.glb import read_glb
from ipyassets.sandbox.renderer.light import ground_light
from ipyassets.sandbox.renderer.model import Material, Model
from ipyassets.sandbox.renderer.obj import read_obj
from ipyassets.sandbox.renderer.plans import PLANS
from ipyassets.sandbox.renderer.plans.draft import Draft
from ipyassets.sandbox.renderer.polygon import cut_polygons
from ipyassets.sandbox.renderer.surface import corner_normals, find_sides

ENGINES = [
    "numpy",
    pytest.param("embree", marks=pytest.mark.skipif(engine_name() != "embree", reason="no embreex")),
]

CUBE = """
mtllib cube.mtl
v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
v 0 0 1
v 1 0 1
v 1 1 1
v 0 1 1
usemtl red
f 1 4 3 2
f 5 6 7 8
f 1 2 6 5
f -5 -6 -2 -1
f 2 3 7 6
f 4 1 5 8
"""
RED = b"newmtl red\nKd 0.8 0.05 0.05\nKs 0 0 0\nNs 1\n"


def nothing_beside(name: str) -> bytes:
    raise KeyError(name)


def cube(text: str = CUBE, mtl: bytes = RED, **files: bytes) -> Model:
    found = {"cube.mtl": mtl, **files}
    return read_obj(text.encode(), found.__getitem__, name="cube.obj")


def box_model(*, inside_out: bool = False) -> Model:
    draft = Draft("box")
    draft.box(draft.paint("blue", "#3355cc"), 0, 0, 0, 1, 1, 1)
    model = draft.model()
    if not inside_out:
        return model
    return Model.place("box", model.corners[:, ::-1], model.material, model.materials)


def glb(
    *, points=((0, 0, 0), (1, 0, 0), (0, 1, 0)), node=None, material=None, extra=None, cut=0, accessor=None
) -> bytes:
    data = struct.pack(f"<{3 * len(points)}f", *(value for point in points for value in point))
    document = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, **(node or {})}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, **({"material": 0} if material else {})}]}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": len(points), "type": "VEC3", **(accessor or {})}
        ],
        "bufferViews": [{"buffer": 0, "byteLength": len(data)}],
        "buffers": [{"byteLength": len(data)}],
        **({"materials": [material]} if material else {}),
        **(extra or {}),
    }
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    body = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(data), b"BIN\0") + data
    whole = b"glTF" + struct.pack("<II", 2, 12 + len(body)) + body
    return whole[: len(whole) - cut]


# Readers


def test_obj_reads_polygons_relative_indices_and_material():
    model = cube()
    assert len(model.corners) == 12
    assert [material.name for material in model.materials] == ["", "red"]
    red = model.materials[1].colour
    assert red[0] > 0.5 > 0.01 > red[1]
    low, high = model.box
    assert low[1] == 0
    assert np.linalg.norm(high - low) == pytest.approx(1, abs=1e-5)
    assert (low + high)[[0, 2]] == pytest.approx([0, 0], abs=1e-6)


def test_obj_longest_edge_comes_first():
    corners = cube().corners
    edges = np.linalg.norm(np.roll(corners, -1, 1) - corners, axis=2)
    assert (edges[:, 0] >= edges.max(1) - 1e-6).all()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no faces"),
        ("v 0 0 0\nv 1 0 0\n", "no faces"),
        (CUBE + "f 1 2 99\n", "no vertex 99"),
        (CUBE + "f 1 2 x\n", "bad face"),
        (CUBE + "f 1//7 2 3\n", "no normal 7"),
        (CUBE.replace("v 1 1 1", "v 1 one 1"), "not made of 3 numbers"),
        (CUBE.replace("v 1 1 1", "v 1 1"), "not made of 3 numbers"),
        (CUBE.replace("v 1 1 1", "v 1 nan 1"), "not a finite number"),
        ("v 1 1 1\nv 1 1 1\nv 1 1 1\nf 1 2 3\n", "one point"),
        ("v 0 0 0\nv 1 1 1\nv 2 2 2\nf 1 2 3\n", "degenerate"),
    ],
)
def test_broken_obj_is_refused_with_its_reason(text, complaint):
    with pytest.raises(ModelError, match=complaint):
        cube(text)


def test_obj_without_its_material_file_is_refused():
    with pytest.raises(ModelError, match=r"material file 'cube\.mtl' is missing"):
        read_obj(CUBE.encode(), nothing_beside, name="cube.obj")


def test_obj_with_a_bad_material_value_is_refused():
    with pytest.raises(ModelError, match="bad value"):
        cube(mtl=b"newmtl red\nKd red\n")


def test_missing_texture_leaves_the_plain_colour():
    model = cube(mtl=RED + b"map_Kd K:\\images\\wood.jpg\n")
    assert model.materials[1].texture is None
    assert model.materials[1].colour[0] > 0.5


def test_broken_texture_is_refused():
    with pytest.raises(ModelError, match="not a readable texture"):
        cube(mtl=RED + b"map_Kd wood.jpg\n", **{"wood.jpg": b"<html>not found</html>"})


def test_texture_with_options_before_its_name():
    out = io.BytesIO()
    Image.new("RGB", (4, 4), "#00ff00").save(out, "PNG")
    model = cube(mtl=RED + b"map_Kd -s 1 1 1 -clamp on my wood.png\n", **{"my wood.png": out.getvalue()})
    texture = model.materials[1].texture
    assert [level.shape[:2] for level in texture.levels] == [(4, 4), (2, 2), (1, 1)]
    assert texture.levels[0][0, 0].tolist() == [0, 1, 0, 1]


def test_obj_cannot_read_outside_its_folder(tmp_path):
    (tmp_path / "secret.mtl").write_bytes(RED)
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "cube.obj").write_text(CUBE.replace("cube.mtl", "../secret.mtl"))
    with pytest.raises(ModelError, match="missing"):
        load_model(folder / "cube.obj")


def test_load_model_by_file_ending(tmp_path):
    (tmp_path / "cube.obj").write_text(CUBE)
    (tmp_path / "cube.mtl").write_bytes(RED)
    (tmp_path / "part.glb").write_bytes(glb())
    (tmp_path / "part.glb.gz").write_bytes(gzip.compress(glb()))
    (tmp_path / "bad.glb.gz").write_bytes(b"not gzip")
    (tmp_path / "part.step").write_bytes(b"ISO-10303-21;")
    assert len(load_model(tmp_path / "cube.obj").corners) == 12
    assert len(load_model(tmp_path / "part.glb").corners) == 1
    assert len(load_model(tmp_path / "part.glb.gz").corners) == 1
    for name in ("bad.glb.gz", "part.step", "absent.obj"):
        with pytest.raises(ModelError, match=name.replace(".", r"\.")):
            load_model(tmp_path / name)


def test_glb_applies_node_transforms_and_materials():
    turned = glb(
        node={"rotation": [0, 0, 0.7071067811865476, 0.7071067811865476], "scale": [2, 1, 1]},
        material={
            "pbrMetallicRoughness": {"baseColorFactor": [0.1, 0.2, 0.3, 0.5], "metallicFactor": 0.25},
            "alphaMode": "BLEND",
        },
    )
    model = read_glb(turned, name="part.glb")
    low, high = model.box
    width, height, _ = high - low
    # The x axis, twice as long, was turned upright.
    assert height == pytest.approx(2 * width, rel=1e-4)
    material = model.materials[0]
    assert material.colour == (0.1, 0.2, 0.3)
    assert (material.alpha, material.metallic) == (0.5, 0.25)


def test_glb_texture_in_a_data_uri():
    out = io.BytesIO()
    Image.new("RGBA", (2, 2), (255, 255, 255, 0)).save(out, "PNG")
    uri = "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()
    model = read_glb(
        glb(
            material={"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}},
            extra={"textures": [{"source": 0}], "images": [{"uri": uri}]},
        ),
        name="part.glb",
    )
    assert model.materials[0].texture.cut_out
    assert model.materials[0].see_through


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "not a GLB"),
        (b"glTF" + bytes(40), "version 0"),
        (glb(cut=8), "bytes announced"),
        (glb(extra={"extensionsRequired": ["KHR_draco_mesh_compression"]}), "KHR_draco_mesh_compression"),
        (glb(accessor={"count": 50}), "reaches beyond"),
        (glb(accessor={"sparse": {}}), "sparse"),
        (glb(accessor={"type": "BLOB"}), "broken GLB"),
        (glb(node={"children": [0]}), "loop"),
        (glb(extra={"nodes": []}), "broken GLB"),
        (glb(extra={"scenes": [{"nodes": []}]}), "no triangles"),
        (glb(points=((0, 0, 0), (1, 0, 0))), "no triangles"),
        (glb(extra={"buffers": [{"uri": "http://example.org/a.bin"}]}), "must hold its data"),
    ],
)
def test_broken_glb_is_refused_with_its_reason(data, complaint):
    with pytest.raises(ModelError, match=complaint):
        read_glb(data, name="part.glb")


def test_every_object_and_building_of_the_catalogue_loads():
    for entry in library.objects():
        assert len(load_object(entry.key).corners) == entry.triangles
    assert {building.key for building in library.buildings()} == {"fzk-house", *PLANS}
    for building in library.buildings():
        assert len(load_building(building.key).corners) > 1000
    with pytest.raises(KeyError):
        load_object("no-such-object")


def test_concave_faces_are_not_filled():
    """A headband drawn as one arch-shaped face came out as a solid half disc, its triangles being a fan."""
    turn = np.linspace(0, np.pi, 12)
    arch = [
        *zip(3 * np.cos(turn), 3 * np.sin(turn), strict=True),
        *zip(-2 * np.cos(turn), 2 * np.sin(turn), strict=True),
    ]
    for first in range(0, len(arch), 5):
        outline = arch[first:] + arch[:first]
        for order in ((0, 1), (1, 0)):
            points = np.insert(np.array(outline)[:, order], 1 + first % 2, 0.5, 1)
            triangles = points[cut_polygons(points, np.arange(24), np.array([24]))]
            assert len(triangles) == 22
            area = np.linalg.norm(
                np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]), axis=1
            )
            assert area.sum() / 2 == pytest.approx(np.pi / 2 * (9 - 4), rel=0.03)


def test_concave_quads_are_cut_along_the_right_diagonal():
    dart = np.array([[0, 0, 0], [2, 1, 0], [0, 2, 0], [0.5, 1, 0]], float)
    for first in range(4):
        triangles = np.roll(dart, -first, 0)[cut_polygons(np.roll(dart, -first, 0), np.arange(4), np.array([4]))]
        normals = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
        assert (normals[:, 2] > 0).all()
        assert normals[:, 2].sum() / 2 == pytest.approx(1.5)


# Surfaces


def test_sharp_edges_stay_sharp_and_round_things_are_smooth():
    model = box_model()
    normals = corner_normals(model.corners, model.normals)
    assert np.abs(normals).max(2) == pytest.approx(1, abs=1e-5)
    draft = Draft("ball")
    draft.ball(draft.leaf, (0, 0, 0), 1, sides=24)
    ball = draft.model()
    low, high = ball.box
    outwards = ball.corners - (low + high) / 2
    outwards /= np.linalg.norm(outwards, axis=2, keepdims=True)
    assert ((corner_normals(ball.corners, ball.normals) * outwards).sum(2) ** 2).min() > 0.97


@pytest.mark.parametrize("engine", ENGINES)
def test_faces_wound_inside_out_are_turned(engine):
    wrong = find_sides(box_model(inside_out=True), make_engine(box_model().corners, engine))
    right = find_sides(box_model(), make_engine(box_model().corners, engine))
    assert (wrong.flipped != right.flipped).all()
    assert not right.double.any()


def test_sheet_is_seen_from_both_sides():
    sheet = Model.place("sheet", np.array([[[0, 0, 0], [1, 0, 0], [0.5, 1, 0]]]), np.zeros(1), [Material()])
    assert find_sides(sheet, make_engine(sheet.corners)).double.all()


def test_site_plate_under_a_building_keeps_its_face():
    """A plate whose triangles lay mostly under the building was taken for wound the wrong way, and drawn black."""
    draft = Draft("site")
    draft.box(draft.paint("plate", "#ffffff"), 0, 0, 0, 10, 0.2, 10)
    draft.box(draft.paint("block", "#ffffff"), 0, 0.2, 0, 9, 4, 9)
    image = np.asarray(render(bake(draft.model(), samples=8000), 200, 160, azimuth=35, elevation=40, samples=0))
    assert image.min() > 70


# Pictures


@pytest.fixture(scope="module")
def red_cube():
    return {
        name: bake(cube(), engine=name, samples=6000)
        for name in ("numpy", "embree")
        if name in (engine_name(), "numpy")
    }


@pytest.fixture(scope="module")
def chair():
    return bake(load_object("osaka-chair"), samples=12_000)


def test_engines_give_alike_pictures():
    pytest.importorskip("embreex")
    model = load_object("osaka-chair")
    pictures = [
        np.asarray(render(bake(model, engine=name, samples=16_000), 128, 128, transparent=True), np.int32)
        for name in ("numpy", "embree")
    ]
    covered = [picture[..., 3] > 250 for picture in pictures]
    assert (covered[0] ^ covered[1]).sum() < 0.02 * covered[0].sum()
    both = covered[0] & covered[1]
    assert np.abs(pictures[0] - pictures[1])[both].mean() < 8
    assert np.abs(pictures[0] - pictures[1])[~both].mean() < 8


@pytest.mark.parametrize("engine", ENGINES)
def test_red_cube_is_red_and_lit_from_above(red_cube, engine):
    image = np.asarray(render(red_cube[engine], 120, 90, azimuth=30, elevation=30), np.int32)
    red = (image[..., 0] > 60) & (image[..., 1] < 60)
    assert 0.15 < red.mean() < 0.7
    rows = np.nonzero(red.any(1))[0]
    top, bottom = image[rows[0] + 6], image[rows[-1] - 6]
    assert top[red[rows[0] + 6], 0].mean() > bottom[red[rows[-1] - 6], 0].mean()


@pytest.mark.parametrize("engine", ENGINES)
def test_glass_shows_what_is_behind_it(engine):
    def scene(alpha: float):
        draft = Draft("pane")
        draft.box(draft.paint("red", "#d01010"), 0, 0, -1, 1, 1, 0.2)
        draft.box(draft.paint("pane", "#ffffff", alpha=alpha), 0, 0, 1, 1.6, 1.6, 0.05)
        image = render(bake(draft.model(), engine=engine, samples=4000), 60, 60, azimuth=0, elevation=5, samples=0)
        return image.getpixel((30, 34))

    clear, solid = scene(0.2), scene(1.0)
    assert clear[0] - clear[1] > 50
    assert abs(solid[0] - solid[1]) < 12


@pytest.mark.parametrize(("width", "height"), [(320, 180), (180, 320), (200, 200)])
def test_model_fills_the_frame_and_is_centred(chair, width, height):
    """Framed by its bounding sphere, an object was small in a 16:9 picture."""
    image = render(chair, width, height, transparent=True, fill=0.8)
    solid = np.asarray(image)[..., 3] > 250
    columns, rows = np.nonzero(solid.any(0))[0], np.nonzero(solid.any(1))[0]
    wide, tall = (columns[-1] - columns[0] + 1) / width, (rows[-1] - rows[0] + 1) / height
    assert max(wide, tall) == pytest.approx(0.8, abs=0.03)
    assert (columns[0] + columns[-1]) / 2 == pytest.approx(width / 2, abs=2.5)
    assert (rows[0] + rows[-1]) / 2 == pytest.approx(height / 2, abs=2.5)


def test_orbit_keeps_distance_and_fits_from_every_side(chair):
    points = chair.baked.model.corners.reshape(-1, 3).astype(float)
    cameras = [frame_camera(points, 320, 180, azimuth=a, elevation=15, orbit=True) for a in range(0, 360, 45)]
    distances = [np.linalg.norm(camera.eye - [0, camera.eye[1], 0]) for camera in cameras]
    assert max(distances) - min(distances) < 1e-6
    for camera in cameras:
        x, y, _ = camera.project(points)
        assert x.min() >= 0
        assert x.max() <= 320
        assert y.min() >= 0
        assert y.max() <= 180


def test_background_colour_is_the_one_asked_for(chair):
    image = render(chair, 96, 96, background="#2f6f73", mood="soft", samples=0)
    assert image.mode == "RGB"
    corner = image.getpixel((48, 1))
    assert corner == pytest.approx((0x2F, 0x6F, 0x73), abs=8)


def test_transparent_picture_has_clear_corners_a_solid_object_and_a_soft_shadow(chair):
    image = render(chair, 128, 128, transparent=True)
    assert image.mode == "RGBA"
    alpha = np.asarray(image)[..., 3]
    assert alpha[0, 0] == 0
    assert alpha.max() == 255
    assert ((alpha > 20) & (alpha < 200)).mean() > 0.02


def test_moods_differ_and_one_bake_serves_them_all(chair):
    pictures = {
        mood: render(chair, 64, 64, mood=mood, samples=0).tobytes() for mood in ("studio", "sunset", "dramatic")
    }
    assert len(set(pictures.values())) == 3


def test_pictures_are_deterministic(chair):
    again = bake(load_object("osaka-chair"), samples=12_000)
    assert render(chair, 80, 60).tobytes() == render(again, 80, 60).tobytes()


def test_open_ground_is_even():
    """Random light samples mottled the ground; the directions are the same for every point now."""
    light = ground_light(make_engine(box_model().corners))
    side = light.shape[0]
    front = light[-side // 8 :, : side // 4]
    assert np.abs(np.diff(front[..., 2], axis=1)).max() < 0.01


@pytest.mark.parametrize(
    ("view", "complaint"),
    [
        ({"width": 0, "height": 10}, "0 x 10"),
        ({"width": 10, "height": 100_000}, "100000"),
        ({"width": 10, "height": 10, "mood": "gloomy"}, "no mood 'gloomy'"),
        ({"width": 10, "height": 10, "background": "notacolour"}, "notacolour"),
    ],
)
def test_impossible_pictures_are_refused(chair, view, complaint):
    with pytest.raises(ValueError, match=complaint):
        render(chair, view.pop("width"), view.pop("height"), **view)


def test_straight_from_above_and_from_below_are_possible(chair):
    for elevation in (90, -90, -20):
        assert np.asarray(render(chair, 48, 48, elevation=elevation, samples=0)).std() > 3


def test_environment_chooses_the_engine(monkeypatch):
    monkeypatch.setenv("IPYASSETS_RENDERER", "numpy")
    assert engine_name() == "numpy"
    assert type(make_engine(box_model().corners)).__name__ == "NumpyEngine"
    monkeypatch.setenv("IPYASSETS_RENDERER", "opengl")
    with pytest.raises(ValueError, match="opengl"):
        engine_name()
