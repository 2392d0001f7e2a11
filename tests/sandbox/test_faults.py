"""Faults on the bare connection, and the log of what was asked."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import httpx
import pytest

from ipyassets.sandbox import Faults, Sandbox, Seen

SEARCH = "/vntana/public/products/organizations/northlight-home/clients/showroom"
BODY = {"page": 1, "size": 5}
IMPATIENT = httpx.Timeout(10, read=0.1)


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.origin, timeout=10) as client:
        yield client


def ask(client: httpx.Client) -> httpx.Response:
    return client.post(SEARCH, json=BODY)


def test_status_with_headers_and_body(sandbox, client):
    fault = sandbox.faults.add(
        "/vntana/",
        kind="status",
        status=429,
        headers={"Retry-After": "3"},
        body={"errors": ["API_RATE_LIMIT_EXCEEDED"]},
    )
    response = ask(client)
    assert (response.status_code, response.headers["Retry-After"]) == (429, "3")
    assert response.json() == {"errors": ["API_RATE_LIMIT_EXCEEDED"]}
    assert ask(client).status_code == 200
    assert fault.hits == 1


def test_a_status_without_more_is_an_empty_503(sandbox, client):
    sandbox.faults.add(SEARCH)
    response = ask(client)
    assert (response.status_code, response.content) == (503, b"")


def test_html_where_json_was_asked_for(sandbox, client):
    sandbox.faults.add(SEARCH, kind="html")
    response = ask(client)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    assert response.content.startswith(b"<!DOCTYPE html>")


def test_reset_is_a_reset(sandbox, client):
    sandbox.faults.add(SEARCH, kind="reset")
    with pytest.raises(httpx.ReadError, match="reset"):
        ask(client)
    assert ask(client).status_code == 200


@pytest.mark.parametrize("after", [None, 0, 10, 10**9])
def test_cut_promises_the_whole_body_and_breaks_off(sandbox, client, after):
    whole = ask(client).content
    sandbox.faults.add(SEARCH, kind="cut", after=after)
    request = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
    body = b'{"page":1,"size":5}'
    address = sandbox.origin.removeprefix("http://").split(":")
    with socket.create_connection((address[0], int(address[1]))) as connection:
        connection.sendall(request % (SEARCH.encode(), len(body), body))
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, part = received.partition(b"\r\n\r\n")
    assert f"content-length: {len(whole)}".encode() in head.lower()
    assert part == whole[: {None: len(whole) // 2, 10**9: len(whole) - 1}.get(after, after)]
    sandbox.faults.add(SEARCH, kind="cut", after=after)
    with pytest.raises(httpx.RemoteProtocolError):
        ask(client)


def test_stall_until_the_client_gives_up(sandbox, client):
    sandbox.faults.add(SEARCH, kind="stall")
    with pytest.raises(httpx.ReadTimeout):
        client.post(SEARCH, json=BODY, timeout=IMPATIENT)
    assert ask(client).status_code == 200


def test_stall_after_some_bytes_then_the_connection_closes(sandbox, client):
    sandbox.faults.add(SEARCH, kind="stall", after=7, seconds=0.05)
    with client.stream("POST", SEARCH, json=BODY) as response:
        assert response.status_code == 200
        chunks = response.iter_raw()
        assert len(next(chunks)) == 7
        with pytest.raises(httpx.RemoteProtocolError):
            next(chunks)


def test_wrong_content_under_the_true_head(sandbox, client):
    true = ask(client)
    sandbox.faults.add(SEARCH, kind="wrong_content", body="just text", count=None)
    response = ask(client)
    assert response.content == b"just text"
    assert response.headers["content-type"] == true.headers["content-type"]
    sandbox.faults.clear()
    sandbox.faults.add(SEARCH, kind="wrong_content", body=b"GIF89a", headers={"Content-Type": "image/gif"})
    assert ask(client).headers["content-type"] == "image/gif"


def test_redirect(sandbox, client):
    sandbox.faults.add(SEARCH, kind="redirect", status=307, location="http://127.0.0.2:9/else")
    response = ask(client)
    assert (response.status_code, response.headers["location"]) == (307, "http://127.0.0.2:9/else")
    with pytest.raises(ValueError, match="needs a location"):
        sandbox.faults.add(SEARCH, kind="redirect")


def test_slow_and_latency_are_waited_for(sandbox, client):
    sandbox.faults.add(SEARCH, kind="slow", seconds=30)
    with pytest.raises(httpx.ReadTimeout):
        client.post(SEARCH, json=BODY, timeout=IMPATIENT)
    sandbox.settings.latency = 30
    with pytest.raises(httpx.ReadTimeout):
        client.post(SEARCH, json=BODY, timeout=IMPATIENT)


def test_count_skip_and_method(sandbox, client):
    sandbox.faults.add(SEARCH, method="post", status=500, count=2, skip=1)
    assert [ask(client).status_code for _ in range(5)] == [200, 500, 500, 200, 200]
    sandbox.faults.add("/vntana/", method="GET", status=500, count=None)
    assert ask(client).status_code == 200
    assert client.get(SEARCH).status_code == 500


def test_rate_is_chance_but_the_same_in_every_run():
    def strikes(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.add("/", count=None, rate=0.3)
        return [faults.take(Seen("GET", "/", "", {}, b"")) is not None for _ in range(400)]

    assert strikes(1) == strikes(1) != strikes(2)
    assert 80 < sum(strikes(1)) < 160


def test_the_path_may_be_matched_with_its_query(sandbox, client):
    sandbox.faults.add(r"clients/showroom\?session=a$", status=500)
    assert ask(client).status_code == 200
    assert client.post(f"{SEARCH}?session=a", json=BODY).status_code == 500


def test_of_two_faults_the_first_strikes(sandbox, client):
    sandbox.faults.add(SEARCH, status=501)
    sandbox.faults.add(SEARCH, status=502)
    assert [ask(client).status_code for _ in range(3)] == [501, 502, 200]


def test_unknown_kind(sandbox):
    with pytest.raises(ValueError, match="one of status, html"):
        sandbox.faults.add("/", kind="explosion")


def test_faults_strike_many_connections_at_once(sandbox, client):
    """Counting must be safe when requests arrive together."""
    fault = sandbox.faults.add(SEARCH, status=500, count=10)
    statuses: list[int] = []
    threads = [threading.Thread(target=lambda: statuses.append(ask(client).status_code)) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 20 + [500] * 10
    assert fault.hits == 10


def test_the_log_tells_what_was_asked(sandbox, client):
    client.post(f"{SEARCH}?session=a", json=BODY, headers={"X-Extra": "1"})
    (seen,) = sandbox.faults.requests("showroom", method="post")
    assert (seen.method, seen.path, seen.query, seen.status) == ("POST", SEARCH, "session=a", 200)
    assert seen.headers["x-extra"] == "1"
    assert seen.json == BODY
    assert sandbox.faults.requests("nothing") == []


def test_the_log_holds_no_secret(sandbox, client):
    info = sandbox.connection_info()["vntana"]
    for header in ("Bearer secret-one", "Bearer secret-one", "Bearer secret-two"):
        client.get("/vntana/admin/v1/organizations", headers={"X-AUTH-TOKEN": header, "Authorization": header})
    login = {"email": info["email"], "password": info["password"]}
    assert client.post("/vntana/admin/v1/auth/login", json=login).status_code == 200
    text = repr(list(sandbox.faults.log))
    assert "secret-" not in text
    assert info["password"] not in text
    first, second, third = (seen.headers["x-auth-token"] for seen in sandbox.faults.requests("organizations"))
    assert first == second != third
    assert first.startswith("Bearer #")


def test_a_struck_request_is_in_the_log_too(sandbox, client):
    sandbox.faults.add(SEARCH, kind="reset")
    sandbox.faults.add(SEARCH, status=500)
    with pytest.raises(httpx.ReadError):
        ask(client)
    ask(client)
    assert [seen.status for seen in sandbox.faults.log] == [None, 500]
