"""The CDN: signed URLs and what breaks them, transforms, and the public thumbnails."""

from __future__ import annotations

import base64
import datetime as dt
import io
import json
import wave

import httpx
import pytest
from PIL import Image, features

from ipyassets.sandbox import Sandbox
from ipyassets.sandbox.scenario.signing import calendar_expiry


def opened(response: httpx.Response) -> Image.Image:
    assert response.status_code == 200, response.text
    return Image.open(io.BytesIO(response.content))


def policy(url: str) -> dict:
    text = httpx.URL(url).params["Policy"].translate(str.maketrans("-_~", "+=/"))
    statement: dict = json.loads(base64.b64decode(text))["Statement"][0]
    return statement


@pytest.mark.parametrize(
    ("issued", "expires"),
    [
        ("2026-11-01T00:00:00", "2026-11-14"),
        ("2026-11-07T23:59:59", "2026-11-14"),
        ("2026-11-08T00:00:00", "2026-11-21"),
        ("2026-11-14T23:59:59", "2026-11-21"),
        ("2026-11-15T00:00:00", "2026-11-30"),
        ("2026-02-21T12:00:00", "2026-02-28"),
        ("2028-02-15T12:00:00", "2028-02-29"),
        ("2026-11-22T12:00:00", "2026-12-07"),
        ("2026-01-31T23:59:59", "2026-02-07"),
        ("2026-12-31T12:00:00", "2027-01-07"),
    ],
)
def test_expiry_follows_the_calendar(issued: str, expires: str) -> None:
    now = dt.datetime.fromisoformat(issued).replace(tzinfo=dt.UTC).timestamp()
    wanted = dt.datetime.fromisoformat(f"{expires}T23:59:59").replace(tzinfo=dt.UTC).timestamp()
    assert calendar_expiry(now) == wanted


def test_urls_are_the_same_for_days(http: httpx.Client, restored: Sandbox, assets: list[dict]) -> None:
    path = f"/assets/{assets[0]['id']}"
    day = dt.datetime(2026, 6, 1, 8, tzinfo=dt.UTC).timestamp()
    restored.world.clock = lambda: day
    first = http.get(path).json()["asset"]["url"]
    restored.world.clock = lambda: day + 6 * 86_400
    assert http.get(path).json()["asset"]["url"] == first
    restored.world.clock = lambda: day + 7 * 86_400
    assert http.get(path).json()["asset"]["url"] != first


def test_policy_names_the_file(assets: list[dict], sandbox: Sandbox) -> None:
    url = assets[0]["url"]
    plain = url.partition("?")[0]
    assert plain == f"{sandbox.origin}/scenario/cdn/assets-transform/{assets[0]['id']}"
    assert policy(url)["Resource"] == f"{plain}*"
    assert list(httpx.URL(url).params) == ["Policy", "Key-Pair-Id", "Signature"]


def test_changed_urls_are_denied(anyone: httpx.Client, assets: list[dict]) -> None:
    url = assets[0]["url"]
    signature = httpx.URL(url).params["Signature"]
    for wrong in (
        url.partition("?")[0],
        url.replace(signature, "A" + signature[1:] if signature[0] != "A" else "B" + signature[1:]),
        url.replace("Policy=ey", "Policy=ez"),
        url.replace("Key-Pair-Id=K", "Key-Pair-Id=J"),
        url.replace(assets[0]["id"], assets[1]["id"]),
        url.replace("/assets-transform/", "/assets/"),
        url.replace("Signature=", "signature="),
        url + "&Signature=x",
    ):
        response = anyone.get(wrong)
        assert response.status_code == 403
        assert "AccessDenied" in response.text


def test_url_expires(anyone: httpx.Client, http: httpx.Client, restored: Sandbox, assets: list[dict]) -> None:
    restored.settings.scenario_url_lifetime = 60
    url = http.get(f"/assets/{assets[0]['id']}").json()["asset"]["url"]
    assert anyone.get(url).status_code == 200
    now = restored.world.clock()
    restored.world.clock = lambda: now + 61
    assert anyone.get(url).status_code == 403


