"""Faults that were not there from the beginning: each does on the wire what it says."""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from ipyassets.errors import AuthenticationError
from ipyassets.sandbox import Sandbox
from ipyassets.sandbox.fault_bodies import with_unknown_words
from ipyassets.sandbox.fault_text import fault_arguments

SEARCH = "/vntana/public/products/organizations/northlight-home/clients/showroom"


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.origin, timeout=10) as client:
        yield client


def ask(client: httpx.Client, page: int = 1, size: int = 5) -> httpx.Response:
    return client.post(SEARCH, json={"page": page, "size": size})


def rows(response: httpx.Response) -> list[dict[str, Any]]:
    grid: list[dict[str, Any]] = response.json()["response"]["grid"]
    return grid


def ids(response: httpx.Response) -> list[str]:
    return [row["uuid"] for row in rows(response)]


@pytest.fixture
def poster(sandbox: Sandbox) -> Iterator[str]:
    with sandbox.vntana_public() as public:
        public.search()[0].poster_bytes()
    yield list(sandbox.faults.log)[-1].path
    sandbox.faults.log.clear()


def test_a_reset_in_the_middle_of_a_body(sandbox, client):
    sandbox.faults.add(SEARCH, kind="reset", after=9)
    with client.stream("POST", SEARCH, json={"page": 1, "size": 5}) as response:
        assert response.status_code == 200
        with pytest.raises(httpx.ReadError):
            response.read()


@pytest.mark.parametrize(("by", "sees"), [(-7, "less"), (40, "more")])
def test_a_content_length_that_is_wrong(sandbox, client, by, sees):
    whole = ask(client).content
    sandbox.faults.add(SEARCH, kind="length", after=by)
    body = b'{"page":1,"size":5}'
    host, port = sandbox.origin.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            f"POST {SEARCH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, content = received.partition(b"\r\n\r\n")
    assert f"content-length: {len(whole) + by}".encode() in head.lower()
    assert content == whole, f"the body is whole; who goes by the length gets {sees}"


def test_a_trickle_comes_whole_and_in_pieces(sandbox, client):
    whole = ask(client).content
    sandbox.faults.add(SEARCH, kind="trickle", seconds=0.1)
    with client.stream("POST", SEARCH, json={"page": 1, "size": 5}) as response:
        pieces = list(response.iter_raw())
    assert b"".join(pieces) == whole
    assert len(pieces) > 5


def test_a_redirect_loop_leads_to_itself(sandbox, client):
    sandbox.faults.add(SEARCH, kind="loop", count=None)
    with pytest.raises(httpx.TooManyRedirects):
        client.post(f"{SEARCH}?a=1", json={"page": 1, "size": 5}, follow_redirects=True)
    assert {seen.query for seen in sandbox.faults.requests(SEARCH)} == {"a=1"}


def test_json_of_another_shape(sandbox, client):
    true = ask(client).json()
    sandbox.faults.add(SEARCH, kind="shape")
    assert isinstance(ask(client).json()["response"]["grid"], dict)
    sandbox.faults.add(SEARCH, kind="extra")
    more = ask(client)
    assert all(row.pop("xUnheardOf") and row.pop("__proto__") for row in rows(more))
    sandbox.faults.add(SEARCH, kind="missing")
    assert [set(row) for row in rows(ask(client))] == [{"uuid"}] * 5
    unknown = sandbox.faults.add(SEARCH, kind="unknown")
    assert ask(client).json() == true
    assert unknown.hits == 0, "no word of a closed list stands there"
    sandbox.faults.clear()
    told = b'{"response":{"grid":[{"uuid":"1","name":"A","asset":{"conversionStatus":"DONE"}}]}}'
    assert json.loads(with_unknown_words(told))["response"]["grid"] == [
        {"uuid": "1", "name": "A", "asset": {"conversionStatus": "SOMETHING_NEW"}}
    ]
    sandbox.faults.add(SEARCH, kind="duplicate")
    doubled = ids(ask(client))
    assert (len(doubled), doubled[0]) == (6, doubled[1])
    sandbox.faults.add(SEARCH, kind="empty")
    empty = ask(client)
    assert (empty.status_code, empty.content) == (200, b"")
    assert ask(client).json() == true


