"""``POST /search/assets``: words, the filter language, likeness, order and the two ways of paging."""

from __future__ import annotations

import base64
import contextlib
import io
import random

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ipyassets.sandbox.scenario import ScenarioApi
from ipyassets.sandbox.scenario.errors import ApiError
from ipyassets.sandbox.scenario.filters import FIELDS, parse_filter
from ipyassets.sandbox.scenario.matching import distance


def search(http: httpx.Client, **body: object) -> dict:
    response = http.post("/search/assets", json=body)
    assert response.status_code == 200, response.text
    found: dict = response.json()
    return found


def everything(http: httpx.Client, **body: object) -> list[dict]:
    found = search(http, limit=100, **body)
    assert found["estimatedTotalHits"] == len(found["hits"])
    return found["hits"]


def names(hits: list[dict]) -> set[str]:
    return {hit["metadata"]["name"] for hit in hits}


def reason(response: httpx.Response) -> str:
    assert response.status_code == 400, response.text
    text: str = response.json()["reason"]
    return text


def test_a_hit_is_no_record(http: httpx.Client) -> None:
    hits = everything(http, filter="NOT kind IS EMPTY")
    always = {
        "id", "authorId", "collectionIds", "createdAt", "updatedAt", "metadata", "mimeType", "nsfw", "ownerId",
        "privacy", "tags", "teamId", "url",
    }  # fmt: skip
    for hit in hits:
        assert set(hit) >= always
        assert not set(hit) & {"kind", "properties", "status", "source", "editCapabilities", "score"}
        assert ("thumbnail" in hit) == (hit["metadata"]["kind"] in {"3d", "video"})
        assert {"kind", "type", "name", "size"} <= set(hit["metadata"])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("FORKLIFT", {"Forklift, studio", "Forklift, dramatic", "Forklift, studio, slow push-in"}),
        ("forkl dram", {"Forklift, dramatic"}),
        ("frklift dramatic", {"Forklift, dramatic"}),
        ("seamless steel blue backdrop forklift", {"Forklift, studio", "Forklift, studio, slow push-in"}),
        ("3237425427", {"Forklift, studio"}),
        ("gabled karlsruhe", {"FZK House reference.png", "FZK House.glb"}),
        ("forklift zebra", set()),
    ],
)
def test_words(http: httpx.Client, query: str, found: set[str]) -> None:
    assert names(everything(http, query=query)) == found


