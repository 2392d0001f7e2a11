"""Signed URLs that look and behave like CloudFront's custom policies.

``URL?Policy=…&Key-Pair-Id=…&Signature=…``: the policy names the URL up to its query, followed by ``*``, and an
expiry. The URL alone grants access. Signatures here are HMACs, the service's are RSA; nobody but the CDN checks them.
"""

from __future__ import annotations

import base64
import calendar
import datetime as dt
import hashlib
import hmac
import json
import secrets
from urllib.parse import parse_qsl

from starlette.requests import Request

from ipyassets.sandbox.world import World

__all__ = ["SIGNED", "Signer", "calendar_expiry"]

SIGNED = ("Policy", "Key-Pair-Id", "Signature")
# CloudFront's base64: the three characters that mean something in a query are replaced.
_TO_URL = str.maketrans("+=/", "-_~")
_FROM_URL = str.maketrans("-_~", "+=/")


def calendar_expiry(now: float) -> int:
    """When a URL issued now expires: 23:59:59 UTC of the 14th, the 21st, the month's last day or the next 7th."""
    day = dt.datetime.fromtimestamp(now, dt.UTC).date()
    if day.day <= 7:
        last = day.replace(day=14)
    elif day.day <= 14:
        last = day.replace(day=21)
    elif day.day <= 21:
        last = day.replace(day=calendar.monthrange(day.year, day.month)[1])
    else:
        last = (day.replace(day=28) + dt.timedelta(days=4)).replace(day=7)
    return int(dt.datetime.combine(last, dt.time(23, 59, 59), dt.UTC).timestamp())


class Signer:
    """Signs and checks the file URLs of one sandbox."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._key = secrets.token_bytes(32)
        self._key_pair = "K" + secrets.token_hex(7).upper()[:13]

    def sign(self, url: str) -> str:
        """``url`` (without a query) with its signature. The same string for days: the expiry moves in steps."""
        now, lifetime = self._world.clock(), self._world.settings.scenario_url_lifetime
        expires = calendar_expiry(now) if lifetime is None else int(now + lifetime)
        statement = {"Resource": f"{url}*", "Condition": {"DateLessThan": {"AWS:EpochTime": expires}}}
        policy = _encode(json.dumps({"Statement": [statement]}, separators=(",", ":")).encode())
        return f"{url}?Policy={policy}&Key-Pair-Id={self._key_pair}&Signature={self._mark(policy)}"

    def valid(self, request: Request) -> bool:
        """Whether the request's URL is one of ours, unchanged up to what follows the signature, and not expired."""
        query = dict(parse_qsl(request.url.query, keep_blank_values=True))
        policy, pair, mark = (query.get(name, "") for name in SIGNED)
        if pair != self._key_pair or not hmac.compare_digest(mark.encode(), self._mark(policy).encode()):
            return False
        statement = json.loads(_decode(policy))["Statement"][0]
        here = f"{request.url.scheme}://{request.url.netloc}{request.url.path}"
        expires = statement["Condition"]["DateLessThan"]["AWS:EpochTime"]
        return here.startswith(statement["Resource"].removesuffix("*")) and bool(self._world.clock() < expires)

    def _mark(self, policy: str) -> str:
        return _encode(hmac.new(self._key, policy.encode(), hashlib.sha256).digest())


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii").translate(_TO_URL)


def _decode(text: str) -> bytes:
    return base64.b64decode(text.translate(_FROM_URL))
