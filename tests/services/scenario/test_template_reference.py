"""The preview of names against the sandbox's own making of them: two readings of one text, written apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyassets.errors import InvalidRequest
from ipyassets.sandbox.scenario.templates import Template
from ipyassets.sandbox.scenario.templates import slug as made_slug
from ipyassets.services.base import Record
from ipyassets.services.downloading import ArchiveOrder
from ipyassets.services.scenario.records import asset
from ipyassets.services.scenario.templates import TOKENS, check_template, member_names, slug

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
words = st.lists(
    st.sampled_from(["cat", "the", "Dancing", "in", "rain-coat", "x_y", "caf\u00e9", "a" * 30]), max_size=14
)
prompts = st.none() | texts | words.map(" ".join)
keys = st.text("abcXYZ0123456789_-", min_size=1, max_size=40)
pieces = st.sampled_from([*(f"<{token}>" for token in TOKENS), "<nope>", "-", "_", " ", ".", "/", "x", "\u00e9", ", "])
templates = st.lists(pieces, min_size=1, max_size=10).map("".join)


@given(prompts)
def test_both_make_the_same_slug(text: str | None):
    assert slug(text) == made_slug(text)


@given(templates, keys, prompts, prompts, st.none() | st.integers(0, 2**63).map(str), st.none() | st.integers(0, 99))
def test_the_preview_is_what_is_made(
    template: str, id: str, prompt: str | None, description: str | None, seed: str | None, num: int | None
):
    record: Record = asset(
        {
            "id": id,
            "mimeType": "image/webp",
            "kind": "image",
            "metadata": {"prompt": prompt, "seed": seed, "modelId": "model / x"},
            "description": description,
            **({} if num is None else {"outputIndex": num}),
        }
    )
    order = ArchiveOrder((id,), template=template, flat=True)
    try:
        check_template(template)
    except InvalidRequest:
        with pytest.raises(InvalidRequest):
            member_names([record], order)
        return
    values = {
        "seed": seed,
        "num": None if num is None else str(num),
        "prompt": made_slug(prompt),
        "generator": "model / x",
        "id": id,
        "description": made_slug(description),
    }
    assert member_names([record], order) == [Template.parse(template).path(values, "webp")]
