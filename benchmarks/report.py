"""Tables and pictures from ``benchmarks/results``: between the marks in the README here, and in ``docs/images``.

    python benchmarks/report.py

A table stands between ``<!-- results: NAME -->`` and ``<!-- end -->``. Pictures need matplotlib.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from harness import RESULTS, markdown

HERE = Path(__file__).parent
IMAGES = HERE.parent / "docs" / "images"
MARK = re.compile(r"(<!-- results: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
OURS, LIMIT, OTHERS = "#2f6db5", "#8d99a6", "#c9ced4"


def results(name: str) -> dict[str, Any]:
    return dict(json.loads((RESULTS / f"{name}.json").read_text()))


def told(found: dict[str, Any]) -> str:
    """Where and with what it was measured, then every table."""
    machine = found["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    lines = [
        (
            f"Measured {found['date']} on {machine['cores']} cores ({machine['processor']}), {machine['memory_gb']} GB "
            f"of memory, {machine['system']}; medians of {found['rounds']}. {versions}."
        )
    ]
    lines += [f"**{case['title']}**\n\n{markdown(case)}" for case in found["cases"]]
    return "\n\n".join(lines)


def bars(name: str, case: int, to: str, title: str, unit: str) -> None:
    """A picture of one table: so many a second for each way."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    rows = [row for row in results(name)["cases"][case]["rows"] if "rate" in row]
    rows.sort(key=lambda row: row["rate"])
    colours = [
        OURS if row["way"].startswith("ipyassets") else LIMIT if "only" in row["way"] else OTHERS for row in rows
    ]
    figure, axes = plt.subplots(figsize=(8, 0.42 * len(rows) + 0.9), layout="constrained")
    drawn = axes.barh([row["way"] for row in rows], [row["rate"] for row in rows], color=colours, height=0.72)
    axes.bar_label(drawn, [f"{row['rate']:,.0f}" for row in rows], padding=4, fontsize=9)
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_xlabel(unit, fontsize=9)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False, labelsize=9)
    axes.margins(x=0.12)
    figure.savefig(IMAGES / f"{to}.png", dpi=110)
    plt.close(figure)


def main() -> None:
    readme = HERE / "README.md"
    text = MARK.sub(lambda found: found[1] + told(results(found[2])) + "\n" + found[3], readme.read_text())
    readme.write_text(text)
    bars("posters", 0, "bench-posters", "1,000 posters of 512 px to PIL, over TLS, 40 ms away", "posters/s")


if __name__ == "__main__":
    main()
