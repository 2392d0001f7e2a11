"""A soak: thousands of posters and hundreds of jobs while one request in ten goes wrong, and processes are killed.

    python benchmarks/soak.py [--minutes 20] [--posters 20000] [--jobs 500] [--seed 0] [--dry]

Three processes. The *sandbox* serves, with faults in a tenth of its answers: refusals, resets, cut bodies, stalls,
pages of HTML, damaged files. The *reader* fetches posters of VNTANA, has archives of Scenario made and renders of
VNTANA, without a cache; it is interrupted (SIGINT, as by a notebook's stop button) at random, and never killed: its
memory, threads and descriptors are looked at. The *victim* fetches posters and files into a cache and a folder, and is
killed (SIGKILL) at random; after each time every file in its cache and its folder is looked at, and the next one goes
on with what is there.

Every poster and every job must be delivered, or named with an error of `ipyassets.errors`; what is neither is lost.
Results go to ``benchmarks/results/soak.json``.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import datetime as dt
import itertools
import json
import os
import random
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from harness import RESULTS, machine, versions

FAULTS: Final[tuple[dict[str, Any], ...]] = (
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 429, "headers": {"Retry-After": "0.2"}},
    {"kind": "status", "status": 502},
    {"kind": "reset"},
    {"kind": "reset", "after": 40},
    {"kind": "cut"},
    {"kind": "slow", "seconds": 0.2, "jitter": 0.5},
    {"kind": "html"},
    {"kind": "truncated"},
    {"kind": "corrupt"},
)
"""Each strikes one request in a hundred."""
BATCH: Final = 200
"""Posters asked for together."""
HEAD: Final = struct.Struct("<8sIQd")
SAMPLE: Final = 2.0


# -- the sandbox ------------------------------------------------------------------------------------------------------


def serve(options: argparse.Namespace) -> None:
    from ipyassets.sandbox import Sandbox, Settings

    settings = Settings(
        assets=options.posters,
        render_quality="draft",
        render_stills=1,
        archive_queue_time=0.05,
        archive_work_time=0.1,
    )
    with Sandbox(settings=settings, seed=options.seed) as sandbox:
        for fault in FAULTS:
            sandbox.faults.add("/", count=None, rate=0.01, **fault)
        print(json.dumps(sandbox.environment()), flush=True)
        sys.stdin.read()
        told = [seen.status for seen in tuple(sandbox.faults.log)]
        print(json.dumps({"requests_logged": len(told)}), flush=True)


# -- the reader -------------------------------------------------------------------------------------------------------


class Journal:
    """Lines that are written at once, so that nothing is forgotten by who is killed."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1)
        self._lock = threading.Lock()

    def note(self, **facts: Any) -> None:
        with self._lock:
            self._file.write(json.dumps(facts) + "\n")


def read_posters(journal: Journal, posters: int, end: float) -> None:
    """Every poster of the catalogue, a batch after the other; what an interrupt left over is asked for again."""
    import ipyassets as ia

    ia.cache.enabled = False
    vntana = ia.Vntana()
    for turn in itertools.count():
        place = 0
        while place < posters and time.time() < end:
            try:
                asked = vntana.search(sort="created", page_size=100)[place : min(place + BATCH, posters)]
                wanted = len(asked)
                if not wanted:
                    break
                batch = asked.posters(width=64, progress=False)
            except ia.Interrupted as stopped:
                there = 0 if stopped.partial is None else len(stopped.partial)
                journal.note(kind="interrupted", partial=there)
                continue
            except KeyboardInterrupt:
                journal.note(kind="interrupted", partial=0)
                continue
            except ia.AssetServiceError as error:
                journal.note(kind="page", error=type(error).__name__)  # asked for again
                continue
            try:
                images = sum(image is not None for image in batch)
                named = collections.Counter(type(error).__name__ for _, _, error in batch.failures)
                lost = wanted - images - len(batch.failures)
                journal.note(kind="posters", turn=turn, asked=wanted, delivered=images, named=named, lost=lost)
            except KeyboardInterrupt:
                journal.note(kind="interrupted", partial=0)
                continue
            place += wanted
        if time.time() >= end:
            return


