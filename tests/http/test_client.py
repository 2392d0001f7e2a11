from __future__ import annotations

import asyncio
import gzip
import logging
import subprocess
import sys
import tracemalloc
import zlib
from dataclasses import replace
from typing import Any

import pytest

from ipyassets import errors
from ipyassets.http import loop
from ipyassets.http.client import HttpClient
from ipyassets.http.messages import Answer, Authorizer, Call, Explanation
from ipyassets.http.retry import DEFAULT_POLICY, RetryPolicy
from tests.http.conftest import Request, Server, answer

QUICK = replace(DEFAULT_POLICY, first=0.001, longest=0.002)


def explain(given: Answer) -> Explanation:
    try:
        body = given.json_object()
    except errors.BadResponse:
        return Explanation()
    return Explanation(code=body.get("code"), message=body.get("message"), retry_after=body.get("wait"))


def client(policy: RetryPolicy = QUICK, **options: Any) -> HttpClient:
    return HttpClient("Test service", explain=explain, policy=policy, **options)


def send(url: str, method: str = "GET", *, http: HttpClient | None = None, frames: bool = False, **call: Any) -> Answer:
    """``frames``: errors keep the frames they came through, which `loop.run` takes off."""
    http = http or client()

    async def go() -> Answer:
        try:
            return await http.send(Call(method, url, **call))
        finally:
            await http.close()

    return loop.submit(go()).result() if frames else loop.run(go())


class Tokens(Authorizer):
    """Hands out token-1, token-2, … and says a 401 means the last was stale."""

    def __init__(self) -> None:
        self.number = 1
        self.seen: list[Answer] = []

    async def headers(self) -> dict[str, str]:
        return {"X-AUTH-TOKEN": f"token-{self.number}"}

    def refused(self, given: Answer, sent: Any) -> bool:
        if given.status != 401:
            return False
        self.number += 1
        return True

    def learned(self, given: Answer, sent: Any) -> None:
        self.seen.append(given)


def test_what_a_terminal_would_obey_is_not_in_an_error(server: Server):
    """A service's own words are printed: they could fill the clipboard and clear the screen."""
    server.handler = lambda _: answer(rb'{"message": "\u001b]52;c;cm0=\u0007\u001b[2J\u202egnp.exe"}', 400)
    with pytest.raises(errors.InvalidRequest, match=r"gnp\.exe") as caught:
        send(f"{server.url}/x")
    assert str(caught.value).isprintable()


def test_a_good_answer_is_given_whole(server: Server):
    server.handler = lambda _: answer(b'{"a": 1}', content_type="application/json; charset=utf-8")
    got = send(f"{server.url}/x")
    assert got.json() == {"a": 1}
    assert got.content_type == "application/json"


def test_compressed_bodies_are_decoded(server: Server):
    server.handler = lambda _: answer(gzip.compress(b'{"a": 2}'), content_encoding="gzip")
    assert send(f"{server.url}/x").json() == {"a": 2}


@pytest.mark.parametrize("window", [15, -15], ids=["zlib", "bare"])
def test_deflate_is_read_with_its_frame_and_without(server: Server, window: int):
    """The word means the one with a frame; some servers send the other."""
    deflate = zlib.compressobj(wbits=window)
    packed = deflate.compress(b'{"a": 3}') + deflate.flush()
    server.handler = lambda _: answer(packed, content_encoding="deflate")
    assert send(f"{server.url}/x").json() == {"a": 3}


def test_a_small_body_cannot_stand_for_more_than_the_limit(server: Server):
    """64 kB took 64 MB, and 900 kB a gigabyte and 24 seconds: all of a piece was unpacked before anybody counted."""
    packed = gzip.compress(bytes(64 << 20))
    server.handler = lambda _: answer(packed, content_encoding="gzip")
    tracemalloc.start()
    try:
        with pytest.raises(errors.BadResponse, match="more than 1 MB"):
            send(f"{server.url}/x", max_bytes=1 << 20)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br", "zstd", "gzip, identity"])
