"""Names as somebody could give them who means harm, and assets that have them in every field."""

from __future__ import annotations

from typing import Any, Final

from ipyassets.collections.asset_list import AssetList
from ipyassets.collections.pages import RecordPages
from ipyassets.services.base import Record, Workspace
from tests.fakes import MemoryService

NAMES: Final = {
    "long": "x" * 100_000,
    "long-turning": "\u202e" * 100_000,
    "marks-above-marks": "a" + "\u0301" * 100_000,
    "script": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "ends-elements": "</title></textarea></style>--><svg onload=alert(1)>",
    "in-attributes": "' onmouseover='alert(1)' \" onmouseover=\"alert(1)\" `x`",
    "right-to-left": "invoice\u202egnp.exe",
    "isolates-ended": "\u2067abc\u2069\u2069\u202e tail",
    "terminal": "a\x00b\x07\x08c\x1b[2J\x1b]0;owned\x07\x9b31m",
    "lines": "a\nERROR root: forged\r\n\x85\u2028\u2029b\tc",
    "tex": r"$\href{https://evil.example}{x}\rule{9em}{999em}$ $5 $$x$$ \(y\) \begin{z}w\end{z}",
    "halves": "half \ud800 a \udcff b",
    "formula": "=cmd|' /C calc'!A0",
    "path": "../../../etc/passwd",
    "windows-path": "..\\..\\c:\\windows\\con.txt",
    "reserved": "CON",
    "unseen": " \u3000\u200b\u2060 ",
    "template": "{0.__class__} %s %(x)s ${jndi:ldap://x} $(id) `id`",
    "mixed": "👩‍👩‍👧 مرحبا שלום क्‍ष",
}  # fmt: skip


class Hostile(MemoryService):
    """Each asset has one of `NAMES`, as its name, status, tags and attributes."""

    def __init__(self) -> None:
        super().__init__(len(NAMES), page_size=50)
        self.given = list(NAMES.values())

    def make(self, name: str) -> Record:
        text = self.given[int(name.rpartition("-")[2])]
        attributes: dict[str, Any] = {text[:50]: text, "text": text, "deep": [{text[:50]: text}]}
        return Record("memory", name, text, "3d", text, None, None, (text, text), attributes, {})

    async def workspaces(self) -> list[Workspace]:
        return [Workspace(f"place-{number}", name) for number, name in enumerate(self.given)]


def listed(service: MemoryService) -> AssetList:
    return AssetList(RecordPages(service, service.search("")), "memory")