def run_jobs(journal: Journal, jobs: int, end: float) -> None:
    """Archives, and now and then renders, each looked into once it is done."""
    import ipyassets as ia

    vntana, scenario = ia.Vntana(), ia.Scenario()
    products: list[str] = []
    pictures: list[str] = []
    while time.time() < end and not (products and pictures):
        with contextlib.suppress(ia.AssetServiceError):
            products = [one.id for one in vntana.search(asset_types="THREE_D", conversion_status="COMPLETED", limit=40)]
            found = scenario.search(kind="image", filter='mimeType = "image/webp"', limit=400)
            pictures = [one.id for one in found]
    small = ia.Turntable(frames=2, fps=4, width=32, height=24)
    for number in range(jobs):
        if time.time() >= end:
            return
        kind = "render" if number % 10 == 9 else "archive"
        try:
            if kind == "render":
                job: Any = vntana.render(
                    products[number % len(products)], width=32, height=24, turntable=small, poll=0.2
                ).wait(120, progress=False)
                stills = job.stills(progress=False)
                good = job.status in ("completed", "partly_failed") and None not in list(stills) + stills.failures
                if stills.failures or job.failures:
                    good = True
                    for _, _, error in [*stills.failures, *job.failures]:
                        journal.note(kind="job part", error=type(error).__name__)
            else:
                some = [pictures[(3 * number + n) % len(pictures)] for n in range(3)]
                job = scenario.archive(some, flat=True, poll=0.2).wait(120, progress=False)
                batch = job.images(width=64, progress=False)
                # A member whose name was damaged stands beside the slot of the asset that is missing for it.
                good = len(batch) >= 3 and len(batch.failures) + sum(image is not None for image in batch) == len(batch)
                if not good:
                    raise AssertionError(f"{some}: {job.names} {batch.failures} {list(batch)}"[:600])
                for _, _, error in batch.failures:
                    journal.note(kind="job part", error=type(error).__name__)
            outcome = "delivered" if good else "lost"
            journal.note(kind="job", what=kind, outcome=outcome, **({} if good else {"error": repr(job)[:300]}))
        except ia.AssetServiceError as error:
            journal.note(kind="job", what=kind, outcome="named", error=type(error).__name__)
        except Exception as error:  # what is no error of ours is what a soak looks for
            journal.note(kind="job", what=kind, outcome="lost", error=f"{type(error).__name__}: {error}")


def watch(journal: Journal, end: float) -> None:
    began = time.time()
    while time.time() < end:
        with open("/proc/self/status") as file:  # noqa: PTH123
            memory = next(int(line.split()[1]) for line in file if line.startswith("VmRSS:")) / 1024
        sockets = 0
        handles = os.listdir("/proc/self/fd")  # noqa: PTH208
        for handle in handles:
            with contextlib.suppress(OSError):
                sockets += os.readlink(f"/proc/self/fd/{handle}").startswith("socket:")  # noqa: PTH115
        journal.note(
            kind="sample",
            at=time.time() - began,
            memory=memory,
            threads=threading.active_count(),
            descriptors=len(handles),
            sockets=sockets,
        )
        time.sleep(SAMPLE)


