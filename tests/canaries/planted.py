"""A sandbox all of whose secrets hold one mark, and the search for that mark.

Passwords, keys, tokens, secrets of webhooks and the signatures of URLs are as random as ever, with the mark inside. So
whatever of them is written down somewhere is found by a search for the mark, whole or in part, also where it was
encoded on the way.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import io
import secrets
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Final

import pytest

from ipyassets.sandbox import Sandbox

__all__ = ["FORMS", "MARK", "Finds", "planted"]

MARK: Final = "C4N4RY7QX2"
"""Capitals and digits: it survives being put into a URL, a header, JSON or a form as it is."""

_MAKERS: Final = (
    "itwin.oauth",
    "scenario.api",
    "scenario.signing",
    "vntana.accounts",
    "vntana.subscriptions",
    "vntana.tokens",
)
"""Modules of the sandbox that make secrets."""
_DEEPEST: Final = 3
_LOOK: Final = 1 << 20
"""Bytes of something packed that are looked at."""


@contextlib.contextmanager
def planted(sandbox: type[Sandbox] = Sandbox) -> Iterator[Sandbox]:
    """A running sandbox whose every credential, token and signature holds `MARK`."""
    from ipyassets.sandbox.scenario.signing import Signer
    from ipyassets.sandbox.vntana.storage import StorageApi

    def marked(make):
        return lambda *size: MARK + make(*size)

    with pytest.MonkeyPatch.context() as patch:
        made = {name: marked(getattr(secrets, name)) for name in ("token_hex", "token_urlsafe")}
        for module in _MAKERS:
            patch.setattr(f"ipyassets.sandbox.{module}.secrets", SimpleNamespace(**{**vars(secrets), **made}))
        for signer in (Signer, StorageApi):
            patch.setattr(signer, "_mark", marked(signer._mark))
        with sandbox() as running:
            yield running


def _base64(mark: bytes, shift: int) -> bytes:
    """What of ``mark`` in base64 does not depend on what stands around it, ``shift`` bytes after a multiple of 3."""
    text = base64.b64encode(bytes(shift) + mark + bytes(3))
    return text[-(-8 * shift // 6) : (8 * (shift + len(mark))) // 6]


FORMS: Final[dict[str, bytes]] = {
    "as it is": MARK.encode(),
    "in base64, as in Basic authorisation": _base64(MARK.encode(), 0),
    "in base64, one byte on": _base64(MARK.encode(), 1),
    "in base64, two bytes on": _base64(MARK.encode(), 2),
    "in hex": MARK.encode().hex().encode(),
    "in capital hex": MARK.encode().hex().upper().encode(),
    "percent-encoded": "".join(f"%{ord(c):02X}" for c in MARK).encode(),
    "in JSON's escapes": "".join(f"\\u{ord(c):04x}" for c in MARK).encode(),
    "in UTF-16": MARK.encode("utf-16-le"),
    "backwards": MARK[::-1].encode(),
    "as a list of bytes": ", ".join(map(str, MARK.encode())).encode(),
}
"""How a secret may be written; gzip, zlib and zip are looked into besides."""


def forms_in(content: bytes, depth: int = 0) -> list[str]:
    """The forms of the mark in ``content``, also in what is packed in it."""
    found = [name for name, form in FORMS.items() if form in content]
    if depth < _DEEPEST:
        for inner in _unpacked(content):
            found += [f"{name}, packed" for name in forms_in(inner, depth + 1)]
    return found


def _unpacked(content: bytes) -> Iterator[bytes]:
    if content[:2] == b"\x1f\x8b":
        yield gzip.decompress(content)
    elif content[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield archive.read(name)
    else:
        # zlib anywhere, as in a pickle that holds packed bytes.
        for head in (b"\x78\x01", b"\x78\x9c", b"\x78\xda"):
            place = content.find(head)
            while place >= 0:
                with contextlib.suppress(zlib.error):
                    yield zlib.decompressobj().decompress(memoryview(content)[place : place + _LOOK], _LOOK)
                place = content.find(head, place + 1)


@dataclass
class Finds:
    """What was searched, and where the mark was found."""

    searched: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By place: how many things, and how many bytes."""
    found: list[str] = field(default_factory=list)

    def look(self, place: str, name: str, content: bytes | str) -> None:
        """Search ``content``, and ``name``, which may be a file's."""
        data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
        things, size = self.searched.get(place, (0, 0))
        self.searched[place] = things + 1, size + len(data)
        self.found += [f"{place}: {name}: {form}" for form in forms_in(name.encode("utf-8", "replace") + b"\0" + data)]

    def look_below(self, folder: Path, place: str | None = None) -> None:
        """Search every file below ``folder``. Without ``place`` each folder in it is a place."""
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                inner = path.relative_to(folder)
                self.look(place or inner.parts[0], str(inner), path.read_bytes())
