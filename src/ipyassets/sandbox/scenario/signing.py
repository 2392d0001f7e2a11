"""Signed URLs that look and behave like CloudFront's custom policies.

``URL?Policy=…&Key-Pair-Id=…&Signature=…``: the policy names the URL up to there, followed by ``*``, and an expiry.
The URL alone grants access. Signatures here are HMACs, the service's are RSA; nobody but the CDN checks them.
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

    def sign(self, url: str, lifetime: float | None = None) -> str:
        """``url`` with its signature, which covers the query it has; good for ``lifetime`` seconds.

        Without one the settings decide, and then it is the same string for days: the expiry moves in steps.
        """
        now = self._world.clock()
        if lifetime is None:
            lifetime = self._world.settings.scenario_url_lifetime
        expires = calendar_expiry(now) if lifetime is None else int(now + lifetime)
        statement = {"Resource": f"{url}*", "Condition": {"DateLessThan": {"AWS:EpochTime": expires}}}
        policy = _encode(json.dumps({"Statement": [statement]}, separators=(",", ":")).encode())
        join = "&" if "?" in url else "?"
        return f"{url}{join}Policy={policy}&Key-Pair-Id={self._key_pair}&Signature={self._mark(policy)}"

    def signed(self, request: Request) -> str | None:
        """The URL that was signed; None if the request's is not ours, was changed before the signature, or expired."""
        query = dict(parse_qsl(request.url.query, keep_blank_values=True))
        policy, pair, mark = (query.get(name, "") for name in SIGNED)
        if pair != self._key_pair or not hmac.compare_digest(mark.encode(), self._mark(policy).encode()):
            return None
        statement = json.loads(_decode(policy))["Statement"][0]
        here = f"{request.url.scheme}://{request.url.netloc}{request.url.path}?{request.url.query}"
        resource = str(statement["Resource"]).removesuffix("*")
        expires = statement["Condition"]["DateLessThan"]["AWS:EpochTime"]
        return resource if here.startswith(resource) and self._world.clock() < expires else None

    def _mark(self, policy: str) -> str:
        return _encode(hmac.new(self._key, policy.encode(), hashlib.sha256).digest())


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii").translate(_TO_URL)


def _decode(text: str) -> bytes:
    return base64.b64decode(text.translate(_FROM_URL))
