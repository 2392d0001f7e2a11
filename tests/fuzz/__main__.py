"""``python -m tests.fuzz``: run targets, replay what is kept, make seeds, keep what was found."""

from __future__ import annotations

import argparse
import importlib
import io
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
import traceback
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
WORK = Path("build/fuzz")
TARGETS = ("answers", "archives", "films", "images", "messages", "panels", "receiver", "records", "webhooks", "wire")
MEMORY_MB = 2048
"""More resident memory than this while one input is worked on ends a run."""
PATIENCE = 60
"""Seconds that one input may take, on a machine that has other things to do as well."""
MOST_SECONDS = 1.0
"""Seconds of a processor that one input may take."""
MOST_MEMORY = 300
"""MB that one input may take."""
LONGEST = {
    "answers": 16384,
    "archives": 8192,
    "films": 8192,
    "images": 16384,
    "messages": 4096,
    "panels": 4096,
    "receiver": 20000,
    "records": 4096,
    "webhooks": 5000,
    "wire": 8192,
}
MOST_KEPT = 60_000
"""Bytes that are kept of a target, packed."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="fuzz: each target for some time, one after the other")
    run.add_argument("targets", nargs="*", help=f"of {', '.join(TARGETS)}; all, if none is named")
    run.add_argument("--seconds", type=int, default=60, help="for each target")
    replay = commands.add_parser("replay", help="check every kept input of a target, within time and memory")
    replay.add_argument("targets", nargs="*")
    commands.add_parser("seeds", help="write the seeds anew into tests/fuzz/corpus")
    keep = commands.add_parser("keep", help="keep the smallest inputs that reach what a run has reached")
    keep.add_argument("targets", nargs="*")
    remember = commands.add_parser("remember", help="keep the input of a crash, under a name that tells it")
    remember.add_argument("target", choices=TARGETS)
    remember.add_argument("file", type=Path)
    remember.add_argument("name")
    one = commands.add_parser("one", help="check single files, with the whole traceback")
    one.add_argument("target", choices=TARGETS)
    one.add_argument("files", nargs="+", type=Path)
    engine = commands.add_parser("engine")  # what run and keep start: atheris takes over the process
    engine.add_argument("target", choices=TARGETS)
    engine.add_argument("rest", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    targets = getattr(given, "targets", None) or TARGETS
    unknown = set(targets) - set(TARGETS)
    if unknown:
        parser.error(f"there is no target {min(unknown)}")
    match given.command:
        case "run":
            return max(_run(target, given.seconds) for target in targets)
        case "replay":
            if len(targets) > 1:  # each in a process by itself, which ends with it
                command = [sys.executable, "-m", "tests.fuzz", "replay"]
                return max(subprocess.run([*command, target], check=False).returncode for target in targets)
            return _replay(targets[0])
        case "seeds":
            _write_seeds()
        case "keep":
            return max(_keep(target) for target in targets)
        case "remember":
            path = CORPUS / f"{given.target}-crashes.zip"
            before = {name: content for name, content in _packed(path) if name != given.name}
            _pack(path, [*before.items(), (given.name, given.file.read_bytes())])
        case "one":
            for file in given.files:
                _module(given.target).check(file.read_bytes())
        case "engine":
            _engine(given.target, given.rest)
    return 0


def _module(target: str) -> ModuleType:
    return importlib.import_module(f"tests.fuzz.{target}")


# -- what is kept -----------------------------------------------------------------------------------------------------


def kept(target: str) -> Iterator[tuple[str, bytes]]:
    """Every committed input of a target: seeds, what runs have found, and what was a crash."""
    for name in (f"{target}-seeds.zip", f"{target}-found.zip", f"{target}-crashes.zip"):
        for one, content in _packed(CORPUS / name):
            yield f"{name}:{one}", content


def _packed(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.exists():
        with zipfile.ZipFile(path) as archive:
            yield from ((name, archive.read(name)) for name in archive.namelist())


def _write_seeds() -> None:
    for target in TARGETS:
        _pack(CORPUS / f"{target}-seeds.zip", list(_module(target).seeds()))


def _pack(path: Path, inputs: list[tuple[str, bytes]]) -> None:
    """The same bytes for the same inputs, whenever they are packed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(inputs):
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)


def _replay(target: str) -> int:
    """Check every kept input. Memory and processor time are limited by the system, so run it in a process by itself."""
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    resource.setrlimit(resource.RLIMIT_CPU, (120, 120))
    check = _module(target).check
    count, failed = 0, 0
    for name, content in kept(target):
        count += 1
        try:
            check(content)
        except BaseException:  # noqa: BLE001
            failed += 1
            sys.stderr.write(f"{target}: {name}\n{traceback.format_exc()}\n")
    sys.stdout.write(f"{target}: {count} inputs, {failed} failed\n")
    sys.stdout.flush()
    # Widgets and their loop thread end with the process.
    os._exit(1 if failed or not count else 0)


