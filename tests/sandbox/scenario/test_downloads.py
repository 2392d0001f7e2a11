"""``POST /assets/{id}/download``: every format of the documents, for every kind of asset."""

from __future__ import annotations

import io
import wave
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import httpx
import pytest
from PIL import Image, features

from ipyassets.sandbox import Sandbox
from ipyassets.sandbox.scenario import ScenarioApi, media
from ipyassets.sandbox.scenario.formats import DOWNLOADS

HEIF = pytest.mark.skipif(find_spec("pillow_heif") is None, reason="no HEIF encoder")
AVIF = pytest.mark.skipif(not features.check("avif"), reason="no AVIF encoder")
RASTER = {"gif", "heif", "jpeg", "jpg", "png", "webp", "avif", "tif", "tiff"}

Ask = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def ask(http: httpx.Client) -> Ask:
    def ask(asset: dict, format: Any = None) -> httpx.Response:
        return http.post(f"/assets/{asset['id']}/download", json={} if format is None else {"targetFormat": format})

    return ask


@pytest.fixture(scope="module")
def by_mime(assets: list[dict]) -> dict[str, dict]:
    return {asset["mimeType"]: asset for asset in assets}


def test_the_formats_are_those_of_the_documents() -> None:
    assert set(DOWNLOADS) == RASTER | {"svg", "glb", "fbx", "obj", "mp3", "mp4"}


def test_without_a_format_it_is_the_original(ask: Ask, anyone: httpx.Client, assets: list[dict]) -> None:
    for asset in assets:
        answer = ask(asset).json()
        assert set(answer) == {"url", "mimeType"}
        assert answer["mimeType"] == asset["mimeType"]
        assert "/cdn/assets/" in answer["url"]
        assert anyone.get(answer["url"]).content == anyone.get(asset["url"]).content


@pytest.mark.parametrize(
    ("format", "made", "mime"),
    [
        ("jpeg", "JPEG", "image/jpeg"),
        ("jpg", "JPEG", "image/jpeg"),
        ("png", "PNG", "image/png"),
        ("webp", "WEBP", "image/webp"),
        ("gif", "GIF", "image/gif"),
        ("tif", "TIFF", "image/tiff"),
        ("tiff", "TIFF", "image/tiff"),
        pytest.param("avif", "AVIF", "image/avif", marks=AVIF),
    ],
)
def test_pictures_are_really_converted(
    ask: Ask, anyone: httpx.Client, by_mime: dict[str, dict], format: str, made: str, mime: str
) -> None:
    asset = by_mime["image/png"]
    answer = ask(asset, format).json()
    assert answer["mimeType"] == mime
    assert f"/assets-transform/{asset['id']}?format={format}&Policy=" in answer["url"]
    response = anyone.get(answer["url"])
    assert response.headers["content-type"] == mime
    with Image.open(io.BytesIO(response.content)) as image:
        assert (image.format, image.size) == (made, (asset["metadata"]["width"], asset["metadata"]["height"]))


@HEIF
def test_heif(ask: Ask, anyone: httpx.Client, by_mime: dict[str, dict]) -> None:
    import pillow_heif

    asset = by_mime["image/webp"]
    answer = ask(asset, "heif").json()
    file = pillow_heif.open_heif(anyone.get(answer["url"]).content)
    assert (answer["mimeType"], file.size) == (
        "image/heif",
        (asset["metadata"]["width"], asset["metadata"]["height"]),
    )
    assert "HEIF" not in Image.OPEN, "the process must not learn HEIF from the sandbox"


