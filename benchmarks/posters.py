"""Posters to PIL images: ipyassets beside what people write today, and beside the limit.

    python benchmarks/posters.py                   # all tables; needs nginx with its echo module, and h2load
    python benchmarks/posters.py --case 1          # one of them
    python benchmarks/posters.py --set count=200 --rounds 1 --dry

nginx serves 512 px PNGs from files on the same cores, over TLS and with 40 ms before each answer, or plainly. ``decode
only`` is the limit: the same bytes, already in memory, decoded by Pillow on as many threads as there are cores.
"""

from __future__ import annotations

import asyncio
import io
import os
import re
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from harness import Benchmark, Case, Column, Figures, timed
from serving import catalogue, login

AT_ONCE = 32
Given = dict[str, Any]


def _decoded(content: bytes) -> Any:
    from PIL import Image

    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def _trust(given: Given) -> ssl.SSLContext | bool:
    if given["ca"] is None:
        return True
    os.environ["SSL_CERT_FILE"] = os.environ["REQUESTS_CA_BUNDLE"] = given["ca"]
    return ssl.create_default_context(cafile=given["ca"])


def _all_there(images: list[Any], given: Given) -> None:
    assert len(images) == len(given["urls"])
    assert all(image.size == (512, 512) for image in images)


def requests_loop(given: Given) -> Figures:
    import requests

    _trust(given)
    with timed() as figures, requests.Session() as session:
        images = [_decoded(session.get(url, timeout=60).content) for url in given["urls"]]
    _all_there(images, given)
    return figures


def requests_threads(given: Given) -> Figures:
    import requests
    from requests.adapters import HTTPAdapter

    _trust(given)
    with timed() as figures, requests.Session() as session, ThreadPoolExecutor(AT_ONCE) as pool:
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(pool_maxsize=AT_ONCE))
        images = list(pool.map(lambda url: _decoded(session.get(url, timeout=60).content), given["urls"]))
    _all_there(images, given)
    return figures


def httpx_threads(given: Given) -> Figures:
    import httpx

    limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
    tls = _trust(given)
    with (
        timed() as figures,
        httpx.Client(verify=tls, limits=limits, timeout=60) as client,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        images = list(pool.map(lambda url: _decoded(client.get(url).content), given["urls"]))
    _all_there(images, given)
    return figures


def httpx_gather(given: Given) -> Figures:
    import httpx

    tls = _trust(given)

    async def everything() -> list[Any]:
        async with httpx.AsyncClient(verify=tls, timeout=600) as client:

            async def one(url: str) -> Any:
                return _decoded((await client.get(url)).content)

            return await asyncio.gather(*map(one, given["urls"]))

    with timed() as figures:
        images = asyncio.run(everything())
    _all_there(images, given)
    return figures


def aiohttp_semaphore(given: Given) -> Figures:
    import aiohttp

    tls = _trust(given)

    async def everything() -> list[Any]:
        slots = asyncio.Semaphore(AT_ONCE)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls, limit=AT_ONCE)) as session:

            async def one(url: str) -> Any:
                async with slots, session.get(url) as response:
                    content = await response.read()
                return await asyncio.to_thread(_decoded, content)

            return await asyncio.gather(*map(one, given["urls"]))

    with timed() as figures:
        images = asyncio.run(everything())
    _all_there(images, given)
    return figures


def _ours(given: Given, work: Callable[[Any], Any], *, warm: bool = False, decoder: str | None = None) -> Figures:
    import ipyassets as ia

    _trust(given)
    # A new folder for each run, and none deleted before the end: ext4 is slow to make files where many just went.
    os.environ["IPYASSETS_CACHE_DIR"] = tempfile.mkdtemp(dir=given["folder"])
    if decoder:
        os.environ["IPYASSETS_DECODER"] = decoder
    with ia.Vntana(**login(given["vntana"])) as client:
        found = ia.AssetList.of(list(client.search(limit=given["count"])))
        found[0].poster(width=16)  # logged in, and its imports done: as in a notebook that is in use
        if warm:
            for _ in found.iter_posters(width=512, height=512):
                pass
        with timed() as figures:
            kept = work(found)
        behind = time.process_time()
        ia.cache.flush()  # what is written to disk once the pictures are there; its CPU counts
        figures["cpu"] += time.process_time() - behind
        assert kept == given["count"]
    return figures