def test_better_matches_come_first(http: httpx.Client) -> None:
    """A whole word counts more than a beginning, a beginning more than a typo."""
    hits = everything(http, query="chair")
    scores = [hit["score"] for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == 1
    assert all(
        "chair" in (hit["metadata"]["name"] + hit["metadata"]["prompt"]).lower() for hit in hits if hit["score"] == 1
    )


@pytest.mark.parametrize(
    ("a", "b", "edits"),
    [
        ("chair", "chair", 0),
        ("chair", "chiar", 1),
        ("chair", "chairs", 1),
        ("chair", "hair", 1),
        ("chair", "cheer", 2),
        ("ab", "ba", 1),
    ],
)
def test_distance(a: str, b: str, edits: int) -> None:
    assert distance(a, b, 3) == distance(b, a, 3) == edits


@settings(deadline=None)
@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_distance_stops_early_but_not_wrongly(a: str, b: str) -> None:
    exact = distance(a, b, 100)
    assert abs(len(a) - len(b)) <= exact <= max(len(a), len(b))
    for most in range(4):
        assert (distance(a, b, most) <= most) == (exact <= most)


FILTERS = [
    ("kind = video", lambda a: a["kind"] == "video"),
    ('kind = "3d" OR kind = audio', lambda a: a["kind"] in {"3d", "audio"}),
    ("kind != image", lambda a: a["kind"] != "image"),
    ("NOT kind = image", lambda a: a["kind"] != "image"),
    ("tags = CHAIR", lambda a: "chair" in a["tags"]),
    ("tags = chair AND NOT tags = pastel", lambda a: "chair" in a["tags"] and "pastel" not in a["tags"]),
    ("tags != chair AND kind = image", lambda a: "chair" not in a["tags"] and a["kind"] == "image"),
    (
        "tags = chair OR tags = sofa AND tags = warm",
        lambda a: "chair" in a["tags"] or {"sofa", "warm"} <= set(a["tags"]),
    ),
    (
        "(tags = chair OR tags = sofa) AND tags = warm",
        lambda a: "warm" in a["tags"] and not {"chair", "sofa"}.isdisjoint(a["tags"]),
    ),
    ("width >= 896", lambda a: a["properties"].get("width", 0) >= 896),
    (
        "width > 896 AND height < 600",
        lambda a: a["properties"].get("width", 0) > 896 and a["properties"]["height"] < 600,
    ),
    ("size <= 20000", lambda a: a["properties"]["size"] <= 20000),
    ("width IS EMPTY", lambda a: "width" not in a["properties"]),
    ("negativePrompt IS NOT EMPTY", lambda a: "negativePrompt" in a["metadata"]),
    ("nsfw IS EMPTY AND collectionIds IS EMPTY", lambda a: not a["collectionIds"]),
    ('aspectRatio = "7:5"', lambda a: a["metadata"].get("aspectRatio") == "7:5"),
    ("prompt:oak", lambda a: "oak" in a["metadata"].get("prompt", "")),
    ('name = "couch, warm"', lambda a: a["metadata"]["name"] == "Couch, warm"),
    ("seed = 3237425427", lambda a: a["metadata"].get("seed") == "3237425427"),
    ("mimeType = image/png", lambda a: a["mimeType"] == "image/png"),
    ("modelId = model_night-product", lambda a: a["metadata"].get("modelId") == "model_night-product"),
    ("modelType = flux.1-lora", lambda a: a["metadata"].get("modelType") == "flux.1-lora"),
    ("guidance = 3.5 AND numInferenceSteps < 30", lambda a: a["metadata"].get("guidance") == 3.5),
    ('createdAt > "2026-04-01T00:00:00Z"', lambda a: a["createdAt"] > "2026-04-01"),
    ("privacy = public", lambda a: a["privacy"] == "public"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), FILTERS, ids=[text for text, _ in FILTERS])
def test_filters(http: httpx.Client, assets: list[dict], text: str, wanted) -> None:
    expected = {asset["id"] for asset in assets if wanted(asset)}
    assert expected
    assert {hit["id"] for hit in everything(http, filter=text)} == expected


@pytest.mark.parametrize(
    "text",
    [
        "kind", "kind =", "= image", "kind = image AND", "kind = image OR OR", "(kind = image", "kind = image)",
        "kind ! image", "kind IS", "kind IS NOT", "kind IS image", "width > wide", 'createdAt > "soon"', "colour = red",
        '"kind" = image', "metadata.width > 3", 'name = "open', "NOT", "()", "kind = image kind = video", "(" * 5000,
        "NOT " * 5000 + "kind = image",
    ],
)  # fmt: skip
def test_bad_filters(http: httpx.Client, text: str) -> None:
    assert reason(http.post("/search/assets", json={"filter": text}))


def parsed_or_refused(text: str) -> None:
    with contextlib.suppress(ApiError):
        assert callable(parse_filter(text))


WORDS = [*FIELDS, "=", "!=", ">", "<", ":", "(", ")", "AND", "OR", "NOT", "IS", "EMPTY", '"a b"', "7"]


@settings(deadline=None)
@given(st.lists(st.sampled_from(WORDS)))
def test_any_words_of_the_filter_language(tokens: list[str]) -> None:
    parsed_or_refused(" ".join(tokens))


@settings(deadline=None)
@given(st.text())
def test_any_text_as_a_filter(text: str) -> None:
    parsed_or_refused(text)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"query": "", "filter": "", "images": {}},
        {"query": 7},
        {"filter": ["kind = image"]},
        {"query": "chair", "limit": 0},
        {"query": "chair", "limit": 101},
        {"query": "chair", "limit": 2.5},
        {"query": "chair", "limit": True},
        {"query": "chair", "offset": -1},
        {"query": "chair", "page": 0},
        {"query": "chair", "page": 1, "hitsPerPage": 101},
        {"query": "chair", "sortBy": ["createdAt"]},
        {"query": "chair", "sortBy": ["name:asc"]},
        {"query": "chair", "sortBy": [7]},
        {"query": "chair", "querySemanticRatio": 2},
        {"query": "chair", "public": "perhaps"},
        {"image": "asset_unknown"},
        {"image": "data:image/png;base64,AAAA"},
        {"image": 7},
        {"images": {"like": "asset"}},
        {"images": ["asset"]},
        {"images": {"like": ["asset_unknown"]}},
    ],
)
def test_bad_bodies(http: httpx.Client, body: dict) -> None:
    assert reason(http.post("/search/assets", json=body))


