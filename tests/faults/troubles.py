"""What goes wrong in the matrix: faults of the sandbox, and ways to it that lead nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["ELSEWHERE", "HARMLESS", "TROUBLES", "Trouble"]


@dataclass(frozen=True)
class Trouble:
    name: str
    """As the table of the docs calls it."""
    faults: tuple[Mapping[str, Any], ...] = ()
    """Arguments of `Faults.add`."""
    way: str | None = None
    """In place of a fault: where the client is sent to instead of the sandbox."""
    times: tuple[int | None, ...] = (1, None)
    """How often it strikes, each a case of its own; None: for ever."""
    unseen: bool = False
    """Whether bytes may be other ones in a way that nobody can see."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    needs: str = ""
    """What it strikes, for one that strikes nothing where an operation asks for none of that."""

    @property
    def everywhere(self) -> bool:
        """Whether it is the same for all requests of an operation, and not for one step of it."""
        return self.way is not None or bool(self.settings) or any("path" in fault for fault in self.faults)

    def __str__(self) -> str:
        return self.name


def _one(name: str, kind: str, *, unseen: bool = False, needs: str = "", **arguments: Any) -> Trouble:
    return Trouble(name, ({"kind": kind, **arguments},), unseen=unseen, needs=needs)


def _status(status: int) -> Trouble:
    return _one(f"{status}", "status", status=status)


ELSEWHERE: Final = "http://elsewhere"
"""Stands for another server than the sandbox."""

LISTS: Final = r"/(?:search|showroom|imodels|assets)/?$|/search/assets|/scenario/v1/assets$"
"""Where assets are listed."""

TROUBLES: Final = [
    Trouble("latency and jitter", settings={"latency": 0.005, "jitter": 0.01}, times=(None,)),
    _one("429", "status", status=429),
    _one("429 with Retry-After 0.05", "status", status=429, headers={"Retry-After": "0.05"}),
    _one("429 with Retry-After 600", "status", status=429, headers={"Retry-After": "600"}),
    *map(_status, (500, 502, 503, 504)),
    _one("reset", "reset"),
    _one("reset in a body", "reset", after=20, needs="a body"),
    _one("cut body", "cut", needs="a body"),
    _one("Content-Length too long", "length", after=9),
    _one("Content-Length too short", "length", after=-9, unseen=True, needs="a body"),
    _one("stall", "stall"),
    _one("stall in a body", "stall", after=20, needs="a body"),
    _one("slow", "slow", seconds=0.1),
    _one("trickle", "trickle", seconds=20.0, needs="a body"),
    _one("HTML page", "html"),
    _one("HTML page, 502", "html", status=502),
    _one("empty 200", "empty", status=200, needs="a body"),
    _one("[]", "wrong_content", body="[]"),
    _one("{}", "wrong_content", body="{}"),
    _one("wrong shape", "shape", needs="JSON"),
    _one("extra fields", "extra", needs="JSON"),
    _one("missing fields", "missing", needs="JSON that tells of things"),
    _one("unknown words", "unknown", needs="words of a closed list"),
    _one("duplicate items", "duplicate", needs="a list"),
    Trouble(
        "item added between pages",
        ({"path": LISTS, "kind": "drift", "change": "added"},),
        times=(None,),
        needs="a second page",
    ),
    Trouble(
        "item removed between pages",
        ({"path": LISTS, "kind": "drift", "change": "removed"},),
        times=(None,),
        needs="a second page",
    ),
    _one("expired token or URL", "clock", needs="a token or a signature"),
    _one("clock an hour behind", "clock", seconds=-3600.0),
    _one("revoked token or URL", "revoked", needs="credentials or a signature"),
    _one("redirect loop", "loop"),
    _one("redirect to another origin", "redirect", status=307, location=ELSEWHERE),
    _one("wrong image type", "wrong_type", unseen=True, needs="a picture"),
    _one("truncated file", "truncated", unseen=True, needs="a file"),
    _one("corrupt file", "corrupt", unseen=True, needs="a file"),
    _one("giant image", "giant", unseen=True, needs="a picture"),
    Trouble("DNS failure", way="nowhere", times=(None,), needs="the service's own address"),
    Trouble("nobody listens", way="closed", times=(None,), needs="the service's own address"),
    Trouble("TLS: no TLS there", way="plain", times=(None,), needs="the service's own address"),
    Trouble("TLS: unknown certificate", way="stranger", times=(None,), needs="the service's own address"),
]

HARMLESS: Final = (
    *("latency and jitter", "slow", "extra fields", "duplicate items", "clock an hour behind"),
    *("item added between pages", "item removed between pages"),
    *("wrong image type", "truncated file", "corrupt file", "giant image"),
)
"""Troubles under which a job ends, however long they last."""
