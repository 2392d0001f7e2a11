"""Marks of the next page: a service's own affair. They go back as they came, over real HTTP."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from ipyassets.http import loop
from ipyassets.http.address import Address
from ipyassets.http.messages import Answer, Call
from ipyassets.services.base import Page, Search
from ipyassets.services.itwin.search import IModelSearch
from ipyassets.services.scenario.filters import understood
from ipyassets.services.scenario.search import AssetListing, next_token


class Recorded:
    """In the place of the connections: keeps what would be sent, and answers what it is told."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers = list(answers)
        self.sent: list[str] = []

    async def send(self, call: Call) -> Answer:
        address = Address.of(call.url)
        assert address is not None
        asked = address.with_params(list(call.params)) if call.params else address
        self.sent.append(f"{asked.place}{asked.target}")
        return Answer(200, {}, json.dumps(self.answers.pop(0)).encode(), "GET /x")


def pages(search: Search, count: int) -> list[Page]:
    async def go() -> list[Page]:
        found = [await search.page(0)]
        while len(found) < count:
            found.append(await search.page(len(found), found[-1].next))
        return found

    return loop.run(go())


tokens = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(tokens)
def test_a_token_of_scenario_goes_back_as_it_came(token: str):
    http: Any = Recorded({"assets": [], "nextPaginationToken": token}, {"assets": []})
    listing: Any = understood("", None, {})
    first, last = pages(AssetListing(http, "https://api.example/v1/assets", (("projectId", "p"),), listing), 2)
    assert (first.next, last.next) == (token, None)
    query = parse_qsl(urlsplit(http.sent[1]).query, keep_blank_values=True)
    assert [value for name, value in query if name == "paginationToken"] == [token]
    assert ("projectId", "p") in query
    assert [pair for pair in query if pair[0] != "paginationToken"] == parse_qsl(urlsplit(http.sent[0]).query)


@given(st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text()), st.none() | st.text())
def test_what_is_no_token_is_none(token: Any, cursor: str | None):
    found = next_token({"nextPaginationToken": token}, cursor)
    assert found == (token if isinstance(token, str) and token and token != cursor else None)


links = st.text(st.sampled_from("abcXYZ019-._~%2F=&+$:@!*'(),;?/"), max_size=60)


@given(links)
def test_a_link_of_itwin_is_followed_as_it_stands(text: str):
    """A continuation token is a part of it, coded by the platform: coded once more it would be another."""
    home = "https://api.example/itwin"
    link = f"{home}/imodels?$continuationToken={text}"
    http: Any = Recorded({"iModels": [], "_links": {"next": {"href": link}}}, {"iModels": []})

    async def itwin() -> str:
        return "i"

    first, last = pages(IModelSearch(http, home, itwin, [], page_size=10), 2)
    assert (first.next, last.next) == (link, None)
    assert http.sent[1] == link
