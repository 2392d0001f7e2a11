"""The beginning of a body that broke off, so that another try need only fetch the rest of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

__all__ = ["Partial", "firm_tag"]

_RANGE: Final = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/(?:[0-9]{1,18}|\*)")
_FIRM: Final = re.compile(r'"[\x20-\x21\x23-\x7e]*"')


def firm_tag(headers: Mapping[str, str]) -> str | None:
    """The ETag, if it is a strong one (a weak one may stand for other bytes) that can be sent back."""
    tag = headers.get("etag", "").strip()
    return tag if _FIRM.fullmatch(tag) else None


class Partial:
    """What has come of one body over several tries. ``keep``: whether to go on where it broke off."""

    def __init__(self, *, keep: bool) -> None:
        self._keep = keep
        self._pieces: list[bytes] = []
        self._tag = ""
        self._asked = False

    def headers(self) -> dict[str, str]:
        """What asks for the rest, or for the whole should it have changed; empty at the beginning."""
        self._asked = bool(self._tag and self._pieces)
        return {"Range": f"bytes={self._size()}-", "If-Range": self._tag} if self._asked else {}

    def begin(self, status: int, headers: Mapping[str, str]) -> list[bytes] | None:
        """The pieces to which those of an answer are to be added; None if it is another part than was asked for."""
        if self._asked and status in (206, 416):
            found = _RANGE.fullmatch(headers.get("content-range", "").strip())
            if status == 206 and found is not None and int(found[1]) == self._size():
                return self._pieces
            self._pieces = []
            return None
        if not self._keep or status != 200:  # a redirect or a refusal: what came before stays good
            return []
        # Offsets into a compressed body are not those of its content.
        self._tag = "" if "content-encoding" in headers else firm_tag(headers) or ""
        self._pieces = []
        return self._pieces

    def status(self, status: int) -> int:
        """The status to give: that of a whole body where the rest completed one."""
        return 200 if self._asked and status == 206 else status

    def _size(self) -> int:
        return sum(map(len, self._pieces))
