"""Names of members: what a template may be, what it will make, and which asset a name came from."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipyassets.errors import InvalidRequest
from ipyassets.services.base import Record
from ipyassets.services.downloading import DEFAULT_TEMPLATE, ArchiveOrder
from ipyassets.services.scenario.members import member_of
from ipyassets.services.scenario.records import asset
from ipyassets.services.scenario.templates import TOKENS, check_template, member_names, slug


def entity(
    id: str = "asset_abc", *, metadata: dict[str, Any] | None = None, hit: bool = False, **fields: Any
) -> Record:
    """An asset, or what a search finds of it."""
    return asset(
        {
            "id": id,
            "mimeType": "image/png",
            **({} if hit else {"kind": "image", "properties": {"size": 1}}),
            "metadata": {"kind": "image", "type": "txt2img", **(metadata or {})},
            **fields,
        }
    )


FULL = entity(
    metadata={"prompt": "A cat, dancing in the rain", "seed": "4711", "modelId": "model_x", "inferenceId": "inf_1"},
    description="The cat of the house",
    outputIndex=2,
)
BARE = entity("asset_bare")


def name(template: str, record: Record = FULL, *, flat: bool = True, prefer_original: bool = False) -> str:
    order = ArchiveOrder((record.id,), template=template, flat=flat, prefer_original=prefer_original)
    (made,) = member_names([record], order)
    return made


# -- what a template may be -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "template",
    [DEFAULT_TEMPLATE, "<id>", "x/<prompt>/<num>_<seed>-<id>", "grün <id>", "<generator>-<description>-<id>"],
)
def test_good_templates_pass_without_a_word(template: str):
    assert check_template(template) == ()


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("", "empty"),
        ("  ", "empty"),
        (None, "empty"),
        ("/<id>", "begin with '/'"),
        ("//server/<id>", "begin with '/'"),
        ("a//<id>", "no name"),
        ("<id>/", "no name"),
        ("../<id>", r"'\.\.'"),
        ("<prompt>/../<id>", r"'\.\.'"),
        ("./<id>", r"'\.'"),
        ("<id>/ .. ", r"'\.\.'"),
        ("C:<id>", "':'"),
        ("a\\<id>", "character"),
        ("<id>?", "character"),
        ("<id>\n", "character"),
        ("<id>\x00", "character"),
        ("\ud800<id>", "character"),
        ("<id", "stand between"),
        ("id>", "stand between"),
        ("<<id>>", "stand between"),
        ("<a/b>", "stand between"),
        ("x" * 65 + "/<id>", "64"),
        ("x" * 129 + "<id>", "128"),
    ],
)  # fmt: skip
def test_templates_that_cannot_work(template: Any, says: str):
    with pytest.raises(InvalidRequest, match=says):
        check_template(template)


@pytest.mark.parametrize(
    ("token", "meant"),
    [
        ("promt", "prompt"),
        ("ID", "id"),
        ("assetId", "id"),
        ("index", "num"),
        ("seeds", "seed"),
        ("caption", "description"),
    ],
)
def test_unknown_tokens_are_told_with_what_was_meant(token: str, meant: str):
    (warning,) = check_template(f"<{token}>-<id>")
    assert f"does not know <{token}>" in warning
    assert f"Did you mean <{meant}>?" in warning
    assert all(f"<{known}>" in warning for known in TOKENS)


def test_no_guess_where_nothing_is_near():
    (warning,) = check_template("<zzzz>-<id>")
    assert "Did you mean" not in warning


@pytest.mark.parametrize("template", ["<prompt>", "<seed>-<num>", "picture", "<nope>"])
def test_names_that_may_clash_are_told(template: str):
    assert "Without <id>" in check_template(template)[-1]


def test_a_token_that_stands_twice_is_told():
    (warning,) = check_template("<id>/<prompt>-<id>")
    assert "<id> stands more than once" in warning


@settings(deadline=None)
@given(st.text(max_size=60))
def test_whatever_is_typed_into_the_field_is_judged_and_nothing_else_happens(template: str):
    try:
        check_template(template)
    except InvalidRequest:
        return
    made = name(template)
    assert made
    assert not made.startswith("/")
    assert not {"", ".", ".."} & set(made.split("/"))


# -- what it will make ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("A cat, dancing in the rain", "cat_dancing_rain"),
        ("one two three four five six seven eight nine ten", "one_two_three_four_five_six_seven_eight"),
        ("of the and", None),
        ("", None),
        (None, None),
        ("Größe: 12x7 (ØRSTED)!", "größe_12x7_ørsted"),
        ("snake_case/slash", "snake_case_slash"),
    ],
)
def test_slugs(text: str | None, made: str | None):
    assert slug(text) == made


@pytest.mark.parametrize(
    ("template", "made"),
    [
        ("<prompt>-<id>", "cat_dancing_rain-asset_abc.png"),
        ("<seed>_<num>", "4711_2.png"),
        ("<description>", "cat_house.png"),
        ("<generator>/<id>", "model_x/asset_abc.png"),
        ("<id>-<prompt>-<id>", "asset_abc-cat_dancing_rain.png"),
        ("<id>/<prompt>-<id>", "asset_abc/cat_dancing_rain.png"),
        ("<nope>-<id>", "asset_abc.png"),
        ("<id>-<nope>-<seed>", "asset_abc-4711.png"),
        ("x - <nope>.<id>", "x.asset_abc.png"),
        ("plain", "plain.png"),
    ],
)
def test_names_by_the_published_rules(template: str, made: str):
    assert name(template) == made


@pytest.mark.parametrize(
    ("template", "made"),
    [
        ("<prompt>-<id>", "asset_bare.png"),
        ("<id>-<seed>", "asset_bare.png"),
        ("<prompt>", "asset_bare.png"),
        ("<prompt>/<id>", "asset_bare.png"),
        ("<seed>_<num>-<id>_<description>", "asset_bare.png"),
    ],
)
def test_a_token_without_a_value_goes_with_its_separator(template: str, made: str):
    assert name(template, BARE) == made


def test_the_first_output_has_the_number_0():
    assert name("<num>", entity(outputIndex=0)) == "0.png"
    assert name("<num>", entity(metadata={"outputIndex": 3.0})) == "3.png"


def test_long_names_are_cut_at_the_prompt_first():
    long = entity("asset_" + "i" * 24, metadata={"prompt": " ".join(["w" * 30] * 8)})
    made = name("<prompt>-<id>", long)
    assert 120 < len(made) <= 128  # a word is not left with half a separator
    assert made.endswith(f"-{long.id}.png")
    folder, _, file = name("<prompt>/<id>", long).partition("/")
    assert len(folder) <= 64
    assert file == f"{long.id}.png"


@pytest.mark.parametrize(
    ("mime", "fields", "ending"),
    [
        ("image/jpeg", {}, "jpg"),
        ("model/gltf-binary", {}, "glb"),
        ("video/mp4", {}, "mp4"),
        ("application/octet-stream", {"properties": {"format": "ply"}}, "ply"),
        ("application/octet-stream", {}, "bin"),
        ("audio/mpeg", {"originalMimeType": "audio/wav"}, "mp3"),
    ],
)
def test_the_ending_is_that_of_the_stored_format(mime: str, fields: dict[str, Any], ending: str):
    assert name("<id>", entity(mimeType=mime, **fields)) == f"asset_abc.{ending}"


def test_the_ending_of_an_upload_that_was_kept():
    assert name("<id>", entity(mimeType="audio/mpeg", originalMimeType="audio/wav"), prefer_original=True)[-3:] == "wav"


@pytest.mark.parametrize(
    ("metadata", "hit", "folder"),
    [
        ({"inferenceId": "inf_1", "parentJobId": "job_1"}, False, "inf_1"),
        ({"parentJobId": "job_1"}, True, "job_1"),
        ({"type": "uploaded"}, False, "uploads"),
        ({"type": "uploaded"}, True, "uploads"),
        ({}, True, "…"),
    ],
)
def test_the_folder_of_an_archive_that_is_not_flat_is_a_guess(metadata: dict[str, Any], hit: bool, folder: str):
    assert name("<id>", entity(metadata=metadata, hit=hit), flat=False) == f"{folder}/asset_abc.png"


texts = st.text(max_size=200)
records = st.builds(
    lambda key, prompt, description, seed, model: entity(
        key, metadata={"prompt": prompt, "seed": seed, "modelId": model}, description=description
    ),
    st.text("abcXYZ0123456789_-", min_size=1, max_size=40),
    texts,
    texts,
    st.one_of(st.none(), texts, st.integers(), st.floats()),
    st.one_of(st.none(), texts),
)
templates = st.lists(
    st.one_of(st.sampled_from([f"<{token}>" for token in TOKENS]), st.sampled_from(["-", "_", " ", "/", "x", "."])),
    max_size=12,
).map("".join)


@settings(deadline=None)
@given(records, templates, st.booleans())
def test_names_keep_to_the_limits_whatever_the_assets_are_called(record: Record, template: str, flat: bool):
    try:
        made = name(template, record, flat=flat)
    except InvalidRequest:
        return
    *folders, file = made.split("/")
    assert len(file) <= 128
    assert all(0 < len(folder) <= 64 for folder in folders)
    assert not {".", ".."} & set(folders)
    assert not set('<>:"|?*\\\0\n') & set(made)


# -- which asset a name came from -------------------------------------------------------------------------------------


def by_id(*records: Record) -> dict[str, Record]:
    return {record.id: record for record in records}


@settings(deadline=None)
@given(st.lists(records, min_size=1, max_size=8, unique_by=lambda record: record.id), st.data())
def test_a_name_with_its_id_leads_back(some: list[Record], data: st.DataObject):
    record = data.draw(st.sampled_from(some))
    made = name("<id>", record)
    assert member_of(made, by_id(*some)) is record


@pytest.mark.parametrize(
    "name",
    [
        "asset_abc.png",
        "cat-asset_abc.png",
        "x/y/asset_abc_2.png",
        "asset_abc/cat.png",
        "cat asset_abc.png",
        "asset_abc",
    ],
)
def test_an_id_is_found_wherever_it_stands(name: str):
    assert member_of(name, by_id(FULL, BARE)) is FULL


def test_an_id_that_is_the_beginning_of_another_is_not_taken_for_it():
    short, long = entity("asset_ab"), entity("asset_ab-c")
    assert member_of("cat-asset_ab-c.png", by_id(short, long)) is long
    assert member_of("cat-asset_ab.png", by_id(short, long)) is short
    assert member_of("cat-asset_abd.png", by_id(short, long)) is None


def test_two_ids_in_one_name_tell_nothing():
    assert member_of("asset_1-asset_2.png", by_id(entity("asset_1"), entity("asset_2"))) is None
    assert member_of("asset_1/asset_2.png", by_id(entity("asset_1"), entity("asset_2"))) is not None


def test_a_seed_that_only_one_has_leads_back():
    one, two, same = (entity(f"asset_{n}", metadata={"seed": seed}) for n, seed in enumerate(["4711", "4712", "4712"]))
    assert member_of("cat-4711.png", by_id(one, two)) is one
    assert member_of("cat-4712.png", by_id(one, two, same)) is None
    assert member_of("cat-47110.png", by_id(one, two)) is None


def test_a_short_seed_may_be_a_word_of_the_prompt():
    assert member_of("7_cats.png", by_id(entity(metadata={"seed": "7"}), BARE)) is None


def test_an_inference_with_one_asset_leads_back():
    other = entity("asset_2", metadata={"inferenceId": "inf_2"})
    assert member_of("inf_1/cat.png", by_id(FULL, other)) is FULL
    twin = entity("asset_3", metadata={"inferenceId": "inf_1"})
    assert member_of("inf_1/cat.png", by_id(FULL, twin)) is None


@pytest.mark.parametrize("name", ["README.txt", "", "/", "__MACOSX/._x", "cat_dancing_rain.png"])
def test_what_tells_nothing_leads_nowhere(name: str):
    assert member_of(name, by_id(FULL, BARE)) is None