def test_heif_is_refused_without_an_encoder(
    ask: Ask, by_mime: dict[str, dict], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ipyassets.sandbox.scenario.formats.find_spec", lambda name: None)
    assert ask(by_mime["image/webp"], "heif").status_code == 400


def test_meshes(ask: Ask, anyone: httpx.Client, assets: list[dict]) -> None:
    for asset in (one for one in assets if one["kind"] == "3d"):
        facts = {}
        for format, mime, read in (
            ("glb", "model/gltf-binary", media.glb_facts),
            ("obj", "model/obj", media.obj_facts),
        ):
            answer = ask(asset, format).json()
            response = anyone.get(answer["url"])
            assert answer["mimeType"] == response.headers["content-type"] == mime
            facts[format] = read(response.content)
        for found in facts.values():
            assert found["faceCount"] == asset["properties"]["faceCount"]
            assert found["dimensions"] == pytest.approx(asset["properties"]["dimensions"], rel=1e-4)


def test_a_glb_made_of_an_obj_has_its_textures(ask: Ask, anyone: httpx.Client, by_mime: dict[str, dict]) -> None:
    content = anyone.get(ask(by_mime["model/obj"], "glb").json()["url"]).content
    assert content[:4] == b"glTF"
    assert b"baseColorTexture" in content
    assert b"\xff\xd8\xff" in content, "a JPEG inside"


def test_everything_else_has_only_the_format_it_is_stored_in(
    ask: Ask, anyone: httpx.Client, by_mime: dict[str, dict]
) -> None:
    for mime, format, start in (
        ("image/svg+xml", "svg", b"<svg "),
        ("audio/mpeg", "mp3", b"ID3"),
        ("video/mp4", "mp4", b"\x00\x00\x00"),
    ):
        answer = ask(by_mime[mime], format).json()
        assert answer["mimeType"] == mime
        content = anyone.get(answer["url"]).content
        assert content.startswith(start)
        assert content == anyone.get(by_mime[mime]["url"]).content


def test_wrong_pairs(ask: Ask, by_mime: dict[str, dict]) -> None:
    takes = {
        "image/webp": RASTER,
        "image/png": RASTER,
        "image/svg+xml": {"svg"},
        "model/gltf-binary": {"glb", "obj"},
        "model/obj": {"glb", "obj"},
        "video/mp4": {"mp4"},
        "audio/mpeg": {"mp3"},
        "audio/wav": set(),
        "text/plain": set(),
    }
    assert set(takes) == set(by_mime)
    impossible = {
        name for name, known in (("heif", find_spec("pillow_heif")), ("avif", features.check("avif"))) if not known
    }
    for mime, good in takes.items():
        for format in (*DOWNLOADS, "bmp", "PNG", "", 7, ["png"]):
            response = ask(by_mime[mime], format)
            if isinstance(format, str) and format in good - impossible:
                assert response.status_code == 200, (mime, format)
            else:
                assert response.status_code == 400, (mime, format)
                assert response.json()["reason"] == "Invalid target format"


def test_a_link_is_for_its_format_alone(
    ask: Ask, anyone: httpx.Client, by_mime: dict[str, dict], restored: Sandbox
) -> None:
    url = ask(by_mime["image/webp"], "gif").json()["url"]
    assert anyone.get(url).headers["content-type"] == "image/gif"
    assert anyone.get(url.replace("format=gif", "format=png")).status_code == 403
    assert anyone.get(url.replace("format=gif&", "")).status_code == 403
    assert anyone.get(f"{by_mime['image/webp']['url']}&format=gif").status_code == 400, "not a format of the CDN"
    assert anyone.get(f"{url}&width=20").status_code == 200
    restored.settings.scenario_strict_transforms = True
    assert anyone.get(url).status_code == 200
    assert anyone.get(f"{url}&width=20").status_code == 403
    assert anyone.get(f"{url}&format=png").status_code == 403


def test_links_expire(ask: Ask, anyone: httpx.Client, by_mime: dict[str, dict], restored: Sandbox) -> None:
    restored.settings.scenario_url_lifetime = 60
    urls = [ask(by_mime["image/webp"], format).json()["url"] for format in (None, "png")]
    assert [anyone.get(url).status_code for url in urls] == [200, 200]
    now = restored.world.clock()
    restored.world.clock = lambda: now + 61
    assert [anyone.get(url).status_code for url in urls] == [403, 403]


def test_the_upload_behind_a_re_encoded_asset(anyone: httpx.Client, assets: list[dict]) -> None:
    (asset,) = [one for one in assets if "originalFileUrl" in one]
    assert (asset["mimeType"], asset["originalMimeType"]) == ("audio/mpeg", "audio/wav")
    response = anyone.get(asset["originalFileUrl"])
    assert response.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(response.content)) as sound:
        assert sound.getnframes() / sound.getframerate() == asset["properties"]["duration"]
    other = next(one for one in assets if one["kind"] == "image")
    assert anyone.get(asset["originalFileUrl"].replace(asset["id"], other["id"])).status_code == 403


def test_who_may_download(
    root: str, http: httpx.Client, anyone: httpx.Client, service: ScenarioApi, assets: list[dict]
) -> None:
    for id in (*service.foreign_asset_ids, "asset_unknown", "download"):
        response = http.post(f"/assets/{id}/download", json={})
        assert (response.status_code, set(response.json())) == (404, {"reason", "trace_id"})
    assert anyone.post(f"{root}/assets/{assets[0]['id']}/download", json={}).status_code == 401
    foreign = {"projectId": service.foreign_project_id}
    assert http.post(f"/assets/{assets[0]['id']}/download", params=foreign, json={}).status_code == 403