def test_every_file_is_what_its_record_says(anyone: httpx.Client, http: httpx.Client, assets: list[dict]) -> None:
    for asset in assets:
        original = http.get(f"/assets/{asset['id']}", params={"originalAssets": "true"}).json()["asset"]
        for url in (asset["url"], original["url"]):
            response = anyone.get(url)
            assert response.status_code == 200
            assert response.headers["content-type"].partition(";")[0] == asset["mimeType"]
            assert len(response.content) == asset["properties"]["size"]
        if asset["mimeType"] in {"image/webp", "image/png"}:
            assert opened(response).size == (asset["properties"]["width"], asset["properties"]["height"])


def test_other_kinds_are_real_files(anyone: httpx.Client, assets: list[dict]) -> None:
    content = {asset["mimeType"]: anyone.get(asset["url"]).content for asset in assets}
    assert content["model/gltf-binary"][:4] == b"glTF"
    assert b"\nv " in content["model/obj"]
    assert content["video/mp4"][4:8] == b"ftyp"
    with wave.open(io.BytesIO(content["audio/wav"])) as sound:
        assert sound.getnframes() / sound.getframerate() == 2
    assert b"Forklift" in content["text/plain"]


def test_thumbnails_are_public_and_small(anyone: httpx.Client, assets: list[dict], sandbox: Sandbox) -> None:
    for asset in assets:
        url = f"{sandbox.origin}/scenario/cdn/thumbnails/{asset['id']}"
        response = anyone.get(url)
        if asset["kind"] in {"audio", "text"}:
            assert response.status_code == 404
            continue
        image = opened(response)
        assert (image.format, max(image.size)) == ("JPEG", 320)
        assert len(response.content) < 24_000
        assert anyone.get(asset["thumbnail"]["url"]).content == response.content
    at_root = anyone.get(f"{sandbox.origin}/thumbnails/{assets[0]['id']}")
    assert at_root.content == anyone.get(assets[0]["thumbnail"]["url"]).content
    assert anyone.get(f"{sandbox.origin}/scenario/cdn/thumbnails/unknown").status_code == 404


@pytest.fixture(scope="module")
def wide(assets: list[dict]) -> str:
    """URL of an image of 960 x 576 pixels."""
    return next(a["url"] for a in assets if (a["metadata"].get("width"), a["metadata"].get("height")) == (960, 576))


@pytest.mark.parametrize(
    ("query", "size"),
    [
        ("width=480", (480, 288)),
        ("height=288&width=auto", (480, 288)),
        ("width=200&height=200", (200, 200)),
        ("width=200&height=200&fit=contain", (200, 200)),
        ("width=200&height=300&fit=fill", (200, 300)),
        ("width=200&height=200&fit=inside", (200, 120)),
        ("width=200&height=200&fit=outside", (333, 200)),
        ("rotate=90", (576, 960)),
        ("quality=10&format=jpg", (960, 576)),
    ],
)
def test_sizes(anyone: httpx.Client, wide: str, query: str, size: tuple[int, int]) -> None:
    assert opened(anyone.get(f"{wide}&{query}")).size == size


@pytest.mark.parametrize(
    ("format", "made", "mime"),
    [
        ("origin", "WEBP", "image/webp"),
        ("png", "PNG", "image/png"),
        ("jpg", "JPEG", "image/jpeg"),
        ("jpeg", "JPEG", "image/jpeg"),
        ("webp", "WEBP", "image/webp"),
        ("tif", "TIFF", "image/tiff"),
        ("tiff", "TIFF", "image/tiff"),
        pytest.param(
            "avif", "AVIF", "image/avif", marks=pytest.mark.skipif(not features.check("avif"), reason="no AVIF")
        ),
    ],
)
def test_formats(anyone: httpx.Client, wide: str, format: str, made: str, mime: str) -> None:
    response = anyone.get(f"{wide}&width=96&format={format}")
    image = opened(response)
    assert (image.format, image.size, response.headers["content-type"]) == (made, (96, 58), mime)