def reader(options: argparse.Namespace) -> None:
    folder = Path(options.folder)
    journal = Journal(folder / "reader.jsonl")
    end = options.until
    others = [
        threading.Thread(target=watch, args=(journal, end), daemon=True),
        threading.Thread(target=run_jobs, args=(journal, options.jobs, end), daemon=True),
    ]
    for thread in others:
        thread.start()
    # Where a shell began this in the background, it had SIGINT ignored, and so has every process that comes of it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    journal.note(kind="ready")
    while True:
        try:
            read_posters(journal, options.posters, end)
            break
        except KeyboardInterrupt:
            journal.note(kind="interrupted", partial=0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    others[1].join(150)
    journal.note(kind="end", jobs_hang=others[1].is_alive())


# -- the victim -------------------------------------------------------------------------------------------------------


def victim(options: argparse.Namespace) -> None:
    import ipyassets as ia

    folder = Path(options.folder)
    journal = Journal(folder / "victim.jsonl")
    public, scenario = ia.VntanaPublic(), ia.Scenario()
    job = None
    for number in itertools.count(random.randrange(1000)):
        if time.time() >= options.until:
            return
        try:
            some = public.search(page_size=100)[number % 50 * 20 : number % 50 * 20 + 60]
            batch = some.posters(width=96, progress=False)
            journal.note(kind="posters", asked=len(batch), named=len(batch.failures))
            if job is None or number % 4 == 0:
                found = scenario.search(kind="image", limit=60)
                job = scenario.archive(found, flat=True, poll=0.2).wait(60, progress=False)
            job.save(folder / "kept" / f"archive-{number % 5}.zip", progress=False)
            scenario.download_many(found[:6], folder=folder / "files", progress=False)
            job.extract(folder / "extracted", overwrite=True, progress=False)
        except ia.AssetServiceError as error:
            journal.note(kind="error", error=type(error).__name__)
        except Exception as error:
            journal.note(kind="lost", error=f"{type(error).__name__}: {error}")


def looked_at(folder: Path) -> dict[str, list[str]]:
    """What is not whole of what a killed process left, by where; parts and files beside are meant not to be."""
    broken: dict[str, list[str]] = {"cache": [], "archives": [], "files": []}
    for path in (folder / "cache").rglob("*"):
        if path.is_file() and not path.name.startswith("tmp-"):
            content = path.read_bytes()
            magic, crc, length, _ = HEAD.unpack(content[: HEAD.size])
            body = content[HEAD.size :]
            if magic != b"ipyasset" or length != len(body) or crc != zlib.crc32(body):
                broken["cache"].append(path.name)
    for path in (folder / "kept").glob("*.zip"):
        # By the sandbox's own faults a member may be damaged as it was sent; what is looked for is a half archive.
        if not zipfile.is_zipfile(path):
            broken["archives"].append(path.name)
    for where in ("files", "extracted"):
        for path in (folder / where).rglob("*"):
            meant = path.name.startswith(".ipyassets-") or path.suffix == ".part"
            if path.is_file() and not meant and path.stat().st_size == 0:
                broken["files"].append(path.name)
    return broken


# -- the driver -------------------------------------------------------------------------------------------------------


def begun(role: str, options: argparse.Namespace, environment: dict[str, str], *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, "--role", role, "--posters", str(options.posters), "--jobs", str(options.jobs)]
    return subprocess.Popen(
        [*command, "--seed", str(options.seed), *more],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@contextlib.contextmanager
def running(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    try:
        yield process
    finally:
        try:
            process.communicate(timeout=30)  # the end of its input is the sandbox's sign to stop
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def soak(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    chance = random.Random(options.seed)
    for name in ("cache", "kept", "files", "extracted", "temporary"):
        (folder / name).mkdir()
    base = {**os.environ, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    base |= {"TMPDIR": str(folder / "temporary"), "IPYASSETS_CACHE_DIR": str(folder / "cache")}
    interrupts = kills = 0
    broken: collections.Counter[str] = collections.Counter()
    cached = 0
    with running(begun("serve", options, base)) as sandbox:
        assert sandbox.stdout is not None
        environment = base | json.loads(sandbox.stdout.readline())
        end = time.time() + 60 * options.minutes
        more = ("--until", str(end), "--folder", str(folder))
        with running(begun("reader", options, environment, *more)) as reading:
            doomed = begun("victim", options, environment, *more)
            next_interrupt, next_kill = time.time() + 15, time.time() + 10 + chance.random() * 20
            while time.time() < end:
                time.sleep(0.5)
                if time.time() >= next_interrupt and time.time() < end - 10:
                    reading.send_signal(signal.SIGINT)
                    interrupts += 1
                    next_interrupt = time.time() + 2 + chance.random() * 18
                if time.time() >= next_kill:
                    doomed.kill()
                    doomed.communicate()
                    kills += 1
                    for where, names in looked_at(folder).items():
                        broken[where] += len(names)
                    cached = max(cached, sum(path.is_file() for path in (folder / "cache").rglob("*")))
                    doomed = begun("victim", options, environment, *more)
                    next_kill = time.time() + 5 + chance.random() * 30
            doomed.kill()
            doomed.communicate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                reading.communicate(timeout=200)
            code = reading.poll()
    left = sorted(path.name for path in (folder / "temporary").iterdir())
    return {
        **summed(folder),
        "minutes": options.minutes,
        "reader_exit": code,
        "interrupts": interrupts,
        "kills": kills,
        "cached_files": cached,
        "broken": {where: broken[where] for where in ("cache", "archives", "files")},
        "temporary_left_by_the_killed": left,
    }


def summed(folder: Path) -> dict[str, Any]:
    lines = [json.loads(line) for line in (folder / "reader.jsonl").read_text().splitlines()]
    of: dict[str, list[dict[str, Any]]] = collections.defaultdict(list)
    for line in lines:
        of[line["kind"]].append(line)
    named: collections.Counter[str] = collections.Counter()
    for batch in of["posters"]:
        named.update(batch["named"])
    samples = of["sample"]
    fifth = max(1, len(samples) // 5)

    def flat(name: str) -> dict[str, float]:
        early = statistics.median(one[name] for one in samples[fifth : 2 * fifth] or samples)
        late = statistics.median(one[name] for one in samples[-fifth:])
        return {"early": round(early, 1), "late": round(late, 1), "most": round(max(one[name] for one in samples), 1)}

    jobs = collections.Counter(f"{job['what']} {job['outcome']}" for job in of["job"])
    victim_lines = [
        json.loads(line) for line in (folder / "victim.jsonl").read_text().splitlines() if line.endswith("}")
    ]
    return {
        "posters": {
            "asked": sum(batch["asked"] for batch in of["posters"]),
            "delivered": sum(batch["delivered"] for batch in of["posters"]),
            "named": dict(named),
            "lost": sum(batch["lost"] for batch in of["posters"]),
            "turns": 1 + max((batch["turn"] for batch in of["posters"]), default=-1),
            "pages_asked_again": len(of["page"]),
        },
        "jobs": {**jobs, "parts_named": len(of["job part"]), "hang": bool(of["end"] and of["end"][-1]["jobs_hang"])},
        "lost": [job["error"] for job in of["job"] if job["outcome"] == "lost" and "error" in job][:20],
        "reader": {name: flat(name) for name in ("memory", "threads", "descriptors", "sockets")},
        "interrupted": len(of["interrupted"]),
        "victim": dict(collections.Counter(line["kind"] for line in victim_lines)),
        "victim_lost": [line["error"] for line in victim_lines if line["kind"] == "lost"][:20],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--posters", type=int, default=20_000)
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dry", action="store_true", help="print the figures, write no results")
    parser.add_argument("--role", choices=["serve", "reader", "victim"], help=argparse.SUPPRESS)
    parser.add_argument("--until", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.role is not None:
        {"serve": serve, "reader": reader, "victim": victim}[options.role](options)
        return
    with tempfile.TemporaryDirectory(prefix="ipyassets-soak-") as folder:
        found = soak(options, Path(folder))
    result = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "machine": machine(),
        "versions": versions(("ipyassets", "pillow", "httpx")),
        "wanted": {"posters": options.posters, "jobs": options.jobs},
        **found,
    }
    print(json.dumps(result, indent=1))
    if not options.dry:
        (RESULTS / "soak.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
