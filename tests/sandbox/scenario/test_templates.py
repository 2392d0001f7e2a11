"""Names of members: tokens, slugs, limits."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ipyassets.sandbox.scenario.templates import Template, numbered, slug

VALUES = {
    "seed": "12",
    "num": "0",
    "prompt": "cat_dancing",
    "generator": "Studio / Objects XL",
    "id": "asset_abc",
    "description": None,
}


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("A cat, dancing!", "cat_dancing"),
        ("The Cat of the House is on a Roof", "cat_house_roof"),
        ("one two three four five six seven eight nine ten", "one_two_three_four_five_six_seven_eight"),
        ("the a of", None),
        ("", None),
        (None, None),
        ("Café: 85 mm", "café_85_mm"),
        ("snake_case-and-dashes", "snake_case_dashes"),
    ],
)
def test_slug(text: str | None, made: str | None) -> None:
    assert slug(text) == made


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("<prompt>-<id>", "cat_dancing-asset_abc.webp"),
        ("<prompt>/<id>", "cat_dancing/asset_abc.webp"),
        ("<seed>_<num>", "12_0.webp"),
        ("<generator>", "Studio _ Objects XL.webp"),
        ("<assetId>", "asset_abc.webp"),
        ("<id>-<id>", "asset_abc.webp"),
        ("<id>-<assetId>", "asset_abc.webp"),
        ("<prompt>/<prompt>-<seed>", "cat_dancing/12.webp"),
        ("a<seed>-b<seed>-c", "a12-b-c.webp"),
        ("<unknown>_<num>", "0.webp"),
        ("x-<unknown>-y", "x-y.webp"),
        ("<description>-<id>", "asset_abc.webp"),
        ("<id>-<description>", "asset_abc.webp"),
        ("<description>", "asset_abc.webp"),
        ("<description>/<id>", "asset_abc.webp"),
        ("fixed", "fixed.webp"),
        ("../<id>", "asset_abc.webp"),
        ("/root/./<id>", "root/asset_abc.webp"),
        ("a\\b:c*<id>\x07", "a_b_c_asset_abc_.webp"),
        ("<id>/", "asset_abc/asset_abc.webp"),
    ],
)
def test_paths(template: str, path: str) -> None:
    assert Template.parse(template).path(VALUES, "webp") == path


def test_limits() -> None:
    long = {**VALUES, "prompt": "_".join(["word" * 8] * 8), "description": "_".join(["text" * 8] * 8)}
    name = Template.parse("<prompt>-<description>-<id>").path(long, "webp")
    assert len(name) <= 128
    assert name.endswith("-asset_abc.webp"), "prompt and description are shortened first"
    folder, name = Template.parse("<prompt>/<id>").path(long, "webp").split("/")
    assert (len(folder), name) == (64, "asset_abc.webp")
    assert len(Template.parse("x" * 300).path(long, "webp")) == 128


def test_equal_names_are_numbered() -> None:
    assert numbered(["a.webp", "a.webp", "b/a.webp", "a.webp", "a_2.webp", "b/a.webp"]) == [
        "a.webp",
        "a_2.webp",
        "b/a.webp",
        "a_3.webp",
        "a_2_2.webp",
        "b/a_2.webp",
    ]
    longest = "x" * 123 + ".webp"
    assert [len(one) for one in numbered([longest, longest])] == [128, 128]


@given(
    template=st.lists(
        st.sampled_from(["<prompt>", "<id>", "<description>", "<nope>", "/", "..", "\\", "-", "\ud800", "\n"])
        | st.text(max_size=90)
    ).map("".join),
    prompt=st.none() | st.text(min_size=1, max_size=300),
)
@example(template="/" * 50, prompt=None)
def test_paths_stay_inside_and_within_the_limits(template: str, prompt: str | None) -> None:
    values = {**VALUES, "prompt": slug(prompt), "description": slug(prompt)}
    *folders, name = Template.parse(template).path(values, "webp").split("/")
    assert len(name) <= 128
    assert name.endswith(".webp")
    assert name != ".webp"
    for folder in folders:
        assert 0 < len(folder) <= 64
        assert folder not in {".", ".."}
    assert not set("\\:*?<>|") & set(name + "".join(folders))
    (name + "".join(folders)).encode()
