"""What workers draw: views, frames of a turn, quality, and bakes that are kept."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from PIL import Image

from ipyassets.sandbox.renderer import Light, bake, engine_name, load_object, render, restore
from ipyassets.sandbox.renderer.engines import make_engine
from ipyassets.sandbox.renderer.light import ground_light
from ipyassets.sandbox.rendering.orders import Stills, Turntable, tasks
from ipyassets.sandbox.rendering.pictures import Atelier

ENGINES = [
    "numpy",
    pytest.param("embree", marks=pytest.mark.skipif(engine_name() != "embree", reason="no embreex")),
]


def draw(folder, order, quality="draft", key="osaka-chair"):
    """Do all steps of an order but the last, in this process."""
    model = {"source": {"kind": "object", "key": key}, "quality": quality, "kept": str(folder / "light.npz")}
    atelier = Atelier()
    steps, _ = tasks(order, model, str(folder))
    for step in steps:
        atelier.do(step.kind, step.arguments)
    images = []
    for path in sorted(folder.glob("*.png")):
        with Image.open(path) as image:
            images.append(image.copy())
    return images


def box(image):
    """Left, top, right, bottom of what is not clear, shadows left out."""
    return image.getchannel("A").point(lambda alpha: 255 * (alpha > 200)).getbbox()


def test_five_views_each_framed_in_the_middle(tmp_path):
    views = draw(tmp_path, Stills(160, 90, transparent=True))
    assert len({view.tobytes() for view in views}) == 5
    for view in views:
        left, top, right, bottom = box(view)
        assert abs((left + right) / 2 - 80) < 4
        assert abs((top + bottom) / 2 - 45) < 4
        assert bottom - top > 64, "the height binds in 16:9, and it is filled"


def test_a_turn_is_steady(tmp_path):
    """Every frame has the same camera: the chair's axis stays, its feet stand on one circle."""
    frames = draw(tmp_path, Turntable(12, 12, 120, 120, transparent=True))
    assert len({frame.tobytes() for frame in frames}) == 12
    bottoms = [box(frame)[3] for frame in frames]
    assert all(abs(a - b) <= 4 for a, b in zip(bottoms[:6], bottoms[6:], strict=True))
    assert all(box(frame)[0] > 0 and box(frame)[2] < 120 for frame in frames), "nothing is cut off"
    whole = [frame.getchannel("A").point(lambda alpha: 255 * (alpha > 200)) for frame in frames]
    middle = np.mean([np.asarray(each, float).sum(0) for each in whole], axis=0)
    assert (middle * np.arange(120)).sum() / middle.sum() == pytest.approx(59.5, abs=3)


def test_frames_follow_one_another_smoothly(tmp_path):
    """No frame may jump or flicker: neighbours differ by little, and by about the same."""
    frames = [np.asarray(frame, float) for frame in draw(tmp_path, Turntable(24, 12, 64, 64))]
    steps = [np.abs(a - b).mean() for a, b in zip(frames, [*frames[1:], frames[0]], strict=True)]
    assert max(steps) < 3 * np.median(steps)
    corners = {tuple(frame[0, 0].astype(int)) for frame in frames}
    assert len(corners) == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_light_that_was_kept_gives_the_same_picture(tmp_path, engine):
    model = load_object("comb")
    baked = bake(model, engine=engine, draft=True)
    baked.light.save(tmp_path / "light.npz")
    again = restore(load_object("comb"), Light.load(tmp_path / "light.npz"), engine=engine)
    assert render(again, 48, 48, samples=0).tobytes() == render(baked, 48, 48, samples=0).tobytes()
    assert baked.nbytes > 10_000
    assert list(tmp_path.iterdir()) == [tmp_path / "light.npz"]


def test_light_of_another_model_and_broken_files_are_refused(tmp_path):
    path = tmp_path / "light.npz"
    bake(load_object("comb"), draft=True).light.save(path)
    with pytest.raises(ValueError, match="another model"):
        restore(load_object("osaka-chair"), Light.load(path))
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match=r"no baked light|zip"):
        Light.load(path)


def test_a_broken_file_of_kept_light_is_made_anew(tmp_path):
    (tmp_path / "light.npz").write_bytes(b"PK\x03\x04 cut off")
    assert len(draw(tmp_path, Stills(16, 16, count=1))) == 1
    assert Light.load(tmp_path / "light.npz").limit > 0


def test_models_used_long_ago_are_let_go(tmp_path, monkeypatch):
    monkeypatch.setattr("ipyassets.sandbox.rendering.pictures.MEMORY", 1)
    atelier = Atelier()
    for key in ("comb", "osaka-chair"):
        model = {"source": {"kind": "object", "key": key}, "quality": "draft", "kept": str(tmp_path / f"{key}.npz")}
        atelier.do("still", {**model, "order": asdict(Stills(8, 8)), "folder": str(tmp_path), "number": 0})
    assert [key for _, key, _ in atelier._models] == ["osaka-chair"]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_draft_shows_what_the_real_picture_shows(engine):
    model = load_object("tatami")
    real = np.asarray(render(bake(model, engine=engine, samples=20_000), 64, 64), float)
    draft = np.asarray(render(bake(model, engine=engine, draft=True), 64, 64, samples=0), float)
    assert np.abs(real - draft).mean() < 12


def test_the_ground_is_smooth_where_shadows_are_faint():
    """The ground looked clouded: one step in brightness for each of the directions that light comes from."""
    light = ground_light(make_engine(load_object("osaka-chair").corners))[..., 0]
    faint = (light > 0.9) & (light < 0.995)
    for axis in (0, 1):
        bend = np.abs(np.diff(light, 2, axis))
        inside = np.take(faint, range(1, light.shape[axis] - 1), axis)
        assert bend[inside].mean() < 2.5e-4


@pytest.mark.parametrize("colour", ["#000000", "#0b0c0d", "#ff0000", "#ffffff"])
def test_a_flat_background_is_exact(colour):
    """Black came out as #0a0a0a."""
    baked = bake(load_object("comb"), draft=True)
    image = render(baked, 32, 32, background=colour, flat=True, samples=0)
    wanted = tuple(int(colour[k : k + 2], 16) for k in (1, 3, 5))
    assert max(abs(a - b) for a, b in zip(image.getpixel((0, 0)), wanted, strict=True)) <= 1
