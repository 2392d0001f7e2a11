"""The catalogue grown to a hundred thousand products, and the pieces it is made of."""

from __future__ import annotations

import itertools
import re

import jsonschema
import pytest

from ipyassets.sandbox.vntana.accounts import SHOWROOM, UNUSUAL
from ipyassets.sandbox.vntana.catalogue import Catalogue
from ipyassets.sandbox.vntana.ids import Numbered
from ipyassets.sandbox.vntana.request import ProductQuery
from ipyassets.sandbox.vntana.rows import Rows, moment
from ipyassets.sandbox.vntana.search import KEPT_ANSWERS, Finder
from ipyassets.sandbox.vntana.words import Index, natural, words

from . import contract

ASSETS = 100_000


@pytest.fixture(scope="module")
def catalogue():
    return Catalogue(ASSETS)


@pytest.fixture(scope="module")
def finder(catalogue):
    return Finder(catalogue)


def find(finder, workspace=SHOWROOM, **body):
    return [int(index) for index in finder.find(ProductQuery.read(body), [workspace])]


def test_exactly_as_many_published_products_as_asked_for(catalogue, finder):
    assert len(find(finder)) == ASSETS
    assert len(find(finder, UNUSUAL)) == len(find(Finder(Catalogue()), UNUSUAL))


def test_the_natural_catalogue_is_the_least():
    assert len(Catalogue(10)) == len(Catalogue())


def test_growing_changes_no_product_that_was_there(catalogue):
    natural_rows, grown_rows = Rows(Catalogue()), Rows(catalogue)
    for index in range(len(Catalogue())):
        assert natural_rows.found(index) == grown_rows.found(index)


def test_identifiers_lead_back_to_their_row(catalogue):
    for numbered in (catalogue.products, catalogue.thumbnails):
        uuids = [numbered.uuid(index) for index in range(0, len(catalogue), 997)]
        assert len(set(uuids)) == len(uuids)
        assert [catalogue.find(numbered, uuid) for uuid in uuids] == list(range(0, len(catalogue), 997))
    last = catalogue.products.uuid(len(catalogue) - 1)
    assert catalogue.find(catalogue.products, last.upper()) == len(catalogue) - 1
    assert catalogue.find(catalogue.products, catalogue.products.uuid(len(catalogue))) is None
    assert catalogue.find(catalogue.thumbnails, last) is None
    assert Numbered("product").uuid(7) == Numbered("product").uuid(7) != Numbered("other").uuid(7)


def test_names_are_told_apart_and_found_again(catalogue, finder):
    index = len(catalogue) - 12_345
    name = catalogue.name(index)
    assert re.fullmatch(r".+ [A-Z]\w+ \d+", name)
    assert index in find(finder, name=name, matchTypes={"NAME": "MATCH_EXACT"})
    assert all(catalogue.name(found) == name for found in find(finder, searchTerm=name)[:1])


def test_sorting_by_name_is_natural_order_of_whole_names(catalogue, finder):
    found = find(finder, sorts={"NAME": "ASC"})
    keys = [natural(catalogue.name(index)) for index in found]
    assert all(before <= after for before, after in itertools.pairwise(keys))


def test_part_of_a_name_across_the_number(catalogue, finder):
    found = find(finder, name="couch oak 1")
    assert found
    assert {catalogue.name(i) for i in found} == {
        catalogue.name(i) for i in find(finder, name="couch") if "Couch Oak 1" in catalogue.name(i)
    }


def test_rows_of_grown_products_are_of_the_documented_shape(catalogue):
    rows = Rows(catalogue)
    validator = contract.validator("admin", "ProductSearchResponseModel")
    for index in range(len(catalogue) - 1, 400, -9_999):
        validator.validate(rows.found(index))


def test_the_contract_refuses_a_field_too_many_and_a_wrong_type(catalogue):
    validator = contract.validator("admin", "ProductSearchResponseModel")
    row = Rows(catalogue).found(0)
    for wrong in ({"posterUrl": "x"}, {"status": "PUBLISHED"}, {"tags": None}, {"name": 5}):
        with pytest.raises(jsonschema.ValidationError):
            validator.validate({**row, **wrong})


def test_only_the_last_answers_are_kept(finder):
    for number in range(KEPT_ANSWERS + 5):
        find(finder, name=f"chair {number}")
    assert len(finder._kept) == KEPT_ANSWERS


def test_words_lose_case_accents_and_punctuation():
    assert words("Lampe «Étoile», 2/3") == ["lampe", "etoile", "2", "3"]
    assert words("肘掛け椅子 الكرسي") == ["肘掛け椅子", "الكرسي"]


def test_how_well_words_fit():
    index = Index([["chair"], ["chairs"], ["armchair"], ["cheer up"], ["table"]])
    exact, begun, inside, other, none = index.scores("chair")
    assert exact == 1 > begun > inside > 0
    assert other == none == 0
    mistyped = index.scores("tabel")
    assert mistyped[4] > 0
    assert not mistyped[:4].any()


def test_numbers_in_sort_keys():
    names = ["chair 10", "Chair", "chair 2", "chair2b", "10 chairs", "9 chairs"]
    assert sorted(names, key=natural) == ["9 chairs", "10 chairs", "Chair", "chair2b", "chair 2", "chair 10"]


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [(0, "1970-01-01T00:00:00"), (1_500_000, "1970-01-01T00:00:01.500"), (7, "1970-01-01T00:00:00.000007")],
)
def test_moments(microseconds, text):
    assert moment(microseconds) == text