def test_what_was_not_asked_for_is_not_unpacked(server: Server, encoding: str):
    """Two layers made a gigabyte of 1,600 bytes; brotli, where somebody has it, makes one of 800."""
    server.handler = lambda _: answer(gzip.compress(gzip.compress(b"{}")), content_encoding=encoding)
    with pytest.raises(errors.BadResponse, match="not asked for"):
        send(f"{server.url}/x")
    assert server.requests[0].headers["accept-encoding"] == "gzip, deflate"


def test_half_of_a_packed_body_is_no_answer(server: Server):
    server.handler = lambda _: answer(gzip.compress(b'{"a": 2}')[:-9], content_encoding="gzip")
    with pytest.raises(errors.BadResponse, match="not whole"):
        send(f"{server.url}/x")


def test_an_empty_body_may_call_itself_packed(server: Server):
    server.handler = lambda _: answer(b"", content_encoding="gzip")
    assert send(f"{server.url}/x").content == b""


def test_a_body_that_lies_about_its_encoding_is_a_bad_response(server: Server):
    server.handler = lambda _: answer(b"not gzip at all", content_encoding="gzip")
    with pytest.raises(errors.BadResponse):
        send(f"{server.url}/x")


def test_the_query_reaches_the_wire_as_it_was_given(server: Server):
    """A transport that re-quotes URLs (%2F to /, %24 to $) breaks signatures made over the exact text."""
    send(f"{server.url}/a%2Fb?Policy=x~y_-&sig=%24%2F%3D&empty=")
    assert server.requests[0].target == "/a%2Fb?Policy=x~y_-&sig=%24%2F%3D&empty="


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504])
def test_passing_troubles_are_tried_again(server: Server, status: int):
    server.handler = lambda _: answer(b"{}", status) if len(server.requests) < 3 else answer(b'{"ok": 1}')
    assert send(f"{server.url}/x").json() == {"ok": 1}
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.InvalidRequest),
        (401, errors.AuthenticationError),
        (403, errors.PermissionDenied),
        (404, errors.NotFound),
        (422, errors.InvalidRequest),
        (501, errors.ServiceUnavailable),
    ],
)
def test_a_refusal_is_not_tried_again_and_keeps_what_the_service_said(server: Server, status: int, kind: type):
    server.handler = lambda _: answer(b'{"code": "E_CODE", "message": "because"}', status)
    with pytest.raises(kind) as caught:
        send(f"{server.url}/x")
    assert (caught.value.status, caught.value.code) == (status, "E_CODE")
    assert "because" in str(caught.value)
    assert len(server.requests) == 1


def test_after_the_last_attempt_the_error_is_the_services(server: Server):
    server.handler = lambda _: answer(b"<html>down</html>", 503)
    with pytest.raises(errors.ServiceUnavailable) as caught:
        send(f"{server.url}/x")
    assert caught.value.status == 503
    assert len(server.requests) == QUICK.attempts


def test_retry_after_is_obeyed(server: Server):
    waits: list[float] = []

    class Noted(RetryPolicy):
        def delay(self, attempt: int, retry_after: float | None) -> float:
            waits.append(retry_after or -1)
            return 0

    server.handler = lambda _: answer(b"{}", 429, retry_after="7") if len(server.requests) < 2 else answer()
    send(f"{server.url}/x", http=client(Noted()))
    assert waits == [7.0]


def test_the_longer_of_header_and_body_is_the_wait(server: Server):
    server.handler = lambda _: answer(b'{"wait": 900}', 429, retry_after="1")
    with pytest.raises(errors.RateLimited) as caught:
        send(f"{server.url}/x")
    assert caught.value.retry_after == 900


def test_a_wait_beyond_the_limit_is_said_and_not_made(server: Server):
    server.handler = lambda _: answer(b"{}", 429, retry_after="3600")
    with pytest.raises(errors.RateLimited) as caught:
        send(f"{server.url}/x")
    assert caught.value.retry_after == 3600
    assert "3600 s" in str(caught.value)
    assert len(server.requests) == 1


