"""An archive of 1,000 images to PIL: read as it arrives, beside downloading it first and opening it with `zipfile`.

    python benchmarks/archives.py [--count 1000] [--rounds 3] [--bandwidth 2e6]

One sandbox in a process of its own makes the archive once and sends it with ``bandwidth`` bytes a second (0: as fast
as it goes). Each run of each contender is a fresh process, rounds are interleaved, medians are printed with their
spread. Every contender looks at each image and lets it go, but ``images()``, which holds them all. Peak memory is that
of the whole process, less what it was before the archive was touched.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import Any, Final

Run = tuple[float, float, int]
"""Seconds to the first image, seconds in all, number of images."""

CONTENDERS: Final = (
    "requests, then zipfile in memory",
    "requests to disk, then zipfile",
    "ipyassets iter_images",
    "ipyassets images (all held)",
)
ONE: Final = ("one image: requests, then zipfile", "one image: ipyassets job[i]")


def _url(info: dict[str, Any]) -> str:
    import requests

    keys = (info["api_key"], info["api_secret"])
    answer = requests.get(f"{info['base_url']}/assets/download/{info['job']}", auth=keys, timeout=60)
    return str(answer.json()["downloadUrl"])


def _decoded(content: bytes) -> Any:
    from PIL import Image

    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def _timed(images: Iterator[Any], started: float) -> Run:
    first, number = 0.0, 0
    for image in images:
        assert image is not None
        first = first or time.perf_counter() - started
        number += 1
    return first, time.perf_counter() - started, number


def in_memory(info: dict[str, Any]) -> Run:
    import requests

    started = time.perf_counter()
    content = requests.get(_url(info), timeout=600).content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return _timed((_decoded(archive.read(name)) for name in archive.namelist()), started)


def on_disk(info: dict[str, Any]) -> Run:
    import requests

    started = time.perf_counter()
    with tempfile.TemporaryFile() as file:
        with requests.get(_url(info), timeout=600, stream=True) as answer:
            for piece in answer.iter_content(1 << 18):
                file.write(piece)
        with zipfile.ZipFile(file) as archive:
            return _timed((_decoded(archive.read(name)) for name in archive.namelist()), started)


def _job(info: dict[str, Any]) -> tuple[Any, Any]:
    import ipyassets as ia

    scenario = ia.Scenario(info["api_key"], info["api_secret"], base_url=info["base_url"])
    return scenario, scenario.follow_archive(info["job"])


def as_it_arrives(info: dict[str, Any]) -> Run:
    started = time.perf_counter()
    scenario, job = _job(info)
    with scenario:
        return _timed((image for _, image in job.wait().iter_images()), started)


def all_held(info: dict[str, Any]) -> Run:
    started = time.perf_counter()
    scenario, job = _job(info)
    with scenario:
        batch = job.wait().images(progress=False)
        took = time.perf_counter() - started
        batch.raise_for_failures()
        return took, took, len(batch)


def one_by_download(info: dict[str, Any]) -> Run:
    import requests

    started = time.perf_counter()
    content = requests.get(_url(info), timeout=600).content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        _decoded(archive.read(archive.namelist()[500 % info["count"]]))
    took = time.perf_counter() - started
    return took, took, 1


def one_by_range(info: dict[str, Any]) -> Run:
    started = time.perf_counter()
    scenario, job = _job(info)
    with scenario:
        job.wait()[500 % info["count"]].load()
        took = time.perf_counter() - started
        return took, took, 1


RUN: Final[dict[str, Callable[[dict[str, Any]], Run]]] = dict(
    zip((*CONTENDERS, *ONE), (in_memory, on_disk, as_it_arrives, all_held, one_by_download, one_by_range), strict=True)
)


def _one(name: str) -> None:
    info = json.loads(sys.stdin.readline())
    import requests  # noqa: F401  # what is loaded counts for nobody
    from PIL import Image

    import ipyassets as ia
    from ipyassets.http import transport  # noqa: F401

    Image.init()
    assert ia.Scenario
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    first, seconds, number = RUN[name](info)
    assert number in (1, info["count"]), f"{name}: {number} of {info['count']} images"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"first": first, "seconds": seconds, "rss": (peak - before) / 1024}))


def _serve(count: int, bandwidth: float) -> None:
    from ipyassets.sandbox import Sandbox
    from ipyassets.sandbox.world import Settings

    settings = Settings(archive_polls=0, archive_bandwidth=bandwidth or None)
    with Sandbox(assets=3 * count, settings=settings) as sandbox, sandbox.scenario() as scenario:
        chosen = scenario.search("", kind="image", filter='mimeType = "image/webp"', limit=count)
        job = scenario.archive(chosen, flat=True).wait()
        own = sandbox.connection_info()["scenario"]
        print(json.dumps({**own, "job": job.ids[0], "count": len(job)}), flush=True)
        sys.stdin.read()  # until the benchmark closes it


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bandwidth", type=float, default=2e6, help="bytes a second; 0: as fast as it goes")
    parser.add_argument("--only", choices=tuple(RUN), help=argparse.SUPPRESS)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        return _serve(options.count, options.bandwidth)
    if options.only:
        return _one(options.only)

    command = [sys.executable, __file__, "--serve", "--count", str(options.count)]
    command += ["--bandwidth", str(options.bandwidth)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        with server.stdin:
            info = json.loads(server.stdout.readline())
            results: dict[str, list[dict[str, float]]] = {name: [] for name in RUN}
            for _ in range(options.rounds):
                for name in RUN:
                    results[name].append(_measured(name, info))
    _table(results, info["count"], options)
    return None


def _measured(name: str, info: dict[str, Any]) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, "--only", name],
        input=json.dumps(info) + "\n",
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout))


def _table(results: dict[str, list[dict[str, float]]], count: int, options: argparse.Namespace) -> None:
    import PIL

    speed = f"{options.bandwidth / 1e6:g} MB/s" if options.bandwidth else "no limit"
    print(
        f"{count} images, {speed}, Python {platform.python_version()}, Pillow {PIL.__version__}, {os.cpu_count()} cores"
    )
    print()
    print("| way | first image, s (spread) | all, s (spread) | peak MB |")
    print("| --- | --- | --- | --- |")
    for name, runs in results.items():
        first, seconds = sorted(run["first"] for run in runs), sorted(run["seconds"] for run in runs)
        memory = statistics.median(run["rss"] for run in runs)
        print(f"| {name} | {_spread(first)} | {_spread(seconds)} | {memory:.0f} |")


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({values[0]:.2f} to {values[-1]:.2f})"


if __name__ == "__main__":
    main()
