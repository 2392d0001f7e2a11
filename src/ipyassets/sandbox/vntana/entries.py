"""What stands in each workspace before anything is grown: one entry for each product."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ipyassets.sandbox import library
from ipyassets.sandbox.vntana.accounts import (
    GERMAN,
    JAPANESE,
    OUTDOOR,
    SHOWROOM,
    UNUSUAL,
    WORKSHOP,
    Workspace,
)

__all__ = ["SERIES", "Entry", "entries"]

SERIES = (
    "Alder", "Aspen", "Beech", "Birch", "Cedar", "Cypress", "Elder", "Elm", "Hazel", "Holly", "Juniper", "Larch",
    "Linden", "Maple", "Myrtle", "Oak", "Olive", "Pine", "Poplar", "Rowan", "Spruce", "Sycamore", "Willow", "Yew",
)  # fmt: skip
"""Series of grown products: "Armchair Alder 1", "Armchair Alder 2", ..."""

INTERNAL_EVERY = 15
"""Of the published products, every 15th is published inside the organization only."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One product. ``model`` is a number in `library.objects`, None without a file."""

    workspace: Workspace
    name: str
    number: int = 0
    """Stands behind the name; 0: nothing does."""
    model: int | None = None
    status: str = "LIVE_PUBLIC"
    conversion: str = "COMPLETED"
    asset_type: str = "THREE_D"
    poster: bool = True
    file: str | None = None
    """A file of ``data/models`` in place of the model's own."""


def entries() -> Iterator[Entry]:
    """The natural catalogue, in an order that never changes: identifiers depend on it."""
    models = library.objects()
    for index, model in enumerate(models):
        status = "LIVE_INTERNAL" if index % INTERNAL_EVERY == 7 else "LIVE_PUBLIC"
        yield Entry(SHOWROOM, model.name, model=index, status=status)
    for index in range(0, 40, 5):
        yield Entry(SHOWROOM, f"{models[index].name} (new series)", model=index, status="DRAFT")
    yield from _workshop()
    for workspace in (GERMAN, JAPANESE):
        for index, model in enumerate(models):
            if name := model.names.get(workspace.language):
                yield Entry(workspace, name, model=index)
    yield from _unusual()
    for index, model in enumerate(models):
        if model.category in {"Exterior", "Vehicles", "Characters"}:
            yield Entry(OUTDOOR, model.name, model=index)
    yield from _damaged()


def _workshop() -> Iterator[Entry]:
    """Products on their way: every status, every state of conversion, with and without file and poster."""
    models = library.objects()
    statuses = (
        "DRAFT", "WAITING_REVIEW", "APPROVED", "REJECTED", "CUSTOMER_REVIEW", "CUSTOMER_APPROVED", "CUSTOMER_REJECTED",
        "CUSTOMER_DROPPED", "CUSTOMER_HOLD", "LIVE_INTERNAL",
    )  # fmt: skip
    for index in range(40):
        model = (index * 7 + 3) % len(models)
        yield Entry(WORKSHOP, f"{models[model].name} study", model=model, status=statuses[index % len(statuses)])
    for index, conversion in enumerate(("PENDING", "CONVERTING", "FAILED", "TERMINATED") * 2):
        model = (index * 11 + 5) % len(models)
        name = f"{models[model].name} upload"
        yield Entry(WORKSHOP, name, model=model, status="LIVE_INTERNAL", conversion=conversion, poster=False)
    for number in range(1, 5):
        yield Entry(
            WORKSHOP, "Reserved name", number, status="LIVE_INTERNAL", conversion="NO_ASSET", asset_type="NO_ASSET",
            poster=False,
        )  # fmt: skip
    others = {"IMAGE": "Mood board", "VIDEO": "Assembly film", "DOCUMENT": "Assembly guide", "MATERIAL": "Oak veneer"}
    for index, (asset_type, name) in enumerate(others.items()):
        yield Entry(
            WORKSHOP, name, model=index * 9, status="LIVE_INTERNAL", conversion="NOT_APPLICABLE", asset_type=asset_type,
            poster=asset_type == "IMAGE",
        )  # fmt: skip


def _damaged() -> Iterator[Entry]:
    """Products whose file was damaged after it had been converted: they look well, and no render of them succeeds."""
    models = library.objects()
    for key, file in (("oak-table", "upload-cut-off.obj"), ("desk-lamp", "scan-overwritten.glb")):
        index = next(index for index, model in enumerate(models) if model.key == key)
        yield Entry(WORKSHOP, f"{models[index].name} (damaged file)", model=index, file=file)


LONG_NAME = (
    "Modular shelving system with adjustable feet, rear cable outlet, soft-closing drawers and a reversible top panel, "
    "delivered flat in three parcels with tools, wall anchors and a printed guide, oak"
)


def _unusual() -> Iterator[Entry]:
    """Names that break programs which take names for something else than text."""
    names = (
        LONG_NAME.ljust(200, "…"),
        "W" * 200,
        "كرسي خشبي",
        "طاولة طعام (٤ أشخاص)",
        "כיסא מתקפל",
        "<b>chair</b>",
        "<img src=x onerror=alert(1)>",
        "</script><script>alert(1)</script>",
        "Table & chairs &amp; lamp",
        "'; DROP TABLE products; --",
        '=HYPERLINK("http://example.invalid","lamp")',
        "${7*7} {{7*7}} %s %n",
        "../../etc/passwd",
        "CON.png",
        "Lampe « Étoile » à poser",
        "Cafe\u0301 chair",
        "Стул для кухни",
        "折りたたみ椅子",
        "Καρέκλα κήπου",
        "🪑 🛋️ set",
        "reversed \u202etxet",
        "  spaces  around  ",
        "two\nlines",
        "100 % wool rug, 2 \u00d7 3 m",
    )
    models = library.objects()
    for index, name in enumerate(names):
        yield Entry(UNUSUAL, name, model=(index * 5 + 2) % len(models))
    for number in (1, 2, 10, 11, 100):
        yield Entry(UNUSUAL, "Chair", number, model=16)
    yield Entry(UNUSUAL, "Chair without poster", model=16, poster=False)
    yield Entry(UNUSUAL, "Chair without file", conversion="NO_ASSET", asset_type="NO_ASSET", poster=False)
