"""The text of a page: HTML around the browser half, and blocks of data that it reads.

What comes from services is in blocks of JSON and base64 alone, and never markup. The page may run its own program and
use its own style, by their hashes, and show pictures that it holds; it may load and send nothing.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Sequence
from typing import Any, Final

from ipyassets.built import built
from ipyassets.collections.facts import Facts
from ipyassets.collections.thumbnails import Thumbnail
from ipyassets.texts import cut, encodable

__all__ = ["entry", "foot", "head"]

_LONGEST_NAME: Final = 300
_NO_SCRIPT: Final = "This page needs JavaScript, which is turned off here. It loads nothing from anywhere."


def head(title: str) -> bytes:
    """The page up to its first entry."""
    style, policy = built("page.css"), _policy(built("page.js"), built("page.css"))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n<meta name="generator" content="ipyassets">\n'
        f"<title>{_plain(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f"<noscript>{_NO_SCRIPT}</noscript>\n"
    ).encode()


def entry(id: str, name: str, facts: Facts, picture: Thumbnail | str, frames: Sequence[Thumbnail | None] = ()) -> bytes:
    """One entry: what is known of it, then its picture and the frames of its turn, where it has them.

    ``picture``: or the state that stands in its place. A frame that could not be had is None.
    """
    known: dict[str, Any] = {"id": id[:_LONGEST_NAME], "name": cut(name, _LONGEST_NAME), "facts": facts}
    contents = []
    if isinstance(picture, str):
        known["picture"] = {"state": picture}
    else:
        known["picture"] = {"state": "ok", "mime": picture.mime, "width": picture.width, "height": picture.height}
        contents.append(picture.content)
    made = [frame for frame in frames if frame is not None]
    if made:
        # End to end in one block: a strip of them as one picture is 8 % smaller, and would have to be cut up there.
        sizes = [0 if frame is None else len(frame.content) for frame in frames]
        known["turn"] = {"mime": made[0].mime, "sizes": sizes}
        contents.append(b"".join(frame.content for frame in made))
    return _block("asset", _json(known)) + b"".join(_block("bytes", base64.b64encode(bytes)) for bytes in contents)


def foot(about: dict[str, Any]) -> bytes:
    """The page after its last entry; ``about`` is said of the whole."""
    program = built("page.js").encode()
    return _block("about", _json(about)) + b'<script type="module">' + program + b"</script>\n</body>\n</html>\n"


def _block(kind: str, content: bytes) -> bytes:
    """Data for the program; a type that browsers do not know is never run."""
    return b'<script type="application/x-ipyassets-' + kind.encode() + b'">' + content + b"</script>\n"


def _json(value: Any) -> bytes:
    """In ASCII, and without the one sign by which a block could end."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c").encode("ascii")


def _policy(script: str, style: str) -> str:
    return (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _plain(text: str) -> str:
    """``text`` as HTML on one line, and as UTF-8 can say it."""
    return html.escape(encodable(cut(" ".join(text.split()), _LONGEST_NAME)))
