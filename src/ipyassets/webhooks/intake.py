"""What is taken in and what is not: the headers and the raw bytes of one delivery are judged here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from ipyassets.services.events import Event
from ipyassets.services.vntana import events as vntana
from ipyassets.webhooks.keys import Keys
from ipyassets.webhooks.seen import Seen

__all__ = ["Intake", "Verdict"]

_DAY: Final = 24 * 3600.0
_REASONS: Final = {"STALE_TIMESTAMP": "stale", "BAD_TIMESTAMP": "no timestamp"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """``status`` is for the sender; ``reason`` for the person alone, who may know why."""

    status: HTTPStatus
    reason: str | None = None
    """Why it was refused; None if it was taken."""
    event: Event | None = None
    """What it tells, if it was told for the first time."""


class Intake:
    """Judges deliveries against the secrets, the clock and what came before. Safe from any thread."""

    def __init__(self, keys: Keys, tolerance: float | None) -> None:
        self._keys = keys
        self._tolerance = tolerance
        # A timestamp may be as far ahead as behind, so a copy can come as late as twice the tolerance.
        self._seen = Seen(_DAY if tolerance is None else 2 * tolerance + 1)

    def judge(self, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> Verdict:
        """Never raises, whatever comes."""
        given = tuple(headers)
        timestamp, signature = _only(given, vntana.TIMESTAMP), _only(given, vntana.SIGNATURE)
        if not timestamp or not signature:
            return Verdict(HTTPStatus.UNAUTHORIZED, "no signature")
        refusal = self._refusal(timestamp, signature, body)
        if refusal is not None:
            return Verdict(HTTPStatus.UNAUTHORIZED, refusal)
        try:
            event = vntana.read(body, timestamp)
        except vntana.Malformed:
            return Verdict(HTTPStatus.BAD_REQUEST, "not an event")
        return Verdict(HTTPStatus.OK, event=event if self._seen.first(event, timestamp, body) else None)

    def _refusal(self, timestamp: str, signature: str, body: bytes) -> str | None:
        """Why no secret proves it genuine and of now; None if one does."""
        code = ""
        for secret in self._keys.valid():
            try:
                vntana.verify(secret, timestamp, body, signature, tolerance=self._tolerance)
            except vntana.Refused as refused:
                if refused.code != "BAD_SIGNATURE":
                    code = str(refused.code)
            else:
                return None
        return _REASONS.get(code, "wrong signature")


def _only(headers: Iterable[tuple[bytes, bytes]], name: str) -> str | None:
    """The value of a header that is there once; two that differ would be two meanings."""
    found = [value for key, value in headers if key.lower() == name.lower().encode()]
    return found[0].decode("latin-1").strip() if len(found) == 1 else None
