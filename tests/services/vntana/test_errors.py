from __future__ import annotations

import json

import pytest

from ipyassets.errors import (
    AuthenticationError,
    BadResponse,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    RateLimited,
    ServiceUnavailable,
)
from ipyassets.http.messages import Answer
from ipyassets.services.vntana.errors import codes, declined, explain, response, token_is_stale

SEARCH = "POST https://api-platform.vntana.com/v1/products/clients/search"
LOGIN = "POST https://api-platform.vntana.com/v1/auth/login"


def answer(body, status=403, asked=SEARCH, kind="application/json"):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, {"content-type": kind}, content, asked)


def refusal(*errors, **keywords):
    return answer({"success": False, "errors": list(errors), "response": None}, **keywords)


@pytest.mark.parametrize(
    ("errors", "code", "message", "details"),
    [
        (["A_CODE", "B_CODE"], "A_CODE", "B_CODE", ("A_CODE", "B_CODE")),
        ([{"code": "A_CODE", "message": "no good"}], "A_CODE", "no good", ({"code": "A_CODE", "message": "no good"},)),
        ([{"message": "no good"}], None, "no good", ({"message": "no good"},)),
        ({"name": "NAME_TOO_LONG"}, "NAME_TOO_LONG", None, ({"target": "name", "code": "NAME_TOO_LONG"},)),
        ({"name": "is too long"}, None, "name: is too long", ({"target": "name", "code": "is too long"},)),
        ("A_CODE", "A_CODE", None, ("A_CODE",)),
        (None, None, None, ()),
        ([None, 5], None, None, (None, 5)),
    ],
)
def test_errors_as_codes_objects_and_maps(errors, code, message, details):
    read = explain(answer({"success": False, "errors": errors}, status=422))
    assert (read.code, read.message, read.details) == (code, message, details)


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b"", b"[]", b"null", b"\xff\xfe"])
def test_bodies_that_are_no_object(body):
    read = explain(answer(body, status=502))
    assert (read.code, read.message, read.error) == (None, None, None)
    assert codes(answer(body)) == ()
    assert not declined(answer(body, status=200))


def test_the_words_of_a_gateway():
    assert explain(answer({"status": 404, "error": "Not Found", "message": "No handler"}, 404)).message == "No handler"


@pytest.mark.parametrize(
    ("code", "status", "asked", "error"),
    [
        ("API_RATE_LIMIT_EXCEEDED", 200, SEARCH, RateLimited),
        ("API_RATE_LIMIT_EXCEEDED", 403, SEARCH, RateLimited),
        ("BAD_CREDENTIALS", 403, LOGIN, AuthenticationError),
        ("UNAUTHORIZED_IP", 403, LOGIN, AuthenticationError),
        ("UNAUTHORIZED_IP", 403, SEARCH, PermissionDenied),
        ("FORBIDDEN", 403, LOGIN, AuthenticationError),
        ("FORBIDDEN", 200, SEARCH, PermissionDenied),
        ("SOMETHING_ELSE", 401, LOGIN, AuthenticationError),
        ("PRODUCT_IS_NOT_PUBLISHED", 403, SEARCH, PermissionDenied),
        ("PRODUCT_NOT_FOUND", 422, SEARCH, NotFound),
        ("SUBSCRIPTION_NOT_FOUND", 403, SEARCH, PermissionDenied),
        ("MISSING_CLIENT_SLUG", 422, SEARCH, NotFound),
        ("INTERNAL_SERVER_ERROR", 200, SEARCH, ServiceUnavailable),
        ("INVALID_PAGE", 422, SEARCH, None),
        ("INVALID_PAGE", 200, SEARCH, None),
    ],
)
def test_codes_become_errors(code, status, asked, error):
    assert explain(refusal(code, status=status, asked=asked)).error is error


def test_only_a_rate_limit_asks_to_try_again():
    assert explain(refusal("API_RATE_LIMIT_EXCEEDED", status=400)).retry is True
    assert explain(refusal("INVALID_PAGE", status=422)).retry is None


def test_a_draft_is_to_be_published():
    assert "Publish" in (explain(refusal("PRODUCT_IS_NOT_PUBLISHED")).advice or "")


def test_success_false_is_a_refusal_whatever_the_status():
    assert declined(refusal("X", status=200))
    assert not declined(answer({"success": True, "response": {}}, status=200))
    assert not declined(answer(b"\x89PNG", status=200, kind="image/png"))
    assert explain(answer({"success": False, "errors": []}, status=200)).error is BadResponse


@pytest.mark.parametrize(
    ("errors", "status", "stale"),
    [
        (["FORBIDDEN"], 403, True),
        (["UNAUTHORIZED"], 401, True),
        (["BAD_CREDENTIALS"], 403, True),
        ([], 403, True),
        ([], 401, True),
        ([], 200, False),
        (["PRODUCT_IS_NOT_PUBLISHED"], 403, False),
        (["UNAUTHORIZED_IP"], 403, False),
    ],
)
def test_which_refusals_may_be_the_tokens_fault(errors, status, stale):
    assert token_is_stale(refusal(*errors, status=status)) is stale


def test_the_response_object():
    assert response(answer({"success": True, "response": {"grid": []}}, status=200)) == {"grid": []}


@pytest.mark.parametrize("body", [{"success": True}, {"response": []}, {"response": None}, {"success": False}, []])
def test_the_wrong_shape(body):
    with pytest.raises(BadResponse):
        response(answer(body, status=200))


def test_invalid_request_is_a_value_error():
    assert issubclass(InvalidRequest, ValueError)
