from __future__ import annotations

import json
from typing import Any

import pytest

from ipyassets.errors import PermissionDenied
from ipyassets.http.messages import Answer
from ipyassets.services.scenario.errors import explain, explain_file


def answer(status: int, body: Any) -> Answer:
    return Answer(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode(), "GET x")


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"reason": "Bad size", "trace_id": "t1"}, None, "Bad size"),
        ({"message": "API Keys cannot access protected resources"}, None, "API Keys cannot access protected resources"),
        ({"status": "error", "code": "INVALID_PARAMETER", "message": "Bad"}, "INVALID_PARAMETER", "Bad"),
        (
            {"error": "Quota exceeded for search", "code": "QUOTA_EXCEEDED"},
            "QUOTA_EXCEEDED",
            "Quota exceeded for search",
        ),
        ({"detail": [{"msg": "field required"}, {"msg": "too long"}]}, None, "field required; too long"),
        ({"error": {"message": "wrapped"}}, None, "wrapped"),
        ({"detail": "d", "error": "e", "message": "m", "reason": "r"}, None, "r"),
        ({"detail": "d", "error": "e", "message": "m"}, None, "m"),
        ({"detail": "d", "error": "e"}, None, "e"),
        ({"reason": "", "message": 5, "error": "e"}, None, "e"),
    ],
)
def test_every_attested_shape(body: dict[str, Any], code: str | None, message: str) -> None:
    said = explain(answer(400, body))
    assert (said.code, said.message) == (code, message)


@pytest.mark.parametrize("body", [b"", b"<html>502</html>", b"[]", b"{}", b'"x"', b"\xff\x00"])
def test_strange_bodies_say_nothing(body: bytes) -> None:
    said = explain(answer(502, body))
    assert (said.code, said.message, tuple(said.details)) == (None, None, ())


@pytest.mark.parametrize("name", ["trace_id", "traceId"])
def test_trace_id_is_kept(name: str) -> None:
    said = explain(answer(400, {"reason": "No", name: "t-17", "details": {"field": "limit"}}))
    assert list(said.details) == [{"field": "limit"}, {"trace_id": "t-17"}]


@pytest.mark.parametrize(
    ("value", "seconds"), [(900, 900.0), (1.5, 1.5), (-4, 0.0), ("900", None), (True, None), (None, None)]
)
def test_remaining_seconds(value: object, seconds: float | None) -> None:
    assert explain(answer(429, {"reason": "Slow", "remainingSeconds": value})).retry_after == seconds


@pytest.mark.parametrize("value", [b"NaN", b"1e999", b"1" + 400 * b"0"], ids=["nan", "infinite", "long"])
def test_what_is_no_number_of_seconds_is_no_wait(value: bytes) -> None:
    """A whole number of 400 digits was a bare OverflowError in the place of the refusal."""
    assert explain(answer(429, b'{"remainingSeconds": ' + value + b"}")).retry_after is None


@pytest.mark.parametrize(
    "body",
    [{"reason": "Plan", "details": {"actionName": "x", "actionLimit": 5}}, {"error": "x", "code": "QUOTA_EXCEEDED"}],
)
def test_ceilings_are_not_waited_for(body: dict[str, Any]) -> None:
    said = explain(answer(429, body))
    assert said.retry is False
    assert said.advice is not None
    assert "plan" in said.advice


def test_file_errors_give_their_code_and_never_their_text() -> None:
    xml = b"<?xml?><Error><Code>AccessDenied</Code><Resource>/a?Signature=SECRET</Resource></Error>"
    said = explain_file(answer(403, xml))
    assert said.code == "AccessDenied"
    assert said.message is None
    assert not said.details


@pytest.mark.parametrize("body", [{"reason": "No credits left"}, b"<html>402</html>"])
def test_a_402_is_a_permission_whatever_its_body(body: Any) -> None:
    assert explain(answer(402, body)).error is PermissionDenied