def test_format_auto_looks_at_accept(anyone: httpx.Client, wide: str) -> None:
    url = f"{wide}&format=auto&width=64"
    assert anyone.get(url, headers={"Accept": "image/webp,*/*"}).headers["content-type"] == "image/webp"
    assert anyone.get(url, headers={"Accept": "*/*"}).headers["content-type"] == "image/jpeg"


def test_colours(anyone: httpx.Client, wide: str) -> None:
    grey = opened(anyone.get(f"{wide}&greyscale=true&format=png&width=64"))
    assert grey.mode == "L"
    padded = opened(anyone.get(f"{wide}&width=100&height=100&fit=contain&background=ff0000&format=png")).convert("RGB")
    assert padded.getpixel((50, 2)) == (255, 0, 0)
    turned = opened(anyone.get(f"{wide}&rotate=45&background=00ff00&format=png")).convert("RGB")
    assert turned.getpixel((2, 2)) == (0, 255, 0)
    corners = opened(anyone.get(f"{wide}&rotate=45&format=png"))
    assert corners.mode == "RGBA"
    assert opened(anyone.get(f"{wide}&rotate=45&flatten=true&format=png")).mode == "RGB"
    sharp = anyone.get(f"{wide}&format=png&width=200").content
    assert len(anyone.get(f"{wide}&format=png&width=200&blur=6").content) < len(sharp)


@pytest.mark.parametrize(
    "query",
    [
        "width=0", "width=-3", "width=wide", "width=100000", "height=nan", "fit=tight", "format=bmp", "format=glb",
        "quality=0", "quality=101", "rotate=361", "blur=101", "blur=-1", "greyscale=perhaps", "background=zz",
        "height=4096&fit=outside",
    ],
)  # fmt: skip
def test_bad_parameters(anyone: httpx.Client, wide: str, query: str) -> None:
    response = anyone.get(f"{wide}&{query}")
    assert (response.status_code, set(response.json())) == (400, {"reason", "trace_id"})


def test_originals_are_not_transformed(anyone: httpx.Client, http: httpx.Client, assets: list[dict]) -> None:
    asset = http.get(f"/assets/{assets[0]['id']}", params={"originalAssets": "true"}).json()["asset"]
    assert anyone.get(asset["url"] + "&width=20").content == anyone.get(asset["url"]).content


def test_meshes_take_the_formats_of_meshes(anyone: httpx.Client, assets: list[dict]) -> None:
    mesh = next(asset for asset in assets if asset["mimeType"] == "model/gltf-binary")
    assert anyone.get(mesh["url"] + "&format=glb").content == anyone.get(mesh["url"]).content
    assert anyone.get(mesh["url"] + "&format=obj").headers["content-type"] == "model/obj"
    assert anyone.get(mesh["url"] + "&format=fbx").status_code == 400
    assert anyone.get(mesh["url"] + "&format=png").status_code == 400


def test_ranges(anyone: httpx.Client, assets: list[dict]) -> None:
    url = assets[0]["url"]
    whole = anyone.get(url)
    size, etag = len(whole.content), whole.headers["etag"]
    for sent, start, stop in (("5-9", 5, 10), ("5-", 5, size), ("-7", size - 7, size), (f"5-{size * 2}", 5, size)):
        part = anyone.get(url, headers={"Range": f"bytes={sent}", "If-Range": etag})
        assert (part.status_code, part.content) == (206, whole.content[start:stop])
        assert part.headers["content-range"] == f"bytes {start}-{stop - 1}/{size}"
    assert anyone.get(url, headers={"Range": f"bytes={size}-"}).status_code == 416
    for other in ({"Range": "bytes=5-9", "If-Range": '"old"'}, {"Range": "bytes=0-1,4-5"}, {"Range": "lines=1-2"}):
        assert anyone.get(url, headers=other).content == whole.content


def test_strict_transforms(anyone: httpx.Client, restored: Sandbox, wide: str) -> None:
    restored.settings.scenario_strict_transforms = True
    assert anyone.get(wide).status_code == 200
    assert anyone.get(f"{wide}&width=64").status_code == 403