def test_a_post_that_may_not_be_doubled_is_not_repeated_on_5xx(server: Server):
    server.handler = lambda _: answer(b"{}", 503)
    with pytest.raises(errors.ServiceUnavailable):
        send(f"{server.url}/x", "POST", json={})
    assert len(server.requests) == 1


def test_a_post_that_is_only_a_question_is_repeated(server: Server):
    server.handler = lambda _: answer(b"{}", 503) if len(server.requests) < 2 else answer()
    send(f"{server.url}/x", "POST", json={"q": 1}, repeatable=True)
    assert [r.body for r in server.requests] == [b'{"q":1}'] * 2


def test_a_connection_closed_without_an_answer_is_tried_again(server: Server):
    server.handler = lambda _: None if len(server.requests) < 2 else answer(b'{"ok": 1}')
    assert send(f"{server.url}/x").json() == {"ok": 1}


def test_a_cut_body_is_never_taken_for_a_whole_one(server: Server):
    server.handler = lambda _: answer(b"half", length=8, close=True)
    with pytest.raises(errors.ServiceUnavailable, match="connection broke"):
        send(f"{server.url}/x")
    assert len(server.requests) == QUICK.attempts


def test_a_cut_body_is_fetched_again(server: Server):
    server.handler = lambda _: answer(b"half", length=8, close=True) if len(server.requests) < 2 else answer(b'"whole"')
    assert send(f"{server.url}/x").json() == "whole"


def test_a_dead_server_is_service_unavailable():
    with pytest.raises(errors.ServiceUnavailable, match="no connection"):
        send("http://127.0.0.1:9/x")


def test_silence_is_service_unavailable(server: Server):
    async def stall(_: Request) -> bytes:
        await asyncio.Event().wait()
        return b""

    server.handler = lambda request: stall(request)
    with pytest.raises(errors.ServiceUnavailable, match="silent"):
        send(f"{server.url}/x", http=client(replace(QUICK, attempts=1), read_timeout=0.05))


def test_a_wait_ends_at_the_total_time_limit(server: Server):
    async def stall(_: Request) -> bytes:
        await asyncio.Event().wait()
        return b""

    server.handler = lambda request: stall(request)
    with pytest.raises(errors.ServiceUnavailable, match="too long"):
        send(f"{server.url}/x", http=client(replace(QUICK, attempts=1), total_timeout=0.05))


def test_an_answer_larger_than_its_limit_is_refused_before_it_is_read(server: Server):
    server.handler = lambda _: answer(b"", length=10**12, close=True)
    with pytest.raises(errors.BadResponse, match="more than 1 MB"):
        send(f"{server.url}/x", max_bytes=1 << 20)


def test_html_where_json_was_expected_is_a_bad_response(server: Server):
    server.handler = lambda _: answer(b"<html>login</html>", content_type="text/html")
    with pytest.raises(errors.BadResponse, match="text/html"):
        send(f"{server.url}/x").json()


def test_an_empty_answer_where_json_was_expected_is_a_bad_response(server: Server):
    server.handler = lambda _: answer(b"")
    with pytest.raises(errors.BadResponse, match="empty body"):
        send(f"{server.url}/x").json()


def test_a_base_url_that_is_none_is_an_invalid_request():
    for url in ("ftp://example.org/x", "example.org/x", "http://", "http://host:port/"):
        with pytest.raises(errors.InvalidRequest):
            send(url)


def test_redirects_within_the_origin_keep_the_credentials(server: Server):
    server.handler = lambda r: answer(b"", 302, location="/there?x=1") if r.path == "/here" else answer(b'"there"')
    got = send(f"{server.url}/here", http=client(authorizer=Tokens()), frames=True)
    assert got.json() == "there"
    assert server.requests[1].target == "/there?x=1"
    assert server.requests[1].headers["x-auth-token"] == "token-1"


