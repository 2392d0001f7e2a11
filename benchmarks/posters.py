"""1,000 posters to PIL images: ipyassets beside what a person would write instead, and beside the limit.

    python benchmarks/posters.py [--count 1000] [--width 512] [--rounds 3] [--latency 0]

One sandbox in a process of its own serves all contenders; each run of each contender is a fresh process, rounds are
interleaved, medians are printed with their spread. ``decode only`` is the limit: the same bytes, already in memory,
decoded by Pillow on as many threads as there are cores.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

CONTENDERS = ("requests loop", "httpx gather", "ipyassets", "ipyassets, warm cache", "decode only")


def targets(info: dict[str, Any], count: int, width: int) -> tuple[list[str], dict[str, str]]:
    """The poster URLs and the header that opens them, found out with ipyassets itself (not timed)."""
    client, assets = _assets(info, count)
    base = client.base_url
    urls = [
        f"{base}/v1/products/{a.id}/clients/{a.raw['clientUuid']}/thumbnails/{a.raw['asset']['thumbnailBlobId']}"
        f"?width={width}&height={width}"
        for a in assets
    ]
    token = _token(info)
    client.close()
    return urls, {"X-AUTH-TOKEN": f"Bearer {token}"}


def _token(info: dict[str, Any]) -> str:
    import requests

    with requests.Session() as session:
        login = session.post(
            f"{info['admin_url']}/v1/auth/login/token", json={"personal-access-token": info["personal_access_token"]}
        )
        scoped = session.post(
            f"{info['admin_url']}/v1/auth/refresh-token",
            headers={
                "X-AUTH-TOKEN": f"Bearer {login.headers['X-AUTH-TOKEN']}",
                "organizationUuid": info["organization_uuid"],
            },
        )
        return str(scoped.headers["X-AUTH-TOKEN"])


def _assets(info: dict[str, Any], count: int) -> tuple[Any, list[Any]]:
    import ipyassets as ia

    client = ia.Vntana(
        personal_access_token=info["personal_access_token"],
        organization=info["organization_uuid"],
        workspace=info["workspace_uuid"],
        base_url=info["admin_url"],
    )
    return client, list(client.search(limit=count))


def _decoded(content: bytes) -> Any:
    import io

    from PIL import Image

    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def requests_loop(info: dict[str, Any], count: int, width: int) -> tuple[float, int]:
    import requests

    urls, headers = targets(info, count, width)
    started = time.perf_counter()
    images = [_decoded(requests.get(url, headers=headers, timeout=60).content) for url in urls]
    return time.perf_counter() - started, len(images)


def httpx_gather(info: dict[str, Any], count: int, width: int) -> tuple[float, int]:
    import httpx

    urls, headers = targets(info, count, width)

    async def everything() -> list[Any]:
        async with httpx.AsyncClient(headers=headers, timeout=60) as client:

            async def one(url: str) -> Any:
                return _decoded((await client.get(url)).content)

            return await asyncio.gather(*map(one, urls))

    started = time.perf_counter()
    images = asyncio.run(everything())
    return time.perf_counter() - started, len(images)


def ours(info: dict[str, Any], count: int, width: int, *, warm: bool = False) -> tuple[float, int]:
    import ipyassets as ia

    with tempfile.TemporaryDirectory() as folder:
        os.environ["IPYASSETS_CACHE_DIR"] = folder
        client, assets = _assets(info, count)
        found = ia.AssetList.of(assets)
        if warm:
            found.posters(width=width, height=width, progress=False)
        started = time.perf_counter()
        batch = found.posters(width=width, height=width, progress=False)
        took = time.perf_counter() - started
        batch.raise_for_failures()
        client.close()
    return took, len(batch)


def decode_only(info: dict[str, Any], count: int, width: int) -> tuple[float, int]:
    import requests

    urls, headers = targets(info, count, width)
    with requests.Session() as session:
        contents = [session.get(url, headers=headers, timeout=60).content for url in urls]
    started = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        images = list(pool.map(_decoded, contents))
    return time.perf_counter() - started, len(images)


RUN = {
    "requests loop": requests_loop,
    "httpx gather": httpx_gather,
    "ipyassets": ours,
    "ipyassets, warm cache": lambda *a: ours(*a, warm=True),
    "decode only": decode_only,
}


def _one(name: str, count: int, width: int) -> None:
    info = json.loads(sys.stdin.readline())
    took, number = RUN[name](info, count, width)
    assert number == count, f"{name}: {number} of {count} images"
    usage = resource.getrusage(resource.RUSAGE_SELF)
    result = {"seconds": took, "cpu": usage.ru_utime + usage.ru_stime, "rss": usage.ru_maxrss / 1024}
    print(json.dumps(result))


def _serve(count: int, latency: float) -> None:
    from ipyassets.sandbox import Sandbox
    from ipyassets.sandbox.world import Settings

    with Sandbox(assets=count, settings=Settings(latency=latency)) as sandbox:
        print(json.dumps(sandbox.connection_info()), flush=True)
        sys.stdin.read()  # until the benchmark closes it


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--latency", type=float, default=0, help="seconds the server waits before each answer")
    parser.add_argument("--only", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        return _serve(options.count, options.latency)
    if options.only:
        return _one(options.only, options.count, options.width)

    command = [sys.executable, __file__, "--serve", "--count", str(options.count), "--latency", str(options.latency)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        with server.stdin:
            info = json.loads(server.stdout.readline())["vntana"]
            _measured("decode only", info, options)  # the server encodes each size once; that is nobody's time
            results: dict[str, list[dict[str, float]]] = {name: [] for name in CONTENDERS}
            for _ in range(options.rounds):
                for name in CONTENDERS:
                    results[name].append(_measured(name, info, options))
    _table(results, options)
    return None


def _measured(name: str, info: dict[str, Any], options: argparse.Namespace) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, "--only", name, "--count", str(options.count), "--width", str(options.width)],
        input=json.dumps(info) + "\n",
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout))


def _table(results: dict[str, list[dict[str, float]]], options: argparse.Namespace) -> None:
    import PIL

    count = options.count
    limit = statistics.median(run["seconds"] for run in results["decode only"])
    print(
        f"{count} posters of {options.width} px, latency {options.latency * 1000:.0f} ms, "
        f"Python {platform.python_version()}, Pillow {PIL.__version__}, {os.cpu_count()} cores"
    )
    print()
    print("| way | seconds (spread) | images/s | of decode only | peak MB |")
    print("| --- | --- | --- | --- | --- |")
    for name, runs in results.items():
        seconds = sorted(run["seconds"] for run in runs)
        middle = statistics.median(seconds)
        memory = statistics.median(run["rss"] for run in runs)
        print(
            f"| {name} | {middle:.2f} ({seconds[0]:.2f} to {seconds[-1]:.2f}) | {count / middle:.0f} "
            f"| {limit / middle:.2f} | {memory:.0f} |"
        )


if __name__ == "__main__":
    main()