def test_paging_by_offset(http: httpx.Client) -> None:
    body = {"filter": "kind = image", "limit": 30}
    first = search(http, **body)
    assert (first["offset"], first["limit"], len(first["hits"])) == (0, 30, 30)
    second = search(http, **body, offset=30)
    assert not {hit["id"] for hit in first["hits"]} & {hit["id"] for hit in second["hits"]}
    beyond = search(http, **body, offset=1000)
    assert (beyond["hits"], beyond["estimatedTotalHits"]) == ([], first["estimatedTotalHits"])


def test_offset_of_the_query_string_wins(http: httpx.Client) -> None:
    """The official SDK pages so: its second request has the first one's body."""
    body = {"filter": "kind = image", "offset": 0, "limit": 10}
    response = http.post("/search/assets", params={"offset": 10}, json=body).json()
    assert response["offset"] == 10
    assert response["hits"] == search(http, filter="kind = image", offset=10, limit=10)["hits"]


def test_paging_by_number(http: httpx.Client) -> None:
    body = {"filter": "kind = image", "hitsPerPage": 30}
    pages = [search(http, **body, page=number) for number in (1, 2, 3, 4)]
    assert [len(page["hits"]) for page in pages] == [30, 30, 19, 0]
    assert set(pages[0]) == {"hits", "page", "hitsPerPage", "totalHits", "totalPages"}
    assert (pages[1]["page"], pages[1]["totalHits"], pages[1]["totalPages"]) == (2, 79, 3)
    assert len(search(http, filter="kind = image", page=1)["hits"]) == 20


def test_order(http: httpx.Client) -> None:
    newest = [hit["createdAt"] for hit in everything(http, filter="kind = image")]
    assert newest == sorted(newest, reverse=True)
    hits = everything(http, filter="kind = image", sortBy=["width:desc", "createdAt:asc"])
    keys = [(-hit["metadata"]["width"], hit["createdAt"]) for hit in hits]
    assert keys == sorted(keys)
    scores = [hit["score"] for hit in everything(http, query="chair", sortBy=["score:asc"])]
    assert scores == sorted(scores)


def test_public(http: httpx.Client, service: ScenarioApi) -> None:
    hits = everything(http, filter="kind = image", public=True)
    assert {hit["privacy"] for hit in hits} == {"public"}
    assert len({hit["teamId"] for hit in hits}) == 2
    private = service.foreign_asset_ids[1]
    assert private not in {hit["id"] for hit in everything(http, query="reception desk study", public=True)}


def data_url(image: Image.Image) -> str:
    out = io.BytesIO()
    image.save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def test_likeness_to_an_asset(http: httpx.Client, assets: list[dict]) -> None:
    image = random.Random(4).choice([asset for asset in assets if asset["kind"] == "image"])
    hits = everything(http, image=image["id"])
    assert hits[0]["id"] == image["id"]
    assert all(0 <= hit["score"] <= 1 for hit in hits)
    assert names(hits).isdisjoint({"Prompt book.txt", "Struck bar, low"}), "what has no picture is like nothing"


def test_likeness_to_a_picture_sent_along(http: httpx.Client, assets: list[dict]) -> None:
    """A smaller copy, in another format, still finds the picture it was made from."""
    asset = next(asset for asset in assets if "night" in asset["tags"] and asset["kind"] == "image")
    with Image.open(io.BytesIO(httpx.get(asset["url"]).content)) as image:
        copy = image.convert("RGB").resize((image.width // 4, image.height // 4))
    hits = search(http, image=data_url(copy), limit=3)["hits"]
    assert hits[0]["id"] == asset["id"]
    assert hits[0]["score"] > hits[1]["score"]


def test_like_and_unlike(http: httpx.Client, assets: list[dict]) -> None:
    first, second = [asset["id"] for asset in assets if asset["kind"] == "image"][:2]
    hits = everything(http, images={"like": [first], "unlike": [second]})
    scores = {hit["id"]: hit["score"] for hit in hits}
    assert scores[first] > scores[second]
    away = everything(http, images={"unlike": [first]})
    assert away[-1]["id"] == first


def test_likeness_and_words_mixed(http: httpx.Client, assets: list[dict]) -> None:
    image = next(asset["id"] for asset in assets if asset["kind"] == "image")
    hits = search(http, image=image, query="forklift", imageSemanticRatio=0, limit=2)["hits"]
    assert all(hit["metadata"]["name"].startswith("Forklift") for hit in hits)
    assert search(http, image=image, query="forklift", limit=1)["hits"][0]["id"] == image
