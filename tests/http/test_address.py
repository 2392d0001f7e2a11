from __future__ import annotations

import string
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ipyassets.http.address import Address

NAMES = st.from_regex(r"[a-zA-Z0-9]([a-zA-Z0-9\-]{0,8}[a-zA-Z0-9])?", fullmatch=True)
HOSTS = st.one_of(
    st.lists(NAMES, min_size=1, max_size=3).map(".".join),
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda found: f"[{found}]"),
    st.sampled_from(["bücher.example", "under_score.example", "EXAMPLE.org.", "xn--bcher-kva.example"]),
)
PARTS = st.lists(
    st.one_of(
        st.sampled_from(string.ascii_letters + string.digits + "-._~!$&'()*+,;=:@/|\\^`{}\"<>[] ü€"),
        st.sampled_from(["%2F", "%2f", "%", "%zz", "/../", "/./", "..", "//"]),
    ),
    max_size=12,
).map("".join)


@given(
    st.sampled_from(["http", "https", "HTTP"]),
    HOSTS,
    st.one_of(st.just(""), st.just(":"), st.integers(0, 70_000).map(lambda port: f":{port}")),
    st.one_of(st.just(""), PARTS.map(lambda path: f"/{path}")),
    st.one_of(st.just(""), PARTS.map(lambda query: f"?{query}")),
    st.one_of(st.just(""), PARTS.map(lambda fragment: f"#{fragment}")),
)
@example("http", "example.org", ":0", "", "", "")
@example("http", "example.org", "", "/a/.hidden", "?", "#")
@example("https", "example.org", ":0443", "/a%2fb", "?a=%2F'", "")
def test_it_goes_where_httpx_would_go(scheme: str, host: str, port: str, path: str, query: str, fragment: str):
    """Port 0 was taken for the scheme's own by one of the two ways to take a URL apart."""
    url = f"{scheme}://{host}{port}{path}{query}{fragment}"
    found = Address.of(url)
    try:
        expected = httpx.URL(url)
    except httpx.InvalidURL:
        if found is not None:  # a number of four parts that is no address: looked up, and not found
            assert host.replace(".", "").isdigit()
        return
    if expected.port is not None and expected.port > 65535:
        assert found is None
        return
    assert found is not None
    assert found.scheme == expected.scheme
    assert found.host.encode("ascii") == expected.raw_host
    assert found.port == (expected.port if expected.port is not None else {"http": 80, "https": 443}[found.scheme])
    assert found.target.encode("ascii") == expected.raw_path
    assert httpx.URL(found.place).netloc == expected.netloc
    # By a proxy it goes through httpx once more.
    assert httpx.URL(found.place + found.target).raw_path == expected.raw_path
    assert " " not in found.target
    assert "\n" not in found.target


@pytest.mark.parametrize(
    ("url", "netloc", "target"),
    [
        ("http://[::1]:8080/x", "[::1]:8080", "/x"),
        ("http://[2001:db8::1]", "[2001:db8::1]", "/"),
        ("https://example.org:443/a?b", "example.org", "/a?b"),
        ("http://example.org:443/a?", "example.org:443", "/a?"),
        ("https://bücher.example/ü", "xn--bcher-kva.example", "/%C3%BC"),
    ],
)
def test_what_stands_in_the_request(url: str, netloc: str, target: str):
    found = Address.of(url)
    assert found is not None
    assert (found.netloc, found.target) == (netloc, target)
    assert "[" not in found.host


@pytest.mark.parametrize("url", ["http://[::1", "http://host:port/", "http://a:99999/", "http://a/\n"])
def test_what_is_no_url_is_none(url: str):
    """A port beyond the last one ended in an OverflowError from the depths of asyncio."""
    assert Address.of(url) is None


def test_a_signed_url_goes_through_unchanged_and_is_not_shown():
    target = "/a%2Fb%2f/c;d=e?Policy=x~y_-&sig=%24%2F%3D&empty=&q=a+b"
    found = Address.of(f"https://bucket.example{target}")
    assert found is not None
    assert found.target == target
    assert "Policy" not in repr(found)
    assert "%2F" not in repr(found)


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/there?x=1", "http://[::1]:8080/there?x=1"),
        ("there", "http://[::1]:8080/a/there"),
        ("?y", "http://[::1]:8080/a/b?y"),
        ("//other.example/x", "http://other.example/x"),
        ("https://other.example", "https://other.example/"),
        ("../../x", "http://[::1]:8080/x"),
    ],
)
def test_redirects_lead_where_they_say(location: str, expected: str):
    here = Address.of("http://[::1]:8080/a/b?old=1")
    assert here is not None
    there = here.join(location)
    assert there is not None
    assert there.place + there.target == expected


def test_parameters_join_what_is_there():
    for url, expected in [("http://h/a", "/a?p=x+y"), ("http://h/a?", "/a?p=x+y"), ("http://h/a?q=1", "/a?q=1&p=x+y")]:
        found = Address.of(url)
        assert found is not None
        assert found.with_params([("p", "x y")]).target == expected


@given(st.lists(st.tuples(st.text(min_size=1), st.text()), min_size=1))
@example([("width", "512"), ("height", "512")])
@example([("q", "a b&c=d/ü~.-_")])
def test_params_stand_in_the_query_as_urllib_writes_them(params: list[tuple[str, str]]):
    try:
        expected = urlencode(params)
    except UnicodeEncodeError:  # half a surrogate pair
        return
    found = Address.of("https://example.org/a?first=1")
    assert found is not None
    assert found.with_params(params).target == f"/a?first=1&{expected}"
