"""The Explorer in JupyterLab: first full viewport, smoothness and memory, beside other grids and an empty page.

    python benchmarks/explorer.py                  # all cases
    python benchmarks/explorer.py --counts 10,1000 # so many assets
    python benchmarks/explorer.py --screens 1000   # with memory before and after so many screens

Each run is a fresh notebook, kernel and browser. "First viewport" is a cell that was run once before, run again, until
every picture that shows is decoded. The other ways are given their pictures ready-made, in memory: nothing is fetched
for them. Scrolling is a fling with the wheel, the scrollbar dragged to the middle, and End; the limit is an empty box
as tall, in the same JupyterLab, scrolled in the same manner.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator
from typing import Any

from browsing import Figures, laboratory, opened
from harness import Benchmark, Case, Column
from serving import login, sandbox

COUNTS = (10, 100, 1_000, 10_000, 100_000, 1_000_000)
MOST = {"ipywidgets Images in a GridBox": 1_000, "one HTML of data URIs": 10_000, "ipyplot": 1_000}
"""More of them was not tried: a thousand take 7 s, 10,000 data URIs 60 MB."""
LEAST = {"empty page": 100}
"""With fewer there is nothing to scroll."""
HEIGHT = 520

SETUP = """\
import ipyassets as ia
vntana = ia.Vntana(**{login!r})"""

PICTURES = """\
import io
batch = vntana.search(limit=100).posters(width=192, progress=False)
thumbnails = []
for image in batch.images:
    file = io.BytesIO()
    image.convert("RGB").save(file, "JPEG", quality=80)
    thumbnails.append(file.getvalue())
names = [asset.name for asset in batch.assets]
count = {count}
pictures = [thumbnails[i % len(thumbnails)] for i in range(count)]
captions = [names[i % len(names)] for i in range(count)]"""

EXPLORER = f"ia.Explorer(vntana, height={HEIGHT})"

GRID_BOX = f"""\
import ipywidgets
ipywidgets.GridBox(
    [ipywidgets.VBox([ipywidgets.Image(value=p, format="jpeg", width=152), ipywidgets.Label(c)])
     for p, c in zip(pictures, captions)],
    layout=ipywidgets.Layout(grid_template_columns="repeat(6, 1fr)", height="{HEIGHT}px", overflow="auto"),
)"""

DATA_URIS = f"""\
import base64, html
from IPython.display import HTML
style = "height:{HEIGHT}px;overflow:auto;display:grid;grid-template-columns:repeat(6,1fr)"
HTML(f'<div class="bench" style="{{style}}">' + "".join(
    f'<figure style="margin:4px"><img width="152" src="data:image/jpeg;base64,{{base64.b64encode(p).decode()}}">'
    f'<figcaption>{{html.escape(c)}}</figcaption></figure>'
    for p, c in zip(pictures, captions)
) + "</div>")"""

IPYPLOT = """\
import ipyplot, numpy, PIL.Image
arrays = [numpy.asarray(PIL.Image.open(io.BytesIO(p)).resize((192, 192))) for p in pictures]  # of one size, or it fails
ipyplot.plot_images(arrays, captions, max_images=count, img_width=152, force_b64=True)"""

EMPTY = """\
from IPython.display import HTML
HTML('<div class="bench" tabindex="0" style="height:{height}px;overflow:auto">'
     '<div style="height:{tall}px"></div></div>')"""


def _setup(given: dict[str, Any], *parts: str) -> str:
    return "\n".join(parts).format(login=login(given["vntana"]), count=given["count"])


def explorer(given: dict[str, Any]) -> Figures:
    """Ours. Fetches what it shows."""
    return _browsed(given, _setup(given, SETUP), EXPLORER, ".ipya-grid")


def grid_box(given: dict[str, Any]) -> Figures:
    """A GridBox of ``ipywidgets.Image``."""
    return _browsed(given, _setup(given, SETUP, PICTURES), GRID_BOX, ".widget-gridbox")


def data_uris(given: dict[str, Any]) -> Figures:
    """One string of HTML that holds every picture."""
    return _browsed(given, _setup(given, SETUP, PICTURES), DATA_URIS, ".bench")


def ipyplot(given: dict[str, Any]) -> Figures:
    """ipyplot's grid. It has no box of its own, so nothing of it is scrolled here."""
    return _browsed(given, _setup(given, SETUP, PICTURES), IPYPLOT, "[id^=ipyplot-imgs-container-div]", scroll=False)


