from __future__ import annotations

import json
from typing import Any

import pytest

from ipyassets.errors import AuthenticationError
from ipyassets.http.messages import Answer
from ipyassets.services.itwin.errors import explain


def answer(status: int, body: Any = b"", **headers: str) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, content, "GET x")


def test_documented_form_keeps_code_details_and_targets() -> None:
    details = [
        {"code": "InvalidValue", "message": "'huge' is not valid", "target": "size"},
        {"code": "MissingRequiredParameter", "target": "iTwinId"},
    ]
    said = explain(
        answer(
            422, {"error": {"code": "InvalidiModelsRequest", "message": "Cannot get Thumbnail.", "details": details}}
        )
    )
    assert said.code == "InvalidiModelsRequest"
    assert list(said.details) == details
    assert said.message == "Cannot get Thumbnail.; size: 'huge' is not valid; iTwinId: MissingRequiredParameter"


def test_target_of_the_error_itself_is_kept() -> None:
    said = explain(answer(422, {"error": {"code": "InvalidValue", "message": "No.", "target": "$top"}}))
    assert [entry["target"] for entry in said.details] == ["$top"]


@pytest.mark.parametrize(
    "body", [{"code": "Unauthorized", "message": "No."}, {"error": {"code": "Unauthorized", "message": "No."}}]
)
def test_wrapper_may_be_missing(body: dict[str, Any]) -> None:
    said = explain(answer(401, body))
    assert (said.code, said.message) == ("Unauthorized", "No.")


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>Bad gateway</html>", b"[1, 2]", b'"text"', b"{}", b'{"error": [1]}', b'{"error": null}', b"\xff"],
)
def test_strange_bodies_say_nothing(body: bytes) -> None:
    said = explain(answer(502, body))
    assert (said.code, said.message, tuple(said.details)) == (None, None, ())


def test_strange_parts_are_passed_over() -> None:
    said = explain(answer(422, {"error": {"code": 7, "message": ["x"], "details": ["x", {"code": "A"}]}}))
    assert (said.code, said.message, list(said.details)) == (None, "A", [{"code": "A"}])


def test_oauth_form_is_a_refused_login_only_with_4xx() -> None:
    body = {"error": "invalid_client", "error_description": "Unknown client."}
    refused = explain(answer(400, body))
    assert (refused.code, refused.message, refused.error) == ("invalid_client", "Unknown client.", AuthenticationError)
    assert explain(answer(500, body)).error is None


@pytest.mark.parametrize(("value", "seconds"), [("7", 7.0), ("soon", None), ("", None), ("nan", None), ("-3", None)])
def test_older_header_for_the_wait(value: str, seconds: float | None) -> None:
    given = answer(429, b"", itwinplatform_ratelimit_retry_after_seconds=value)
    assert explain(given).retry_after == seconds


def test_long_messages_are_cut_and_put_on_one_line() -> None:
    said = explain(answer(500, {"error": {"code": "X", "message": "a\n" * 5000}}))
    assert said.message is not None
    assert len(said.message) <= 400
    assert "\n" not in said.message