def _batch(found: Any) -> int:
    batch = found.posters(width=512, height=512, progress=False)
    batch.raise_for_failures()
    return len(batch)


def _streamed(found: Any) -> int:
    return sum(image is not None for _, image in found.iter_posters(width=512, height=512))


def ours(given: Given) -> Figures:
    return _ours(given, _batch)


def ours_optional(given: Given) -> Figures:
    return _ours(given, _batch, decoder="imagecodecs")


def ours_streamed(given: Given) -> Figures:
    return _ours(given, _streamed)


def ours_warm(given: Given) -> Figures:
    return _ours(given, _batch, warm=True)


def decode_only(given: Given) -> Figures:
    contents = [Path(name).read_bytes() for name in given["files"]]
    import PIL.PngImagePlugin  # noqa: F401

    with timed() as figures, ThreadPoolExecutor(os.cpu_count()) as pool:
        images = list(pool.map(_decoded, contents))
    _all_there(images, given)
    return figures


def decode_let_go(given: Given) -> Figures:
    contents = [Path(name).read_bytes() for name in given["files"][:1000]] * (given["count"] // 1000 or 1)
    import PIL.PngImagePlugin  # noqa: F401

    with timed() as figures, ThreadPoolExecutor(os.cpu_count()) as pool:
        for image in pool.map(_decoded, contents[: given["count"]]):
            assert image.size == (512, 512)
    return figures


def fetch_only(given: Given) -> Figures:
    """h2load: how fast the wire itself is, nothing decoded."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(given["urls"]) + "\n")
        file.flush()
        done = subprocess.run(
            ["h2load", "--h1", "-n", str(given["count"]), "-c", str(AT_ONCE), "-t", "1", "-i", file.name],
            capture_output=True,
            text=True,
            check=True,
        )
    took = re.search(r"finished in ([\d.]+)(m?s)", done.stdout)
    assert took is not None, done.stdout
    assert f"{given['count']} succeeded" in done.stdout, done.stdout
    return {"seconds": float(took[1]) / (1000 if took[2] == "ms" else 1)}


CONTENDERS: dict[str, Callable[[Given], Figures]] = {
    "requests loop": requests_loop,
    "requests, 32 threads": requests_threads,
    "httpx.Client, 32 threads": httpx_threads,
    "httpx.AsyncClient, gather": httpx_gather,
    "aiohttp, semaphore": aiohttp_semaphore,
    "ipyassets": ours,
    "ipyassets, streamed": ours_streamed,
    "ipyassets, imagecodecs": ours_optional,
    "ipyassets, warm cache": ours_warm,
    "decode only": decode_only,
    "decode only, let go": decode_let_go,
    "fetch only (h2load)": fetch_only,
}
HELD = ("ipyassets", "aiohttp, semaphore", "decode only")
STREAMED = ("ipyassets, streamed", "decode only, let go")


def _cases() -> Iterator[Case]:
    far = {"count": 1000, "tls": True, "latency": 0.04, "pictures": "rendered"}
    near = {"count": 1000, "tls": False, "latency": 0, "pictures": "rendered"}
    yield Case("1,000 posters over TLS, 40 ms before each answer", far)
    yield Case("1,000 posters, plain loopback", near)
    yield Case("1,000 smooth posters (a third of the bytes), TLS, 40 ms", {**far, "pictures": "smooth"}, HELD)
    for count in (10, 100):
        yield Case(f"How cost grows: {count} posters, TLS, 40 ms", {**far, "count": count}, (*HELD, *STREAMED))
    yield Case("How cost grows: 10,000 posters, TLS, 40 ms (one round)", {**far, "count": 10_000}, STREAMED)
    yield Case("How cost grows: 100,000 posters, TLS, 40 ms (one round)", {**far, "count": 100_000}, STREAMED[:1])


def main() -> None:
    Benchmark(
        name="posters",
        title="Posters to PIL images",
        contenders=CONTENDERS,
        prepare=catalogue,
        cases=tuple(_cases()),
        script=__file__,
        limit="decode only",
        columns=(
            Column("seconds", "seconds (spread)", spread=True),
            Column("cpu", "CPU s"),
            Column("peak_mb", "peak MB", "{:.0f}"),
        ),
        packages=("ipyassets", "pillow", "httpx", "aiohttp", "requests", "imagecodecs"),
    ).main()


if __name__ == "__main__":
    main()
