"""What is known of an asset, as lines to read: plain text, and never an address, which may be signed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias

from ipyassets.services.base import Record
from ipyassets.texts import cut, straight

__all__ = ["Facts", "asset_facts"]

Facts: TypeAlias = list[tuple[str, str]]
"""Label and value, both plain text."""

_ADDRESS: Final = re.compile(r"\b(?:[a-z][a-z0-9+.-]*://|data:)\S+", re.IGNORECASE)
_LONGEST: Final = 4_000
_MOST: Final = 100


def asset_facts(record: Record) -> Facts:
    """Label and value for each thing known of ``record``, in the order of reading."""
    facts = [
        ("Kind", record.kind),
        ("Status", record.status),
        ("Created", record.created),
        ("Updated", record.updated),
        ("Tags", record.tags),
        *((_label(name), value) for name, value in record.attributes.items()),
        ("Id", record.id),
        ("Service", record.service),
    ]
    lines = [(label, _text(value)) for label, value in facts[:_MOST]]
    return [(label, text) for label, text in lines if text]


def _label(name: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_", " ", str(name)).strip()
    return (words[:1].upper() + words[1:])[:100]


def _text(value: Any) -> str:
    if value is None:
        text = ""
    elif isinstance(value, bool):
        text = "yes" if value else "no"
    elif isinstance(value, datetime):
        text = value.strftime("%Y-%m-%d %H:%M UTC")
    elif isinstance(value, (list, tuple)) and not any(isinstance(item, (Mapping, list, tuple)) for item in value):
        text = ", ".join(filter(None, (straight(_text(item)) for item in value)))
    elif isinstance(value, (Mapping, list, tuple)):
        text = json.dumps(value, default=str, ensure_ascii=False)
    else:
        text = str(value)
    return cut(_ADDRESS.sub("(address)", text), _LONGEST).strip()
