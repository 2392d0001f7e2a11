"""A page that was written, taken apart as a browser would."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from PIL import Image

__all__ = ["Entry", "WrittenPage"]

_KINDS = "application/x-ipyassets-"


@dataclass
class Entry:
    """One entry: what is known of it, and its blocks of bytes."""

    known: dict[str, Any]
    blocks: list[bytes] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.known["name"])

    @property
    def state(self) -> str:
        return str(self.known["picture"]["state"])

    @property
    def image(self) -> Image.Image:
        """Its picture, decoded."""
        return _decoded(self.blocks[0])

    @property
    def frames(self) -> list[Image.Image | None]:
        """The frames of its turn, decoded; empty if it does not turn."""
        found: list[Image.Image | None] = []
        at = 0
        for size in self.known.get("turn", {}).get("sizes", ()):
            found.append(_decoded(self.blocks[-1][at : at + size]) if size else None)
            at += size
        return found


class WrittenPage(HTMLParser):
    """A page: its tags in order, its style and program, its entries, and what it says of itself."""

    def __init__(self, path: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.source = path.read_text(encoding="utf-8")
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.entries: list[Entry] = []
        self.about: dict[str, Any] = {}
        self.title = self.style = self.program = self.policy = ""
        self._inside = self._type = ""
        self._text: list[str] = []
        self.feed(self.source)
        self.close()

    @property
    def names(self) -> list[str]:
        return [entry.name for entry in self.entries]

    def hashed(self, text: str) -> str:
        """``text`` as a policy names it."""
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.attributes |= set(found)
        if found.get("http-equiv") == "Content-Security-Policy":
            self.policy = found["content"]
        self._inside, self._type, self._text = tag, found.get("type", ""), []

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag != self._inside:
            return
        text = "".join(self._text)
        self._inside = ""
        if tag == "title":
            self.title = text
        elif tag == "style":
            self.style = text
        elif tag == "script" and not self._type.startswith(_KINDS):
            self.program = text
        elif tag == "script":
            self._block(self._type.removeprefix(_KINDS), text)

    def _block(self, kind: str, text: str) -> None:
        if kind == "asset":
            self.entries.append(Entry(json.loads(text)))
        elif kind == "bytes":
            self.entries[-1].blocks.append(base64.b64decode(text, validate=True))
        else:
            assert kind == "about"
            self.about = json.loads(text)


def _decoded(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image
