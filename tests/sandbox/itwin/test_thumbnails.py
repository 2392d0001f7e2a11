"""Thumbnails down and up."""

from __future__ import annotations

import io

import httpx
import pytest
from PIL import Image

from ipyassets.sandbox.itwin import ITwinApi
from ipyassets.sandbox.itwin.catalogue import identifier
from ipyassets.sandbox.itwin.errors import rate_limit

PIXELS = {"small": (400, 250), "large": (800, 500)}


def encoded(image: Image.Image, format: str) -> bytes:
    out = io.BytesIO()
    image.save(out, format)
    return out.getvalue()


def opened(response: httpx.Response) -> Image.Image:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "image/png"
    image = Image.open(io.BytesIO(response.content))
    assert image.format == "PNG"
    return image.convert("RGB")


def put(http: httpx.Client, id: str, body: bytes, **headers: str) -> httpx.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return http.put(f"/imodels/{id}/thumbnail", content=body, headers=sent)


@pytest.mark.parametrize("size", list(PIXELS))
def test_every_imodel_has_one_of_exact_size(http: httpx.Client, imodels: list[dict], size: str) -> None:
    pictures = {}
    for one in imodels:
        response = http.get(f"/imodels/{one['id']}/thumbnail", params={"size": size})
        assert opened(response).size == PIXELS[size]
        pictures[one["name"]] = response.content
    # Two have no upload and share the service's default; all others show a building of their own.
    assert len(set(pictures.values())) == len(imodels) - 1


def test_small_is_the_default(http: httpx.Client, imodels: list[dict]) -> None:
    path = f"/imodels/{imodels[0]['id']}/thumbnail"
    assert http.get(path).content == http.get(path, params={"size": "small"}).content


def test_bad_size_names_what_would_be_right(http: httpx.Client, imodels: list[dict]) -> None:
    response = http.get(f"/imodels/{imodels[0]['id']}/thumbnail", params={"size": "huge"})
    error = response.json()["error"]
    (detail,) = error["details"]
    assert (response.status_code, error["code"]) == (422, "InvalidiModelsRequest")
    assert "Thumbnail" in error["message"]
    assert (detail["code"], detail["target"]) == ("InvalidValue", "size")
    assert all(word in detail["message"] for word in ("huge", "small", "large"))


@pytest.mark.parametrize(("format", "mime"), [("PNG", "image/png"), ("JPEG", "image/jpeg")])
def test_upload_is_fitted_and_padded(http: httpx.Client, imodels: list[dict], format: str, mime: str) -> None:
    picture = Image.new("RGB", (300, 600), "#c02020")
    picture.paste("#f0f0f0", (0, 0, 10, 10))
    id = imodels[2]["id"]
    response = put(http, id, encoded(picture, format), content_type=mime)
    assert (response.status_code, response.content) == (201, b"")
    for size, box in PIXELS.items():
        shown = opened(http.get(f"/imodels/{id}/thumbnail", params={"size": size}))
        assert shown.size == box
        red, green, _ = shown.getpixel((box[0] // 2, box[1] // 2))
        assert red > 170 > 60 > green
        assert min(shown.getpixel((2, box[1] // 2))) > 200, "the sides are padded in the corner's colour"


def test_upload_problems(http: httpx.Client, imodels: list[dict]) -> None:
    id, picture = imodels[0]["id"], encoded(Image.new("RGB", (8, 5)), "PNG")
    cases = [
        (put(http, id, picture), "MissingRequiredHeader", "content-type", None),
        (put(http, id, picture, content_type="image/webp"), "InvalidHeaderValue", "content-type", None),
        (put(http, id, b"", content_type="image/png"), "MissingRequestBody", None, None),
        (
            put(http, id, b"no picture", content_type="image/png"),
            "InvalidRequestBody",
            None,
            "InvalidThumbnailFormat",
        ),
        (put(http, id, picture, content_type="image/jpeg"), "InvalidRequestBody", None, "InvalidThumbnailFormat"),
        (put(http, id, picture[:40], content_type="image/png"), "InvalidRequestBody", None, "InvalidThumbnailFormat"),
    ]
    for response, code, target, inner in cases:
        error = response.json()["error"]
        (detail,) = error["details"]
        assert (response.status_code, error["code"]) == (422, "InvalidiModelsRequest")
        assert (detail["code"], detail.get("target")) == (code, target)
        assert detail.get("innerError", {}).get("code") == inner


def test_upload_of_more_than_five_megabytes(http: httpx.Client, imodels: list[dict]) -> None:
    response = put(http, imodels[0]["id"], bytes(5 * 1024 * 1024 + 1), content_type="image/png")
    assert (response.status_code, response.json()["error"]["code"]) == (413, "RequestTooLarge")


def test_upload_needs_the_right_to_manage(http: httpx.Client) -> None:
    """In one iTwin the account may look but not touch."""
    itwin = identifier("itwin", "crossings")
    id = http.get("/imodels", params={"iTwinId": itwin}).json()["iModels"][0]["id"]
    response = put(http, id, encoded(Image.new("RGB", (8, 5)), "PNG"), content_type="image/png")
    assert (response.status_code, response.json()["error"]["code"]) == (403, "InsufficientPermissions")
    assert opened(http.get(f"/imodels/{id}/thumbnail")).size == (400, 250)


def test_rate_limit_fault(http: httpx.Client, sandbox, imodels: list[dict]) -> None:
    path = f"/imodels/{imodels[0]['id']}/thumbnail"
    sandbox.faults.add(path, **rate_limit(7))
    response = http.get(path)
    assert (response.status_code, response.json()["error"]["code"]) == (429, "RateLimitExceeded")
    assert response.headers["retry-after"] == "7"
    assert response.headers["itwinplatform-ratelimit-retry-after-seconds"] == "7"
    assert http.get(path).status_code == 200


def test_ids_do_not_change(platform: ITwinApi) -> None:
    """Notebooks print them: they are the same on every run and every machine."""
    assert platform.itwin_id == "398272ab-d3dd-53cc-b855-bfeb36e730fa"