@pytest.mark.parametrize("change", ["added", "removed"])
def test_a_list_that_changes_between_its_pages(sandbox, client, change):
    pages = [ids(ask(client, page)) for page in (1, 2, 3)]
    total = ask(client).json()["response"]["totalCount"]
    sandbox.faults.add(SEARCH, kind="drift", change=change, count=None)
    assert ids(ask(client, 1)) == pages[0], "what was read first was before the change"
    second = ask(client, 2)
    again = ids(ask(client, 1))
    if change == "added":
        assert ids(second) == [pages[0][-1], *pages[1][:-1]]
        assert again[1:] == pages[0][:-1]
        assert again[0] not in {id for page in pages for id in page}
    else:
        assert ids(second) == [*pages[1][1:], pages[2][0]]
        assert again == [*pages[0][1:], pages[1][0]]
    assert second.json()["response"]["totalCount"] == total + (1 if change == "added" else -1)


def test_files_that_are_not_what_they_should_be(sandbox, client, poster):
    true = client.get(poster).content
    sandbox.faults.add(poster, kind="wrong_type")
    assert client.get(poster).content.startswith(b"<svg")
    sandbox.faults.add(poster, kind="truncated")
    cut = client.get(poster)
    assert true.startswith(cut.content)
    assert len(cut.content) == int(cut.headers["content-length"]) < len(true)
    sandbox.faults.add(poster, kind="corrupt")
    spoilt = client.get(poster).content
    assert len(spoilt) == len(true)
    assert spoilt != true
    sandbox.faults.add(poster, kind="giant")
    with pytest.raises(Image.DecompressionBombError):
        Image.open(io.BytesIO(client.get(poster).content))
    waiting = sandbox.faults.add("/", kind="giant")
    assert len(ids(ask(client))) == 5, "what is no picture stays as it is"
    assert waiting.hits == 0
    assert client.get(poster).content.startswith(b"\x89PNG")
    assert waiting.hits == 1, "it waited for the picture"


def test_expired_and_revoked(sandbox: Sandbox) -> None:
    """The service's own refusals: nothing about them is made up by the layer."""
    with sandbox.vntana() as vntana, sandbox.itwin() as itwin, sandbox.scenario() as scenario:
        for client in (vntana, itwin, scenario):
            assert client.search()[:3]
        picture = scenario.search(kind="image")[0]
        sandbox.faults.log.clear()
        sandbox.faults.add("/products/.*search", kind="clock")
        sandbox.faults.add("/imodels", kind="clock")
        assert vntana.search()[0]
        assert itwin.search()[0]
        assert [seen.status for seen in sandbox.faults.requests("/products/.*search")] == [403, 200]
        assert [seen.status for seen in sandbox.faults.requests("/imodels")] == [401, 200]
        sandbox.faults.add("/cdn/", kind="clock")
        assert picture.poster()
        assert next(seen.status for seen in sandbox.faults.requests("/cdn/")) == 403
        sandbox.faults.add("/scenario/v1/assets", kind="revoked")
        with pytest.raises(AuthenticationError, match="Check the API key"):
            scenario.asset(picture.id)
        assert scenario.asset(picture.id) == picture


def test_latency_with_jitter_is_the_same_in_every_run(sandbox, client):
    sandbox.settings.jitter = 30
    with pytest.raises(httpx.ReadTimeout):
        client.post(SEARCH, json={"page": 1, "size": 5}, timeout=httpx.Timeout(10, read=0.001))
    chances = [Sandbox(seed=seed).faults.chance() for seed in (1, 1, 2)]
    assert chances[0] == chances[1] != chances[2]


def test_faults_in_a_line_of_text():
    given = fault_arguments("'/thumbnails/ x' status status=429 retry-after=2 rate=0.25 count=3 method=get")
    assert given == {
        "path": "/thumbnails/ x",
        "kind": "status",
        "status": 429,
        "headers": {"retry-after": "2"},
        "rate": 0.25,
        "count": 3,
        "method": "get",
    }
    assert fault_arguments("/ stall")["count"] is None, "for ever, unless told"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/only", "PATH KIND"),
        ("/ explosion", "unknown kind"),
        ("/ status status=high", "takes a number"),
        ("/ status 429", "NAME=VALUE"),
        ("/ redirect", "needs a location"),
        ("/ drift change=both", "added, removed"),
        ("/ slow rate=3", "from 0 to 1"),
        ("[ slow", "regular expression"),
        ("'/ slow", "quot"),
    ],
)
def test_a_line_that_makes_no_sense_is_refused(text, said):
    with pytest.raises(ValueError, match=said):
        fault_arguments(text)