def test_redirects_to_another_origin_carry_no_credentials(server: Server, other_server: Server):
    server.handler = lambda _: answer(b"", 307, location=f"{other_server.url}/there")
    other_server.handler = lambda _: answer(b'"there"')
    got = send(
        f"{server.url}/here",
        headers={"Accept": "image/png", "organizationUuid": "secret-org", "Authorization": "Basic x"},
        http=client(authorizer=Tokens()),
    )
    assert got.json() == "there"
    sent = other_server.requests[0].headers
    assert sent["accept"] == "image/png"
    assert not {"x-auth-token", "authorization", "organizationuuid", "cookie"} & set(sent)


def test_a_post_is_not_redirected_to_another_origin(server: Server, other_server: Server):
    server.handler = lambda _: answer(b"", 308, location=f"{other_server.url}/there")
    with pytest.raises(errors.BadResponse, match="another host"):
        send(f"{server.url}/here", "POST", json={"password": "x"})
    assert other_server.requests == []


def test_a_redirect_loop_ends(server: Server):
    server.handler = lambda _: answer(b"", 302, location="/again")
    with pytest.raises(errors.BadResponse, match="circles"):
        send(f"{server.url}/again")


def test_a_redirect_to_a_file_is_not_followed(server: Server):
    server.handler = lambda _: answer(b"", 302, location="file:///etc/passwd")
    with pytest.raises(errors.BadResponse, match="unsafe"):
        send(f"{server.url}/x")


@pytest.mark.parametrize("redirected", [True, False])
def test_a_url_with_a_password_in_it_is_not_asked(server: Server, redirected: bool):
    """It ended in a ValueError of aiohttp."""
    url = server.url.replace("http://", "http://user:canary@")
    server.handler = lambda _: answer(b"", 302, location=f"{url}/there")
    with pytest.raises(errors.BadResponse if redirected else errors.InvalidRequest) as caught:
        send(f"{server.url if redirected else url}/x")
    assert "canary" not in str(caught.value)
    assert len(server.requests) == redirected


def test_a_redirect_to_nonsense_is_not_followed(server: Server):
    server.handler = lambda _: answer(b"", 302, location="http://[bad:port/?Signature=canary")
    with pytest.raises(errors.BadResponse) as caught:
        send(f"{server.url}/x")
    assert "canary" not in str(caught.value)


def test_a_stale_token_is_renewed_once_and_the_request_repeated(server: Server):
    server.handler = lambda r: answer() if r.headers["x-auth-token"] == "token-2" else answer(b"{}", 401)
    tokens = Tokens()
    send(f"{server.url}/x", http=client(authorizer=tokens))
    assert [r.headers["x-auth-token"] for r in server.requests] == ["token-1", "token-2"]
    assert len(tokens.seen) == 1


def test_a_second_refusal_is_an_authentication_error(server: Server):
    server.handler = lambda _: answer(b"{}", 401)
    with pytest.raises(errors.AuthenticationError):
        send(f"{server.url}/x", http=client(authorizer=Tokens()))
    assert len(server.requests) == 2


def test_a_token_ended_by_another_login_is_got_again_until_it_lasts(server: Server):
    """Two processes with the same credentials end each other's tokens; one new login is then not always enough."""

    class Contested(Tokens):
        async def overtaken(self, sent: Any) -> bool:
            return sent["X-AUTH-TOKEN"] in ("token-2", "token-4")

    server.handler = lambda r: answer() if r.headers["x-auth-token"] == "token-5" else answer(b"{}", 401)
    send(f"{server.url}/x", http=client(authorizer=Contested()))
    assert len(server.requests) == 5


def test_cookies_are_not_kept(server: Server):
    http = client()

    async def twice() -> None:
        await http.send(Call("GET", f"{server.url}/a"))
        await http.send(Call("GET", f"{server.url}/b"))
        await http.close()

    server.handler = lambda _: answer(set_cookie="session=1")
    loop.run(twice())
    assert "cookie" not in server.requests[1].headers