def empty(given: dict[str, Any]) -> Figures:
    """The limit: a box as tall, with nothing in it."""
    tall = -(-given["count"] // 6) * 192
    return _browsed(given, "pass", EMPTY.format(height=HEIGHT - 80, tall=min(tall, 8_000_000)), ".bench", blank=True)


def _browsed(
    given: dict[str, Any], setup: str, cell: str, selector: str, *, scroll: bool = True, blank: bool = False
) -> Figures:
    figures: Figures = {}
    with opened(given, setup, cell) as browsed:
        browsed.notebook.run(0)
        if blank:
            browsed.notebook.run(1)
        else:
            for _ in range(2):  # the first time warms everything up
                shown = browsed.first_viewport(1, selector)
                if shown is None:
                    return {}  # not within a minute
                figures.update(shown)
        browsed.page.wait_for_timeout(500)
        before = browsed.memory(1, selector)
        figures.update(before)
        if scroll and given["count"] >= 100:
            figures.update(browsed.scrolled(1, selector))
        if given.get("screens") and not blank:
            # What is kept is bounded, and full after some screens: only then is growth a leak.
            browsed.go_through(1, selector, given["screens"] // 2)
            figures.update({f"{key}_half": value for key, value in browsed.memory(1, selector).items()})
            browsed.go_through(1, selector, given["screens"] - given["screens"] // 2)
            figures.update({f"{key}_after": value for key, value in browsed.memory(1, selector).items()})
    return figures


CONTENDERS = {
    "ipyassets Explorer": explorer,
    "ipywidgets Images in a GridBox": grid_box,
    "one HTML of data URIs": data_uris,
    "ipyplot": ipyplot,
    "empty page": empty,
}


@contextlib.contextmanager
def prepare(options: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A sandbox of ``count`` assets and a JupyterLab."""
    with sandbox(options["count"]) as info, laboratory({}) as lab:
        yield {"vntana": info["vntana"], **lab}


def _cases(counts: tuple[int, ...], screens: int) -> list[Case]:
    return [
        Case(
            f"{count:,} assets",
            {"count": count, "screens": screens if count == 100_000 else 0},
            only=[name for name in CONTENDERS if LEAST.get(name, 0) <= count <= MOST.get(name, count)],
        )
        for count in counts
    ]


def main() -> None:
    """Read --counts and --screens, which are ours, and leave the rest to the harness."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--counts", type=lambda text: tuple(map(int, text.split(","))), default=COUNTS)
    parser.add_argument("--screens", type=int, default=0)
    ours, rest = parser.parse_known_args()
    sys.argv[1:] = rest
    Benchmark(
        name="explorer",
        title="Explorer: from a search to painted tiles",
        contenders=CONTENDERS,
        prepare=prepare,
        cases=_cases(ours.counts, ours.screens),
        script=__file__,
        limit="empty page",
        ratio_of="frame_ms",
        columns=(
            Column("first", "first viewport, s (spread)", spread=True),
            Column("kb", "kB received", "{:,.0f}"),
            Column("fps", "frames/s", "{:.1f}"),
            Column("gap_median", "gap, ms", "{:.0f}"),
            Column("gap_p95", "95 % of gaps, ms", "{:.0f}"),
            Column("fling_fps", "fling", "{:.1f}"),
            Column("drag_fps", "drag", "{:.1f}"),
            Column("end_fps", "End", "{:.1f}"),
            Column("elements", "elements", "{:,.0f}"),
            Column("heap_mb", "heap, MB", "{:.0f}"),
            Column("elements_after", "elements after", "{:,.0f}"),
            Column("heap_mb_half", "heap half way, MB", "{:.1f}"),
            Column("heap_mb_after", "heap after, MB", "{:.1f}"),
        ),
        work=None,
        packages=("ipyassets", "jupyterlab", "ipykernel", "anywidget", "ipywidgets", "ipyplot", "pillow", "playwright"),
    ).main()


if __name__ == "__main__":
    main()
