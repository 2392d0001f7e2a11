"""Pagination tokens: opaque, and good only for the list they were issued for."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

from ipyassets.sandbox.scenario.errors import bad_request

__all__ = ["page"]


def page(key: str, rows: Sequence[Any], token: str | None, size: int) -> tuple[Sequence[Any], dict[str, str]]:
    """The rows of one page, and ``{"nextPaginationToken": …}``, empty after the last one."""
    start = _read(key, token) if token else 0
    after = start + size
    return rows[start:after], {"nextPaginationToken": _make(key, after)} if after < len(rows) else {}


def _make(key: str, offset: int) -> str:
    mark = hashlib.sha256(f"{key}/{offset}".encode()).digest()[:9]
    return base64.urlsafe_b64encode(mark + str(offset).encode()).decode("ascii")


def _read(key: str, token: str) -> int:
    try:
        offset = int(base64.urlsafe_b64decode(token)[9:])
    except ValueError:
        offset = -1
    if _make(key, offset) != token:
        raise bad_request("Invalid paginationToken")
    return offset