def test_at_most_so_many_requests_at_once_to_one_host(server: Server):
    running, most = 0, 0

    async def slow(_: Request) -> bytes:
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(20):  # let every other request that is allowed to, arrive
            await asyncio.sleep(0)
        running -= 1
        return answer()

    server.handler = lambda request: slow(request)
    http = client(concurrency=3)

    async def many() -> None:
        await asyncio.gather(*(http.send(Call("GET", f"{server.url}/{i}")) for i in range(30)))
        await http.close()

    loop.run(many())
    assert most <= 3
    assert len(server.requests) == 30


def test_a_closed_client_says_so(server: Server):
    http = client()
    loop.run(http.close())
    loop.run(http.close())
    with pytest.raises(errors.InvalidRequest, match="closed"):
        send(server.url, http=http)


def test_logs_and_errors_hold_no_query_and_no_token(server: Server, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG, logger="ipyassets")
    server.handler = lambda _: answer(b"{}", 503)
    with pytest.raises(errors.ServiceUnavailable) as caught:
        send(f"{server.url}/x?Signature=canary-1", http=client(authorizer=Tokens()))
    assert caplog.text
    for text in (caplog.text, str(caught.value), repr(caught.value)):
        assert "canary-1" not in text
        assert "token-1" not in text


def test_a_client_that_nobody_closes_ends_quietly(server: Server):
    """aiohttp complains of an unclosed session at exit, or when it is collected; people do not close clients."""
    code = f"""
import asyncio, gc, warnings
warnings.simplefilter("error")
from ipyassets.http import loop
from ipyassets.http.client import HttpClient
from ipyassets.http.messages import Call, Explanation
def fetch():
    http = HttpClient("Test service", explain=lambda answer: Explanation())
    loop.run(http.send(Call("GET", {server.url!r})))
    return http
kept = fetch()
fetch()
gc.collect()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout + done.stderr == ""


def test_a_large_file_goes_on_where_it_broke_off(server: Server):
    whole = bytes(range(256)) * 40

    def serve(request: Request) -> bytes:
        start = int(request.headers.get("range", "bytes=0-")[6:-1])
        if len(server.requests) < 3:
            return answer(whole[start : start + 4000], 206 if start else 200, **about(start), length=len(whole) - start)
        return answer(whole[start:], 206, **about(start))

    def about(start: int) -> dict[str, Any]:
        return {"etag": '"one"', "content_range": f"bytes {start}-{len(whole) - 1}/{len(whole)}", "close": True}

    server.handler = serve
    got = send(f"{server.url}/film", resume=True)
    assert (got.status, got.content) == (200, whole)
    asked = [(r.headers.get("range"), r.headers.get("if-range")) for r in server.requests]
    assert asked == [(None, None), ("bytes=4000-", '"one"'), ("bytes=8000-", '"one"')]


@pytest.mark.parametrize(
    "again",
    [
        answer(b"another", etag='"two"'),  # it changed: If-Range brings the whole
        answer(b"other", 206, etag='"one"', content_range="bytes 0-4/7"),  # another part than was asked for
        answer(b"", 416, content_range="bytes */7"),
        answer(b"other", 206, etag='"one"', content_range=f"bytes {'1' * 5000}-4/7"),  # Python reads no such number
    ],
    ids=["changed", "other part", "no such part", "endless number"],
)
def test_a_file_that_changed_is_not_pieced_together(server: Server, again: bytes):
    answers = [answer(b"begun", length=7, etag='"one"', close=True), again, answer(b"another", etag='"two"')]
    server.handler = lambda _: answers[min(len(server.requests), 3) - 1]
    assert send(f"{server.url}/film", resume=True).content == b"another"


def test_what_came_survives_a_refusal_between(server: Server):
    answers = [
        answer(b"begun", length=8, etag='"one"', close=True),
        answer(b"down", 503),
        answer(b"end", 206, etag='"one"', content_range="bytes 5-7/8"),
    ]
    server.handler = lambda _: answers[len(server.requests) - 1]
    assert send(f"{server.url}/film", resume=True).content == b"begunend"


@pytest.mark.parametrize(
    "headers", [{}, {"etag": 'W/"one"'}, {"etag": '"\u00fc"'}, {"etag": '"one"', "content_encoding": "identity"}]
)
def test_a_body_without_a_firm_tag_is_fetched_from_the_start(server: Server, headers: dict[str, str]):
    answers = [answer(b"begun", length=8, close=True, **headers), answer(b"begunend")]
    server.handler = lambda _: answers[len(server.requests) - 1]
    assert send(f"{server.url}/film", resume=True).content == b"begunend"
    assert "range" not in server.requests[1].headers


def test_the_limit_counts_what_came_before(server: Server):
    answers = [
        answer(b"x" * 900_000, length=1_200_000, etag='"one"', close=True),
        answer(b"", 206, length=300_000, etag='"one"', content_range="bytes 900000-1199999/1200000", close=True),
    ]
    server.handler = lambda _: answers[len(server.requests) - 1]
    with pytest.raises(errors.BadResponse, match="more than 1 MB"):
        send(f"{server.url}/film", resume=True, max_bytes=1 << 20)


def shown(error: BaseException | None) -> str:
    """All that a person or a tool can see of an error: its text, attributes, causes, and locals of our frames."""
    text = ""
    while error is not None:
        text += f"{error!r} {vars(error)!r} "
        trace = error.__traceback__
        while trace is not None:
            if "/http/" in trace.tb_frame.f_code.co_filename and "/tests/" not in trace.tb_frame.f_code.co_filename:
                text += f"{trace.tb_frame.f_locals!r} "
            trace = trace.tb_next
        error = error.__cause__ or error.__context__
    return text


@pytest.mark.parametrize(
    "served",
    [
        answer(b"{}", 503),
        answer(b"{}", 403),
        answer(b"half", length=8, close=True),
        None,
        answer(b"", 302, location="/again?Signature=canary-3"),
        answer(b"", 302, location="http://[bad:port/?Signature=canary-3"),
        answer(b"not gzip", content_encoding="gzip"),
        answer(b"", length=10**12, close=True),
    ],
    ids=["503", "403", "cut", "hang-up", "circle", "bad redirect", "bad encoding", "huge"],
)
def test_a_signed_url_is_nowhere_to_be_seen(server: Server, caplog: pytest.LogCaptureFixture, served: bytes | None):
    """IPython's verbose tracebacks show local variables, and error reporters follow causes to httpx's request."""
    caplog.set_level(logging.DEBUG)
    server.handler = lambda _: served
    with pytest.raises(errors.AssetServiceError) as caught:
        send(
            f"{server.url}/canary-1/f?X-Goog-Signature=canary-2", signed=True, what="the film", resume=True, frames=True
        )
    assert "the film" in str(caught.value)
    assert "canary" not in caplog.text
    frames = shown(caught.value)
    assert "Call(" in frames
    assert "canary" not in frames


@pytest.mark.parametrize(
    "first",
    [None, answer(b"{", length=50, close=True), answer(b"", 502)],
    ids=["no answer", "half an answer", "502"],
)
def test_a_deletion_that_was_done_before_its_answer_broke_off_has_succeeded(
    server: Server, first: bytes | None
) -> None:
    """The second try met 404, and who had deleted something was told that there is no such thing."""
    answers = iter([answer(b"{}"), first, answer(b"", 404)])
    server.handler = lambda _: next(answers)
    http = client()

    async def go() -> Answer:
        try:
            await http.send(Call("GET", server.url))  # the connection is kept, and breaks
            return await http.send(Call("DELETE", f"{server.url}/thing"))
        finally:
            await http.close()

    assert loop.run(go()).status == 204
    assert [request.method for request in server.requests] == ["GET", "DELETE", "DELETE"]


@pytest.mark.parametrize("first", [answer(b"", 404), answer(b"", 429)], ids=["at once", "after a refusal"])
def test_a_deletion_of_what_is_not_there_is_told(server: Server, first: bytes) -> None:
    answers = iter([first, answer(b"", 404)])
    server.handler = lambda _: next(answers)
    with pytest.raises(errors.NotFound):
        send(f"{server.url}/thing", "DELETE")