# -- atheris ----------------------------------------------------------------------------------------------------------


def _engine(target: str, rest: list[str]) -> None:
    import atheris

    with atheris.instrument_imports(include=_included(target), enable_loader_override=False):
        module = _module(target)
    change = getattr(module, "CHANGE", None)

    def check(data: bytes) -> None:
        spent, most = _spent(module.check, data)
        if spent > MOST_SECONDS:  # what was imported or collected on the way is not the input's doing
            spent, most = _spent(module.check, data)
        assert spent <= MOST_SECONDS, f"{spent:.1f} seconds of a processor"
        assert most <= MOST_MEMORY, f"{most} MB more than ever before"

    def changed(data: bytes, most: int, seed: int) -> bytes:
        made: bytes = change(data, most, seed, lambda given, most, _: atheris.Mutate(given, most))
        return made

    options = {} if change is None else {"custom_mutator": changed}
    # To merge, libFuzzer starts itself once more, by its own name.
    itself = (WORK / target / "engine").absolute()
    itself.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tests.fuzz engine {target} "$@"\n', "utf-8")
    itself.chmod(0o700)
    atheris.Setup([str(itself), *rest], check, **options)
    atheris.Fuzz()


def _spent(check: Callable[[bytes], None], data: bytes) -> tuple[float, int]:
    """Seconds of a processor, and MB by which the most that was ever in use has grown."""
    memory, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    check(data)
    spent = time.process_time() - began
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
    return spent, grown // (1 << 20 if sys.platform == "darwin" else 1 << 10)


def _included(target: str) -> list[str]:
    # Read, not imported: what is imported before is not instrumented.
    text = (HERE / f"{target}.py").read_text("utf-8")
    found = re.search(r"^INSTRUMENTED: Final = \[(.*)\]", text, re.MULTILINE)
    assert found is not None
    return re.findall(r'"(\w+)"', found[1])


def _folder(target: str) -> Path:
    folder = WORK / target / "corpus"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in [*kept(target), *_module(target).seeds()]:
        (folder / re.sub(r"[^\w.-]", "_", name)).write_bytes(content)
    return folder


def _words(target: str) -> Path:
    path = WORK / target / "words"
    lines = ("".join(f"\\x{byte:02x}" for byte in word) for word in _module(target).WORDS)
    path.write_text("".join(f'"{line}"\n' for line in lines), "utf-8")
    return path


def _run(target: str, seconds: int) -> int:
    folder = _folder(target)
    crashes = WORK / target / "crashes"
    crashes.mkdir(exist_ok=True)
    log = WORK / target / "log"
    command = [
        *(sys.executable, "-m", "tests.fuzz", "engine", target),
        str(folder),
        f"-max_total_time={seconds}",
        f"-max_len={LONGEST[target]}",
        f"-timeout={PATIENCE}",
        f"-rss_limit_mb={MEMORY_MB}",
        f"-dict={_words(target)}",
        f"-artifact_prefix={crashes}/",
        "-print_final_stats=1",
        "-reload=0",
    ]
    with log.open("ab") as out:
        code = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, check=False).returncode
    lines = log.read_text("utf-8", "replace").splitlines()
    first = next((line for line in lines if "INITED" in line), "")
    last = next((line for line in reversed(lines) if re.match(r"#\d+\s+\w+\s+cov", line)), "")
    sys.stdout.write(f"{target}: {'ended by a crash' if code else 'no crash'}; see {log}\n  {first}\n  {last}\n")
    return 1 if code else 0


def _keep(target: str) -> int:
    """Merge what runs have found; of that the smallest, as many as there is room for."""
    folder = _folder(target)
    with tempfile.TemporaryDirectory() as merged:
        engine = [sys.executable, "-m", "tests.fuzz", "engine", target]
        command = [*engine, merged, str(folder), "-merge=1", f"-timeout={PATIENCE}"]
        code = subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode
        inputs = sorted((path.read_bytes() for path in Path(merged).iterdir()), key=len)
    if code:
        sys.stderr.write(f"{target}: the merge ended with {code}; nothing was changed\n")
        return code
    seeds = {content for _, content in _module(target).seeds()}
    chosen: list[tuple[str, bytes]] = []
    for content in inputs:
        if content in seeds:
            continue
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("x", content)
        size = sum(len(one) + 120 for _, one in chosen)
        if size + len(buffer.getvalue()) > MOST_KEPT:
            break
        chosen.append((f"{len(chosen):03}", content))
    _pack(CORPUS / f"{target}-found.zip", chosen)
    sys.stdout.write(f"{target}: {len(chosen)} of {len(inputs)} kept\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
