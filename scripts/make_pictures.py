"""Render every picture of the sandbox's catalogue into ``data/pictures`` and write ``THIRD_PARTY_MODELS.md``.

    python scripts/make_pictures.py                      everything (about ten minutes on one core)
    python scripts/make_pictures.py object chair lamp    two objects
    python scripts/make_pictures.py building --sheet buildings.png

Needs ``ipyassets[sandbox]``. Uses one process; the result depends only on the data and the code.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

# One core: the arrays are small, threads of the linear algebra library would only get in each other's way.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from PIL import Image, ImageDraw

from ipyassets.sandbox import library
from ipyassets.sandbox.renderer import BakedModel, bake, load_building, load_object, render

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "src" / "ipyassets" / "sandbox" / "data" / "pictures"
CREDITS = ROOT / "THIRD_PARTY_MODELS.md"
LIGHT_SAMPLES = 240_000
EDGE_SAMPLES = 8
WEBP = {"quality": 84, "method": 6}


def jobs(
    kinds: list[str], keys: list[str]
) -> Iterator[tuple[str, str, Callable[[dict[str, BakedModel]], Image.Image]]]:
    """Kind, key and what renders it; generated images of one object follow each other, so that it is baked once."""
    if "object" in kinds:
        for entry in library.objects():
            if not keys or entry.key in keys:
                yield (
                    "object",
                    entry.key,
                    lambda baked, entry=entry: shot(
                        baked,
                        entry.key,
                        library.OBJECT_SIZE,
                        azimuth=entry.azimuth,
                        elevation=entry.elevation,
                        background=entry.background,
                    ),
                )
    if "generated" in kinds:
        for image in sorted(library.generated(), key=lambda image: image.object_key):
            if not keys or image.key in keys or image.object_key in keys:
                yield (
                    "generated",
                    image.key,
                    lambda baked, image=image: shot(
                        baked,
                        image.object_key,
                        (image.width, image.height),
                        azimuth=image.azimuth,
                        elevation=image.elevation,
                        background=image.background,
                        mood=image.mood,
                        fill=0.74,
                    ),
                )
    if "building" in kinds:
        for building in library.buildings():
            if not keys or building.key in keys:
                yield (
                    "building",
                    building.key,
                    lambda baked, building=building: shot(
                        baked,
                        building.key,
                        library.BUILDING_SIZE,
                        load=load_building,
                        azimuth=building.azimuth,
                        elevation=building.elevation,
                        background="#e3eaf0",
                        fill=0.86,
                    ),
                )


def shot(baked, key, size, *, load=load_object, **view) -> Image.Image:
    if key not in baked:
        baked.clear()
        baked[key] = bake(load(key), samples=LIGHT_SAMPLES)
    return render(baked[key], *size, samples=EDGE_SAMPLES, **view)


def credits_text() -> str:
    lines = [
        "# Models made by others",
        "",
        "The sandbox ships these models in `src/ipyassets/sandbox/data/models/` and pictures rendered from them in",
        "`data/pictures/`. This file is written by `scripts/make_pictures.py`.",
        "",
        "## FZK House",
        "",
        "`fzk-haus.glb.gz`: the FZK house (AC14-FZK-Haus), made by the Institute for Automation and Applied",
        "Informatics (IAI) of the Karlsruhe Institute of Technology (KIT), Germany, and published by it as a reference",
        "model for the exchange of building models. Redistributed with attribution, as its authors ask; converted from",
        "IFC to GLB. All other buildings are our own, made by the code in `src/ipyassets/sandbox/renderer/`.",
        "",
        "## Objects",
        "",
        "`furniture-cc0.zip`: objects by various authors, published on Blend Swap under the",
        "[CC0 1.0 Universal Public Domain Dedication](https://creativecommons.org/publicdomain/zero/1.0/)",
        "and prepared for Sweet Home 3D by Emmanuel Puybaret. The licence text of each lies beside it in the archive.",
        "CC0 asks for no credit; we give it gladly.",
        "",
        "| object | creator | source | licence |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| {entry.name} (`{entry.model}`) | {entry.creator} | <{entry.source}> | {entry.licence} |"
        for entry in library.objects()
    ]
    return "\n".join(lines) + "\n"


def contact_sheet(made: list[tuple[str, Image.Image]], path: Path, *, columns: int = 8, cell: int = 240) -> None:
    rows = -(-len(made) // columns)
    sheet = Image.new("RGB", (columns * cell, rows * (cell + 14)), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (label, image) in enumerate(made):
        small = image.copy()
        small.thumbnail((cell - 2, cell - 2))
        x, y = number % columns * cell, number // columns * (cell + 14)
        sheet.paste(small, (x, y + 12))
        draw.text((x + 2, y), label, fill="black")
    sheet.save(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", nargs="?", choices=["object", "building", "generated", "all", "credits"], default="all")
    parser.add_argument("keys", nargs="*", help="only these")
    parser.add_argument("--sheet", type=Path, help="also write a contact sheet of what was rendered")
    parser.add_argument("--missing", action="store_true", help="render only what has no picture yet")
    options = parser.parse_args()
    CREDITS.write_text(credits_text(), encoding="utf-8")
    kinds = ["object", "building", "generated"] if options.kind == "all" else [options.kind]
    baked: dict[str, BakedModel] = {}
    made: list[tuple[str, Image.Image]] = []
    start, total = time.perf_counter(), 0
    for kind, key, make in jobs(kinds, options.keys):
        path = PICTURES / kind / f"{key}.webp"
        if options.missing and path.exists():
            continue
        image = make(baked)
        out = io.BytesIO()
        image.save(out, "WEBP", **WEBP)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(out.getvalue())
        total += len(out.getvalue())
        made.append((key, Image.open(out)))
        print(
            f"{time.perf_counter() - start:6.1f} s  {kind:9} {key:36} {len(out.getvalue()) / 1000:5.1f} kB", flush=True
        )
    if options.sheet and made:
        contact_sheet(made, options.sheet)
    print(f"{len(made)} pictures, {total / 1e6:.2f} MB", file=sys.stderr)


if __name__ == "__main__":
    main()
